-- The rows of crates/core/src/store/audit.rs.

-- The journal becomes a chain: a stream is a bucket, numbered without gaps. Lines of the first schema, which no
-- release has written, have no hash and are dropped.
DROP TABLE journal;
CREATE TABLE journal ( -- by time: at
  bucket  INTEGER NOT NULL,
  number  INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  act     TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  actor   TEXT    NOT NULL,
  detail  TEXT    NOT NULL,
  hash    BLOB    NOT NULL,
  PRIMARY KEY (bucket, number)
) STRICT;
CREATE INDEX journal_by_subject ON journal (subject, bucket, number);

-- The newest line of each stream: what the next one is chained to, however old the stream's lines are.
CREATE TABLE journal_heads (
  bucket INTEGER NOT NULL,
  number INTEGER NOT NULL,
  hash   BLOB    NOT NULL,
  PRIMARY KEY (bucket)
) STRICT, WITHOUT ROWID;

-- Signed heads of the streams. Their bucket is always 0.
CREATE TABLE audit_checkpoints (
  bucket    INTEGER NOT NULL,
  number    INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  content   TEXT    NOT NULL,
  signature BLOB    NOT NULL,
  PRIMARY KEY (bucket, number)
) STRICT;

-- The newest line of each stream that a checkpoint names.
CREATE TABLE audit_sealed (
  bucket INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (bucket)
) STRICT, WITHOUT ROWID;

-- What pruning looks for, by time: never unique, and in SQLite not led by the bucket. Rows enter the first three
-- at their right edge, which costs an insert next to nothing.
CREATE INDEX sessions_open ON sessions (expires_at, bucket, auth_id) WHERE stage = 'open';
CREATE INDEX prepare_claims_by_time ON prepare_claims (created_at, bucket, key);
CREATE INDEX codes_by_expiry ON codes (expires_at, bucket, digest);
CREATE INDEX sessions_decided ON sessions (decided_at, bucket, auth_id) WHERE stage <> 'open';
CREATE INDEX token_sets_replaced ON token_sets (replaced_at, bucket, agreement, generation)
  WHERE replaced_at IS NOT NULL;
CREATE INDEX token_sets_by_lapse ON token_sets (refresh_expires_at, bucket, agreement, generation);
CREATE INDEX agreements_ended ON agreements (ended_at, bucket, id) WHERE stage = 'ended';
CREATE INDEX pin_guards_by_time ON pin_guards (window_started_at, bucket, subject);
CREATE INDEX notifications_over ON notifications (created_at, id) WHERE state <> 'pending';

-- Cold tables: column by column those of the hot ones.
CREATE TABLE prepare_claims_cold (
  bucket      INTEGER NOT NULL,
  key         BLOB    NOT NULL,
  fingerprint BLOB    NOT NULL,
  auth_id     TEXT    NOT NULL,
  answer      BLOB    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT;

CREATE TABLE terms_cold (
  bucket                 INTEGER NOT NULL,
  auth_id                TEXT    NOT NULL,
  owner                  TEXT    NOT NULL,
  client                 TEXT    NOT NULL,
  dialect                TEXT    NOT NULL,
  scopes                 TEXT    NOT NULL,
  legal_name             TEXT    NOT NULL,
  display_name           TEXT    NOT NULL,
  contract_title         TEXT,
  contract_text          TEXT,
  language               TEXT,
  redirect_url           TEXT,
  auth_state             TEXT,
  notify_url             TEXT,
  auth_client_id         TEXT,
  reference_merchant_id  TEXT,
  reference_agreement_id TEXT,
  terminal               TEXT    NOT NULL,
  extras                 TEXT    NOT NULL,
  created_at             INTEGER NOT NULL,
  PRIMARY KEY (auth_id, bucket)
) STRICT;

CREATE TABLE token_sets_cold (
  bucket             INTEGER NOT NULL,
  agreement          TEXT    NOT NULL,
  generation         INTEGER NOT NULL,
  access_digest      BLOB    NOT NULL,
  refresh_digest     BLOB    NOT NULL,
  key_version        INTEGER NOT NULL,
  salt               BLOB    NOT NULL,
  access_expires_at  INTEGER NOT NULL,
  refresh_expires_at INTEGER NOT NULL,
  issued_at          INTEGER NOT NULL,
  replaced_at        INTEGER,
  PRIMARY KEY (agreement, generation, bucket),
  UNIQUE (access_digest, bucket),
  UNIQUE (refresh_digest, bucket)
) STRICT;
