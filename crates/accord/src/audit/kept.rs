//! What somebody kept of a journal, elsewhere: checkpoints, an earlier export, or only a head. An export that does not
//! contain it was cut off or written anew, however well it holds by itself.

use super::{Row, checkpoint_of, line_of};
use accord_core::checkpoint::{Examiner, Head};
use accord_core::handle::Bucket;
use accord_core::journal::JournalLine;
use accord_wire::seal::SealPublicKey;
use anyhow::{Context as _, anyhow, bail};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

/// Has the examiner miss what was kept: `NUMBER:SHA256`, or the name of a file with rows of an export. Checkpoints in
/// it must be signed by the key; of lines the last of each stream stands for those before it.
pub(super) fn expect(examiner: &mut Examiner, text: &str, key: &SealPublicKey) -> anyhow::Result<()> {
    if let Some((number, digest)) = head(text) {
        return examiner.keep_checkpoint(number, &digest).map_err(|fault| anyhow!(fault));
    }
    let open = File::open(text).with_context(|| {
        format!("`{text}` is neither a head (NUMBER:SHA256 in hexadecimal) nor a file that can be read")
    })?;
    let mut checkpoints = 0;
    let mut last: BTreeMap<Bucket, JournalLine> = BTreeMap::new();
    for (index, line) in BufReader::new(open).lines().enumerate() {
        let line = line.with_context(|| format!("{text} cannot be read"))?;
        let place = |fault: String| anyhow!("{text}, line {}: {fault}", index + 1);
        let row: Row = serde_json::from_str(&line).map_err(|_| place("it is no row of an export".into()))?;
        match row {
            Row::Line { .. } => {
                let line = line_of(row).map_err(place)?;
                last.insert(line.stream, line);
            }
            Row::Checkpoint { .. } => {
                let checkpoint = checkpoint_of(row).map_err(place)?;
                if !key.verifies(checkpoint.content.as_bytes(), &checkpoint.signature) {
                    return Err(place("its signature does not hold".into()));
                }
                let Head { number, digest, .. } = Head::of(&checkpoint);
                examiner.keep_checkpoint(number, &digest.hex()).map_err(place)?;
                checkpoints += 1;
            }
        }
    }
    if checkpoints == 0 && last.is_empty() {
        bail!("{text}: nothing was kept in it");
    }
    last.values().for_each(|line| examiner.keep_line(line));
    Ok(())
}

/// A head as it is printed.
fn head(text: &str) -> Option<(u32, String)> {
    let (number, digest) = text.split_once(':')?;
    let hexadecimal = digest.len() == 64 && digest.bytes().all(|digit| digit.is_ascii_hexdigit());
    hexadecimal.then_some((number.parse().ok()?, digest.to_ascii_lowercase()))
}
