//! What QR codes carry: handles that only this wallet can turn back into a session (decision 20).
//!
//! A QR code is shown to the room, so it must not hold the authId, which opens the PC's page. The handle is the authId
//! sealed with AES-256-GCM-SIV under a key of its own and a fixed nonce: the same authId always gives the same handle
//! (a repeated prepare answers the same bytes), and nobody without the key can read or forge one (RFC 8452).
//! There is no table of handles and nothing to expire: what a handle opens is judged by its session.

use accord_core::ids::AuthId;
use accord_core::moment::keyed_hash;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const LABEL: &[u8] = b"accord alipay-plus qr handle v1";

/// Seals and opens handles.
pub struct QrHandles {
    key: Option<LessSafeKey>,
    print: [u8; 32],
}

impl QrHandles {
    /// Handles under that key.
    pub fn new(handle_key: &[u8; 32]) -> QrHandles {
        let key = keyed_hash(handle_key, &[LABEL]);
        // A key of 32 bytes is always taken.
        QrHandles {
            key: UnboundKey::new(&AES_256_GCM_SIV, &key).ok().map(LessSafeKey::new),
            print: keyed_hash(handle_key, &[accord_core::same_keys::LABEL]),
        }
    }

    /// A fingerprint of the key, which tells nothing of it.
    pub fn print(&self) -> [u8; 32] {
        self.print
    }

    /// The handle of that session: 56 letters that are safe in a URL. Nothing if the cipher is not to be had.
    pub fn handle(&self, auth_id: &AuthId) -> Option<String> {
        let mut sealed = auth_id.as_str().as_bytes().to_vec();
        let key = self.key.as_ref()?;
        key.seal_in_place_append_tag(nonce(), Aad::from(LABEL), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The session of a handle; nothing if we never made it.
    pub fn resolve(&self, handle: &str) -> Option<AuthId> {
        let mut sealed = URL_SAFE_NO_PAD.decode(handle).ok()?;
        let opened = self.key.as_ref()?.open_in_place(nonce(), Aad::from(LABEL), &mut sealed).ok()?;
        AuthId::read(std::str::from_utf8(opened).ok()?)
    }
}

/// Always the same: AES-GCM-SIV then tells at most that two handles name the same session.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

impl std::fmt::Debug for QrHandles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QrHandles(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::handle::Bucket;
    use accord_core::{Moment, Timestamp};

    fn auth_id(label: &str) -> AuthId {
        let at = Moment::new(Timestamp(0), [7; 32]);
        AuthId::mint(Bucket::new(5), &mut at.random(label))
    }

    #[test]
    fn a_handle_leads_back_to_its_session_and_is_always_the_same() {
        let handles = QrHandles::new(&[3; 32]);
        for label in ["a", "b", "c"] {
            let handle = handles.handle(&auth_id(label)).expect("sealed");
            assert_eq!(handle.len(), 56);
            assert!(handle.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert!(!handle.contains(auth_id(label).as_str()));
            assert_eq!(handles.resolve(&handle), Some(auth_id(label)));
            assert_eq!(QrHandles::new(&[3; 32]).handle(&auth_id(label)), Some(handle));
        }
        assert_ne!(handles.handle(&auth_id("a")), handles.handle(&auth_id("b")));
    }

    #[test]
    fn nobody_forges_a_handle() {
        let handles = QrHandles::new(&[3; 32]);
        let handle = handles.handle(&auth_id("a")).expect("sealed");
        assert_eq!(QrHandles::new(&[4; 32]).resolve(&handle), None);
        for at in 0..handle.len() {
            let mut other = handle.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(handles.resolve(std::str::from_utf8(&other).expect("ASCII")), None, "byte {at}");
        }
        for text in ["", "A", auth_id("a").as_str(), "ÄÖ", &handle[1..], &format!("{handle}AA")] {
            assert_eq!(handles.resolve(text), None, "{text}");
        }
    }
}
