//! What users have chosen.

use super::Books;
use accord_core::ids::CustomerId;
use accord_core::preference::Preferences;
use accord_core::store::Stored;
use accord_core::store::preference::{PreferenceRows, PreferenceTx};

impl PreferenceRows for Books {
    fn preferences(&self, customer: &CustomerId) -> Stored<Option<Preferences>> {
        Ok(self.preferences.get(customer).cloned())
    }
}

impl PreferenceTx for Books {
    fn put_preferences(&mut self, preferences: &Preferences) -> Stored<()> {
        self.preferences.put(preferences.customer.clone(), preferences.clone());
        Ok(())
    }
}
