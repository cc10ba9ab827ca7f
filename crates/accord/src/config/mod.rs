//! The configuration file of `accord serve`: what can be written in it. How it is read is in [`load`], what is
//! refused in [`check`]; a complete commented file is `assets/accord.example.toml`.

pub mod carriers;
pub mod check;
pub mod command;
pub mod face;
pub mod load;
pub mod screens;
pub mod seams;
pub mod span;

use serde::Deserialize;
use span::Span;
use std::path::PathBuf;

/// A whole file, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// How the wallet is reached from outside.
    pub public_url: String,
    /// Address and port of the main listener.
    pub listen: String,
    /// Where the wallet remembers: `sqlite:FILE` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    pub store: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// A directory with the message files of further languages.
    pub messages: Option<PathBuf>,
    /// Name, picture and colours of the pages.
    #[serde(default)]
    pub brand: face::Brand,
    /// Who speaks TLS.
    pub tls: Tls,
    /// The operator's listener.
    #[serde(default)]
    pub admin: Admin,
    /// Key files.
    pub keys: Keys,
    /// The envelope of both dialects.
    #[serde(default)]
    pub envelope: Envelope,
    /// Qi; absent: not served.
    pub qi: Option<Qi>,
    /// Alipay+; absent: not served.
    pub alipay_plus: Option<AlipayPlus>,
    /// Limits on callers.
    #[serde(default)]
    pub limits: Limits,
    /// How many wrong PINs are borne.
    #[serde(default)]
    pub sign_in: SignIn,
    /// Daily settlement files.
    #[serde(default)]
    pub settlement: Settlement,
    /// The wallet's apps.
    #[serde(default)]
    pub apps: screens::AppsSection,
    /// Which approvals need a one-time code beside the PIN.
    #[serde(default)]
    pub step_up: screens::StepUpSection,
    /// The API for the wallet around this; absent: not served.
    pub wallet_api: Option<seams::WalletApi>,
    /// The risk engine; absent: none is asked.
    pub risk: Option<seams::Risk>,
    /// The mail server; absent: no message goes by e-mail.
    pub email: Option<carriers::EmailSection>,
    /// The SMS gateway; absent: no message goes by SMS.
    pub sms: Option<carriers::SmsSection>,
    /// How long rows stay hot.
    #[serde(default)]
    pub retention: Retention,
    /// Where notifications may go.
    #[serde(default)]
    pub outbound: Outbound,
}

/// The file of a sandbox: only what a sandbox leaves open.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxFile {
    /// A directory with the message files of further languages.
    pub messages: Option<PathBuf>,
    /// Name, picture and colours of the pages.
    #[serde(default)]
    pub brand: face::Brand,
    /// The envelope of both dialects.
    #[serde(default)]
    pub envelope: Envelope,
    /// Qi.
    #[serde(default)]
    pub qi: Qi,
    /// Alipay+.
    #[serde(default)]
    pub alipay_plus: AlipayPlus,
    /// Limits on callers.
    #[serde(default)]
    pub limits: Limits,
    /// How many wrong PINs are borne.
    #[serde(default)]
    pub sign_in: SignIn,
    /// Daily settlement files.
    #[serde(default)]
    pub settlement: Settlement,
    /// How long rows stay hot.
    #[serde(default)]
    pub retention: Retention,
    /// The mail server; absent: messages by e-mail are written down and held.
    pub email: Option<carriers::EmailSection>,
    /// The SMS gateway; absent: messages by SMS are written down and held.
    pub sms: Option<carriers::SmsSection>,
    /// The wallet's apps.
    #[serde(default)]
    pub apps: screens::AppsSection,
    /// Which approvals need a one-time code beside the PIN.
    #[serde(default)]
    pub step_up: screens::StepUpSection,
    /// The operator console, on the one listener there is.
    #[serde(default)]
    pub admin: SandboxAdmin,
}

/// The operator console of a sandbox.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxAdmin {
    /// Is the operator console served, at `/admin`?
    pub console: bool,
}

/// Either a certificate with its key, or a proxy in front.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM, mode 0600.
    pub key: Option<PathBuf>,
    /// A proxy terminates TLS; the main listener speaks plain HTTP.
    #[serde(default)]
    pub terminated_by_proxy: bool,
}

/// The operator's listener: `/metrics`, `/health` and the console.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address and port.
    pub listen: String,
    /// Is the operator console served there, at `/admin`?
    pub console: bool,
    /// A proxy in front of the console speaks TLS: its cookies are for https alone.
    pub console_over_tls: bool,
}

impl Default for Admin {
    fn default() -> Admin {
        Admin { listen: "127.0.0.1:9090".to_owned(), console: false, console_over_tls: false }
    }
}

/// Key files, each of mode 0600.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// RSA keys that sign replies, oldest first; the last active one signs.
    pub wallet: Vec<WalletKey>,
    /// Keys that codes and tokens are derived with; the highest version derives what is new.
    pub derivation: Vec<DerivationKey>,
    /// Key of cookies and form tokens.
    pub pages: PathBuf,
    /// Key of the handles in QR codes; needed for `alipay_plus.code_scan`.
    pub qr: Option<PathBuf>,
    /// P-256 key that signs digests of settlement files; needed for `accord settle`.
    pub settlement: Option<PathBuf>,
    /// P-256 key that signs checkpoints of the audit journal; absent: there are none.
    pub audit: Option<PathBuf>,
    /// P-256 key that seals receipts of revocation; absent: none are given.
    pub receipts: Option<PathBuf>,
}

/// One RSA key of the wallet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletKey {
    /// keyVersion, as replies name it.
    pub version: String,
    /// PKCS#8 PEM.
    pub file: PathBuf,
    /// May it sign?
    #[serde(default = "yes")]
    pub active: bool,
}

/// One derivation key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivationKey {
    /// Its version, from 1.
    pub version: u32,
    /// 64 hexadecimal digits.
    pub file: PathBuf,
}

/// The envelope of both dialects.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Envelope {
    /// How far Request-Time may be off, either way; `"0s"`: any.
    pub time_window: Span,
}

impl Default for Envelope {
    fn default() -> Envelope {
        Envelope { time_window: Span::minutes(5) }
    }
}

/// Lives of sessions, codes and tokens; what is absent is the dialect's default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// From prepare to the decision.
    pub session: Option<Span>,
    /// From the decision to applyToken.
    pub code: Option<Span>,
    /// How long used and expired codes are told apart.
    pub code_memory: Option<Span>,
    /// Access tokens.
    pub access: Option<Span>,
    /// Refresh tokens.
    pub refresh: Option<Span>,
    /// How long a replaced refresh token gives the same new pair.
    pub refresh_grace: Option<Span>,
}

/// Limits of agreements; what is absent is not limited.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreements {
    /// Currency of the limits below. Debits in another are refused once a sum is limited.
    pub currency: Option<String>,
    /// The most for one debit, in smallest units.
    pub per_debit: Option<i64>,
    /// The most for a day.
    pub per_day: Option<i64>,
    /// The most for a week.
    pub per_week: Option<i64>,
    /// The most for a month.
    pub per_month: Option<i64>,
    /// The most for a year.
    pub per_year: Option<i64>,
    /// How many debits in all.
    pub max_count: Option<u32>,
    /// `calendar` or `agreement`: where periods begin.
    pub alignment: Option<String>,
    /// The zone of days.
    pub day_zone: Option<String>,
    /// No debit for more than so many days: asleep until the user wakes it.
    pub asleep_after_days: Option<u32>,
    /// How long before a due day its user is told.
    pub notice_ahead: Option<Span>,
    /// In which currency users limit agreements whose terms name none.
    pub user_currency: Option<String>,
}

/// Qi.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Qi {
    /// Paths that it is served under.
    pub mounts: Vec<String>,
    /// Offset of times in replies.
    pub utc_offset: String,
    /// How long after a payment it can be refunded; absent: without limit.
    pub refund_window: Option<Span>,
    /// Lives.
    pub lifetimes: Lifetimes,
    /// Limits of agreements.
    pub agreements: Agreements,
}

impl Default for Qi {
    fn default() -> Qi {
        Qi {
            mounts: vec![String::new(), "/api".to_owned()],
            utc_offset: "+03:00".to_owned(),
            refund_window: None,
            lifetimes: Lifetimes::default(),
            agreements: Agreements::default(),
        }
    }
}

/// Alipay+.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlipayPlus {
    /// Paths that it is served under.
    pub mounts: Vec<String>,
    /// Our id at Alipay+.
    pub psp_id: String,
    /// Names that `customerBelongsTo` may have.
    pub wallet_names: Vec<String>,
    /// Digits four to six of every authCode, assigned by Alipay+.
    pub issuer_digits: String,
    /// Do replies carry a QR code (codeValue)?
    pub code_scan: bool,
    /// Template of codeValue; `{public_url}` and `{handle}` are filled in. Absent: the dialect's default.
    pub code_value: Option<String>,
    /// Schemes of apps that a redirect may lead to, beside reverse-domain ones.
    pub app_schemes: Vec<String>,
    /// Where notifications go when a request names no URL; absent: only where requests say.
    pub network_base_url: Option<String>,
    /// Where consultUnbinding is asked; `{auth_notify_url}` stands for the client's registered URL. Absent: at the
    /// network's base URL, and without that nobody is asked.
    pub consult_unbinding_url: Option<String>,
    /// Does an agreement end although consultUnbinding brought no answer, the third time within a day?
    pub unbind_after_failed_consults: bool,
    /// Is inquiryCustomerId answered? It tells who has an account here.
    pub inquiry_customer_id: bool,
    /// What is borne of one-time codes.
    pub one_time_codes: OneTimeCodes,
    /// notifyPayment also for payments whose answer was final.
    pub notify_payment_always: bool,
    /// What cancelPayment says of an order that it does not know.
    pub cancel_unknown_order: CancelUnknownOrder,
    /// How long after a payment it can be refunded, at least 366 days; absent: the dialect's default.
    pub refund_window: Option<Span>,
    /// Offset of times in replies.
    pub utc_offset: String,
    /// Templates of the three URLs, by terminal type.
    pub urls: Urls,
    /// Lives.
    pub lifetimes: Lifetimes,
    /// Limits of agreements.
    pub agreements: Agreements,
}

impl Default for AlipayPlus {
    fn default() -> AlipayPlus {
        AlipayPlus {
            mounts: vec!["/aps/api".to_owned()],
            psp_id: String::new(),
            wallet_names: Vec::new(),
            issuer_digits: "010".to_owned(),
            code_scan: true,
            code_value: None,
            app_schemes: Vec::new(),
            network_base_url: None,
            consult_unbinding_url: None,
            unbind_after_failed_consults: true,
            inquiry_customer_id: false,
            one_time_codes: OneTimeCodes::default(),
            notify_payment_always: false,
            cancel_unknown_order: CancelUnknownOrder::Success,
            refund_window: None,
            utc_offset: "+08:00".to_owned(),
            urls: Urls::default(),
            lifetimes: Lifetimes::default(),
            agreements: Agreements::default(),
        }
    }
}

/// What cancelPayment says of an order that it does not know (decision 35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum CancelUnknownOrder {
    /// SUCCESS; a pay of that order that comes later finds it closed.
    #[serde(rename = "success")]
    Success,
    /// F, and nothing is kept.
    #[serde(rename = "ORDER_NOT_EXIST")]
    OrderNotExist,
}

/// What is borne of one-time codes; what is absent is the dialect's default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneTimeCodes {
    /// Codes of one agreement in 24 hours: 10; at least 3.
    pub per_day: Option<u32>,
    /// From one code to the next: 30 seconds.
    pub spacing: Option<Span>,
    /// Life of a code: 5 minutes.
    pub life: Option<Span>,
    /// Wrong tries at one code: 5.
    pub tries: Option<u32>,
}

/// Templates of the three URLs for each terminal type; absent: the dialect's default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Urls {
    /// Terminal type WEB.
    pub web: Option<UrlSet>,
    /// Terminal type WAP.
    pub wap: Option<UrlSet>,
    /// Terminal type APP.
    pub app: Option<UrlSet>,
}

/// The three URLs; `{public_url}` and `{authId}` are filled in.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlSet {
    /// normalUrl.
    pub normal: Option<String>,
    /// applinkUrl.
    pub applink: Option<String>,
    /// schemeUrl.
    pub scheme: Option<String>,
}

/// Limits on callers; absent: none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Signed refusals a minute to one address before its signature was ever good.
    pub signed_refusals_per_minute: Option<u32>,
    /// Signed refusals a minute to one client for calls that are faulty though well signed; more get 503.
    pub signed_refusals_per_client_per_minute: Option<u32>,
    /// Longest expected wait, in milliseconds, before new calls get 503; 0: any. Absent: 500 under `serve`, any in the
    /// sandbox.
    pub longest_wait_ms: Option<u64>,
}

/// How many wrong PINs are borne.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// In one session: 5.
    pub per_session: Option<u32>,
    /// Of one user in one window: 5.
    pub per_user: Option<u32>,
    /// From one address in one window: 50.
    pub per_address: Option<u32>,
    /// The window, and the first block: 15 minutes.
    pub window: Option<Span>,
    /// The longest block: 24 hours.
    pub longest_block: Option<Span>,
    /// A sign-in to the wallet's own pages that is not used for so long is over: 15 minutes.
    pub idle: Option<Span>,
    /// It is over after so long in any case: 12 hours.
    pub life: Option<Span>,
}

/// Daily settlement files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settlement {
    /// Where days begin and end, but for Alipay+: a name such as `Asia/Baghdad`, or an offset.
    pub zone: String,
}

impl Default for Settlement {
    fn default() -> Settlement {
        Settlement { zone: accord_wire::settlement::DEFAULT_ZONE.to_owned() }
    }
}

/// How long rows stay in the hot tables, and how often the journal is sealed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Undecided sessions, after they expired: 1 day.
    pub undecided: Option<Span>,
    /// Decided sessions: 30 days.
    pub decided: Option<Span>,
    /// Prepare's idempotency keys, which then lie cold: 7 days.
    pub references: Option<Span>,
    /// Replaced, lapsed and ended tokens, which then lie cold: 30 days.
    pub tokens: Option<Span>,
    /// Notifications that are not pending: 30 days.
    pub notifications: Option<Span>,
    /// Counters of wrong PINs: 30 days.
    pub pin_guards: Option<Span>,
    /// Between two checkpoints of the journal: 1 minute.
    pub checkpoint: Option<Span>,
}

/// Where notifications may go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Addresses that are allowed although they are private.
    #[serde(default)]
    pub allowed: Vec<String>,
}

fn yes() -> bool {
    true
}
