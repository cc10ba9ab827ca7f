-- Messages of every kind: one for each kind, subject and channel, in the user's bucket. What differs by kind is one
-- line of fields in `details`.

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
  PRIMARY KEY (kind, subject, channel, bucket)
) STRICT;
CREATE INDEX inbox_of_customer ON inbox (bucket, customer, at, id);

INSERT INTO inbox (bucket, kind, subject, channel, id, customer, language, details, at)
  SELECT bucket, 'debit', payment, channel, id, customer, language,
    payment || char(9) || coalesce(failure, '') || char(9)
      || replace(replace(replace(merchant, '\', '\\'), char(10), '\n'), char(9), '\t') || char(9)
      || currency || char(9) || amount || char(9) || agreement || char(10),
    at
  FROM messages;
DROP TABLE messages;

