//! Checkpoints of the journal: from time to time the heads of the streams that moved are written down and signed.
//!
//! Whoever kept a checkpoint can tell later that what came before it is still the same. A checkpoint names the
//! one before it by the digest of its content, so that none can be left out. Nothing here signs: the key is the
//! caller's. [`Examiner`] checks a whole journal and needs neither a server nor a store.

use crate::handle::Bucket;
use crate::journal::{JournalHead, JournalLine};
use crate::moment::Timestamp;
use crate::secret::Digest;
use crate::store::{Rows, Stored};
use std::collections::BTreeMap;

/// The first line of what is signed, so that a checkpoint's signature holds for nothing else (decision 39).
pub const LABEL: &str = "accord audit checkpoint v1";

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// 1 is the first.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// What was signed: lines of text, the first of them [`LABEL`].
    pub content: String,
    /// The signature over the bytes of `content`.
    pub signature: Vec<u8>,
}

/// A checkpoint that nobody has signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its number.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// What is to be signed.
    pub content: String,
    /// The heads in it.
    pub heads: Vec<JournalHead>,
}

impl Draft {
    /// With its signature.
    pub fn signed(&self, signature: Vec<u8>) -> Checkpoint {
        Checkpoint { number: self.number, at: self.at, content: self.content.clone(), signature }
    }
}

/// The next checkpoint; nothing when no stream has moved since the last one.
pub fn draft(rows: &dyn Rows, at: Timestamp) -> Stored<Option<Draft>> {
    let sealed: BTreeMap<Bucket, u32> = rows.sealed_heads()?.into_iter().collect();
    let mut heads = rows.journal_heads()?;
    heads.retain(|head| sealed.get(&head.stream).is_none_or(|number| head.number > *number));
    if heads.is_empty() {
        return Ok(None);
    }
    let last = rows.last_checkpoint()?;
    let number = last.as_ref().map_or(0, |last| last.number).saturating_add(1);
    let previous = last.map_or(Digest([0; 32]), |last| Digest::of(&last.content));
    let mut content = format!("{LABEL}\nnumber {number}\nat {}\nprevious {}\n", at.0, previous.hex());
    for head in &heads {
        content.push_str(&format!("stream {} {} {}\n", head.stream.number(), head.number, head.hash.hex()));
    }
    Ok(Some(Draft { number, at, content, heads }))
}

/// Number, time, digest of the checkpoint before, and the heads it names.
type Read = (u32, Timestamp, String, Vec<(Bucket, u32, String)>);

/// What a content says: number, time, digest of the previous content, heads. Nothing: it is no checkpoint.
fn read(content: &str) -> Option<Read> {
    let mut lines = content.lines();
    if lines.next()? != LABEL || !content.ends_with('\n') {
        return None;
    }
    let number = lines.next()?.strip_prefix("number ")?.parse().ok()?;
    let at = Timestamp(lines.next()?.strip_prefix("at ")?.parse().ok()?);
    let previous = lines.next()?.strip_prefix("previous ")?.to_owned();
    let heads = lines.map(|line| {
        let mut parts = line.strip_prefix("stream ")?.split(' ');
        let stream = Bucket::new(parts.next()?.parse().ok()?);
        let head = (stream, parts.next()?.parse().ok()?, parts.next()?.to_owned());
        parts.next().is_none().then_some(head)
    });
    Some((number, at, previous, heads.collect::<Option<_>>()?))
}

/// What a whole journal came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Examined {
    /// Lines.
    pub lines: u64,
    /// Streams that have lines.
    pub streams: u64,
    /// Checkpoints.
    pub checkpoints: u32,
    /// Lines behind the last checkpoint of their stream: only their chain speaks for them.
    pub unsealed: u64,
    /// The newest checkpoint. Lines and checkpoints that were cut off behind it leave no gap: only who knows a later
    /// head can tell.
    pub head: Option<Head>,
}

/// Which checkpoint stands at the end of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u32,
    /// When it was made.
    pub at: Timestamp,
    /// SHA-256 of its content.
    pub digest: Digest,
}

impl Head {
    /// Of that checkpoint.
    pub fn of(checkpoint: &Checkpoint) -> Head {
        Head { number: checkpoint.number, at: checkpoint.at, digest: Digest::of(&checkpoint.content) }
    }
}

/// Checks checkpoints, then lines, each in their order; every fault is a sentence.
#[derive(Default)]
pub struct Examiner {
    last: Option<(u32, String)>,
    expected: BTreeMap<(Bucket, u32), (u32, String)>,
    sealed: BTreeMap<Bucket, u32>,
    heads: BTreeMap<Bucket, JournalHead>,
    kept: BTreeMap<u32, String>,
    kept_lines: BTreeMap<(Bucket, u32), Digest>,
    seen: Examined,
}

impl Examiner {
    /// The journal must have a checkpoint of that number with a content of that SHA-256 (lower-case hexadecimal):
    /// somebody kept it elsewhere.
    pub fn keep_checkpoint(&mut self, number: u32, digest: &str) -> Result<(), String> {
        match self.kept.insert(number, digest.to_owned()) {
            Some(other) if other != digest => {
                Err(format!("checkpoint {number}: it was kept in two versions"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The journal must have that line: somebody kept it elsewhere.
    pub fn keep_line(&mut self, line: &JournalLine) {
        self.kept_lines.insert((line.stream, line.number), line.hash);
    }

    /// The next checkpoint; `signed` says whether its signature holds over its content.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint, signed: bool) -> Result<(), String> {
        let name = format!("checkpoint {}", checkpoint.number);
        if !signed {
            return Err(format!("{name}: its signature does not hold"));
        }
        let Some((number, at, previous, heads)) = read(&checkpoint.content) else {
            return Err(format!("{name}: its content is no checkpoint"));
        };
        let (last, digest) = self.last.take().unwrap_or((0, Digest([0; 32]).hex()));
        if number != checkpoint.number || at != checkpoint.at {
            return Err(format!("{name}: what was signed has another number or time"));
        }
        if number != last.saturating_add(1) {
            return Err(format!("{name}: checkpoint {} is missing before it", last.saturating_add(1)));
        }
        if previous != digest {
            return Err(format!("{name}: the checkpoint before it is not the one it names"));
        }
        let head = Head::of(checkpoint);
        if self.kept.remove(&number).is_some_and(|kept| kept != head.digest.hex()) {
            return Err(format!("{name}: it is not the one that was kept"));
        }
        for (stream, line, hash) in heads {
            self.expected.insert((stream, line), (number, hash));
            self.sealed.insert(stream, line);
        }
        self.last = Some((number, head.digest.hex()));
        (self.seen.checkpoints, self.seen.head) = (number, Some(head));
        Ok(())
    }

    /// The next line of its stream.
    pub fn line(&mut self, line: &JournalLine) -> Result<(), String> {
        let head = self.heads.entry(line.stream).or_insert(JournalHead::root(line.stream));
        let name = format!("stream {}, line {}", line.stream.number(), line.number);
        let due = head.number.saturating_add(1);
        if line.number != due {
            return Err(format!("{name}: line {due} is missing before it"));
        }
        if line.chained(&head.hash) != line.hash {
            return Err(format!("{name}: it was changed, or the line before it was"));
        }
        *head = JournalHead { stream: line.stream, number: line.number, hash: line.hash };
        if let Some((checkpoint, hash)) = self.expected.remove(&(line.stream, line.number))
            && hash != line.hash.hex()
        {
            return Err(format!("{name}: checkpoint {checkpoint} has another line in its place"));
        }
        if self.kept_lines.remove(&(line.stream, line.number)).is_some_and(|kept| kept != line.hash) {
            return Err(format!("{name}: it is not the one that was kept"));
        }
        self.seen.lines += 1;
        self.seen.unsealed +=
            u64::from(self.sealed.get(&line.stream).is_none_or(|sealed| line.number > *sealed));
        Ok(())
    }

    /// At the end: nothing that a checkpoint names, or that was kept elsewhere, may be missing.
    pub fn end(self) -> Result<Examined, String> {
        if let Some(((stream, line), (checkpoint, _))) = self.expected.first_key_value() {
            return Err(format!(
                "stream {}, line {line}: it is missing, and checkpoint {checkpoint} names it",
                stream.number()
            ));
        }
        if let Some(number) = self.kept.keys().next_back() {
            return Err(format!(
                "checkpoint {number}, which was kept, is missing: what was written last was cut off"
            ));
        }
        if let Some((stream, line)) = self.kept_lines.keys().next() {
            return Err(format!(
                "stream {}, line {line}, which was kept, is missing: what was written last was cut off",
                stream.number()
            ));
        }
        Ok(Examined { streams: self.heads.len() as u64, ..self.seen })
    }
}
