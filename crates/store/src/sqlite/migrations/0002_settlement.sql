
-- What is settled with counterparties: one row for each posting that touches a client's payable account, in the
-- payer's bucket. Written with the posting, never changed.

CREATE TABLE settlement_items ( -- by time: settled_at
  bucket            INTEGER NOT NULL,
  posting           TEXT    NOT NULL,
  client            TEXT    NOT NULL,
  owner             TEXT    NOT NULL,
  settled_at        INTEGER NOT NULL,
  kind              TEXT    NOT NULL,
  payment           TEXT    NOT NULL,
  request_id        TEXT    NOT NULL,
  refund            TEXT,
  refund_request_id TEXT,
  currency          TEXT    NOT NULL,
  amount            INTEGER NOT NULL,
  PRIMARY KEY (posting, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlement_items_of_client ON settlement_items (client, settled_at, posting);

-- A user's statement. Entries of other parties are found by their items.
CREATE INDEX entries_of_users ON entries (bucket, party) WHERE party >= 'user:';

-- Before this step only debits touched a payable account, each of one payment.
INSERT INTO settlement_items (bucket, posting, client, owner, settled_at, kind, payment, request_id, currency, amount)
  SELECT o.bucket, o.id, p.client, p.owner, o.at, o.kind, p.id, p.request_id, e.currency, e.amount
  FROM payments AS p
  JOIN postings AS o ON o.bucket = p.bucket AND o.id = p.posting AND o.kind = 'debit'
  JOIN entries AS e ON e.bucket = o.bucket AND e.posting = o.id AND e.party LIKE 'payable:%';
