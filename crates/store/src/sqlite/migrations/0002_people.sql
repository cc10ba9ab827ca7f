-- What is known of users beside their money, what merchants ask to be sent to them.

-- In the user's bucket. A name is one line of its five parts, a list of contacts a line for each.
CREATE TABLE profiles (
  bucket         INTEGER NOT NULL,
  customer       TEXT    NOT NULL,
  name           TEXT,
  name_in_arabic TEXT,
  avatar         TEXT,
  gender         TEXT,
  birth_date     TEXT,
  nationality    TEXT,
  contacts       TEXT    NOT NULL,
  PRIMARY KEY (bucket, customer)
) STRICT, WITHOUT ROWID;

-- In the agreement's bucket. The code itself is only in the message to the user.
CREATE TABLE one_time_codes (
  bucket      INTEGER NOT NULL,
  id          TEXT    NOT NULL,
  agreement   TEXT    NOT NULL,
  channel     TEXT    NOT NULL,
  salt        BLOB    NOT NULL,
  digest      BLOB    NOT NULL,
  wrong       INTEGER NOT NULL,
  sent_at     INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  verified_at INTEGER,
  PRIMARY KEY (bucket, id)
) STRICT, WITHOUT ROWID;

-- In the agreement's bucket.
CREATE TABLE code_budgets (
  bucket            INTEGER NOT NULL,
  agreement         TEXT    NOT NULL,
  window_started_at INTEGER NOT NULL,
  sent              INTEGER NOT NULL,
  last_sent_at      INTEGER NOT NULL,
  PRIMARY KEY (bucket, agreement)
) STRICT, WITHOUT ROWID;

-- Idempotency keys of messages that merchants send. The bucket is that of owner, channel and key.
CREATE TABLE message_claims (
  bucket      INTEGER NOT NULL,
  owner       TEXT    NOT NULL,
  channel     TEXT    NOT NULL,
  request_id  TEXT    NOT NULL,
  fingerprint BLOB    NOT NULL,
  agreement   TEXT    NOT NULL,
  message     TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (bucket, owner, channel, request_id)
) STRICT, WITHOUT ROWID;

