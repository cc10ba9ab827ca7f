
-- The rows of crates/core/src/store/preference.rs, in the user's bucket. A line of `carried` is a kind and a
-- carrier.
CREATE TABLE preferences (
  bucket   INTEGER NOT NULL,
  customer TEXT    NOT NULL,
  email    TEXT,
  carried  TEXT,
  seen_at  INTEGER NOT NULL,
  PRIMARY KEY (bucket, customer)
) STRICT, WITHOUT ROWID;
