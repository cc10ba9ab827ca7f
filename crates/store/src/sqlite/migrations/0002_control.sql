-- The rows of crates/core/src/store/control.rs.

-- What holds an agreement's debits back, in the agreement's bucket. Limits are one line of fields, empty where nothing
-- is limited: currency, per debit, day, week, month, year, number, alignment, valid from, valid to.
CREATE TABLE controls (
  bucket       INTEGER NOT NULL,
  agreement    TEXT    NOT NULL,
  merchant     TEXT    NOT NULL,
  by_user      TEXT    NOT NULL,
  every        TEXT,
  anchor       INTEGER,
  paused_since INTEGER,
  paused_until INTEGER,
  woken_at     INTEGER,
  notice_at    INTEGER,
  due_day      INTEGER,
  PRIMARY KEY (agreement, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX controls_to_tell ON controls (notice_at, bucket, agreement) WHERE notice_at IS NOT NULL;

-- What was debited, by day (counted from 1970-01-01 in the wallet's zone) and currency.
CREATE TABLE usage_days (
  bucket    INTEGER NOT NULL,
  agreement TEXT    NOT NULL,
  day       INTEGER NOT NULL,
  currency  TEXT    NOT NULL,
  amount    INTEGER NOT NULL,
  count     INTEGER NOT NULL,
  PRIMARY KEY (agreement, day, currency, bucket)
) STRICT, WITHOUT ROWID;

