-- Messages on their way out of the wallet: one for each kind, subject and carrier, in the user's bucket.

CREATE TABLE deliveries (
  bucket     INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  carrier    TEXT    NOT NULL,
  message    TEXT    NOT NULL,
  customer   TEXT    NOT NULL,
  recipient  TEXT    NOT NULL,
  urgent     INTEGER NOT NULL,
  state      TEXT    NOT NULL,
  tries      INTEGER NOT NULL,
  due_at     INTEGER NOT NULL,
  expires_at INTEGER,
  outcome    TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (kind, subject, carrier, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (carrier, urgent, due_at, bucket, kind, subject) WHERE state = 'pending';
CREATE INDEX deliveries_over ON deliveries (created_at, bucket, kind, subject, carrier) WHERE state <> 'pending';
CREATE INDEX deliveries_of_customer ON deliveries (bucket, customer, created_at DESC, kind, subject, carrier);
