-- The first tables.
--
-- Every primary key and every unique constraint has `bucket` (0 to 1023), the shard key that each handle carries; only
-- the small reference tables (settings, clients, client_keys) have none. Where ids come in the order of time, or as their
-- giver counts, the bucket is last, so that a file's new rows lie side by side; PostgreSQL has it first everywhere. Times are milliseconds since
-- 1970-01-01T00:00:00Z, digests are SHA-256 as blobs, money is in smallest units. A list is text: one line an item,
-- tabs between an item's fields; \\, \n and \t inside a field are written with a backslash.
-- Small rows, and middling ones whose key comes in the order of time, are kept inside their key (WITHOUT ROWID); other rows
-- are appended, with the key beside them.
-- A table whose first line ends with `by time: COLUMN` is only ever appended to, and PostgreSQL partitions it by
-- that column.

CREATE TABLE settings (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE clients (
  id                 TEXT    NOT NULL PRIMARY KEY,
  dialect            TEXT    NOT NULL,
  legal_name         TEXT    NOT NULL,
  display_name       TEXT    NOT NULL,
  status             TEXT    NOT NULL,
  agreement_pay      INTEGER NOT NULL,
  lenient            INTEGER NOT NULL,
  auth_notify_url    TEXT,
  payment_notify_url TEXT,
  return_url         TEXT,
  acquirers          TEXT    NOT NULL,
  redirect_hosts     TEXT    NOT NULL,
  rate_limit         INTEGER,
  created_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client_keys (
  client     TEXT    NOT NULL,
  version    TEXT    NOT NULL,
  public_key TEXT    NOT NULL,
  status     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (client, version)
) STRICT, WITHOUT ROWID;

-- People.

CREATE TABLE users (
  bucket     INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  login_id   TEXT    NOT NULL,
  pin_hash   TEXT    NOT NULL,
  status     TEXT    NOT NULL,
  qualified  INTEGER NOT NULL,
  language   TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (bucket, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_login ON users (login_id);

-- From login id to user. The bucket is that of the login id.
CREATE TABLE logins (
  bucket   INTEGER NOT NULL,
  login_id TEXT    NOT NULL,
  customer TEXT    NOT NULL,
  PRIMARY KEY (bucket, login_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE pin_guards (
  bucket            INTEGER NOT NULL,
  subject           TEXT    NOT NULL,
  wrong             INTEGER NOT NULL,
  window_started_at INTEGER NOT NULL,
  blocked_until     INTEGER NOT NULL,
  blocks            INTEGER NOT NULL,
  PRIMARY KEY (bucket, subject)
) STRICT, WITHOUT ROWID;

-- Agreements.

CREATE TABLE prepare_claims (
  bucket      INTEGER NOT NULL,
  key         BLOB    NOT NULL,
  fingerprint BLOB    NOT NULL,
  auth_id     TEXT    NOT NULL,
  answer      BLOB    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT;

CREATE TABLE terms (
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

CREATE TABLE sessions (
  bucket     INTEGER NOT NULL,
  auth_id    TEXT    NOT NULL,
  stage      TEXT    NOT NULL CHECK (stage = 'open' OR stage = 'refused' OR stage = 'approved'),
  decided_at INTEGER,
  agreement  TEXT,
  expires_at INTEGER NOT NULL,
  wrong_pins INTEGER NOT NULL,
  decided_by BLOB,
  PRIMARY KEY (auth_id, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
  bucket      INTEGER NOT NULL,
  auth_id     TEXT    NOT NULL,
  decision    TEXT    NOT NULL,
  customer    TEXT,
  text_digest BLOB    NOT NULL,
  language    TEXT    NOT NULL,
  version     TEXT    NOT NULL,
  at          INTEGER NOT NULL,
  address     TEXT    NOT NULL,
  PRIMARY KEY (auth_id, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE agreements (
  bucket           INTEGER NOT NULL,
  id               TEXT    NOT NULL,
  auth_id          TEXT    NOT NULL,
  owner            TEXT    NOT NULL,
  client           TEXT    NOT NULL,
  dialect          TEXT    NOT NULL,
  customer         TEXT    NOT NULL,
  stage            TEXT    NOT NULL CHECK (stage = 'consented' OR stage = 'active' OR stage = 'ended'),
  ended_at         INTEGER,
  ended_by         TEXT,
  generation       INTEGER NOT NULL,
  code_key_version INTEGER NOT NULL,
  code_salt        BLOB    NOT NULL,
  created_at       INTEGER NOT NULL,
  PRIMARY KEY (id, bucket),
  UNIQUE (auth_id, bucket)
) STRICT;

-- A user's list of agreements, in the user's bucket.
CREATE TABLE user_agreements (
  bucket           INTEGER NOT NULL,
  customer         TEXT    NOT NULL,
  created_at       INTEGER NOT NULL,
  agreement        TEXT    NOT NULL,
  agreement_bucket INTEGER NOT NULL,
  PRIMARY KEY (bucket, customer, created_at, agreement)
) STRICT, WITHOUT ROWID;

-- Codes and tokens: digests only.

CREATE TABLE codes (
  bucket     INTEGER NOT NULL,
  digest     BLOB    NOT NULL,
  agreement  TEXT    NOT NULL,
  owner      TEXT    NOT NULL,
  issued_at  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (bucket, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE token_sets (
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

-- Payments.

-- Which payment a request id became. The bucket is that of owner and request id.
CREATE TABLE payment_claims (
  bucket     INTEGER NOT NULL,
  owner      TEXT    NOT NULL,
  request_id TEXT    NOT NULL,
  payment    TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, request_id, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
  bucket           INTEGER NOT NULL,
  id               TEXT    NOT NULL,
  owner            TEXT    NOT NULL,
  client           TEXT    NOT NULL,
  dialect          TEXT    NOT NULL,
  request_id       TEXT    NOT NULL,
  fingerprint      BLOB    NOT NULL,
  agreement        TEXT    NOT NULL,
  customer         TEXT    NOT NULL,
  currency         TEXT    NOT NULL,
  amount           INTEGER NOT NULL CHECK (amount > 0),
  evaluation       INTEGER NOT NULL,
  stage            TEXT    NOT NULL CHECK (stage = 'in_process' OR stage = 'succeeded' OR stage = 'failed'),
  settled_at       INTEGER,
  refusal          TEXT,
  resolve_at       INTEGER,
  resolve_succeed  INTEGER,
  answered_unknown INTEGER NOT NULL,
  notify_url       TEXT,
  description      TEXT    NOT NULL,
  extras           TEXT    NOT NULL,
  created_at       INTEGER NOT NULL,
  posting          TEXT,
  PRIMARY KEY (id, bucket)
) STRICT;
CREATE INDEX payments_to_resolve ON payments (resolve_at, bucket, id)
  WHERE stage = 'in_process' AND resolve_at IS NOT NULL;

-- The ledger.

CREATE TABLE accounts (
  bucket   INTEGER NOT NULL,
  customer TEXT    NOT NULL,
  currency TEXT    NOT NULL,
  balance  INTEGER NOT NULL,
  PRIMARY KEY (bucket, customer, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE postings ( -- by time: at
  bucket    INTEGER NOT NULL,
  id        TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  reference TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (id, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries ( -- by time: at
  bucket   INTEGER NOT NULL,
  posting  TEXT    NOT NULL,
  line     INTEGER NOT NULL,
  party    TEXT    NOT NULL,
  currency TEXT    NOT NULL,
  amount   INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (posting, line, bucket)
) STRICT, WITHOUT ROWID;

-- Notifications: the outbox.

CREATE TABLE notifications (
  bucket          INTEGER NOT NULL,
  id              TEXT    NOT NULL,
  kind            TEXT    NOT NULL,
  client          TEXT    NOT NULL,
  dialect         TEXT    NOT NULL,
  url             TEXT    NOT NULL,
  target          TEXT    NOT NULL,
  body            TEXT    NOT NULL,
  marks           TEXT    NOT NULL,
  state           TEXT    NOT NULL,
  tries           INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  moot_after      INTEGER,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (id, bucket)
) STRICT;
CREATE INDEX notifications_by_time ON notifications (created_at, id);
CREATE INDEX notifications_due ON notifications (next_attempt_at) WHERE state = 'pending';
CREATE INDEX notifications_due_by_target ON notifications (target, next_attempt_at, created_at, id)
  WHERE state = 'pending';

CREATE TABLE attempts (
  bucket       INTEGER NOT NULL,
  notification TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  http_status  INTEGER,
  outcome      TEXT    NOT NULL,
  PRIMARY KEY (notification, number, bucket)
) STRICT, WITHOUT ROWID;

-- Messages to users, in the user's bucket.
CREATE TABLE messages (
  bucket    INTEGER NOT NULL,
  payment   TEXT    NOT NULL,
  channel   TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  customer  TEXT    NOT NULL,
  language  TEXT    NOT NULL,
  failure   TEXT,
  merchant  TEXT    NOT NULL,
  currency  TEXT    NOT NULL,
  amount    INTEGER NOT NULL CHECK (amount > 0),
  agreement TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (bucket, payment, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_of_customer ON messages (bucket, customer, at, id);

-- The journal, in the subject's bucket.
CREATE TABLE journal (
  bucket  INTEGER NOT NULL,
  subject TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  id      TEXT    NOT NULL,
  act     TEXT    NOT NULL,
  actor   TEXT    NOT NULL,
  detail  TEXT    NOT NULL,
  PRIMARY KEY (bucket, subject, at, id)
) STRICT, WITHOUT ROWID;
