//! PINs: argon2id, off the threads that answer calls.

use crate::clock::random;
use crate::typed::plain;
use accord_core::identity::{Claim, Identity, Said};
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Hashes a PIN as a PHC string. Whichever digits it is typed in, it is the same PIN.
pub fn hash(pin: &str) -> Result<String, String> {
    let salt: [u8; 16] = random();
    let hash =
        hasher().hash_password_with_salt(plain(pin).as_bytes(), &salt).map_err(|fault| fault.to_string())?;
    Ok(hash.to_string())
}

/// The built-in [`Identity`]: users prove themselves by the PIN whose hash is kept with them.
#[derive(Debug, Clone)]
pub struct KeptPins {
    /// A few checks at a time: each takes 19 MiB.
    pub permits: Arc<Semaphore>,
}

impl Identity for KeptPins {
    fn prove(&self, claim: Claim, said: Said) {
        let permits = self.permits.clone();
        tokio::spawn(async move { said(Some(check(&permits, claim.typed, claim.kept).await)) });
    }
}

/// Is this the PIN? Nobody's hash, and that of a user without a PIN here, takes as long and is never right.
pub async fn check(permits: &Semaphore, pin: String, hash: Option<String>) -> bool {
    let Ok(_permit) = permits.acquire().await else { return false };
    let hash = hash.filter(|hash| hash != accord_core::user::EXTERNAL_PIN);
    let known = hash.is_some();
    let hash = hash.unwrap_or_else(|| NOBODY.clone());
    let right = tokio::task::spawn_blocking(move || verify(&pin, &hash)).await.unwrap_or(false);
    known && right
}

static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody's PIN").unwrap_or_default());

fn verify(pin: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| hasher().verify_password(plain(pin).as_bytes(), &hash).is_ok())
}

/// 19 MiB, two passes: OWASP's first choice for argon2id.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_pin_is_right() {
        let hash = hash("135790").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify("135790", &hash));
        assert!(!verify("135791", &hash));
        assert!(!verify("135790", "not a hash"));
        for typed in ["١٣٥٧٩٠", "۱۳۵۷۹۰", "\u{200E}135790"] {
            assert!(verify(typed, &hash), "{typed}");
        }
        assert!(verify("135790", &super::hash("١٣٥٧٩٠").unwrap()));
    }
}
