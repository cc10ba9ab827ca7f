//! The database that is filled: closed by its fence until all is there.

use super::TransferFault;
use super::table::{Cell, Kind, Summing, Table, TableSum};
use crate::fence::{FENCE, Fence};
use crate::postgres::{Link, PostgresFault, PostgresOptions, PostgresUrl, apply, migrations, nodes};
use crate::schema::Schema;
use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use std::error::Error as StdError;
use std::pin::pin;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Error, Row};

/// The database.
pub(super) struct Target {
    link: Link,
    url: PostgresUrl,
}

impl Target {
    /// Opens a database whose schema is this program's own; an empty one gets it.
    pub(super) fn open(url: &PostgresUrl, schema: &Schema) -> Result<Target, TransferFault> {
        let link = Link::open(url, &PostgresOptions::default())?;
        let (found, place) = (migrations::version(&link, url)?, url.to_string());
        if found == 0 {
            apply::migrate(&link, url, schema, None)?;
        } else if !migrations::pending(&link, url, schema)?.is_empty() {
            return Err(PostgresFault::SchemaTooOld { place, found, needed: schema.level() }.into());
        } else if found > schema.level() {
            return Err(PostgresFault::SchemaTooNew { place, found, known: schema.level() }.into());
        }
        let target = Target { link, url: url.clone() };
        // A large table may take its time.
        target.say("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
        Ok(target)
    }

    fn fault(&self, error: &Error) -> TransferFault {
        PostgresFault::of(&self.url, error).into()
    }

    fn say(&self, words: &str) -> Result<(), TransferFault> {
        self.link.wait_long(self.link.client.batch_execute(words)).map_err(|error| self.fault(&error))
    }

    fn ask(&self, words: &str) -> Result<Vec<Row>, TransferFault> {
        self.link.wait_long(self.link.client.query(words, &[])).map_err(|error| self.fault(&error))
    }

    /// A name for a move, unlike any other.
    pub(super) fn new_id(&self) -> String {
        self.link.next_marker()
    }

    pub(super) fn fence(&self) -> Result<Option<Fence>, TransferFault> {
        let rows = self.ask(&format!("SELECT value FROM settings WHERE name = '{FENCE}'"))?;
        Ok(rows.first().map(|row| Fence::read(row.get(0))))
    }

    pub(super) fn set_fence(&self, fence: &Fence) -> Result<(), TransferFault> {
        let words = "INSERT INTO settings (name, value) VALUES ($1, $2)";
        let text = fence.written();
        self.link
            .wait_long(self.link.client.execute(words, &[&FENCE, &text]))
            .map(|_| ())
            .map_err(|error| self.fault(&error))
    }

    /// Takes the fence of that move away: nodes may serve.
    pub(super) fn open_up(&self, id: &str) -> Result<(), TransferFault> {
        // The planner knows nothing yet of tables that were filled a moment ago.
        self.say("ANALYZE")?;
        let words = "DELETE FROM settings WHERE name = $1 AND value LIKE 'filling ' || $2 || ' %'";
        let deleted = self.link.wait_long(self.link.client.execute(words, &[&FENCE, &id]));
        deleted.map(|_| ()).map_err(|error| self.fault(&error))
    }

    /// Nobody may serve from it meanwhile.
    pub(super) fn refuse_served(&self) -> Result<(), TransferFault> {
        let live = nodes::live(&self.link, &self.url)?;
        if live.is_empty() {
            return Ok(());
        }
        let nodes: Vec<String> = live.iter().map(ToString::to_string).collect();
        Err(TransferFault::Served { place: self.url.to_string(), nodes: nodes.join(", ") })
    }

    /// It must be empty.
    pub(super) fn refuse_rows(&self, tables: &[Table]) -> Result<(), TransferFault> {
        for table in tables {
            let rows = self.ask(&format!("SELECT 1 FROM {} WHERE {} LIMIT 1", table.name, table.only()))?;
            if !rows.is_empty() {
                let (place, table) = (self.url.to_string(), table.name.clone());
                return Err(TransferFault::NotEmpty { place, table });
            }
        }
        Ok(())
    }

    /// The rows that are there already.
    pub(super) fn count(&self, tables: &[Table]) -> Result<u64, TransferFault> {
        let mut sum = 0;
        for table in tables {
            let rows = self.ask(&format!("SELECT count(*) FROM {} WHERE {}", table.name, table.only()))?;
            sum += rows.first().map_or(0, |row| row.get::<_, i64>(0)) as u64;
        }
        Ok(sum)
    }

    /// The last key of a table: where copying goes on.
    pub(super) fn last_key(&self, table: &Table) -> Result<Option<Vec<Cell>>, TransferFault> {
        let key = table.key().replace(", ", " DESC, ");
        let (columns, only) = (table.columns(), table.only());
        let words = format!("SELECT {columns} FROM {} WHERE {only} ORDER BY {key} DESC LIMIT 1", table.name);
        let rows = self.ask(&words)?;
        Ok(match rows.first() {
            Some(row) => Some(table.key_of(&self.cells(table, row)?)),
            None => None,
        })
    }

    /// Reads all rows, in the order in which they lie there, and computes their digest.
    pub(super) fn sum(&self, table: &Table) -> Result<TableSum, TransferFault> {
        self.link.wait_long(async {
            let nothing: [&str; 0] = [];
            let words = table.all();
            let rows = self.link.client.query_raw(&words, nothing).await;
            let mut rows = pin!(rows.map_err(|error| self.fault(&error))?);
            let mut sum = Summing::default();
            while let Some(row) = rows.try_next().await.map_err(|error| self.fault(&error))? {
                sum.add(&self.cells(table, &row)?);
            }
            Ok(sum.of(table))
        })
    }

    fn cells(&self, table: &Table, row: &Row) -> Result<Vec<Cell>, TransferFault> {
        let cell = |(index, column): (usize, &super::table::Column)| -> Result<Cell, Error> {
            Ok(match column.kind {
                Kind::Int => row.try_get::<_, Option<i64>>(index)?.map_or(Cell::Null, Cell::Int),
                Kind::Text => row.try_get::<_, Option<String>>(index)?.map_or(Cell::Null, Cell::Text),
                Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(index)?.map_or(Cell::Null, Cell::Bytes),
            })
        };
        table.columns.iter().enumerate().map(cell).collect::<Result<_, _>>().map_err(|why| table.fault(why))
    }

    /// Copies the rows that `next` gives until it gives none, all or nothing; says how many there were.
    pub(super) fn insert(
        &self,
        table: &Table,
        mut next: impl FnMut() -> Result<Vec<Vec<Cell>>, TransferFault>,
    ) -> Result<u64, TransferFault> {
        let words = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", table.name, table.columns());
        let kinds: Vec<Type> = table.columns.iter().map(|column| column.kind.of_postgres()).collect();
        let fault = |error: Error| match error.as_db_error() {
            Some(_) => table.fault(crate::postgres::sentence(&error)),
            None => self.fault(&error),
        };
        self.link.wait_long(async {
            let sink = self.link.client.copy_in(&words).await.map_err(fault)?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &kinds));
            loop {
                let rows = next()?;
                if rows.is_empty() {
                    return writer.finish().await.map_err(fault);
                }
                for row in &rows {
                    writer.as_mut().write_raw(row).await.map_err(fault)?;
                }
            }
        })
    }

    /// Empties it, and takes the fence away: a fresh database again.
    pub(super) fn clear(&self, tables: &[Table]) -> Result<(), TransferFault> {
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        self.say(&format!("TRUNCATE {}", names.join(", ")))
    }
}

impl Kind {
    fn of_postgres(self) -> Type {
        match self {
            Kind::Int => Type::INT8,
            Kind::Text => Type::TEXT,
            Kind::Bytes => Type::BYTEA,
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(number) => number.to_sql(kind, out),
            Cell::Text(text) => text.to_sql(kind, out),
            Cell::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}
