-- What only an engine with many writers needs.

-- A row for each bucket, and -1 for the tables without one. Locked by transactions, never changed.
CREATE TABLE bucket_locks (
  bucket bigint NOT NULL PRIMARY KEY
);
INSERT INTO bucket_locks (bucket) SELECT generate_series(-1, 1023);

-- A marker for each transaction that wrote, written with it: found again when the answer to a commit was lost.
-- Removed after a day.
CREATE TABLE commits (
  bucket bigint NOT NULL,
  marker bytea  NOT NULL,
  at     bigint NOT NULL,
  PRIMARY KEY (bucket, marker)
);
CREATE INDEX commits_by_time ON commits (at);
