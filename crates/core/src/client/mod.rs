//! Clients: those who sign requests. Not to be confused with the merchants named in bodies. Their keys come and go in
//! [`keys`], their calls a second are counted in [`quota`].

pub mod keys;
pub mod quota;

use crate::ids::{ClientId, DialectName};
use crate::moment::Timestamp;

crate::words! {
    /// Whether a client may call.
    ClientStatus {
        /// It may.
        Active = "active",
        /// It may not, for now.
        Suspended = "suspended",
    }
}

/// A registered signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its Client-Id.
    pub id: ClientId,
    /// The one dialect it speaks.
    pub dialect: DialectName,
    /// Registered legal name (Qi: shown with the contract).
    pub legal_name: String,
    /// Trade name (Qi: shown in the page's title).
    pub display_name: String,
    /// May it call?
    pub status: ClientStatus,
    /// May it ask for agreement payments?
    pub agreement_pay: bool,
    /// Is `""` absent and a JSON boolean taken (Alipay+ only)?
    pub lenient: bool,
    /// Where authorization notices go when the request named no URL.
    pub auth_notify_url: Option<String>,
    /// Where payment notices go when the request named no URL.
    pub payment_notify_url: Option<String>,
    /// Where a Qi page without the app's bridge returns to, with the code in the fragment.
    pub return_url: Option<String>,
    /// Acquirers it may name; empty: any (Alipay+).
    pub acquirers: Vec<String>,
    /// Hosts its redirect URLs may have; empty: any.
    pub redirect_hosts: Vec<String>,
    /// Calls a second; nothing: unlimited.
    pub rate_limit: Option<u32>,
    /// When it was registered.
    pub created_at: Timestamp,
}

crate::words! {
    /// Whether a key verifies.
    KeyStatus {
        /// It verifies.
        Active = "active",
        /// It no longer does.
        Retired = "retired",
    }
}

/// One public key of a client. Several versions may be active at once, so that rotation needs no pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// Whose key.
    pub client: ClientId,
    /// Its version, as requests name it.
    pub version: String,
    /// SubjectPublicKeyInfo PEM.
    pub public_key: String,
    /// Does it verify?
    pub status: KeyStatus,
    /// When it was registered: the newest active key is meant when a request names none.
    pub created_at: Timestamp,
}
