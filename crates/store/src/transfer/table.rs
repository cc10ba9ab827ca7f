//! A table on its way: its columns, its rows in the order of their key, and the digest over them, which does not depend
//! on the engine, nor on its order of keys.

use super::TransferFault;
use crate::fence::FENCE;
use sha2::Digest as _;

/// Rows of the file that are read at once.
pub(super) const BATCH: usize = 500;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A value of any engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of its primary key, in their order.
    pub(super) key: Vec<usize>,
}

/// How many rows a table has, and a digest over them, in whatever order they are read: the SHA-256 over the sum of the
/// rows' own SHA-256, in four numbers of 64 bits that wrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// Lower-case hex.
    pub sha256: String,
}

impl Table {
    /// Its columns, with commas between.
    pub(super) fn columns(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Its key, with commas between.
    pub(super) fn key(&self) -> String {
        self.key
            .iter()
            .filter_map(|index| self.columns.get(*index))
            .map(|column| column.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What is left out: the fence is each store's own.
    pub(super) fn only(&self) -> String {
        if self.name == "settings" { format!("name <> '{FENCE}'") } else { "true".to_owned() }
    }

    /// All rows, in whatever order.
    pub(super) fn all(&self) -> String {
        format!("SELECT {} FROM {} WHERE {}", self.columns(), self.name, self.only())
    }

    /// The next rows in the order of the key, from the beginning or behind a key, in the file's words.
    pub(super) fn page(&self, after: bool) -> String {
        let (all, key) = (self.all(), self.key());
        let marks: Vec<String> = (1..=self.key.len()).map(|number| format!("?{number}")).collect();
        let behind = if after { format!(" AND ({key}) > ({})", marks.join(", ")) } else { String::new() };
        format!("{all}{behind} ORDER BY {key} LIMIT {BATCH}")
    }

    /// The key of a row.
    pub(super) fn key_of(&self, row: &[Cell]) -> Vec<Cell> {
        self.key.iter().filter_map(|index| row.get(*index)).cloned().collect()
    }

    /// A row of it could not be read or written.
    pub(super) fn fault(&self, why: impl std::fmt::Display) -> TransferFault {
        TransferFault::Row { table: self.name.clone(), why: why.to_string() }
    }
}

/// A digest that grows row by row.
#[derive(Default)]
pub(super) struct Summing {
    parts: [u64; 4],
    rows: u64,
}

impl Summing {
    /// Takes a row in.
    pub(super) fn add(&mut self, row: &[Cell]) {
        let mut hash = sha2::Sha256::new();
        row.iter().for_each(|cell| cell.hash(&mut hash));
        for (part, bytes) in self.parts.iter_mut().zip(hash.finalize().chunks_exact(8)) {
            *part = part.wrapping_add(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
        self.rows += 1;
    }

    /// The digest of all rows that were taken in.
    pub(super) fn of(self, table: &Table) -> TableSum {
        let sum: Vec<u8> = self.parts.iter().flat_map(|part| part.to_be_bytes()).collect();
        let sha256 = sha2::Sha256::digest(&sum).iter().map(|byte| format!("{byte:02x}")).collect();
        TableSum { table: table.name.clone(), rows: self.rows, sha256 }
    }
}

impl Cell {
    /// Kind, length and bytes, so that no two rows look alike.
    fn hash(&self, hash: &mut sha2::Sha256) {
        let (kind, bytes): (u8, &[u8]) = match self {
            Cell::Null => (0, &[]),
            Cell::Int(number) => {
                hash.update([1]);
                return hash.update(number.to_be_bytes());
            }
            Cell::Text(text) => (2, text.as_bytes()),
            Cell::Bytes(bytes) => (3, bytes),
        };
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
}
