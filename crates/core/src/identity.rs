//! Identity: the port to whoever says that a secret is a user's.
//!
//! The built-in answer is the PIN hash kept with the user (argon2id, checked by the server). A wallet that keeps its
//! users' PINs elsewhere puts that system behind [`Identity`]; its users have no PIN here
//! ([`crate::user::EXTERNAL_PIN`]). Who may try how often is no matter of this port: the guards of decision 21
//! ([`crate::agreement::sign_in`]) stand before it, whoever answers.

use crate::ids::CustomerId;

/// Somebody says who they are. Not printable: it holds what was typed.
pub struct Claim {
    /// Whose login id was typed; nothing: nobody's. An implementation answers that no sooner than a wrong PIN.
    pub customer: Option<CustomerId>,
    /// The hash kept with that user, as a PHC string, or [`crate::user::EXTERNAL_PIN`].
    pub kept: Option<String>,
    /// What was typed.
    pub typed: String,
}

/// Called once: right, wrong, or nothing when it cannot be told now.
pub type Said = Box<dyn FnOnce(Option<bool>) + Send>;

/// Judges claims. It is asked outside of any transaction.
pub trait Identity: std::fmt::Debug + Send + Sync {
    /// Judges a claim, now or later, on whatever thread.
    fn prove(&self, claim: Claim, said: Said);
}
