//! `accord audit`: writes the journal and its checkpoints into a file, and checks such a file without server or
//! store: every chain, every signature, and that no line a checkpoint names is missing. Lines cut off at the end
//! together with the checkpoints behind them leave no gap: what was kept elsewhere ([`kept`]) tells.

mod kept;

use crate::cli::Where;
use crate::exit::Exit;
use crate::keys::read_seal_public_key;
use accord_core::Timestamp;
use accord_core::checkpoint::{Checkpoint, Examined, Examiner, Head};
use accord_core::handle::{BUCKETS, Bucket};
use accord_core::journal::JournalLine;
use accord_core::secret::Digest;
use accord_core::store::{Rows, StoreFault, Stored};
use accord_wire::seal::SealPublicKey;
use accord_wire::time::format_millis;
use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Write every line of the journal and every checkpoint, as JSON lines.
    Export {
        #[command(flatten)]
        place: Where,
        /// The file; one that exists is written anew.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print the newest checkpoint as a line of an export, to be kept where the wallet's operators cannot write.
    Head {
        #[command(flatten)]
        place: Where,
    },
    /// Check an exported journal.
    Verify {
        /// The exported file.
        file: PathBuf,
        /// Public half of the key that signs checkpoints (keys.audit), PEM.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// What was kept of this journal and must still be in it: a file with checkpoints of `audit head` or an earlier
        /// export, or a head as `verify` prints it (NUMBER:SHA256). May be given more than once.
        #[arg(long, value_name = "KEPT")]
        expect: Vec<String>,
        /// Take a journal that was never signed: without a checkpoint nothing proves that lines at its end are not
        /// missing, and an empty file looks like an empty journal.
        #[arg(long)]
        no_checkpoints: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// `accord audit …`.
pub fn run(command: AuditCommand) -> anyhow::Result<Exit> {
    match command {
        AuditCommand::Export { place, out } => {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&out).with_context(|| format!("{} cannot be written", out.display()))?;
            let (lines, checkpoints) =
                place.open()?.look(move |rows| write_all(rows, BufWriter::new(file)))?;
            println!("{}: {}, {}", out.display(), some(lines, "line"), some(checkpoints, "checkpoint"));
            Ok(Exit::Done)
        }
        AuditCommand::Head { place } => {
            let newest = place.open()?.look(|rows| rows.last_checkpoint())?;
            let newest =
                newest.ok_or_else(|| anyhow!("there is no checkpoint yet: `keys.audit` signs them"))?;
            println!("{}", serde_json::to_string(&Row::of(newest))?);
            Ok(Exit::Done)
        }
        AuditCommand::Verify { file, key, expect, no_checkpoints, json } => {
            let key = read_seal_public_key(&key)?;
            let mut examiner = Examiner::default();
            for text in &expect {
                kept::expect(&mut examiner, text, &key)?;
            }
            let judged = verify(&file, &key, examiner)?;
            let judged =
                judged.and_then(|examined| if no_checkpoints { Ok(examined) } else { sealed(examined) });
            let holds = judged.is_ok();
            match judged {
                _ if json => println!("{}", in_json(&judged)),
                Ok(examined) => say(&examined),
                Err(broken) => println!("the journal does NOT hold: {}, {broken}", file.display()),
            }
            Ok(if holds { Exit::Done } else { Exit::Other })
        }
    }
}

/// "1 line", "2 lines".
fn some(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn say(examined: &Examined) {
    let Examined { lines, streams, checkpoints, unsealed, head } = examined;
    println!(
        "the journal holds: {} in {} under {}; {unsealed} behind the last checkpoint of {}",
        some(*lines, "line"),
        some(*streams, "stream"),
        some(u64::from(*checkpoints), "checkpoint"),
        if *unsealed == 1 { "its stream" } else { "their stream" },
    );
    match head {
        Some(Head { number, at, digest }) => {
            println!("head {number}:{} of {}", digest.hex(), format_millis(at.0, 0));
        }
        None => println!("no head: nothing was ever signed"),
    }
}

fn in_json(judged: &Result<Examined, String>) -> serde_json::Value {
    match judged {
        Ok(Examined { lines, streams, checkpoints, unsealed, head }) => serde_json::json!({
            "holds": true, "lines": lines, "streams": streams, "checkpoints": checkpoints, "unsealed": unsealed,
            "head": head.map(|Head { number, at, digest }| serde_json::json!({
                "checkpoint": number, "at": format_millis(at.0, 0), "digest": digest.hex(),
            })),
        }),
        Err(broken) => serde_json::json!({ "holds": false, "broken": broken }),
    }
}

/// One line of an export.
#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Row {
    Line {
        stream: u16,
        number: u32,
        at: i64,
        act: String,
        subject: String,
        actor: String,
        detail: String,
        hash: String,
    },
    Checkpoint {
        checkpoint: u32,
        at: i64,
        content: String,
        signature: String,
    },
}

impl Row {
    fn of(checkpoint: Checkpoint) -> Row {
        let Checkpoint { number, at, content, signature } = checkpoint;
        Row::Checkpoint { checkpoint: number, at: at.0, content, signature: hex(&signature) }
    }
}

/// Rows read at once.
const PAGE: usize = 1_000;

/// Everything as of one moment: a look sees one state of the store.
fn write_all(rows: &dyn Rows, mut out: impl Write) -> Stored<(u64, u64)> {
    let (mut lines, mut checkpoints) = (0, 0);
    for head in rows.journal_heads()? {
        let mut after = 0;
        loop {
            let page = rows.journal_after(head.stream, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.number;
            lines += page.len() as u64;
            for JournalLine { stream, number, at, act, subject, actor, detail, hash } in page {
                let (stream, hash) = (stream.number(), hash.hex());
                let row = Row::Line { stream, number, at: at.0, act, subject, actor, detail, hash };
                write_row(&mut out, &row)?;
            }
        }
    }
    let mut after = 0;
    loop {
        let page = rows.checkpoints_after(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.number;
        checkpoints += page.len() as u64;
        for checkpoint in page {
            write_row(&mut out, &Row::of(checkpoint))?;
        }
    }
    out.flush().map_err(|fault| unwritten(&fault))?;
    Ok((lines, checkpoints))
}

fn write_row(out: &mut impl Write, row: &Row) -> Stored<()> {
    let text = serde_json::to_string(row).map_err(|fault| StoreFault::Corrupt(fault.to_string()))?;
    writeln!(out, "{text}").map_err(|fault| unwritten(&fault))
}

fn unwritten(fault: &std::io::Error) -> StoreFault {
    StoreFault::Unavailable(format!("the export cannot be written: {fault}"))
}

/// What the journal came to, or a sentence that names the first broken line. Reads the file twice: what
/// checkpoints say must be known before the lines.
fn verify(
    file: &Path,
    key: &SealPublicKey,
    mut examiner: Examiner,
) -> anyhow::Result<Result<Examined, String>> {
    for lines_now in [false, true] {
        let open = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        for (index, text) in BufReader::new(open).lines().enumerate() {
            let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
            let found = match serde_json::from_str(&text) {
                Err(_) => Err("it is no line of an export".to_owned()),
                Ok(Row::Line { .. }) if !lines_now => Ok(()),
                Ok(Row::Checkpoint { .. }) if lines_now => Ok(()),
                Ok(row) => examine(&mut examiner, row, key),
            };
            if let Err(broken) = found {
                return Ok(Err(format!("line {}: {broken}", index + 1)));
            }
        }
    }
    Ok(examiner.end().map_err(|broken| format!("at its end: {broken}")))
}

/// Without a checkpoint a journal proves nothing of itself: cut off anywhere, it would look the same.
fn sealed(examined: Examined) -> Result<Examined, String> {
    match examined.checkpoints {
        0 => Err(format!(
            "at its end: {} and no checkpoint, so nothing proves that this is all; --no-checkpoints takes a journal \
             that was never signed",
            some(examined.lines, "line")
        )),
        _ => Ok(examined),
    }
}

fn examine(examiner: &mut Examiner, row: Row, key: &SealPublicKey) -> Result<(), String> {
    match row {
        Row::Line { .. } => examiner.line(&line_of(row)?),
        Row::Checkpoint { .. } => {
            let checkpoint = checkpoint_of(row)?;
            let signed = key.verifies(checkpoint.content.as_bytes(), &checkpoint.signature);
            examiner.checkpoint(&checkpoint, signed)
        }
    }
}

fn line_of(row: Row) -> Result<JournalLine, String> {
    let Row::Line { stream, number, at, act, subject, actor, detail, hash } = row else {
        return Err("it is no line of the journal".to_owned());
    };
    let hash = unhex(&hash).and_then(|hash| hash.try_into().ok()).map(Digest);
    let hash = hash.ok_or("its hash is not 64 hexadecimal digits")?;
    if stream >= BUCKETS {
        return Err(format!("there is no stream {stream}"));
    }
    let (stream, at) = (Bucket::new(stream), Timestamp(at));
    Ok(JournalLine { stream, number, at, act, subject, actor, detail, hash })
}

fn checkpoint_of(row: Row) -> Result<Checkpoint, String> {
    let Row::Checkpoint { checkpoint: number, at, content, signature } = row else {
        return Err("it is no checkpoint".to_owned());
    };
    let signature = unhex(&signature).ok_or("its signature is not hexadecimal")?;
    Ok(Checkpoint { number, at: Timestamp(at), content, signature })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|pair| pair.iter().fold(0, |byte, half| byte * 16 + half)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::checkpoint::draft;
    use accord_core::{Moment, journal, store};
    use accord_store::{SqliteOptions, SqliteStore};
    use accord_wire::seal::SealKey;

    /// An export of a journal of some streams, twice sealed, with lines after the last seal.
    fn exported(key: &SealKey, dir: &Path) -> String {
        let db = SqliteStore::open(dir.join("accord.db"), SqliteOptions::default()).expect("a store");
        for round in 0..3 {
            let at = Moment::new(Timestamp(round), [1; 32]);
            let key = key.clone();
            store::transact(&db, move |tx| {
                for number in 0..12 {
                    let stream = Bucket::new(number % 3);
                    journal::append(tx, &at, stream, "act", &format!("s{number}"), "wallet", "\"\n")?;
                }
                if round < 2 {
                    let drafted = draft(tx, at.now)?.expect("streams moved");
                    let signature = key.sign(drafted.content.as_bytes()).expect("a signature");
                    tx.insert_checkpoint(&drafted.signed(signature), &drafted.heads)?;
                    assert_eq!(draft(tx, at.now)?, None, "nothing has moved since");
                }
                Ok(())
            })
            .expect("kept");
        }
        let file = dir.join("journal.jsonl");
        let out = File::create(&file).expect("a file");
        let counts = store::look(&db, move |rows| write_all(rows, out)).expect("an export");
        assert_eq!(counts, (36, 2));
        std::fs::read_to_string(file).expect("an export")
    }

    #[test]
    fn an_export_holds_until_somebody_touches_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let (private, public) = SealKey::generate().expect("a pair");
        let (key, public) =
            (SealKey::parse(&private).expect("a key"), SealPublicKey::parse(&public).expect("a key"));
        let text = exported(&key, dir.path());
        let file = dir.path().join("touched.jsonl");
        let judged = |text: &str, key: &SealPublicKey| {
            std::fs::write(&file, text).expect("a file");
            verify(&file, key, Examiner::default()).expect("a readable file")
        };
        let good = judged(&text, &public).expect("an untouched journal");
        let head = good.head.expect("a head");
        assert_eq!(head.number, 2);
        assert_eq!(good, Examined { lines: 36, streams: 3, checkpoints: 2, unsealed: 12, head: Some(head) });

        // Without its checkpoints, or without anything, it is no proof.
        let bare: String = text
            .lines()
            .filter(|line| !line.contains("\"checkpoint\""))
            .map(|line| format!("{line}\n"))
            .collect();
        for (text, lines) in [(bare.as_str(), 36), ("", 0)] {
            let examined = judged(text, &public).expect("chains that hold");
            assert_eq!((examined.lines, examined.checkpoints), (lines, 0));
            assert!(sealed(examined).is_err_and(|broken| broken.contains("no checkpoint")));
        }
        assert!(sealed(good).is_ok());

        let lines: Vec<&str> = text.lines().collect();
        let without = |gone: usize| -> String {
            let kept = lines.iter().enumerate().filter(|(index, _)| *index != gone);
            kept.map(|(_, line)| format!("{line}\n")).collect()
        };
        let swapped = |one: usize, other: usize| {
            let mut lines = lines.clone();
            lines.swap(one, other);
            lines.join("\n")
        };
        // A stream without its lines from that number on.
        let cut = |stream: u16, from: u32| -> String {
            let kept = lines.iter().filter(|line| match serde_json::from_str(line) {
                Ok(Row::Line { stream: of, number, .. }) => of != stream || number < from,
                _ => true,
            });
            kept.map(|line| format!("{line}\n")).collect()
        };
        // Whoever has a key seals a past of his own: the second checkpoint names another head.
        let sealed_anew = |key: &SealKey| -> String {
            let forged = lines.iter().map(|line| match serde_json::from_str(line) {
                Ok(Row::Checkpoint { checkpoint: 2, at, content, .. }) => {
                    let (before, after) = content.split_once("stream 1 8 ").expect("its head");
                    let content = format!("{before}stream 1 8 {}{}", "0".repeat(64), &after[64..]);
                    let signature = hex(&key.sign(content.as_bytes()).expect("a signature"));
                    let row = Row::Checkpoint { checkpoint: 2, at, content, signature };
                    serde_json::to_string(&row).expect("a row")
                }
                _ => (*line).to_owned(),
            });
            forged.map(|line| format!("{line}\n")).collect()
        };
        for (broken, said) in [
            (
                text.replacen("\"subject\":\"s4\"", "\"subject\":\"s7\"", 1),
                "line 14: stream 1, line 2: it was changed",
            ),
            (
                text.replacen("\"actor\":\"wallet\"", "\"actor\":\"wallet \"", 1),
                "line 1: stream 0, line 1: it was changed",
            ),
            (without(4), "line 5: stream 0, line 6: line 5 is missing before it"),
            (without(0), "line 1: stream 0, line 2: line 1 is missing before it"),
            (
                lines[12..].join("\n"),
                "at its end: stream 0, line 4: it is missing, and checkpoint 1 names it",
            ),
            (without(36), "line 37: checkpoint 2: checkpoint 1 is missing before it"),
            (text.replacen("\\nnumber 1\\n", "\\nnumber 9\\n", 1), "line 37: checkpoint 1: its signature"),
            (
                text.replacen("\"checkpoint\":2", "\"checkpoint\":3", 1),
                "line 38: checkpoint 3: what was signed has",
            ),
            (format!("{text}{{}}\n"), "line 39: it is no line of an export"),
            // Two neighbours of one stream change places; two streams do not mind which comes first.
            (swapped(2, 3), "line 3: stream 0, line 4: line 3 is missing before it"),
            // The last lines of a stream, from one that a checkpoint names: the end of the second round on.
            (cut(0, 8), "at its end: stream 0, line 8: it is missing, and checkpoint 2 names it"),
            (sealed_anew(&SealKey::parse(&SealKey::generate().expect("a pair").0).expect("a key")), {
                "line 38: checkpoint 2: its signature"
            }),
            (sealed_anew(&key), "stream 1, line 8: checkpoint 2 has another line in its place"),
        ] {
            let judged = judged(&broken, &public).expect_err(said);
            assert!(judged.contains(said), "{said}: {judged}");
        }
        // Nobody has sealed the newest lines yet: without the last of them the rest still holds, and says so.
        let shorter = judged(&cut(0, 12), &public).expect("what is there holds");
        assert_eq!(shorter, Examined { lines: 35, unsealed: 11, ..good });
        let (_, other) = SealKey::generate().expect("a pair");
        let other = SealPublicKey::parse(&other).expect("a key");
        assert!(judged(&text, &other).expect_err("another's key").contains("signature"));
    }

    #[test]
    fn what_was_cut_off_at_the_end_is_missed_by_who_kept_a_head() {
        let dir = tempfile::tempdir().expect("a directory");
        let (private, public) = SealKey::generate().expect("a pair");
        let (key, public) =
            (SealKey::parse(&private).expect("a key"), SealPublicKey::parse(&public).expect("a key"));
        let text = exported(&key, dir.path());
        // The newest lines, and the checkpoint that named them, are gone: what is left is a whole journal.
        let until = |lines_to: u32, checkpoints_to: u32| -> String {
            let kept = text.lines().filter(|line| match serde_json::from_str(line).expect("a row") {
                Row::Line { number, .. } => number <= lines_to,
                Row::Checkpoint { checkpoint, .. } => checkpoint <= checkpoints_to,
            });
            kept.map(|line| format!("{line}\n")).collect()
        };
        let write = |name: &str, text: &str| {
            let file = dir.path().join(name);
            std::fs::write(&file, text).expect("a file");
            file
        };
        let judged = |journal: &Path, expected: &[&str]| {
            let mut examiner = Examiner::default();
            for text in expected {
                kept::expect(&mut examiner, text, &public).expect("something kept");
            }
            verify(journal, &public, examiner).expect("a readable file")
        };
        let (whole, cut) = (write("whole", &text), write("cut", &until(4, 1)));
        let shorter = judged(&cut, &[]).expect("it holds, as far as it goes");
        assert_eq!((shorter.lines, shorter.checkpoints), (12, 1));

        let of_checkpoint = |number: usize| text.lines().nth(35 + number).expect("a checkpoint").to_owned();
        let head = |file: &Path| {
            let head = judged(file, &[]).expect("a journal").head.expect("a head");
            format!("{}:{}", head.number, head.digest.hex())
        };
        let newest = write("newest", &of_checkpoint(2));
        let both = write("both", &format!("{}\n{}\n", of_checkpoint(1), of_checkpoint(2)));
        let oldest = write("oldest", &of_checkpoint(1));
        let path = |file: &PathBuf| file.to_str().expect("UTF-8").to_owned();
        for kept in [path(&newest), path(&both), path(&whole), head(&whole)] {
            assert!(judged(&whole, &[&kept]).is_ok(), "{kept}");
            let missing = judged(&cut, &[&kept]).expect_err("it was cut");
            assert!(missing.contains("checkpoint 2, which was kept, is missing"), "{kept}: {missing}");
        }
        for kept in [path(&oldest), path(&cut), head(&cut)] {
            assert!(judged(&whole, &[&kept]).is_ok(), "{kept}: a journal may grow");
            assert!(judged(&cut, &[&kept]).is_ok(), "{kept}");
        }
        // Lines that nobody had sealed are known to who kept an export.
        let unsealed = write("unsealed", &until(11, 2));
        assert!(judged(&unsealed, &[&path(&newest)]).is_ok());
        let missing = judged(&unsealed, &[&path(&whole)]).expect_err("a line was cut");
        assert!(missing.contains("line 12, which was kept, is missing"), "{missing}");
        let other = head(&whole).replace("2:", "1:");
        assert!(judged(&whole, &[&other]).expect_err("another head").contains("not the one that was kept"));

        let mut examiner = Examiner::default();
        let forged = write("forged", &of_checkpoint(2).replace("number 2", "number 7"));
        for wrong in [path(&forged), "2:abc".to_owned(), path(&write("empty", ""))] {
            assert!(kept::expect(&mut examiner, &wrong, &public).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hexadecimal_comes_back() {
        assert_eq!(unhex(&hex(&[0, 15, 255])), Some(vec![0, 15, 255]));
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("xy"), None);
    }
}
