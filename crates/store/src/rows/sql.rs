//! Between rows and types: running statements, reading columns in order, writing lists as text.
//!
//! What a column means is said in the file of its area; what an engine's errors mean is said in its own folder.

use super::engine::{Engine, Row};
use super::value::{FromValue, Params, Value};
use accord_core::handle::Bucket;
use accord_core::moment::Timestamp;
use accord_core::money::{Amount, Currency};
use accord_core::secret::Digest;
use accord_core::store::{StoreFault, Stored};

/// Declares statements as constants, and for tests the list of them all.
macro_rules! statements {
    ($($seen:vis $name:ident = $sql:expr;)+) => {
        $($seen const $name: &str = $sql;)+
        /// Every statement of this file.
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[&str] = &[$($name),+];
    };
}
pub(crate) use statements;

/// The columns of a row, read from left to right.
pub(crate) struct Columns<'a> {
    row: &'a dyn Row,
    next: usize,
}

impl Columns<'_> {
    /// The next column as a plain value.
    pub(crate) fn get<T: FromValue>(&mut self) -> Stored<T> {
        let index = self.next;
        self.next += 1;
        self.row.value(index).and_then(T::from_value).ok_or_else(|| corrupt(self.row, index))
    }

    /// The next column as text that `parse` understands.
    pub(crate) fn parsed<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Stored<T> {
        self.maybe(parse)?.ok_or_else(|| corrupt(self.row, self.next - 1))
    }

    /// The next column as text that `parse` understands, or NULL.
    pub(crate) fn maybe<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Stored<Option<T>> {
        let index = self.next;
        self.next += 1;
        match self.row.value(index) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => parse(text).map(Some).ok_or_else(|| corrupt(self.row, index)),
            _ => Err(corrupt(self.row, index)),
        }
    }

    pub(crate) fn time(&mut self) -> Stored<Timestamp> {
        self.get().map(Timestamp)
    }

    pub(crate) fn maybe_time(&mut self) -> Stored<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp))
    }

    pub(crate) fn digest(&mut self) -> Stored<Digest> {
        self.get().map(Digest)
    }

    /// Two columns, currency and value, as an amount.
    pub(crate) fn amount(&mut self) -> Stored<Amount> {
        let currency = self.parsed(Currency::parse)?;
        let value = self.get()?;
        Amount::new(currency, value).ok_or_else(|| corrupt(self.row, self.next - 1))
    }

    pub(crate) fn bucket(&mut self) -> Stored<Bucket> {
        self.get().map(Bucket::new)
    }
}

fn corrupt(row: &dyn Row, index: usize) -> StoreFault {
    StoreFault::Corrupt(format!("column {} holds no value of its type", row.name(index)))
}

/// The one row of a query, if it is there.
pub(crate) fn one<T>(
    db: &dyn Engine,
    sql: &'static str,
    params: Params<'_>,
    read: impl Fn(&mut Columns<'_>) -> Stored<T>,
) -> Stored<Option<T>> {
    let mut found = None;
    db.query(sql, params, &mut |row| {
        found = Some(read(&mut Columns { row, next: 0 })?);
        Ok(false)
    })?;
    Ok(found)
}

/// All rows of a query.
pub(crate) fn many<T>(
    db: &dyn Engine,
    sql: &'static str,
    params: Params<'_>,
    read: impl Fn(&mut Columns<'_>) -> Stored<T>,
) -> Stored<Vec<T>> {
    let mut found = Vec::new();
    db.query(sql, params, &mut |row| {
        found.push(read(&mut Columns { row, next: 0 })?);
        Ok(true)
    })?;
    Ok(found)
}

/// All rows of a query over many buckets. Inside a transaction nobody else changes what was found before it ends.
pub(crate) fn scan<T>(
    db: &dyn Engine,
    sql: &'static str,
    params: Params<'_>,
    read: impl Fn(&mut Columns<'_>) -> Stored<T>,
    bucket: impl Fn(&T) -> Bucket,
) -> Stored<Vec<T>> {
    loop {
        let found = many(db, sql, params, &read)?;
        if db.hold(&mut found.iter().map(&bucket))? {
            return Ok(found);
        }
    }
}

/// Writes rows; a key that exists already is a conflict.
pub(crate) fn write(db: &dyn Engine, sql: &'static str, params: Params<'_>) -> Stored<()> {
    db.run(sql, params)
}

/// Changes the one row of a key; no such row is corruption.
pub(crate) fn change(db: &dyn Engine, sql: &'static str, params: Params<'_>, what: &str) -> Stored<()> {
    match db.execute(sql, params)? {
        0 => Err(StoreFault::Corrupt(format!("{what} to be replaced is not there"))),
        _ => Ok(()),
    }
}

/// A limit as databases count.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A list as text: each item a line that ends, its fields parted by tabs.
pub(crate) fn write_list<'a>(items: impl IntoIterator<Item = Vec<&'a str>>) -> String {
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
pub(crate) fn read_list(text: &str) -> Option<Vec<Vec<String>>> {
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
pub(crate) fn write_texts(texts: &[String]) -> String {
    write_list(texts.iter().map(|text| vec![text.as_str()]))
}

/// The texts that [`write_texts`] wrote.
pub(crate) fn read_texts(text: &str) -> Option<Vec<String>> {
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
