-- The rows of crates/core/src/store/device.rs: browsers in which users are signed in, in the user's bucket. Of a token
-- there is only the digest.
CREATE TABLE devices (
  bucket       INTEGER NOT NULL,
  id           TEXT    NOT NULL,
  customer     TEXT    NOT NULL,
  digest       BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  address      TEXT    NOT NULL,
  user_agent   TEXT    NOT NULL,
  PRIMARY KEY (bucket, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_of_customer ON devices (bucket, customer, created_at, id);
CREATE INDEX devices_by_expiry ON devices (expires_at, bucket, id);
