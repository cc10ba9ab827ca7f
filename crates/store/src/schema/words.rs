//! The statements of a step, one by one, and what each of them holds while it runs.

/// What a statement does, as far as locks go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act<'s> {
    /// A new table: nobody else knows it.
    CreateTable(&'s str),
    /// An index.
    CreateIndex {
        /// Its name.
        name: &'s str,
        /// Its table.
        table: &'s str,
        /// May no two rows be alike?
        unique: bool,
    },
    /// Another shape of a table.
    Alter(&'s str),
    /// A table or an index goes.
    Drop(&'s str),
    /// Rows are written.
    Write(&'s str),
    /// Anything else.
    Other,
}

/// The statements of a step, without the comments between them. What stands in quotes stays whole.
pub fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut quoted, mut comment) = (0, false, false);
    let mut letters = sql.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\n' => comment = false,
            '-' if !quoted && !comment && letters.peek().is_some_and(|(_, next)| *next == '-') => {
                comment = true
            }
            '\'' if !comment => quoted = !quoted,
            ';' if !quoted && !comment => {
                found.push(&sql[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&sql[start..]);
    found.into_iter().map(bare).filter(|statement| !statement.is_empty()).collect()
}

/// Without the comments and blanks before it.
fn bare(statement: &str) -> &str {
    let mut rest = statement.trim();
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    rest
}

/// What a statement does.
pub fn act(statement: &str) -> Act<'_> {
    let mut words = statement
        .split(|letter: char| letter.is_whitespace() || letter == '(')
        .filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.filter(|word| !matches!(*word, "IF" | "NOT" | "EXISTS")).take(4).collect();
    match (first, rest.as_slice()) {
        ("CREATE", ["TABLE", table, ..]) => Act::CreateTable(table),
        ("CREATE", ["INDEX", name, "ON", table]) => Act::CreateIndex { name, table, unique: false },
        ("CREATE", ["UNIQUE", "INDEX", name, "ON"]) => {
            let table = statement.split(" ON ").nth(1).and_then(|rest| rest.split([' ', '(']).next());
            Act::CreateIndex { name, table: table.unwrap_or_default(), unique: true }
        }
        ("ALTER", ["TABLE", table, ..]) => Act::Alter(table),
        ("DROP", [_, name, ..]) => Act::Drop(name),
        ("UPDATE", [table, ..]) | ("INSERT" | "DELETE", [_, table, ..]) => Act::Write(table),
        _ => Act::Other,
    }
}

/// The tables that a step makes itself.
fn own_tables<'s>(statements: &[&'s str]) -> Vec<&'s str> {
    let table = |statement: &&'s str| match act(statement) {
        Act::CreateTable(table) => Some(table),
        _ => None,
    };
    statements.iter().filter_map(table).collect()
}

/// May an index be built while nodes serve: is it a plain one on a table that was there before the step? A unique one
/// may not: it must hold from the moment on when programs rely on it.
pub fn is_built_aside(statement: &str, all: &[&str]) -> bool {
    matches!(act(statement), Act::CreateIndex { table, unique: false, .. } if !own_tables(all).contains(&table))
}

/// What a step holds on a PostgreSQL that serves, in sentences.
pub fn locks(sql: &str) -> Vec<String> {
    let all = statements(sql);
    let own = own_tables(&all);
    let mut said = Vec::new();
    for statement in &all {
        let sentence = match act(statement) {
            Act::CreateIndex { name, table, .. } if is_built_aside(statement, &all) => {
                format!("{table}: index {name} is built concurrently; reads and writes go on")
            }
            Act::CreateIndex { name, table, .. } if !own.contains(&table) => {
                format!("{table}: writes wait while index {name} is built")
            }
            Act::Alter(table) if !own.contains(&table) => {
                format!("{table}: everybody waits for a moment (ALTER TABLE)")
            }
            Act::Drop(name) => format!("{name}: everybody waits for a moment (DROP)"),
            Act::Write(table) if !own.contains(&table) => {
                format!("{table}: the rows that are written are locked")
            }
            _ => continue,
        };
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str = "-- A step; with a comment.\nCREATE TABLE a (\n  b TEXT CHECK (b <> ';')\n) STRICT; -- so\n\
        -- An index.\nCREATE INDEX a_by_b ON a (b);\nALTER TABLE payments ADD COLUMN c TEXT;\n\
        CREATE INDEX payments_by_c\n  ON payments (c);\nCREATE UNIQUE INDEX u ON users (d);\nDROP TABLE old;\n\
        UPDATE users SET d = 'it''s; so';\n";

    #[test]
    fn a_step_is_taken_apart_at_its_semicolons() {
        let all = statements(STEP);
        assert_eq!(all.len(), 7, "{all:?}");
        assert!(all[0].starts_with("CREATE TABLE a") && all[0].ends_with("STRICT"), "{all:?}");
        assert_eq!(all[6], "UPDATE users SET d = 'it''s; so'");
        assert_eq!(act(all[3]), Act::CreateIndex { name: "payments_by_c", table: "payments", unique: false });
        assert_eq!(act(all[4]), Act::CreateIndex { name: "u", table: "users", unique: true });
    }

    #[test]
    fn only_plain_indexes_on_older_tables_are_built_aside() {
        let all = statements(STEP);
        let aside: Vec<bool> = all.iter().map(|statement| is_built_aside(statement, &all)).collect();
        assert_eq!(aside, [false, false, false, true, false, false, false]);
        let said = locks(STEP);
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(said[0].starts_with("payments: everybody waits"), "{said:?}");
        assert!(said[1].contains("concurrently") && said[2].contains("writes wait"), "{said:?}");
    }

    #[test]
    fn every_statement_of_this_program_is_understood() {
        for step in crate::schema::ALL {
            for statement in statements(&step.sql).iter().chain(&statements(&step.of_postgres)) {
                assert_ne!(act(statement), Act::Other, "{statement}");
            }
        }
    }
}
