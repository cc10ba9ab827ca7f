//! Statements for many rules at once: each parameter becomes a list, and the server runs through the lists itself. So a
//! statement costs its way to the server, its start and its end once, and for each rule only its rows.

use crate::rows::value::Value;
use accord_core::store::{StoreFault, Stored};
use tokio_postgres::types::{ToSql, Type};

/// The statement with lists for parameters, if there is a way to say that. A query gets one column more in front: whose
/// row it is, counted from 1.
///
/// The order of one query's rows, and how many it wants of them, are lost or cannot be said so: such a query runs for each.
pub(crate) fn text(sql: &str, types: &[Type]) -> Option<String> {
    let lists = lists(types)?;
    let names: Vec<String> = (1..=types.len()).map(|number| format!("p{number}")).collect();
    let names = names.join(", ");
    if sql.starts_with("SELECT") {
        let each = ["ORDER BY", "LIMIT", "GROUP BY"].iter().any(|word| sql.contains(word));
        // OFFSET 0: looked up for each of the list by its index, whatever the server thinks of the tables' sizes.
        return (!each).then(|| {
            format!(
                "SELECT v.place, r.* FROM unnest({lists}) WITH ORDINALITY AS v({names}, place), \
                 LATERAL ({} OFFSET 0) AS r",
                named(sql)
            )
        });
    }
    let (head, values) = sql.strip_prefix("INSERT INTO").and(sql.split_once("VALUES"))?;
    let (values, tail) = values.trim_start().strip_prefix('(')?.split_once(')')?;
    if tail.contains('?') {
        return None;
    }
    let once = if tail.contains("ON CONFLICT") { "" } else { " ON CONFLICT DO NOTHING" };
    Some(format!("{head}SELECT {} FROM unnest({lists}) AS v({names}){tail}{once}", named(values)))
}

/// `$1::int8[], $2::text[]` and so on.
fn lists(types: &[Type]) -> Option<String> {
    let one = |(index, kind): (usize, &Type)| {
        let kind = match *kind {
            Type::INT8 => "int8",
            Type::TEXT => "text",
            Type::BYTEA => "bytea",
            _ => return None,
        };
        Some(format!("${}::{kind}[]", index + 1))
    };
    let all: Option<Vec<String>> = types.iter().enumerate().map(one).collect();
    all.filter(|all| !all.is_empty()).map(|all| all.join(", "))
}

/// With `v.p1` for `?1`.
fn named(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 64);
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter == '?' && letters.peek().is_some_and(char::is_ascii_digit) {
            true => text.push_str("v.p"),
            false => text.push(letter),
        }
    }
    text
}

/// One parameter of many rules.
#[derive(Debug)]
pub(super) enum List<'a> {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<&'a str>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

impl<'a> List<'a> {
    /// A list of that type; a value of another is the program's fault.
    pub(super) fn of(kind: &Type, values: impl Iterator<Item = Value<'a>>) -> Stored<List<'a>> {
        let odd = || StoreFault::Corrupt(format!("a parameter is not of type {kind}"));
        macro_rules! list {
            ($list:ident, $value:ident) => {
                values
                    .map(|value| match value {
                        Value::Null => Ok(None),
                        Value::$value(value) => Ok(Some(value)),
                        _ => Err(odd()),
                    })
                    .collect::<Stored<Vec<_>>>()
                    .map(List::$list)
            };
        }
        match *kind {
            Type::INT8 => list!(Ints, Int),
            Type::TEXT => list!(Texts, Text),
            Type::BYTEA => list!(Bytes, Bytes),
            _ => Err(odd()),
        }
    }

    /// As the client library asks for it.
    pub(super) fn bound(&self) -> &(dyn ToSql + Sync) {
        match self {
            List::Ints(list) => list,
            List::Texts(list) => list,
            List::Bytes(list) => list,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_said_for_many() {
        let types = [Type::INT8, Type::BYTEA];
        assert_eq!(
            text("SELECT digest FROM codes WHERE bucket = ?1 AND digest = ?2", &types).as_deref(),
            Some(
                "SELECT v.place, r.* FROM unnest($1::int8[], $2::bytea[]) WITH ORDINALITY AS v(p1, p2, place), \
                 LATERAL (SELECT digest FROM codes WHERE bucket = v.p1 AND digest = v.p2 OFFSET 0) AS r"
            )
        );
        assert_eq!(
            text("INSERT INTO codes (bucket, digest) VALUES (?1, ?2)", &types).as_deref(),
            Some(
                "INSERT INTO codes (bucket, digest) SELECT v.p1, v.p2 FROM unnest($1::int8[], $2::bytea[]) \
                 AS v(p1, p2) ON CONFLICT DO NOTHING"
            )
        );
        let upsert = "INSERT INTO t (bucket, x) VALUES (?1, ?2)
            ON CONFLICT (bucket) DO UPDATE SET x = excluded.x WHERE excluded.x > t.x";
        let many = text(upsert, &types).expect("an upsert for many");
        assert!(many.ends_with("WHERE excluded.x > t.x") && !many.contains("DO NOTHING"), "{many}");
    }

    #[test]
    fn what_depends_on_one_rule_runs_for_each() {
        let types = [Type::INT8];
        for sql in [
            "SELECT x FROM t WHERE bucket = ?1 ORDER BY x",
            "SELECT x FROM t LIMIT ?1",
            "UPDATE t SET x = 1 WHERE bucket = ?1",
            "DELETE FROM t WHERE bucket = ?1",
            "INSERT INTO cold SELECT * FROM t WHERE bucket = ?1",
        ] {
            assert_eq!(text(sql, &types), None, "{sql}");
        }
        assert_eq!(text("SELECT x FROM t", &[]), None);
    }
}
