
-- "Why was I charged?": the payments under one agreement, by time. The bucket is the payer's.
CREATE INDEX payments_of_agreement ON payments (bucket, agreement, created_at, id);
