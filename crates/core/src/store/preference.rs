//! What users have chosen. A part of the port.

use crate::ids::CustomerId;
use crate::preference::Preferences;
use crate::store::Stored;

/// What can be read of it.
pub trait PreferenceRows {
    /// The preferences of a user; nothing where none were ever set.
    fn preferences(&self, customer: &CustomerId) -> Stored<Option<Preferences>>;
}

/// What can be written of it.
pub trait PreferenceTx {
    /// Sets the preferences of a user, creating or replacing them.
    fn put_preferences(&mut self, preferences: &Preferences) -> Stored<()>;
}
