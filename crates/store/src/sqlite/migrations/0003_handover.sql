-- The rows of crates/core/src/store/handover.rs.

-- In the session's bucket: the browser that has its page to hand over, and the phone that took it.
CREATE TABLE handovers (
  bucket          INTEGER NOT NULL,
  auth_id         TEXT    NOT NULL,
  session_ends_at INTEGER NOT NULL,
  opened_by       BLOB    NOT NULL,
  opened_at       INTEGER NOT NULL,
  address         TEXT    NOT NULL,
  device          TEXT    NOT NULL,
  number          INTEGER NOT NULL,
  wrong           INTEGER NOT NULL,
  taken_by        BLOB,
  taken_at        INTEGER,
  PRIMARY KEY (bucket, auth_id)
) STRICT, WITHOUT ROWID;
