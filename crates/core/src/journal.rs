//! The journal: what was done, by whom, when. Lines are appended in the transaction of the act itself.

use crate::handle::Bucket;
use crate::ids::JournalId;
use crate::moment::{Moment, Timestamp};
use crate::store::{Stored, Tx};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its id; the bucket is the subject's.
    pub id: JournalId,
    /// When.
    pub at: Timestamp,
    /// What: `agreement.approved`, `token.foreign_code`, …
    pub act: String,
    /// The id of what it happened to.
    pub subject: String,
    /// Who did it: a Client-Id, a customer id, `wallet`.
    pub actor: String,
    /// What else matters; never a secret.
    pub detail: String,
}

/// Appends a line about `subject`.
pub fn append(
    tx: &mut dyn Tx,
    at: &Moment,
    bucket: Bucket,
    act: &str,
    subject: &str,
    actor: &str,
    detail: &str,
) -> Stored<()> {
    let id = JournalId::mint(bucket, &mut at.random(&format!("journal/{act}/{subject}")));
    tx.insert_journal(&JournalLine {
        id,
        at: at.now,
        act: act.to_owned(),
        subject: subject.to_owned(),
        actor: actor.to_owned(),
        detail: detail.to_owned(),
    })
}
