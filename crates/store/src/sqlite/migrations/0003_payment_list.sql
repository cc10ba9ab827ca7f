
-- "Why was I charged?": the payments under one agreement, by time. The bucket is the payer's.
CREATE INDEX payments_of_agreement ON payments (bucket, agreement, created_at, id);

-- The last moment at which a payment that runs may still be debited (paymentExpiryTime), in milliseconds.
ALTER TABLE payments ADD COLUMN expires_at INTEGER;
