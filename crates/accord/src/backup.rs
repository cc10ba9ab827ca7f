//! `accord backup` and `accord restore` for SQLite: a file, a manifest beside it, and the proof that both are whole.

use crate::cli::Where;
use crate::exit::{Exit, usage};
use crate::keys::write_file;
use crate::storage::{Purpose, StoreUrl};
use accord_core::ledger::verify;
use accord_core::store;
use accord_server::clock::Clock;
use accord_store::schema::Schema;
use accord_store::sqlite::backup::{self, Contents};
use accord_wire::time::format_seconds;
use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `accord backup` is told.
#[derive(Args)]
pub struct BackupArgs {
    #[command(flatten)]
    place: Where,
    /// The new file; its manifest is written beside it as FILE.manifest.json.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What `accord restore` is told.
#[derive(Args)]
pub struct RestoreArgs {
    /// A file that `accord backup` wrote, with its manifest beside it.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Where the store is to be: sqlite:FILE, which must not exist.
    #[arg(long, value_name = "URL")]
    to: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What proves a backup whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    /// Always `accord backup v1`.
    format: String,
    taken_at: String,
    schema_version: u32,
    bytes: u64,
    sha256: String,
    /// Rows of each table.
    rows: BTreeMap<String, u64>,
}

const FORMAT: &str = "accord backup v1";
const ELSEWHERE: &str = "PostgreSQL is backed up with its own tools, pg_basebackup with the archive of its log, or \
    pg_dump: docs/operating/backup.md has the commands";

fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// `accord backup`.
pub fn run(args: BackupArgs) -> anyhow::Result<Exit> {
    let StoreUrl::Sqlite(from) = args.place.store_url()? else { return Err(usage(ELSEWHERE)) };
    let manifest_file = beside(&args.out, ".manifest.json");
    for file in [&args.out, &manifest_file] {
        ensure!(!file.exists(), "{} is there already: name a new file", file.display());
    }
    // Beside its place first: a file of that name is a whole backup.
    let part = beside(&args.out, ".part");
    let _ = std::fs::remove_file(&part);
    let taken_at = format_seconds(Clock::new(0).now().0, 0);
    let copied = backup::copy(&from, &part);
    let Contents { level, rows, bytes, sha256 } = match copied {
        Ok(contents) => contents,
        Err(fault) => {
            let _ = std::fs::remove_file(&part);
            return Err(fault.into());
        }
    };
    let format = FORMAT.to_owned();
    let manifest = Manifest { format, taken_at, schema_version: level, bytes, sha256, rows };
    let text = serde_json::to_string_pretty(&manifest)?;
    write_file(&manifest_file, format!("{text}\n").as_bytes(), 0o600)?;
    std::fs::rename(&part, &args.out).with_context(|| format!("{} cannot be written", args.out.display()))?;
    let out = args.out.display();
    if args.json {
        println!("{}", json!({ "file": out.to_string(), "manifest": manifest }));
    } else {
        println!("{out}: {bytes} bytes of {}, schema version {level}", manifest.taken_at);
        println!("SHA-256 {}; the keys are not in it: keep a copy of them elsewhere", manifest.sha256);
    }
    Ok(Exit::Done)
}

/// `accord restore`.
pub fn restore(args: RestoreArgs) -> anyhow::Result<Exit> {
    let StoreUrl::Sqlite(to) = StoreUrl::of_argument(&args.to)? else { return Err(usage(ELSEWHERE)) };
    let from = &args.from;
    let manifest_file = beside(from, ".manifest.json");
    let text = std::fs::read_to_string(&manifest_file).with_context(|| {
        format!(
            "{} cannot be read: without its manifest nothing proves a backup whole",
            manifest_file.display()
        )
    })?;
    let manifest: Manifest = serde_json::from_str(&text)
        .ok()
        .filter(|manifest: &Manifest| manifest.format == FORMAT)
        .ok_or_else(|| anyhow!("{} is no manifest of `accord backup`", manifest_file.display()))?;
    for file in [to.clone(), beside(&to, "-wal"), beside(&to, "-shm")] {
        ensure!(!file.exists(), "{} is there already: nothing is overwritten; move it away", file.display());
    }
    let part = beside(&to, ".restoring");
    let restored = bring_back(from, &manifest, &part);
    let note = match restored {
        Ok(note) => note,
        Err(fault) => {
            forget(&part);
            return Err(fault);
        }
    };
    std::fs::rename(&part, &to).with_context(|| format!("{} cannot be written", to.display()))?;
    forget(&part);
    if args.json {
        let row = json!({ "store": args.to, "takenAt": manifest.taken_at, "schemaVersion": manifest.schema_version,
            "sha256": manifest.sha256, "ledger": note });
        println!("{row}");
    } else {
        println!("{}: as it was at {}; {note}", args.to, manifest.taken_at);
    }
    Ok(Exit::Done)
}

/// Copies the file to `part` and proves it: digest, soundness, rows, ledger. Says what of the ledger.
fn bring_back(from: &Path, manifest: &Manifest, part: &Path) -> anyhow::Result<&'static str> {
    forget(part);
    std::fs::copy(from, part)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), part.display()))?;
    private(part)?;
    let differs =
        |what: &str| anyhow!("{}: {what} is not what its manifest says: take another backup", from.display());
    let (bytes, sha256) = backup::digest(part)?;
    ensure!(bytes == manifest.bytes, differs("its length"));
    ensure!(sha256 == manifest.sha256, differs("its SHA-256"));
    let found = backup::inspect(part)?;
    ensure!(found.rows == manifest.rows && found.level == manifest.schema_version, differs("what it holds"));
    if found.level < Schema::default().level() {
        return Ok("its schema is older: run `accord migrate`, then `accord ledger verify`");
    }
    let store = StoreUrl::Sqlite(part.to_owned()).open(Purpose::Command)?;
    let report = store::look(store.as_ref(), |rows| verify::verify(rows))?;
    ensure!(
        report.faults.is_empty(),
        "{}: the books do not balance: {}; nothing was restored",
        from.display(),
        report.faults.join("; ")
    );
    Ok("the books balance")
}

fn private(path: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path, mode)?;
    }
    std::fs::File::open(path).and_then(|file| file.sync_all())?;
    Ok(())
}

/// Removes what is left of an attempt.
fn forget(part: &Path) {
    for more in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(beside(part, more));
    }
}
