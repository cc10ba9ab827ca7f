-- The rows of crates/core/src/store/console.rs: who may sign in to the operator console, in the bucket of the name. Of
-- a password there is only a hash, of a token only the digest.
CREATE TABLE operators (
  bucket        INTEGER NOT NULL,
  name          TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  password_hash TEXT    NOT NULL,
  created_at    INTEGER NOT NULL,
  disabled_at   INTEGER,
  PRIMARY KEY (bucket, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE console_sessions (
  bucket       INTEGER NOT NULL,
  id           TEXT    NOT NULL,
  operator     TEXT    NOT NULL,
  digest       BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  address      TEXT    NOT NULL,
  PRIMARY KEY (bucket, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX console_sessions_of_operator ON console_sessions (bucket, operator, created_at, id);
CREATE INDEX console_sessions_by_expiry ON console_sessions (expires_at, bucket, id);

-- What the console searches by: an owner's reference, and the few notifications that wait for a person.
CREATE INDEX terms_by_reference ON terms (reference_agreement_id, created_at, bucket, auth_id)
  WHERE reference_agreement_id IS NOT NULL;
CREATE INDEX notifications_stuck ON notifications (state, created_at, id) WHERE state IN ('rejected', 'dead', 'held');
