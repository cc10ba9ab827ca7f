//! The files that pages refer to, `/assets/<name>`: compiled in, but for the brand's picture and colours.

use super::brand;
use bytes::Bytes;
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
    pub body: Bytes,
    /// Its entity tag, quoted: changes whenever the file does.
    pub etag: String,
}

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let own = |bytes: &'static str| Bytes::from_static(bytes.as_bytes());
    let sheet = [include_str!("../../assets/accord.css"), &brand::css()].concat();
    let (picture_type, picture) =
        brand::logo().unwrap_or((IMAGE, own(include_str!("../../assets/accord.svg"))));
    vec![
        asset("accord.css", STYLE, sheet.into()),
        asset("brand", picture_type, picture),
        asset("default-logo.svg", IMAGE, own(include_str!("../../assets/default-logo.svg"))),
        asset("admin.css", STYLE, own(include_str!("../../assets/admin.css"))),
        asset("admin.js", SCRIPT, own(include_str!("../../assets/admin.js"))),
        asset("bridge.js", SCRIPT, own(include_str!("../../assets/bridge.js"))),
        asset("handover.css", STYLE, own(include_str!("../../assets/handover.css"))),
        asset("handover.js", SCRIPT, own(include_str!("../../assets/handover.js"))),
        asset("demo.css", STYLE, own(include_str!("../../assets/demo.css"))),
        asset("demo.js", SCRIPT, own(include_str!("../../assets/demo.js"))),
        asset("emulator.js", SCRIPT, own(include_str!("../../assets/emulator.js"))),
    ]
});

fn asset(name: &'static str, content_type: &'static str, body: Bytes) -> Asset {
    let hash: String = Sha256::digest(&body).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Asset { name, content_type, body, etag: format!("\"{hash}\"") }
}

/// The file of that name, if there is one.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Every file.
pub fn all() -> &'static [Asset] {
    &ASSETS
}
