-- The rows of crates/core/src/store/step_up.rs.

-- In the session's bucket. The code itself is only in the message to the user.
CREATE TABLE step_ups (
  bucket     INTEGER NOT NULL,
  auth_id    TEXT    NOT NULL,
  customer   TEXT    NOT NULL,
  salt       BLOB    NOT NULL,
  digest     BLOB    NOT NULL,
  wrong      INTEGER NOT NULL,
  sent_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (bucket, auth_id)
) STRICT, WITHOUT ROWID;

