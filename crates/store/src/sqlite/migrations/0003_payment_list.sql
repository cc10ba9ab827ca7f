
-- What happened to a user, by time: the payments of each, among them those under one agreement ("why was I charged?"),
-- and by them the entries and messages of the moment in which they were made. The bucket is the payer's.
CREATE INDEX payments_of_customer ON payments (bucket, customer, created_at, id, agreement);

-- The last moment at which a payment that runs may still be debited (paymentExpiryTime), in milliseconds.
ALTER TABLE payments ADD COLUMN expires_at INTEGER;
