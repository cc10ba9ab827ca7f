//! What the wallet around accord does through its own API: keeps users, moves money in and out.
//!
//! accord can live inside a wallet that already has users, PINs and an app. That wallet proves who it is with a
//! [`Credential`], and acts by [`users`] and [`transfer`]; its app decides for users that it has made sure of itself
//! (`agreement::decide`), and changes their agreements (`agreement::control`, `agreement::unbind`). Who may call what
//! is the server's business. The ports to systems of its own: [`crate::identity::Identity`] says whether a PIN is a
//! user's, [`crate::ledger::funding::Funding`] from where payments come, [`crate::risk::RiskEngine`] whether a debit is
//! wanted; messages are rows that it reads, or deliveries that drivers carry ([`crate::message`]).

pub mod transfer;
pub mod users;

use crate::handle::Bucket;
use crate::ids::CredentialId;
use crate::journal;
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::secret::Digest;
use crate::store::Tx;

crate::words! {
    /// What a credential may do. No role holds another; only the operator's holds all.
    Role {
        /// Look.
        Reader = "reader",
        /// What a user does in the app: look, decide, change agreements.
        App = "app",
        /// Money in and out; look.
        Funding = "funding",
        /// Everything, users included.
        Operator = "operator",
    }
}

/// Who may call the wallet API. The secret itself is told once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id: the part of the token before the dot.
    pub id: CredentialId,
    /// What it may do.
    pub role: Role,
    /// For people: which system holds it. May be empty.
    pub name: String,
    /// SHA-256 of the secret.
    pub digest: Digest,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when it opens nothing any more.
    pub retired_at: Option<Timestamp>,
}

/// Keeps a new credential for a secret of that digest.
pub fn add(tx: &mut dyn Tx, role: Role, name: &str, digest: Digest, at: &Moment) -> Ruled<Credential> {
    let mut random = at.random("credential");
    let id = CredentialId::mint(Bucket::random(&mut random), &mut random);
    let credential =
        Credential { id, role, name: name.to_owned(), digest, created_at: at.now, retired_at: None };
    tx.put_credential(&credential)?;
    let id = &credential.id;
    journal::append(tx, at, id.bucket(), "credential.added", id.as_str(), "operator", role.as_str())?;
    Ok(credential)
}

/// Retires a credential; nothing when there is none. Retiring it again changes nothing.
pub fn retire(tx: &mut dyn Tx, id: &CredentialId, at: &Moment) -> Ruled<Option<Credential>> {
    let Some(credential) = tx.credential(id)? else { return Ok(None) };
    if credential.retired_at.is_some() {
        return Ok(Some(credential));
    }
    let retired = Credential { retired_at: Some(at.now), ..credential };
    tx.put_credential(&retired)?;
    journal::append(tx, at, id.bucket(), "credential.retired", id.as_str(), "operator", "")?;
    Ok(Some(retired))
}
