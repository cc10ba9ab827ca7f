-- A user's statement: an entry of a user's account says whose it is, so that a page of them is a walk along an index.
-- Entries of other parties do not; nor does that of a debit in the moment in which its payment was made, which is found
-- by payments_of_customer.
DROP INDEX entries_of_users;
ALTER TABLE entries ADD COLUMN customer TEXT;
UPDATE entries SET customer = substr(party, 6) WHERE party LIKE 'user:%';
CREATE INDEX entries_of_customer ON entries (bucket, customer, at, posting, line) WHERE customer IS NOT NULL;
