-- The nodes that serve from this database: a row each, written by the node itself every few seconds with the
-- database's time. All lie in bucket 0; a migration asks here who would stop working.
CREATE TABLE nodes (
  bucket     bigint NOT NULL,
  id         text COLLATE "C" NOT NULL,
  address    text COLLATE "C" NOT NULL,
  pid        bigint NOT NULL,
  level      bigint NOT NULL,
  started_at bigint NOT NULL,
  seen_at    bigint NOT NULL,
  PRIMARY KEY (bucket, id)
);
