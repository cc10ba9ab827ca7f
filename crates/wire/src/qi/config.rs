//! What a deployment may choose about Qi, with the project's own choices as defaults (decisions 24, 27, 28).

use crate::qi::urls;
use accord_core::handle::{Alphabet, Shape};
use accord_core::ledger::funding::{Funding, OwnLedger};
use accord_core::message::routes::MessagePolicy;
use accord_core::policy::{ControlPolicy, DAY, MINUTE, OldAccess, Policy};
use accord_core::user::Language;
use std::sync::Arc;

/// 365 days: years of tokens are counted without leap days.
const YEAR: i64 = 365 * DAY;

/// Letters of an authorization code: the paper's family prints at most 32.
const CODE_LENGTH: usize = 32;

/// Letters of a token, the last twelve its time: some 154 random bits, far below the paper's 128 characters, none of `@ # ?`.
const TOKEN_LENGTH: usize = 40;

/// The choices. Lives are in milliseconds.
#[derive(Debug, Clone)]
pub struct Config {
    /// Scheme, host and, if any, path under which the wallet's pages are reached, such as `https://wallet.example`.
    pub public_url: String,
    /// Are `http` URLs of merchants taken? In the sandbox only.
    pub allow_http: bool,
    /// From prepare to the decision: 15 minutes.
    pub session_life_ms: i64,
    /// From the decision to the redemption of the code: 10 minutes.
    pub code_life_ms: i64,
    /// How long used and expired codes are told apart: 30 days.
    pub code_memory_ms: i64,
    /// Life of an access token: 10 years.
    pub access_life_ms: i64,
    /// Life of a refresh token: 10 years and 30 days.
    pub refresh_life_ms: i64,
    /// How long a replaced refresh token still gives the same new pair: 5 minutes.
    pub refresh_grace_ms: i64,
    /// Limits of every agreement, the zone of days, notices before debits: none, Baghdad, two days.
    pub control: ControlPolicy,
    /// Which messages leave the wallet.
    pub messages: MessagePolicy,
    /// Where payments take money from and give it back to: the wallet's own ledger, unless it is embedded elsewhere.
    pub funding: Arc<dyn Funding>,
    /// How long after a payment it can be refunded; nothing: without limit (Qi refund names none, contracts may).
    pub refund_window_ms: Option<i64>,
    /// Languages that a contract may be written in (Qi prepare, extendInfo.language): English and Arabic.
    pub languages: Vec<Language>,
    /// The offset of times in replies, in seconds east of UTC: Baghdad's three hours.
    pub utc_offset_seconds: i32,
}

impl Config {
    /// The project's own choices for a wallet at `public_url`; `http` is not taken.
    pub fn new(public_url: impl Into<String>) -> Config {
        Config {
            public_url: public_url.into(),
            allow_http: false,
            session_life_ms: 15 * MINUTE,
            code_life_ms: 10 * MINUTE,
            code_memory_ms: 30 * DAY,
            access_life_ms: 10 * YEAR,
            refresh_life_ms: 10 * YEAR + 30 * DAY,
            refresh_grace_ms: 5 * MINUTE,
            control: ControlPolicy::default(),
            messages: MessagePolicy::default(),
            funding: Arc::new(OwnLedger),
            refund_window_ms: None,
            languages: Language::BUILT_IN.to_vec(),
            utc_offset_seconds: 3 * 3600,
        }
    }

    /// What is wrong with these choices, in a sentence for the one who made them.
    pub fn check(&self) -> Result<(), String> {
        let length = urls::longest_auth_url(&self.public_url);
        if length > urls::MAX_AUTH_URL {
            return Err(format!(
                "the public URL is too long for Qi: authUrl would have {length} characters, {} are allowed",
                urls::MAX_AUTH_URL
            ));
        }
        for (name, life) in [
            ("session", self.session_life_ms),
            ("code", self.code_life_ms),
            ("access token", self.access_life_ms),
            ("refresh token", self.refresh_life_ms),
            ("payment that can be refunded", self.refund_window_ms.unwrap_or(DAY)),
        ] {
            if life <= 0 {
                return Err(format!("the life of a Qi {name} must be above zero"));
            }
        }
        Ok(())
    }

    /// The same choices as the rules read them.
    pub(super) fn policy(&self) -> Policy {
        Policy {
            session_life_ms: self.session_life_ms,
            code_life_ms: self.code_life_ms,
            code_memory_ms: self.code_memory_ms,
            access_life_ms: self.access_life_ms,
            refresh_life_ms: self.refresh_life_ms,
            refresh_grace_ms: self.refresh_grace_ms,
            control: self.control.clone(),
            messages: self.messages.clone(),
            funding: self.funding.clone(),
            // Debits may be in flight, and nothing says that a refresh kills the token they carry.
            old_access: OldAccess::UntilExpiry,
            // Qi cancelToken: EXPIRED_ACCESS_TOKEN only when the whole contract has lapsed.
            lapsed_cancel_is_expired: true,
            refund_window_ms: self.refund_window_ms,
            // Orders are not cancelled in this dialect.
            cancel_unknown: false,
            code: Shape::plain(Alphabet::Base62, CODE_LENGTH),
            access: Shape::plain(Alphabet::Base62, TOKEN_LENGTH).dated(),
            refresh: Shape::plain(Alphabet::Base62, TOKEN_LENGTH).dated(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_that_would_break_the_papers_limit_is_refused_at_start() {
        let url = |length: usize| format!("https://{}", "w".repeat(length - 8));
        assert_eq!(Config::new(url(212)).check(), Ok(()));
        assert!(Config::new(url(213)).check().is_err_and(|why| why.contains("257 characters")));
    }

    #[test]
    fn a_life_of_nothing_is_refused_at_start() {
        let config = Config { code_life_ms: 0, ..Config::new("https://wallet.example") };
        assert_eq!(config.check(), Err("the life of a Qi code must be above zero".to_owned()));
    }
}
