-- The rows of crates/core/src/store/operator.rs.

-- Who may call the wallet API. Of a secret there is only the digest.
CREATE TABLE credentials (
  bucket     INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  role       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  digest     BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER,
  PRIMARY KEY (bucket, id)
) STRICT, WITHOUT ROWID;

-- Money in and out. The bucket is that of the caller's id.
CREATE TABLE transfers (
  bucket    INTEGER NOT NULL,
  id        TEXT    NOT NULL,
  customer  TEXT    NOT NULL,
  direction TEXT    NOT NULL,
  currency  TEXT    NOT NULL,
  value     INTEGER NOT NULL,
  posting   TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (bucket, id)
) STRICT, WITHOUT ROWID;
