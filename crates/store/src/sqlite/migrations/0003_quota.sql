-- The rows of crates/core/src/store/quota.rs: what nodes reserved of a client's calls in the newest second.
CREATE TABLE call_quotas (
  bucket       INTEGER NOT NULL,
  client       TEXT    NOT NULL,
  time_window  INTEGER NOT NULL,
  taken        INTEGER NOT NULL,
  nodes        INTEGER NOT NULL,
  nodes_before INTEGER NOT NULL,
  PRIMARY KEY (bucket, client)
) STRICT, WITHOUT ROWID;
