//! The journal: what was done, by whom, when. Lines are appended in the transaction of the act itself.
//!
//! Each bucket is a stream of its own, numbered without gaps, and each line carries a hash over itself and the
//! hash before it: a line that is changed, left out or put in breaks its chain. One chain for all would be one
//! hot row; sixteen would be sixteen. That a whole chain was not made anew is what a
//! [`checkpoint`](crate::checkpoint) proves. The journal is never pruned.

use crate::handle::Bucket;
use crate::moment::{Moment, Timestamp};
use crate::secret::Digest;
use crate::store::{Stored, Tx};
use sha2::Digest as _;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its stream: the bucket of its subject.
    pub stream: Bucket,
    /// Its place in the stream, from 1, without gaps.
    pub number: u32,
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
    /// SHA-256 over the hash of the line before and this line: see [`JournalLine::chained`].
    pub hash: Digest,
}

/// The last line of a stream, or of what has been seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalHead {
    /// The stream.
    pub stream: Bucket,
    /// The number of its last line; 0: there is none yet.
    pub number: u32,
    /// That line's hash; zeros when there is none yet.
    pub hash: Digest,
}

impl JournalHead {
    /// The head of a stream without lines.
    pub fn root(stream: Bucket) -> JournalHead {
        JournalHead { stream, number: 0, hash: Digest([0; 32]) }
    }
}

/// Begins what is hashed, so that no line can pass for anything else.
const LABEL: &[u8] = b"accord audit line v1\n";

impl JournalLine {
    /// The hash that this line must carry behind `previous`: SHA-256 of the label, the previous hash, stream
    /// (2 bytes), number (4) and time (8, milliseconds), all big-endian, then act, subject, actor and detail,
    /// each behind its length in bytes (8).
    pub fn chained(&self, previous: &Digest) -> Digest {
        let mut hash = sha2::Sha256::new();
        hash.update(LABEL);
        hash.update(previous.0);
        hash.update(self.stream.number().to_be_bytes());
        hash.update(self.number.to_be_bytes());
        hash.update(self.at.0.to_be_bytes());
        for text in [&self.act, &self.subject, &self.actor, &self.detail] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        Digest(hash.finalize().into())
    }
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
    let head = tx.journal_head(bucket)?.unwrap_or(JournalHead::root(bucket));
    let mut line = JournalLine {
        stream: bucket,
        number: head.number.saturating_add(1),
        at: at.now,
        act: act.to_owned(),
        subject: subject.to_owned(),
        actor: actor.to_owned(),
        detail: detail.to_owned(),
        hash: head.hash,
    };
    line.hash = line.chained(&head.hash);
    tx.insert_journal(&line)
}
