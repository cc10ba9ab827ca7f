-- The rows of crates/core/src/store/refund.rs.

-- How much of a payment was given back, and when its order was cancelled.
ALTER TABLE payments ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0);
ALTER TABLE payments ADD COLUMN closed_at INTEGER;

-- Which refund a request id became. The bucket is that of owner and request id.
CREATE TABLE refund_claims (
  bucket     INTEGER NOT NULL,
  owner      TEXT    NOT NULL,
  request_id TEXT    NOT NULL,
  refund     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, request_id, bucket)
) STRICT, WITHOUT ROWID;

-- Refunds, in the payer's bucket.
CREATE TABLE refunds (
  bucket          INTEGER NOT NULL,
  id              TEXT    NOT NULL,
  owner           TEXT    NOT NULL,
  client          TEXT    NOT NULL,
  dialect         TEXT    NOT NULL,
  request_id      TEXT    NOT NULL,
  fingerprint     BLOB    NOT NULL,
  payment         TEXT    NOT NULL,
  currency        TEXT    NOT NULL,
  amount          INTEGER NOT NULL CHECK (amount > 0),
  reason          TEXT,
  extras          TEXT    NOT NULL,
  stage           TEXT    NOT NULL CHECK (stage = 'in_process' OR stage = 'succeeded' OR stage = 'failed'),
  settled_at      INTEGER,
  refusal         TEXT,
  resolve_at      INTEGER,
  resolve_succeed INTEGER,
  created_at      INTEGER NOT NULL,
  posting         TEXT,
  end_posting     TEXT,
  PRIMARY KEY (id, bucket)
) STRICT;
CREATE INDEX refunds_of_payment ON refunds (bucket, payment, created_at, id);
CREATE INDEX refunds_to_resolve ON refunds (resolve_at, bucket, id)
  WHERE stage = 'in_process' AND resolve_at IS NOT NULL;

-- Orders that were cancelled before they were known. The bucket is that of owner and request id.
CREATE TABLE closed_orders (
  bucket     INTEGER NOT NULL,
  owner      TEXT    NOT NULL,
  request_id TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (bucket, owner, request_id)
) STRICT, WITHOUT ROWID;
