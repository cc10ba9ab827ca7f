-- A user's statement: an entry of a user's account says whose it is and when it was, so that a page of them is one
-- walk along an index. Entries of other parties say neither.
DROP INDEX entries_of_users;
ALTER TABLE entries ADD COLUMN customer TEXT;
ALTER TABLE entries ADD COLUMN at INTEGER;
UPDATE entries SET customer = substr(party, 6),
  at = (SELECT p.at FROM postings AS p WHERE p.bucket = entries.bucket AND p.id = entries.posting)
  WHERE party LIKE 'user:%';
CREATE INDEX entries_of_customer ON entries (bucket, customer, at, posting, line) WHERE customer IS NOT NULL;
