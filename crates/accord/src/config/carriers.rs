//! `[email]` and `[sms]`: who carries messages out of the wallet. What is absent carries nothing.

use super::check::{Collector, Faults, read_ips};
use crate::keys::read_token;
use accord_core::message::Kind;
use accord_core::message::routes::{MessagePolicy, Route, Service};
use accord_server::courier::CourierOptions;
use accord_server::courier::email::{EmailOptions, Security, is_this_machine};
use accord_server::courier::sms::SmsOptions;
use accord_server::outbound::{OutboundPolicy, Permit};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailSection {
    /// Name or address of the server.
    pub host: String,
    /// Its port; absent: 465 with TLS, 587 with STARTTLS, 25 without.
    pub port: Option<u16>,
    /// `tls`, `starttls` or `plain`.
    pub security: Option<String>,
    /// Who signs the server's certificate, PEM; absent: whom this machine trusts.
    pub ca: Option<PathBuf>,
    /// Who signs in.
    pub user: Option<String>,
    /// File of the password, mode 0600.
    pub password_file: Option<PathBuf>,
    /// From whom letters are.
    pub from: String,
    /// What goes by e-mail.
    pub kinds: Option<Vec<String>>,
}

/// The SMS gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSection {
    /// Where it is called.
    pub url: String,
    /// File of the bearer token, mode 0600.
    pub token_file: Option<PathBuf>,
    /// Private addresses that it may have.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// Longer texts are cut.
    pub max_segments: Option<usize>,
    /// What goes by SMS.
    pub kinds: Option<Vec<String>>,
}

/// Both sections, judged; the secrets are still in their files.
#[derive(Debug, Clone, Default)]
pub struct Carriers {
    /// What the rules are told.
    pub policy: MessagePolicy,
    options: CourierOptions,
    sign_in: Option<(String, PathBuf)>,
    token_file: Option<PathBuf>,
}

/// Judges both sections; faults go to `notes`. In a sandbox what is absent is written down and held.
pub fn check(
    email: Option<EmailSection>,
    sms: Option<SmsSection>,
    dir: &Path,
    sandbox: bool,
    notes: &mut Collector<'_>,
) -> Carriers {
    // A sandbox without carriers writes down what users ask for and one-time codes, and sends nothing.
    let service = if sandbox { Service::Held } else { Service::Off };
    let absent = || Route { service, kinds: Vec::new() };
    let policy = MessagePolicy { email: absent(), sms: absent() };
    let mut carriers = Carriers { policy, ..Carriers::default() };
    if let Some(section) = email {
        carriers.policy.email = route("email.kinds", section.kinds.as_deref(), notes);
        carriers.sign_in = match (&section.user, &section.password_file) {
            (Some(user), Some(file)) => Some((user.clone(), dir.join(file))),
            (None, None) => None,
            _ => {
                notes.fault("email.user", "user and password_file belong together: add the missing one");
                None
            }
        };
        carriers.options.email = email_of(section, dir, notes);
    }
    if let Some(section) = sms {
        carriers.policy.sms = route("sms.kinds", section.kinds.as_deref(), notes);
        carriers.token_file = section.token_file.as_ref().map(|file| dir.join(file));
        carriers.options.sms = Some(sms_of(section, notes));
    }
    carriers
}

impl Carriers {
    /// Are there any?
    pub fn any(&self) -> bool {
        self.options.email.is_some() || self.options.sms.is_some()
    }

    /// Opens the files of secrets.
    pub fn open(&self, file: &Path) -> Result<CourierOptions, Faults> {
        let mut notes = Collector::new(file);
        let mut options = self.options.clone();
        if let (Some(email), Some((user, file))) = (&mut options.email, &self.sign_in)
            && let Some(password) = notes.take("email.password_file", read_token(file))
        {
            email.credentials = Some((user.clone(), password.into()));
        }
        if let (Some(sms), Some(file)) = (&mut options.sms, &self.token_file)
            && let Some(token) = notes.take("sms.token_file", read_token(file))
        {
            sms.token = Some(token.into());
        }
        if notes.faults.is_empty() { Ok(options) } else { Err(Faults(notes.faults)) }
    }
}

fn email_of(section: EmailSection, dir: &Path, notes: &mut Collector<'_>) -> Option<EmailOptions> {
    let (security, usual) = match section.security.as_deref() {
        None | Some("tls") => (Security::Tls, 465),
        Some("starttls") => (Security::StartTls, 587),
        Some("plain") => (Security::Plain, 25),
        Some(other) => {
            let what = format!("`{other}` is neither \"tls\" nor \"starttls\" nor \"plain\"");
            notes.fault("email.security", what);
            return None;
        }
    };
    if security == Security::Plain && !is_this_machine(&section.host) {
        let what = "a plain connection is made to this machine only: choose \"tls\" or \"starttls\"";
        notes.fault("email.security", what);
        return None;
    }
    if section.from.parse::<accord_server::courier::email::Sender>().is_err() {
        let what = format!("`{}` is no sender: write \"Name <address@host>\"", section.from);
        notes.fault("email.from", what);
        return None;
    }
    Some(EmailOptions {
        host: section.host,
        port: section.port.unwrap_or(usual),
        security,
        ca: section.ca.map(|file| dir.join(file)),
        credentials: None,
        from: section.from,
    })
}

fn sms_of(section: SmsSection, notes: &mut Collector<'_>) -> SmsOptions {
    let allowed = read_ips(notes, "sms.allowed", &section.allowed);
    let local = section.url.starts_with("http://");
    let outbound = OutboundPolicy { allow_http: local, allow_loopback: local, only_loopback: local, allowed };
    match outbound.judge(&section.url) {
        Permit::Go => {}
        Permit::Hold => {
            notes.fault("sms.url", "plain http is spoken to this machine only: use https://");
        }
        Permit::Never(why) => notes.fault("sms.url", why),
    }
    let max_segments = section.max_segments.unwrap_or(3);
    if !(1..=10).contains(&max_segments) {
        notes.fault("sms.max_segments", "must be 1 to 10");
    }
    SmsOptions { url: section.url, token: None, max_segments, outbound }
}

fn route(key: &str, kinds: Option<&[String]>, notes: &mut Collector<'_>) -> Route {
    let usual = Route { service: Service::On, ..Route::default() };
    let Some(kinds) = kinds else { return usual };
    let read = |word: &String| {
        let kind = Kind::parse(word).filter(|kind| *kind != Kind::OneTimeCode);
        let what =
            || format!("`{word}` is no kind of message: debit, refund, upcoming, ended or from_merchant");
        notes.take(key, kind.ok_or_else(what))
    };
    Route { kinds: kinds.iter().filter_map(read).collect(), ..usual }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(email: &str, sms: &str) -> String {
        let read = |text: &str| (!text.is_empty()).then_some(text.to_owned());
        let mut notes = Collector::new(Path::new("accord.toml"));
        let email = read(email).map(|text| toml::from_str(&text).expect("a section"));
        let sms = read(sms).map(|text| toml::from_str(&text).expect("a section"));
        check(email, sms, Path::new("/nowhere"), false, &mut notes);
        notes.faults.join("\n")
    }

    #[test]
    fn letters_go_over_tls_or_to_this_machine() {
        let email =
            |more: &str| faults(&format!("host = \"mail.example\"\nfrom = \"W <w@w.example>\"\n{more}"), "");
        assert_eq!(email(""), "");
        assert_eq!(email("security = \"starttls\""), "");
        assert!(email("security = \"plain\"").contains("this machine only"));
        assert!(email("security = \"ssl\"").contains("starttls"));
        assert!(email("user = \"u\"").contains("password_file"));
        assert!(email("kinds = [\"news\"]").contains("no kind"));
        assert!(email("kinds = [\"one_time_code\"]").contains("no kind"));
        assert!(faults("host = \"h\"\nfrom = \"nobody\"", "").contains("email.from"));
        assert_eq!(faults("host = \"127.0.0.1\"\nsecurity = \"plain\"\nfrom = \"w@w.example\"", ""), "");
    }

    #[test]
    fn a_gateway_is_called_over_https_or_on_this_machine() {
        let sms = |text: &str| faults("", text);
        assert_eq!(sms("url = \"https://sms.example/send\""), "");
        assert_eq!(sms("url = \"http://127.0.0.1:8080/send\""), "");
        assert_eq!(sms("url = \"https://10.1.2.3/send\"\nallowed = [\"10.1.2.3\"]"), "");
        assert!(sms("url = \"https://10.1.2.3/send\"").contains("sms.url"));
        assert!(sms("url = \"http://sms.example/send\"").contains("https://"));
        assert!(sms("url = \"https://sms.example\"\nmax_segments = 0").contains("max_segments"));
    }
}
