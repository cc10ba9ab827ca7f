//! The shared statements in PostgreSQL's words, and whose rows each of them touches.

use crate::rows::value::{Params, Value};

/// A statement as the server gets it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// With `$1` for `?1`.
    pub(super) sql: String,
    /// Whose rows it touches.
    pub(super) guard: Guard,
    /// Does it insert one row whose key must be new? No row inserted then means that the key exists.
    pub(super) inserts_once: bool,
    /// May it meet a key that exists in another way? Then only the statement must fail, not the transaction.
    pub(super) may_collide: bool,
    /// The tables that it names.
    pub(super) tables: Vec<String>,
}

/// Whose rows a statement touches, and so what a transaction holds before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Those of the bucket that is the first parameter.
    FirstParameter,
    /// Those of one bucket, whatever the parameters are.
    Home(i64),
    /// Those of the small tables without a bucket.
    Reference,
    /// Rows of many buckets, only read; what is found is held afterwards.
    Scan,
}

/// The place in the table of locks that stands for the tables without a bucket.
pub(super) const REFERENCE: i64 = -1;

/// The tables without a bucket.
const REFERENCE_TABLES: [&str; 3] = ["settings", "clients", "client_keys"];

/// Updates of rows that have a unique column beside their key.
const MAY_COLLIDE: [&str; 2] = ["UPDATE token_sets ", "UPDATE agreements "];

impl Translated {
    pub(super) fn of(sql: &str) -> Translated {
        // An insert that finds its key taken must not bring the whole transaction down.
        let inserts_once =
            sql.starts_with("INSERT INTO") && sql.contains("VALUES") && !sql.contains("ON CONFLICT");
        let turned = bucket_first(sql);
        let mut text = String::with_capacity(sql.len() + 24);
        let mut letters = turned.chars().peekable();
        while let Some(letter) = letters.next() {
            let marks = letter == '?' && letters.peek().is_some_and(char::is_ascii_digit);
            text.push(if marks { '$' } else { letter });
        }
        if inserts_once {
            text.push_str(" ON CONFLICT DO NOTHING");
        }
        let may_collide = MAY_COLLIDE.iter().any(|start| sql.starts_with(start))
            || (sql.starts_with("INSERT INTO") && !sql.contains("VALUES"));
        Translated { sql: text, guard: guard(sql), inserts_once, may_collide, tables: tables(sql) }
    }

    /// The bucket that must be held before the statement runs with those parameters.
    pub(super) fn bucket(&self, params: Params<'_>) -> Option<i64> {
        match self.guard {
            Guard::FirstParameter => match params.first().map(|field| field.value()) {
                Some(Value::Int(bucket)) => Some(bucket),
                _ => None,
            },
            Guard::Home(bucket) => Some(bucket),
            Guard::Reference | Guard::Scan => None,
        }
    }
}

/// The words with the bucket first in every key. SQLite has it last where new rows would else lie all over the file;
/// here it is what shards are chosen by. A key is a list in brackets, or one of an order with a limit; the values that a
/// list is compared with turn with it.
pub(super) fn bucket_first(sql: &str) -> String {
    const LAST: &str = ", bucket";
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(LAST) {
        let (before, after) = (&rest[..at], &rest[at + LAST.len()..]);
        let open = before.rfind('(').filter(|open| !before[*open..].contains(')'));
        let begin = match (after.chars().next(), open) {
            (Some(')'), Some(open)) => Some(open + 1),
            _ if after.starts_with(" LIMIT ") => {
                before.rfind("ORDER BY ").map(|order| order + "ORDER BY ".len())
            }
            _ => None,
        };
        rest = after;
        let Some(begin) = begin else {
            text.push_str(before);
            text.push_str(LAST);
            continue;
        };
        text.push_str(&before[..begin]);
        text.push_str("bucket, ");
        text.push_str(&before[begin..]);
        if let Some(values) = after.strip_prefix(") > (")
            && let Some((list, behind)) = values.split_once(')')
            && let Some((others, bucket)) = list.rsplit_once(", ")
        {
            text.push_str(") > (");
            text.push_str(bucket);
            text.push_str(", ");
            text.push_str(others);
            text.push(')');
            rest = behind;
        }
    }
    text.push_str(rest);
    text
}

fn tables(sql: &str) -> Vec<String> {
    let mut words = sql.split_whitespace();
    let mut tables = Vec::new();
    while let Some(word) = words.next() {
        if ["FROM", "JOIN", "INTO", "UPDATE"].iter().any(|leads| word.trim_start_matches('(') == *leads)
            && let Some(name) = words.next().filter(|name| *name != "SET")
        {
            tables.push(
                name.trim_matches(|letter: char| !letter.is_alphanumeric() && letter != '_').to_owned(),
            );
        }
    }
    tables
}

fn guard(sql: &str) -> Guard {
    let table_after = |word: &str| sql.split(word).nth(1).and_then(|rest| rest.split_whitespace().next());
    if sql.contains("audit_sealed") {
        // One row of each stream, written only together with a checkpoint, which lies in bucket 0.
        return Guard::Home(0);
    }
    if sql.contains("bucket = ?1") || (sql.starts_with("INSERT INTO") && sql.contains("(bucket, ")) {
        return Guard::FirstParameter;
    }
    match table_after("INTO ").or_else(|| table_after("FROM ")) {
        Some(table) if REFERENCE_TABLES.contains(&table) => Guard::Reference,
        _ => Guard::Scan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    fn all() -> impl Iterator<Item = &'static str> {
        rows::STATEMENTS.iter().copied().flatten().copied()
    }

    #[test]
    fn keys_begin_with_the_bucket() {
        for (there, here) in [
            (
                "WHERE (id, bucket) > (?2, ?1) ORDER BY id, bucket LIMIT ?3",
                "WHERE (bucket, id) > (?1, ?2) ORDER BY bucket, id LIMIT ?3",
            ),
            (
                "  PRIMARY KEY (agreement, generation, bucket),",
                "  PRIMARY KEY (bucket, agreement, generation),",
            ),
            ("  UNIQUE (auth_id, bucket)", "  UNIQUE (bucket, auth_id)"),
        ] {
            assert_eq!(bucket_first(there), here);
            assert_eq!(bucket_first(here), here, "and stays");
        }
        for stays in [
            "SELECT id, bucket, number FROM journal ORDER BY expires_at, bucket, id LIMIT ?2",
            "INSERT INTO user_agreements (bucket, agreement, agreement_bucket) VALUES (?1, ?2, ?3)",
            "CREATE INDEX a ON b (resolve_at, bucket, id);",
            "SELECT max(id), bucket FROM t",
            ", bucket",
        ] {
            assert_eq!(bucket_first(stays), stays);
        }
    }

    #[test]
    fn every_statement_that_changes_rows_says_whose() {
        let mut keyed = 0;
        for sql in all() {
            let guard = guard(sql);
            let reads = sql.starts_with("SELECT") || sql.starts_with("WITH");
            assert!(reads || guard != Guard::Scan, "{sql}");
            keyed += u32::from(guard == Guard::FirstParameter);
        }
        assert!(keyed > 80, "{keyed}");
    }

    #[test]
    fn a_bucket_comes_first_wherever_one_row_is_meant() {
        for sql in all().filter(|sql| guard(sql) == Guard::Scan) {
            let one = sql.contains("bucket =") && !sql.contains("JOIN") && !sql.contains("RECURSIVE");
            assert!(!one, "{sql}");
        }
    }

    #[test]
    fn the_tables_of_every_statement_are_known() {
        for sql in all() {
            let tables = tables(sql);
            let named = |name: &String| name.is_empty() || name.chars().any(|letter| letter.is_lowercase());
            assert!(!tables.is_empty() && tables.iter().all(named), "{sql}: {tables:?}");
        }
        let moved = "INSERT INTO terms_cold SELECT * FROM terms WHERE bucket = ?1 AND auth_id = ?2";
        assert_eq!(tables(moved), ["terms_cold", "terms"]);
    }

    #[test]
    fn parameters_and_inserts_are_put_in_its_words() {
        let translated = Translated::of("INSERT INTO codes (bucket, digest) VALUES (?1, ?12)");
        assert_eq!(
            translated.sql,
            "INSERT INTO codes (bucket, digest) VALUES ($1, $12) ON CONFLICT DO NOTHING"
        );
        assert!(translated.inserts_once);
        assert_eq!(translated.bucket(&[&7_i64, &"x"]), Some(7));
        let upsert = "INSERT INTO settings (name, value) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        assert_eq!(Translated::of(upsert).guard, Guard::Reference);
        assert!(!Translated::of(upsert).inserts_once);
        let moved = "INSERT INTO terms_cold SELECT * FROM terms WHERE bucket = ?1 AND auth_id = ?2";
        assert_eq!(Translated::of(moved).guard, Guard::FirstParameter);
        assert!(!Translated::of(moved).inserts_once && Translated::of(moved).may_collide);
    }
}
