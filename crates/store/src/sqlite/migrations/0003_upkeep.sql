-- The rows of crates/core/src/store/upkeep.rs: what has no end yet, and what pruning looks for by time.
CREATE INDEX payments_in_process ON payments (created_at, bucket, id, dialect) WHERE stage = 'in_process';
CREATE INDEX refunds_in_process ON refunds (created_at, bucket, id, dialect) WHERE stage = 'in_process';
CREATE INDEX usage_days_by_day ON usage_days (day, agreement, currency);
CREATE INDEX one_time_codes_by_expiry ON one_time_codes (expires_at, bucket, id);
