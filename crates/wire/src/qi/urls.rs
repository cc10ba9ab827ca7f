//! The URL of the authorization page (Qi prepare, authUrl; decision 15). It holds the authId and nothing else.

use accord_core::ids::AuthId;

/// Qi prepare, authUrl: at most 256 characters.
pub const MAX_AUTH_URL: usize = 256;

/// Path and query in front of the authId.
const PAGE: &str = "/authorize?authId=";

/// Letters of an authId.
const AUTH_ID_LENGTH: usize = 26;

/// The page of that session.
pub fn auth_url(public_url: &str, id: &AuthId) -> String {
    format!("{}{PAGE}{id}", public_url.trim_end_matches('/'))
}

/// How many characters the page's URL has under that public URL.
pub fn longest_auth_url(public_url: &str) -> usize {
    public_url.trim_end_matches('/').chars().count() + PAGE.len() + AUTH_ID_LENGTH
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::handle::Bucket;
    use accord_core::moment::{Moment, Timestamp};

    #[test]
    fn the_url_holds_the_auth_id_alone() {
        let id = AuthId::mint(Bucket::new(7), &mut Moment::new(Timestamp(0), [1; 32]).random("test"));
        for public_url in ["https://wallet.example", "https://wallet.example/"] {
            let url = auth_url(public_url, &id);
            assert_eq!(url, format!("https://wallet.example/authorize?authId={id}"));
            assert_eq!(url.len(), longest_auth_url(public_url));
        }
    }
}
