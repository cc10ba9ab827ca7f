//! The files that pages refer to, compiled in: `/assets/<name>`.

use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// One file.
#[derive(Debug)]
pub struct Asset {
    /// Its name after `/assets/`.
    pub name: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub body: &'static str,
    /// Its entity tag, quoted: changes whenever the file does.
    pub etag: String,
}

static ASSETS: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    const STYLE: &str = "text/css; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const IMAGE: &str = "image/svg+xml";
    [
        asset("accord.css", STYLE, include_str!("../../assets/accord.css")),
        asset("accord.svg", IMAGE, include_str!("../../assets/accord.svg")),
        asset("default-logo.svg", IMAGE, include_str!("../../assets/default-logo.svg")),
        asset("bridge.js", SCRIPT, include_str!("../../assets/bridge.js")),
        asset("emulator.js", SCRIPT, include_str!("../../assets/emulator.js")),
    ]
});

fn asset(name: &'static str, content_type: &'static str, body: &'static str) -> Asset {
    let hash: String = Sha256::digest(body).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Asset { name, content_type, body, etag: format!("\"{hash}\"") }
}

/// The file of that name, if there is one.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Every file.
pub fn all() -> &'static [Asset] {
    &*ASSETS
}
