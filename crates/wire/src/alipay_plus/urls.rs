//! The URLs of a session: where the network sends the user (Alipay+ prepare, schemeUrl/applinkUrl/normalUrl), and
//! the way back from any of them to the session.

use crate::alipay_plus::AlipayPlus;
use accord_core::agreement::Terminal;
use accord_core::ids::AuthId;

/// Where a session is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUrls {
    /// Content of the QR code; nothing when the wallet's app cannot scan.
    pub code_value: Option<String>,
    /// applinkUrl.
    pub applink: String,
    /// normalUrl.
    pub normal: String,
    /// schemeUrl.
    pub scheme: String,
}

impl AlipayPlus {
    /// The URLs of that session for a user who comes from that terminal.
    pub fn urls(&self, auth_id: &AuthId, terminal: Terminal) -> SessionUrls {
        let templates = self.config.templates(terminal);
        let fill = |template: &str| self.fill(template, "{authId}", auth_id.as_str());
        SessionUrls {
            code_value: self.code_value(auth_id),
            applink: fill(&templates.applink),
            normal: fill(&templates.normal),
            scheme: fill(&templates.scheme),
        }
    }

    /// Content of that session's QR code; nothing when the wallet's app cannot scan.
    pub fn code_value(&self, auth_id: &AuthId) -> Option<String> {
        let handle = if self.config.code_scan { self.qr.handle(auth_id) } else { None };
        handle.map(|handle| self.fill(&self.config.code_value, "{handle}", &handle))
    }

    /// The session that one of our URLs or QR codes names, as far as its text can tell.
    pub fn auth_id_of(&self, url: &str) -> Option<AuthId> {
        let config = &self.config;
        let by_url = [&config.web, &config.wap, &config.app]
            .into_iter()
            .flat_map(|templates| [&templates.normal, &templates.applink, &templates.scheme])
            .find_map(|template| AuthId::read(self.filled_in(template, "{authId}", url)?));
        by_url.or_else(|| self.qr.resolve(self.filled_in(&config.code_value, "{handle}", url)?))
    }

    fn fill(&self, template: &str, name: &str, value: &str) -> String {
        template.replace("{public_url}", self.config.base()).replace(name, value)
    }

    /// What stands in `url` where the template has `name`.
    fn filled_in<'u>(&self, template: &str, name: &str, url: &'u str) -> Option<&'u str> {
        let template = template.replace("{public_url}", self.config.base());
        let (before, after) = template.split_once(name)?;
        url.strip_prefix(before)?.strip_suffix(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alipay_plus::Config;
    use accord_core::handle::Bucket;
    use accord_core::{Moment, Timestamp};

    fn auth_id() -> AuthId {
        let at = Moment::new(Timestamp(0), [7; 32]);
        AuthId::mint(Bucket::new(5), &mut at.random("url"))
    }

    #[test]
    fn every_url_leads_to_its_session_and_stays_short() {
        let wallet = AlipayPlus::new(Config::new("https://wallet.example/", [1; 32]));
        for terminal in [Terminal::Web, Terminal::Wap, Terminal::App] {
            let urls = wallet.urls(&auth_id(), terminal);
            let code = urls.code_value.expect("the wallet scans");
            assert!(!code.contains(auth_id().as_str()));
            assert_eq!(urls.normal, format!("https://wallet.example/authorize?authId={}", auth_id()));
            for url in [&urls.normal, &urls.applink, &urls.scheme, &code] {
                assert!(url.len() <= 256, "{url}");
                assert_eq!(wallet.auth_id_of(url), Some(auth_id()), "{url}");
            }
        }
        for url in ["", "https://wallet.example/authorize?authId=x", "https://elsewhere.example/q/abc"] {
            assert_eq!(wallet.auth_id_of(url), None, "{url}");
        }
    }

    #[test]
    fn each_terminal_may_have_its_own_urls_and_scanning_may_be_off() {
        let mut config = Config::new("https://wallet.example", [1; 32]);
        config.app.applink = "https://app.example/a/{authId}/open".to_owned();
        config.code_scan = false;
        let wallet = AlipayPlus::new(config);
        let app = wallet.urls(&auth_id(), Terminal::App);
        assert_eq!(app.applink, format!("https://app.example/a/{}/open", auth_id()));
        assert_eq!(app.code_value, None);
        assert_eq!(wallet.auth_id_of(&app.applink), Some(auth_id()));
        assert_ne!(wallet.urls(&auth_id(), Terminal::Wap).applink, app.applink);
    }
}
