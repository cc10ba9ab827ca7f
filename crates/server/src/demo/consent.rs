//! What the demo merchant says when the wallet asks whether a user may end an agreement (Alipay+ consultUnbinding).

use std::sync::Mutex;
use std::time::Duration;

/// Longer than the wallet waits.
pub(super) const SILENCE: Duration = Duration::from_secs(7);

accord_core::words! {
    /// The answers it can be set to.
    ConsentAnswer {
        /// Yes.
        Allow = "true",
        /// No.
        Deny = "false",
        /// None in time.
        Silence = "timeout",
    }
}

/// The answer that is set: yes, until somebody says otherwise.
#[derive(Debug, Default)]
pub struct DemoConsent(Mutex<Option<ConsentAnswer>>);

impl DemoConsent {
    /// From now on.
    pub fn set(&self, answer: ConsentAnswer) {
        if let Ok(mut set) = self.0.lock() {
            *set = Some(answer);
        }
    }

    /// At present.
    pub fn get(&self) -> ConsentAnswer {
        self.0.lock().ok().and_then(|set| *set).unwrap_or(ConsentAnswer::Allow)
    }
}
