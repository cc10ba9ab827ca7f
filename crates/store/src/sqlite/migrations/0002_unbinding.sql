-- The rows of crates/core/src/store/unbinding.rs.

-- Questions to the owner of an agreement that brought no answer: times, each a line, oldest first.
CREATE TABLE consults (
  bucket    INTEGER NOT NULL,
  agreement TEXT    NOT NULL,
  failed_at TEXT    NOT NULL,
  PRIMARY KEY (bucket, agreement)
) STRICT, WITHOUT ROWID;
