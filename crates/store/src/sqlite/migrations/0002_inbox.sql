-- Messages of every kind: one for each kind, subject and channel, in the user's bucket. What differs by kind is one
-- line of fields in `details`. `listed` is the user under whom a message is listed; a message about a debit in the moment
-- in which its payment was made has none, and is found by payments_of_customer.

CREATE TABLE inbox (
  bucket   INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  channel  TEXT    NOT NULL,
  id       TEXT    NOT NULL,
  customer TEXT    NOT NULL,
  language TEXT    NOT NULL,
  details  TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  listed   TEXT,
  PRIMARY KEY (kind, subject, channel, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_listed ON inbox (bucket, listed, at, id) WHERE listed IS NOT NULL;

INSERT INTO inbox (bucket, kind, subject, channel, id, customer, language, details, at, listed)
  SELECT bucket, 'debit', payment, channel, id, customer, language,
    payment || char(9) || coalesce(failure, '') || char(9)
      || replace(replace(replace(merchant, '\', '\\'), char(10), '\n'), char(9), '\t') || char(9)
      || currency || char(9) || amount || char(9) || agreement || char(10),
    at, customer
  FROM messages;
DROP TABLE messages;

