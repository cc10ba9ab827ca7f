//! Key files: written so that only their owner can read them, and refused when others can.
//!
//! RSA and P-256 keys are PEM; the symmetric keys (derivation, pages, QR handles) are 32 bytes as 64 hexadecimal digits.

use crate::exit::Exit;
use accord_server::clock::random;
use accord_wire::keys::{PrivateKey, PublicKey};
use accord_wire::seal::{SealKey, SealPublicKey};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Make the key files that `accord serve` needs. Files that exist are left as they are.
    Generate(GenerateArgs),
}

#[derive(Args)]
pub struct GenerateArgs {
    /// Where to write them; created when missing.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Version of the wallet's RSA key.
    #[arg(long, default_value = "1")]
    wallet_version: String,
    /// Version of the derivation key.
    #[arg(long, default_value_t = 1)]
    derivation_version: u32,
}

/// `accord keys …`.
pub fn run(command: KeysCommand) -> anyhow::Result<Exit> {
    let KeysCommand::Generate(args) = command;
    if !accord_wire::signature::is_key_version(&args.wallet_version)
        || args.wallet_version.contains(['/', '\\', '.'])
    {
        return Err(crate::exit::usage("--wallet-version: 1 to 32 letters, digits, - and _"));
    }
    private_dir(&args.dir)?;
    let wallet = args.dir.join(format!("wallet-{}.pem", args.wallet_version));
    let public = args.dir.join(format!("wallet-{}.pub.pem", args.wallet_version));
    let mut made = vec![(wallet.clone(), ensure_pair(&wallet, &public)?)];
    let settlement = args.dir.join("settlement.pem");
    made.push((settlement.clone(), ensure_seal_pair(&settlement, &args.dir.join("settlement.pub.pem"))?));
    let receipts = args.dir.join("receipts.pem");
    made.push((receipts.clone(), ensure_seal_pair(&receipts, &args.dir.join("receipts.pub.pem"))?));
    let audit = args.dir.join("audit.pem");
    made.push((audit.clone(), ensure_seal_pair(&audit, &args.dir.join("audit.pub.pem"))?));
    for name in
        [format!("derivation-{}.key", args.derivation_version), "pages.key".to_owned(), "qr.key".to_owned()]
    {
        let path = args.dir.join(name);
        made.push((path.clone(), ensure_secret(&path)?));
    }
    for (path, fresh) in made {
        println!("{} {}", if fresh { "made" } else { "kept" }, path.display());
    }
    println!("give {} to your clients: they check your replies with it", public.display());
    Ok(Exit::Done)
}

/// Creates a directory that only its owner enters; an existing one stays as it is.
pub fn private_dir(dir: &Path) -> anyhow::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).with_context(|| format!("{} cannot be created", dir.display()))
}

/// Makes an RSA pair unless the private key is there; writes the public half when that is missing. True: made.
pub fn ensure_pair(private: &Path, public: &Path) -> anyhow::Result<bool> {
    if private.exists() {
        let key = read_private_key(private)?;
        if !public.exists() {
            write_file(public, key.public_key().pem().as_bytes(), 0o644)?;
        }
        return Ok(false);
    }
    let (private_pem, public_pem) = PrivateKey::generate()?;
    write_file(private, private_pem.as_bytes(), 0o600)?;
    write_file(public, public_pem.as_bytes(), 0o644)?;
    Ok(true)
}

/// Makes a P-256 pair for seals unless the private key is there; writes the public half when that is missing. True: made.
pub fn ensure_seal_pair(private: &Path, public: &Path) -> anyhow::Result<bool> {
    if private.exists() {
        let key = read_seal_key(private)?;
        if !public.exists() {
            write_file(public, key.public_key().pem().as_bytes(), 0o644)?;
        }
        return Ok(false);
    }
    let (private_pem, public_pem) = SealKey::generate()?;
    write_file(private, private_pem.as_bytes(), 0o600)?;
    write_file(public, public_pem.as_bytes(), 0o644)?;
    Ok(true)
}

/// Reads a private P-256 key from a file that nobody else can read.
pub fn read_seal_key(path: &Path) -> anyhow::Result<SealKey> {
    let text = read_guarded(path)?;
    SealKey::parse(&text).map_err(|fault| {
        anyhow::anyhow!("{}: {fault}: expected an unencrypted PKCS#8 P-256 key as PEM", path.display())
    })
}

/// Reads a public P-256 key.
pub fn read_seal_public_key(path: &Path) -> anyhow::Result<SealPublicKey> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    SealPublicKey::parse(&text).map_err(|fault| {
        anyhow::anyhow!("{}: {fault}: expected a SubjectPublicKeyInfo as PEM", path.display())
    })
}

/// Makes a symmetric key unless it is there. True: made.
pub fn ensure_secret(path: &Path) -> anyhow::Result<bool> {
    if path.exists() {
        read_secret(path)?;
        return Ok(false);
    }
    let hex: String = random::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    write_file(path, format!("{hex}\n").as_bytes(), 0o600)?;
    Ok(true)
}

/// Reads a private RSA key from a file that nobody else can read.
pub fn read_private_key(path: &Path) -> anyhow::Result<PrivateKey> {
    let text = read_guarded(path)?;
    PrivateKey::parse(&text).map_err(|fault| {
        anyhow::anyhow!("{}: {fault}: expected an unencrypted PKCS#8 RSA key as PEM", path.display())
    })
}

/// Reads a public RSA key.
pub fn read_public_key(path: &Path) -> anyhow::Result<PublicKey> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    PublicKey::parse(&text).map_err(|fault| {
        anyhow::anyhow!("{}: {fault}: expected a SubjectPublicKeyInfo as PEM", path.display())
    })
}

/// Reads a symmetric key from a file that nobody else can read.
pub fn read_secret(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text = read_guarded(path)?;
    let text = text.trim();
    let mut key = [0; 32];
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !digits {
        bail!(
            "{}: not a key: expected 64 hexadecimal digits, as `accord keys generate` writes",
            path.display()
        );
    }
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or("00");
        *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
    }
    Ok(key)
}

/// A merchant's or a network's private key, for a call made by hand. Whether others may read it is its owner's affair:
/// it is only said.
pub fn read_callers_key(path: &Path) -> anyhow::Result<PrivateKey> {
    if let Some(warning) = openness(path)? {
        eprintln!("warning: {warning}");
    }
    let text = read_small(path)?;
    PrivateKey::parse(&text).with_context(|| format!("{} is no private key", path.display()))
}

/// What to say when other users may read a file. A file of root's may be readable by the group of this process: so do
/// Kubernetes and other keepers of secrets give files to a process that is not root.
pub fn openness(path: &Path) -> anyhow::Result<Option<String>> {
    let data = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let me = std::fs::metadata("/proc/self").map(|me| me.uid()).unwrap_or(0);
        let mode = data.mode() & 0o777;
        if mode & !bearable(data.uid(), me) != 0 {
            let path = path.display();
            return Ok(Some(format!(
                "{path} is open to other users (mode {mode:04o}): run `chmod 600 {path}` and, if others may have \
                 read it, make a new key"
            )));
        }
    }
    Ok(None)
}

/// The permissions that a file of secrets may have at most, by its owner and by whom it is read.
fn bearable(owner: u32, me: u32) -> u32 {
    if owner == 0 && me != 0 { 0o740 } else { 0o700 }
}

/// Reads a password or a token: one line of visible characters in a file of its owner's alone.
pub fn read_token(path: &Path) -> anyhow::Result<String> {
    let text = read_guarded(path)?;
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        bail!("{}: expected one line with the secret", path.display());
    }
    Ok(text.to_owned())
}

fn read_guarded(path: &Path) -> anyhow::Result<String> {
    match openness(path)? {
        Some(fault) => bail!(fault),
        None => read_small(path),
    }
}

fn read_small(path: &Path) -> anyhow::Result<String> {
    let data = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if data.len() > 65_536 {
        bail!("{} is too large for a key", path.display());
    }
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Writes a whole file or nothing: beside its place first, then moved.
pub fn write_file(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = || -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let mut file = options.open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_others_can_read_is_refused_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pages.key");
        assert!(ensure_secret(&path).unwrap());
        let key = read_secret(&path).unwrap();
        assert!(!ensure_secret(&path).unwrap(), "a second call keeps the key");
        assert_eq!(read_secret(&path).unwrap(), key);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let fault = read_secret(&path).unwrap_err().to_string();
        assert!(fault.contains("mode 0640") && fault.contains("chmod 600"), "{fault}");
    }

    #[test]
    fn a_group_may_read_only_what_root_gave_it() {
        for (mode, owner, me, fine) in [
            (0o600, 1000, 1000, true),
            (0o640, 1000, 1000, false),
            (0o440, 0, 10001, true),
            (0o640, 0, 10001, true),
            (0o660, 0, 10001, false),
            (0o444, 0, 10001, false),
            (0o440, 0, 0, false),
        ] {
            assert_eq!(mode & !bearable(owner, me) == 0, fine, "{mode:o} of {owner} for {me}");
        }
    }

    #[test]
    fn a_short_key_is_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("qr.key");
        write_file(&path, b"00ff", 0o600).unwrap();
        assert!(read_secret(&path).unwrap_err().to_string().contains("64 hexadecimal digits"));
    }
}
