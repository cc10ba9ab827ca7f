//! Between rows and types: running cached statements, reading columns in order, writing lists as text.
//!
//! What a column means is said in the file of its area; what SQLite's errors mean is said here.

use accord_core::handle::Bucket;
use accord_core::moment::Timestamp;
use accord_core::money::{Amount, Currency};
use accord_core::secret::Digest;
use accord_core::store::{StoreFault, Stored};
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, ErrorCode, Params, Row};

/// Declares statements as constants, and for tests the list of them all.
macro_rules! statements {
    ($($seen:vis $name:ident = $sql:expr;)+) => {
        $($seen const $name: &str = $sql;)+
        /// Every statement of this file.
        #[cfg(test)]
        pub(super) const STATEMENTS: &[&str] = &[$($name),+];
    };
}
pub(super) use statements;

/// The columns of a row, read from left to right.
pub(super) struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl Columns<'_, '_> {
    /// The next column as SQLite's own kind of value.
    pub(super) fn get<T: FromSql>(&mut self) -> Stored<T> {
        let index = self.next;
        self.next += 1;
        self.row.get(index).map_err(|error| StoreFault::Corrupt(error.to_string()))
    }

    /// The next column as text that `parse` understands.
    pub(super) fn parsed<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Stored<T> {
        self.maybe(parse)?.ok_or_else(|| corrupt(self.row, self.next - 1))
    }

    /// The next column as text that `parse` understands, or NULL.
    pub(super) fn maybe<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Stored<Option<T>> {
        let index = self.next;
        self.next += 1;
        match self.row.get_ref(index).map_err(|error| StoreFault::Corrupt(error.to_string()))? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => {
                let value = std::str::from_utf8(text).ok().and_then(parse);
                value.map(Some).ok_or_else(|| corrupt(self.row, index))
            }
            _ => Err(corrupt(self.row, index)),
        }
    }

    pub(super) fn time(&mut self) -> Stored<Timestamp> {
        self.get().map(Timestamp)
    }

    pub(super) fn maybe_time(&mut self) -> Stored<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp))
    }

    pub(super) fn digest(&mut self) -> Stored<Digest> {
        self.get().map(Digest)
    }

    /// Two columns, currency and value, as an amount.
    pub(super) fn amount(&mut self) -> Stored<Amount> {
        let currency = self.parsed(Currency::parse)?;
        let value = self.get()?;
        Amount::new(currency, value).ok_or_else(|| corrupt(self.row, self.next - 1))
    }

    pub(super) fn bucket(&mut self) -> Stored<Bucket> {
        self.get().map(Bucket::new)
    }
}

fn corrupt(row: &Row<'_>, index: usize) -> StoreFault {
    let column = row.as_ref().column_name(index).unwrap_or("?").to_owned();
    StoreFault::Corrupt(format!("column {column} holds no value of its type"))
}

/// The one row of a query, if it is there.
pub(super) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_, '_>) -> Stored<T>,
) -> Stored<Option<T>> {
    let mut statement = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = statement.query(params).map_err(fault)?;
    match rows.next().map_err(fault)? {
        Some(row) => read(&mut Columns { row, next: 0 }).map(Some),
        None => Ok(None),
    }
}

/// All rows of a query.
pub(super) fn many<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_, '_>) -> Stored<T>,
) -> Stored<Vec<T>> {
    let mut statement = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = statement.query(params).map_err(fault)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        found.push(read(&mut Columns { row, next: 0 })?);
    }
    Ok(found)
}

/// Writes rows; a key that exists already is a conflict.
pub(super) fn write(db: &Connection, sql: &str, params: impl Params) -> Stored<()> {
    still_inside(db)?;
    db.prepare_cached(sql).map_err(fault)?.execute(params).map_err(fault)?;
    Ok(())
}

/// Changes the one row of a key; no such row is corruption.
pub(super) fn change(db: &Connection, sql: &str, params: impl Params, what: &str) -> Stored<()> {
    still_inside(db)?;
    match db.prepare_cached(sql).map_err(fault)?.execute(params).map_err(fault)? {
        0 => Err(StoreFault::Corrupt(format!("{what} to be replaced is not there"))),
        _ => Ok(()),
    }
}

/// On a full disk SQLite may roll back the whole transaction. A rule that went on then would commit line by line.
fn still_inside(db: &Connection) -> Stored<()> {
    match db.is_autocommit() {
        true => Err(StoreFault::Unavailable("the database rolled the transaction back".into())),
        false => Ok(()),
    }
}

/// What an error of SQLite means to the rules.
pub(super) fn fault(error: rusqlite::Error) -> StoreFault {
    let code = error.sqlite_error().map(|inner| (inner.code, inner.extended_code));
    match code {
        Some((
            ErrorCode::ConstraintViolation,
            rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY | rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE,
        )) => StoreFault::Conflict(error.to_string()),
        Some((
            ErrorCode::ConstraintViolation
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::TypeMismatch,
            _,
        )) => StoreFault::Corrupt(error.to_string()),
        _ => StoreFault::Unavailable(error.to_string()),
    }
}

/// A limit as SQLite counts.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A list as text: each item a line that ends, its fields parted by tabs.
pub(super) fn write_list<'a>(items: impl IntoIterator<Item = Vec<&'a str>>) -> String {
    let mut text = String::new();
    for fields in items {
        for (index, field) in fields.into_iter().enumerate() {
            if index > 0 {
                text.push('\t');
            }
            for letter in field.chars() {
                match letter {
                    '\\' => text.push_str("\\\\"),
                    '\n' => text.push_str("\\n"),
                    '\t' => text.push_str("\\t"),
                    other => text.push(other),
                }
            }
        }
        text.push('\n');
    }
    text
}

/// The list that [`write_list`] wrote; nothing when it did not.
pub(super) fn read_list(text: &str) -> Option<Vec<Vec<String>>> {
    let mut items = Vec::new();
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut letters = text.chars();
    let mut ended = true;
    while let Some(letter) = letters.next() {
        ended = letter == '\n';
        match letter {
            '\n' => {
                fields.push(std::mem::take(&mut field));
                items.push(std::mem::take(&mut fields));
            }
            '\t' => fields.push(std::mem::take(&mut field)),
            '\\' => field.push(match letters.next()? {
                '\\' => '\\',
                'n' => '\n',
                't' => '\t',
                _ => return None,
            }),
            other => field.push(other),
        }
    }
    ended.then_some(items)
}

/// A list of plain texts as text.
pub(super) fn write_texts(texts: &[String]) -> String {
    write_list(texts.iter().map(|text| vec![text.as_str()]))
}

/// The texts that [`write_texts`] wrote.
pub(super) fn read_texts(text: &str) -> Option<Vec<String>> {
    read_list(text)?
        .into_iter()
        .map(|fields| <[String; 1]>::try_from(fields).ok().map(|[text]| text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_as_it_was() {
        let lists: &[&[&[&str]]] = &[
            &[],
            &[&[""]],
            &[&["", ""]],
            &[&["a\\n", "b\nc"], &["\t", "دينار"]],
            &[&["\\"], &["\\t\t\n\n"]],
        ];
        for list in lists {
            let text = write_list(list.iter().map(|fields| fields.to_vec()));
            assert_eq!(read_list(&text).expect("a list"), *list, "{text:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_list_is_refused() {
        for text in ["a", "a\nb", "\\x\n", "\\"] {
            assert_eq!(read_list(text), None, "{text:?}");
        }
        assert_eq!(read_texts("a\tb\n"), None);
    }
}
