//! What a deployment may choose for Alipay+. Facts with defaults; the rules that use them are elsewhere.

use accord_core::agreement::Terminal;
use accord_core::handle::{Alphabet, Shape};
use accord_core::ledger::funding::{Funding, OwnLedger};
use accord_core::message::routes::MessagePolicy;
use accord_core::people::one_time_code::CodeLimits;
use accord_core::policy::{ControlPolicy, DAY, MINUTE, OldAccess, Policy};
use std::sync::Arc;

/// Longest URL in an answer, in characters (Alipay+ prepare, schemeUrl, applinkUrl, normalUrl, codeValue).
pub const MAX_URL: usize = 2048;

/// Templates of the three authorization URLs for one terminalType. `{public_url}` and `{authId}` are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplates {
    /// A page in the browser (normalUrl).
    pub normal: String,
    /// A link that opens the wallet's app, or a page where there is none (applinkUrl).
    pub applink: String,
    /// The wallet app's own scheme (schemeUrl).
    pub scheme: String,
}

impl Default for UrlTemplates {
    /// All three name the session. The app link leads to the same page, so that it works without the app.
    fn default() -> UrlTemplates {
        UrlTemplates {
            normal: "{public_url}/authorize?authId={authId}".to_owned(),
            applink: "{public_url}/authorize?authId={authId}&via=app".to_owned(),
            scheme: "accordwallet://authorize?authId={authId}".to_owned(),
        }
    }
}

/// The choices.
#[derive(Clone)]
pub struct Config {
    /// Our id at Alipay+. A request that names another is refused.
    pub psp_id: String,
    /// Our walletNames: what customerBelongsTo may say.
    pub wallet_names: Vec<String>,
    /// The three digits that Alipay+ assigned to us: the fourth to sixth of codes and tokens.
    pub issuer_digits: String,
    /// Where this wallet is reached from outside, without a slash at the end.
    pub public_url: String,
    /// URLs for terminalType WEB.
    pub web: UrlTemplates,
    /// URLs for terminalType WAP.
    pub wap: UrlTemplates,
    /// URLs for terminalType APP.
    pub app: UrlTemplates,
    /// Can the wallet's app scan? Then prepare answers codeValue and codeExpireTime.
    pub code_scan: bool,
    /// Template of codeValue. `{public_url}` and `{handle}` are filled in.
    pub code_value: String,
    /// Key of the handles in QR codes. Changing it makes the codes that are on screens unreadable, nothing else.
    pub handle_key: [u8; 32],
    /// Base URL of the network; notices go there when neither request nor registration names a URL.
    pub network_base_url: Option<String>,
    /// Where consultUnbinding is asked; `{auth_notify_url}` stands for the client's registered URL. Without it the
    /// network's base URL is used, and without both nobody is asked.
    pub consult_unbinding_url: Option<String>,
    /// Does an agreement end although consultUnbinding brought no answer, the third time within a day?
    pub unbind_after_failed_consults: bool,
    /// Notify every final payment, not only those that need it (decision 36).
    pub notify_payment_always: bool,
    /// Is inquiryCustomerId answered? It tells who has an account here.
    pub inquiry_customer_id: bool,
    /// What is borne of one-time codes.
    pub one_time_codes: CodeLimits,
    /// May URLs in requests be http? For the sandbox only.
    pub allow_http: bool,
    /// Schemes of apps that a redirect may lead to, beside reverse-domain ones.
    pub app_schemes: Vec<String>,
    /// From prepare to the decision, in milliseconds. The QR code expires with it.
    pub session_life_ms: i64,
    /// From the decision to the redemption of the code, in milliseconds.
    pub code_life_ms: i64,
    /// How long used and expired codes are told apart, in milliseconds.
    pub code_memory_ms: i64,
    /// Life of an access token in milliseconds.
    pub access_life_ms: i64,
    /// Life of a refresh token in milliseconds.
    pub refresh_life_ms: i64,
    /// How long the old pair lives on after a refresh, in milliseconds.
    pub refresh_grace_ms: i64,
    /// Limits of every agreement, the zone of days, notices before debits: none, Baghdad, two days.
    pub control: ControlPolicy,
    /// Which messages leave the wallet.
    pub messages: MessagePolicy,
    /// Where payments take money from and give it back to: the wallet's own ledger, unless it is embedded elsewhere.
    pub funding: Arc<dyn Funding>,
    /// How long after a payment it can be refunded, in milliseconds; nothing: without limit. At least 366 days.
    pub refund_window_ms: Option<i64>,
    /// Does cancelPayment of an unknown order succeed and close it (true), or is it ORDER_NOT_EXIST (decision 35)?
    pub cancel_unknown_order: bool,
    /// The offset of the times that we write, in seconds east of UTC. Alipay+ settles by UTC+8.
    pub utc_offset_seconds: i32,
}

impl Config {
    /// The defaults for a wallet at that address, with that key for its QR codes.
    pub fn new(public_url: impl Into<String>, handle_key: [u8; 32]) -> Config {
        Config {
            psp_id: "102208800000001234".to_owned(),
            wallet_names: vec!["ALIPAY_CN".to_owned()],
            issuer_digits: "010".to_owned(),
            public_url: public_url.into(),
            web: UrlTemplates::default(),
            wap: UrlTemplates::default(),
            app: UrlTemplates::default(),
            code_scan: true,
            code_value: "{public_url}/q/{handle}".to_owned(),
            handle_key,
            network_base_url: None,
            consult_unbinding_url: None,
            unbind_after_failed_consults: true,
            notify_payment_always: false,
            inquiry_customer_id: false,
            one_time_codes: CodeLimits::default(),
            allow_http: false,
            app_schemes: Vec::new(),
            session_life_ms: 15 * MINUTE,
            code_life_ms: 10 * MINUTE,
            code_memory_ms: 30 * DAY,
            access_life_ms: 180 * DAY,
            refresh_life_ms: 365 * DAY,
            refresh_grace_ms: 5 * MINUTE,
            control: ControlPolicy::default(),
            messages: MessagePolicy::default(),
            funding: Arc::new(OwnLedger),
            // The day of the payment, and 366 whole days after it in any zone.
            refund_window_ms: Some(367 * DAY),
            cancel_unknown_order: true,
            utc_offset_seconds: 8 * 3600,
        }
    }

    /// Says what would not work, in a sentence for the person who wrote the configuration.
    pub fn check(&self) -> Result<(), String> {
        if self.psp_id.is_empty() || self.psp_id.chars().count() > 64 {
            return Err("alipay-plus psp_id must have 1 to 64 characters".to_owned());
        }
        if self.issuer_digits.len() != 3 || !self.issuer_digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err("alipay-plus issuer_digits must be the three digits that Alipay+ assigned".to_owned());
        }
        if self.one_time_codes.per_day < 3 || self.one_time_codes.tries == 0 {
            return Err("alipay-plus one-time codes: at least 3 a day, and one try, must be borne".to_owned());
        }
        if self.wallet_names.iter().all(String::is_empty) {
            return Err("alipay-plus wallet_names must name at least one wallet".to_owned());
        }
        for templates in [&self.web, &self.wap, &self.app] {
            for template in [&templates.normal, &templates.applink, &templates.scheme] {
                self.check_template(template, "{authId}")?;
            }
        }
        if self.refund_window_ms.is_some_and(|window| window < 366 * DAY) {
            return Err("alipay-plus refund_window must be at least 366 days".to_owned());
        }
        if self.code_value.contains("{authId}") {
            return Err("alipay-plus code_value must carry {handle}, never {authId}".to_owned());
        }
        self.check_template(&self.code_value, "{handle}")
    }

    fn check_template(&self, template: &str, id: &str) -> Result<(), String> {
        if template.matches(id).count() != 1 {
            return Err(format!("alipay-plus URL template {template:?} must hold {id} exactly once"));
        }
        // 100 characters are more than any id or handle has.
        if template.replace("{public_url}", self.base()).chars().count() + 100 > MAX_URL {
            return Err(format!("alipay-plus URL template {template:?} is longer than {MAX_URL} characters"));
        }
        Ok(())
    }

    /// The public URL without a slash at its end.
    pub(super) fn base(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }

    /// The templates for that terminal.
    pub(super) fn templates(&self, terminal: Terminal) -> &UrlTemplates {
        match terminal {
            Terminal::Web => &self.web,
            Terminal::Wap | Terminal::MiniApp => &self.wap,
            Terminal::App => &self.app,
        }
    }

    /// What the rules are given: lifetimes and shapes (Alipay+ prepare, authRedirectUrl: `281***13`).
    pub(super) fn policy(&self) -> Policy {
        let shape = |kind: &str, alphabet, length| Shape {
            prefix: format!("281{}{kind}", self.issuer_digits),
            ..Shape::plain(alphabet, length)
        };
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
            old_access: OldAccess::UntilGrace,
            lapsed_cancel_is_expired: false,
            refund_window_ms: self.refund_window_ms,
            cancel_unknown: self.cancel_unknown_order,
            code: shape("13", Alphabet::Base36, 24),
            access: shape("03", Alphabet::Hex, 32),
            refresh: shape("03", Alphabet::Hex, 32),
        }
    }
}

impl std::fmt::Debug for Config {
    /// Everything that a log may know: not the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("psp_id", &self.psp_id)
            .field("wallet_names", &self.wallet_names)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_order_and_faults_are_named() {
        let good = || Config::new("https://wallet.example/", [1; 32]);
        assert_eq!(good().check(), Ok(()));
        type Spoil = fn(&mut Config);
        let faulty: [(&str, Spoil); 9] = [
            ("refund_window", |c| c.refund_window_ms = Some(365 * DAY)),
            ("at least 3 a day", |c| c.one_time_codes.per_day = 2),
            ("psp_id", |c| c.psp_id.clear()),
            ("issuer_digits", |c| c.issuer_digits = "01".into()),
            ("issuer_digits", |c| c.issuer_digits = "0A1".into()),
            ("wallet_names", |c| c.wallet_names.clear()),
            ("{authId}", |c| c.wap.scheme = "wallet://authorize".into()),
            ("never {authId}", |c| c.code_value = "{public_url}/q/{handle}?a={authId}".into()),
            ("longer than 2048", |c| c.public_url = format!("https://{}", "a".repeat(2000))),
        ];
        for (named, spoil) in faulty {
            let mut config = good();
            spoil(&mut config);
            let said = config.check().expect_err(named);
            assert!(said.contains(named), "{said}");
        }
    }

    #[test]
    fn codes_and_tokens_have_the_prescribed_prefix_and_length() {
        let policy = Config::new("https://wallet.example", [1; 32]).policy();
        assert_eq!((policy.code.prefix.as_str(), policy.code.length), ("28101013", 24));
        assert_eq!((policy.access.prefix.as_str(), policy.access.length), ("28101003", 32));
        assert_eq!((policy.refresh.prefix.as_str(), policy.refresh.length), ("28101003", 32));
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", Config::new("https://w.example", [199; 32])).contains("199"));
    }
}
