//! The file that is moved: read by this process while another may serve from it.

use super::TransferFault;
use super::table::{BATCH, Cell, Column, Kind, Summing, Table, TableSum};
use crate::fence::{FENCE, Fence};
use crate::schema::Schema;
use crate::sqlite::{Access, OpenFault, connect, migrations};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::{Path, PathBuf};

/// The file.
pub(super) struct Source {
    db: Connection,
    path: PathBuf,
}

impl Source {
    /// Opens a file whose schema is this program's own.
    pub(super) fn open(path: &Path, schema: &Schema) -> Result<Source, TransferFault> {
        let db = connect(path, Access::Write)?;
        let pending = migrations::pending(&db, path, schema)?.len();
        let found = migrations::version(&db, path)?;
        let path = path.to_owned();
        if pending > 0 {
            return Err(OpenFault::SchemaTooOld { path, found, needed: schema.level() }.into());
        }
        if found > schema.level() {
            return Err(OpenFault::SchemaTooNew { path, found, known: schema.level() }.into());
        }
        Ok(Source { db, path })
    }

    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn opened<T>(&self, result: rusqlite::Result<T>) -> Result<T, TransferFault> {
        result.map_err(|error| OpenFault::of(&self.path, error).into())
    }

    pub(super) fn fence(&self) -> Result<Option<Fence>, TransferFault> {
        let sql = "SELECT value FROM settings WHERE name = ?1";
        let text: Option<String> =
            self.opened(self.db.query_row(sql, [FENCE], |row| row.get(0)).optional())?;
        Ok(text.map(|text| Fence::read(&text)))
    }

    /// After this nothing is written to the file any more.
    pub(super) fn set_fence(&self, fence: &Fence) -> Result<(), TransferFault> {
        let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.opened(self.db.execute(sql, params![FENCE, fence.written()])).map(|_| ())
    }

    pub(super) fn lift_fence(&self) -> Result<(), TransferFault> {
        self.opened(self.db.execute("DELETE FROM settings WHERE name = ?1", [FENCE])).map(|_| ())
    }

    /// Every table that is copied.
    pub(super) fn tables(&self) -> Result<Vec<Table>, TransferFault> {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                     AND name <> 'schema_migrations' ORDER BY name";
        let mut statement = self.opened(self.db.prepare(names))?;
        let names: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0)).and_then(Iterator::collect);
        self.opened(names)?.into_iter().map(|name| self.opened(self.table(name))).collect()
    }

    fn table(&self, name: String) -> rusqlite::Result<Table> {
        let mut statement =
            self.db.prepare("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let rows = statement.query_map([&name], |row| {
            let kind = match row.get::<_, String>(1)?.as_str() {
                "INTEGER" => Kind::Int,
                "BLOB" => Kind::Bytes,
                _ => Kind::Text,
            };
            Ok((Column { name: row.get(0)?, kind }, row.get::<_, i64>(2)?))
        })?;
        let (mut columns, mut key) = (Vec::new(), Vec::new());
        for (index, row) in rows.enumerate() {
            let (column, place) = row?;
            columns.push(column);
            if place > 0 {
                key.push((place, index));
            }
        }
        key.sort_unstable();
        Ok(Table { name, columns, key: key.into_iter().map(|(_, index)| index).collect() })
    }

    /// The next rows behind a key.
    pub(super) fn rows(
        &self,
        table: &Table,
        after: Option<&[Cell]>,
    ) -> Result<Vec<Vec<Cell>>, TransferFault> {
        let read = || -> rusqlite::Result<Vec<Vec<Cell>>> {
            let mut statement = self.db.prepare_cached(&table.page(after.is_some()))?;
            let rows = statement.query_map(rusqlite::params_from_iter(after.unwrap_or_default()), |row| {
                (0..table.columns.len()).map(|index| Ok(cell(row.get(index)?))).collect()
            })?;
            rows.collect()
        };
        read().map_err(|why| table.fault(why))
    }

    /// Reads all rows and computes their digest.
    pub(super) fn sum(&self, table: &Table) -> Result<TableSum, TransferFault> {
        let (mut sum, mut after) = (Summing::default(), None::<Vec<Cell>>);
        loop {
            let rows = self.rows(table, after.as_deref())?;
            rows.iter().for_each(|row| sum.add(row));
            match rows.last() {
                Some(last) if rows.len() == BATCH => after = Some(table.key_of(last)),
                _ => return Ok(sum.of(table)),
            }
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Int(number) => ValueRef::Integer(*number),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            Cell::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Tables are strict, so there is no fraction.
fn cell(value: Value) -> Cell {
    match value {
        Value::Null | Value::Real(_) => Cell::Null,
        Value::Integer(number) => Cell::Int(number),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Bytes(bytes),
    }
}
