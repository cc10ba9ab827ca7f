//! The demo merchant's pages (sandbox only): both flows, step by step, with every signed message to look at.
//!
//! The page is plain forms. Each step posts to `/demo/<dialect>/<step>`; the demo merchant does it, over HTTP
//! like any merchant, and draws the page again. Only one thing needs a script, as it does in life: handing the
//! Qi code from the wallet's page to the mini program (`assets/emulator.js`); without it the code is typed in.
//!
//! | step | fields | does |
//! |---|---|---|
//! | `prepare` | `contractDesc`, `contractLanguage` (Qi); `terminalType` (Alipay+) | asks for the page |
//! | `code` | `authCode`, or `error` and `errorMessage` | Qi: what the callback of `qicardSignContract` was given |
//! | `applyToken` | – | redeems the code |
//! | `pay` | `amount` (smallest units), `currency` | debits |
//! | `inquiryPayment` | – | asks for the debit |
//! | `refresh` | – | applyToken with the refresh token |
//! | `cancelToken` | – | ends the agreement |
//! | `logIn` | `loginId` | Qi: my.getAuthCode, applyToken, inquiryUserInfo |
//! | `consult` | `answer`: `true`, `false`, `timeout` | Alipay+: what consultUnbinding is answered from now on |
//! | `reset` | – | forgets everything |
//!
//! Every form carries `csrf`. Alipay+ comes back to `/demo/alipayPlus/return?authCode=…&authState=…`, Qi to
//! `/demo/qi/return#authCode=…`, which is the same page.

use super::i18n::{Key, Texts};
use super::markup::{Markup, link_target};
use accord_core::user::Language;
use askama::Template;

/// Whose flow a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoDialect {
    /// The Qi mini program.
    Qi,
    /// Alipay+ Auto Debit.
    AlipayPlus,
}

impl DemoDialect {
    /// Its name in paths.
    pub fn path(self) -> &'static str {
        match self {
            DemoDialect::Qi => "qi",
            DemoDialect::AlipayPlus => "alipayPlus",
        }
    }

    fn name(self) -> Key {
        match self {
            DemoDialect::Qi => Key("demo-qi"),
            DemoDialect::AlipayPlus => Key("demo-alipay-plus"),
        }
    }
}

/// The page of one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoView {
    /// The language of the page.
    pub language: Language,
    /// Whose flow.
    pub dialect: DemoDialect,
    /// The forms' token.
    pub csrf: String,
    /// The wallet's base URL, to be shown.
    pub wallet_url: String,
    /// What the demo merchant holds.
    pub state: DemoState,
    /// What the last step came to.
    pub notice: Option<Notice>,
    /// Who may sign in on the wallet's page.
    pub users: Vec<DemoUser>,
    /// Requests of the merchant and the wallet's replies, newest first.
    pub exchanges: Vec<Exchange>,
    /// Notifications of the wallet and the merchant's replies, newest first.
    pub notifications: Vec<Exchange>,
    /// What the wallet told the user, newest first.
    pub messages: Vec<UserMessage>,
    /// What the merchant answers to consultUnbinding (Alipay+): `true`, `false`, `timeout`.
    pub consult_answer: &'static str,
}

/// What the demo merchant holds between steps. A step is open when what it needs is here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DemoState {
    /// The contract to propose (Qi).
    pub contract_desc: String,
    /// Qi authUrl, Alipay+ normalUrl.
    pub auth_url: Option<String>,
    /// Other URLs of the answer, by the name of their field.
    pub other_urls: Vec<(String, String)>,
    /// The authorization code.
    pub auth_code: Option<String>,
    /// What came back instead of a code.
    pub auth_error: Option<String>,
    /// The access token.
    pub access_token: Option<String>,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// Amount of the next debit, in smallest units.
    pub amount: String,
    /// Currency of the next debit.
    pub currency: String,
    /// The last debit, by our id.
    pub payment_request_id: Option<String>,
    /// The last debit, by the wallet's id.
    pub payment_id: Option<String>,
    /// What came of it.
    pub payment_result: Option<String>,
    /// The agreement has been ended.
    pub cancelled: bool,
    /// userInfo of the user who logged in by my.getAuthCode (Qi), with line breaks.
    pub user_info: Option<String>,
}

/// What a step came to: `S SUCCESS`, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Did it succeed?
    pub good: bool,
    /// In words.
    pub text: String,
}

/// A user of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoUser {
    /// What to sign in with.
    pub login_id: String,
    /// The PIN.
    pub pin: String,
    /// Status and balances.
    pub about: String,
}

/// A request and its reply, as they went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `prepare`, `notifyPayment`.
    pub operation: String,
    /// When, as text.
    pub time: String,
    /// The result in one word: `S SUCCESS`.
    pub outcome: String,
    /// Is it what one hopes for?
    pub good: bool,
    /// The request.
    pub request: SignedMessage,
    /// The reply; nothing if there was none.
    pub reply: Option<SignedMessage>,
}

/// One signed HTTP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMessage {
    /// `POST http://…` or `200`.
    pub start_line: String,
    /// Name and value, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The exact content that the signature covers.
    pub signed_content: String,
    /// The body, byte for byte.
    pub body: String,
    /// What the demo merchant knows of the signature.
    pub signature: SignatureState,
}

/// What the demo merchant knows of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureState {
    /// Made by the demo merchant itself.
    Made,
    /// The wallet's, and verified.
    Verified,
    /// Missing or wrong, and why.
    Wrong(String),
}

/// A message of the wallet to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage {
    /// Its language.
    pub language: Language,
    /// One line.
    pub title: String,
    /// The whole.
    pub text: String,
    /// When, as text.
    pub time: String,
}

/// How a message is drawn.
struct Shown<'a> {
    message: &'a SignedMessage,
    pretty: Option<String>,
    verdict: Markup,
    tone: &'static str,
}

struct ShownExchange<'a> {
    exchange: &'a Exchange,
    request: Shown<'a>,
    reply: Option<Shown<'a>>,
}

struct ShownUserMessage<'a> {
    message: &'a UserMessage,
    tag: String,
    dir: &'static str,
    title: Markup,
    lines: Vec<Markup>,
}

#[derive(Template)]
#[template(path = "demo.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    qi: bool,
    path: &'static str,
    lead: Markup,
    auth_link: Option<String>,
    view: &'a DemoView,
    exchanges: Vec<ShownExchange<'a>>,
    notifications: Vec<ShownExchange<'a>>,
    messages: Vec<ShownUserMessage<'a>>,
}

/// The page, as HTML.
pub fn render(view: &DemoView) -> String {
    let t = Texts(view.language);
    let path = view.dialect.path();
    super::write(&Page {
        t,
        title: t.with(view.dialect.name(), &[]),
        switch: Some(format!("/demo/{path}?lang=")),
        qi: view.dialect == DemoDialect::Qi,
        path,
        lead: t.html(Key("demo-lead"), &[("url", &view.wallet_url)]),
        auth_link: view.state.auth_url.as_deref().and_then(link_target),
        view,
        exchanges: view.exchanges.iter().map(|exchange| shown_exchange(&t, exchange)).collect(),
        notifications: view.notifications.iter().map(|exchange| shown_exchange(&t, exchange)).collect(),
        messages: view.messages.iter().map(shown_user_message).collect(),
    })
}

fn shown_exchange<'a>(t: &Texts, exchange: &'a Exchange) -> ShownExchange<'a> {
    ShownExchange {
        exchange,
        request: shown(t, &exchange.request),
        reply: exchange.reply.as_ref().map(|reply| shown(t, reply)),
    }
}

fn shown<'a>(t: &Texts, message: &'a SignedMessage) -> Shown<'a> {
    let (verdict, tone) = match &message.signature {
        SignatureState::Made => (t.html(Key("demo-signature-made"), &[]), "plain"),
        SignatureState::Verified => (t.html(Key("demo-signature-verified"), &[]), "good"),
        SignatureState::Wrong(why) => (t.html(Key("demo-signature-wrong"), &[("reason", why)]), "bad"),
    };
    Shown { message, pretty: pretty(&message.body), verdict, tone }
}

/// A JSON body with line breaks, if that differs from the body.
fn pretty(body: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    serde_json::to_string_pretty(&value).ok().filter(|pretty| pretty != body)
}

fn shown_user_message(message: &UserMessage) -> ShownUserMessage<'_> {
    let words = Texts(message.language);
    ShownUserMessage {
        message,
        tag: words.tag().to_owned(),
        dir: words.dir(),
        title: Markup::of(&message.title),
        lines: message.text.lines().map(Markup::of).collect(),
    }
}

/// The page at `/demo`: which flow?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoIndexView {
    /// The language of the page.
    pub language: Language,
    /// The wallet's base URL.
    pub wallet_url: String,
}

#[derive(Template)]
#[template(path = "demo_index.html")]
struct Index {
    t: Texts,
    title: String,
    switch: Option<String>,
    lead: Markup,
}

/// The page at `/demo`, as HTML.
pub fn render_index(view: &DemoIndexView) -> String {
    let t = Texts(view.language);
    super::write(&Index {
        t,
        title: t.text("demo-title"),
        switch: Some("/demo?lang=".to_owned()),
        lead: t.html(Key("demo-lead"), &[("url", &view.wallet_url)]),
    })
}
