//! The demo's pages (sandbox only): a shop on a phone, its merchant's desk, and every signed message to look at.
//!
//! The page is plain forms. Each posts to `/demo/<dialect>/<step>`; the demo merchant does it, over HTTP like any
//! merchant, and draws the page again. Scripts do what an app or a patient reader would: hand the Qi code from the
//! wallet's page to the mini program (`assets/emulator.js`; without it the code is typed in), draw anew when something
//! arrived, and copy (`assets/demo.js`; without it there is a link to reload).
//!
//! | step | fields | does |
//! |---|---|---|
//! | `subscribe` | `plan`: `monthly`, `seasonal`, `yearly` | the shop asks for the page, on the terms of the plan |
//! | `code` | `authCode`, or `error` and `errorMessage` | Qi: what the callback of `qicardSignContract` was given; the shop redeems it and debits what is due |
//! | `buy` | – | debits an extra |
//! | `due` | – | debits what is due |
//! | `later` | `by`: `month`, `due` | moves the sandbox's clock, then debits what is due |
//! | `refund` | – | gives the last debit back |
//! | `cancelPayment` | – | Alipay+: cancels the last debit |
//! | `userEnds` | – | the user ends the agreement in the wallet, which may ask the merchant first |
//! | `fault` | `operation`, `outcome` | scripts how the next call of an operation ends; `outcome` empty clears |
//! | `prepare` | `contractDesc`, `contractLanguage` (Qi); `terminalType` (Alipay+) | asks for the page, by itself |
//! | `applyToken` | – | redeems the code |
//! | `pay` | `amount` (smallest units), `currency` | debits |
//! | `inquiryPayment` | – | asks for the last debit |
//! | `refresh` | – | applyToken with the refresh token |
//! | `cancelToken` | – | ends the agreement |
//! | `logIn` | `loginId`, or `authCode` | Qi: my.getAuthCode, applyToken, inquiryUserInfo |
//! | `consult` | `answer`: `true`, `false`, `timeout` | Alipay+: what consultUnbinding is answered from now on |
//! | `reset` | – | forgets everything |
//!
//! Every form carries `csrf`; `at` says where the answer is shown (`steps`, or a part of the page). Alipay+ comes back to
//! `/demo/alipayPlus/return?authCode=…&authState=…`, Qi to `/demo/qi/return#authCode=…`, which is the same page.

use super::demo_shop::{Phone, ShopState};
use super::demo_wire::{
    Event, Exchange, Line, ShownExchange, ShownUserMessage, UserMessage, shown_exchange, shown_user_message,
    timeline,
};
use super::i18n::{Key, Texts};
use super::markup::{ISOLATE, Markup, POP_ISOLATE, clean_line, link_target};
use accord_core::Timestamp;
use accord_core::money::{Amount, Currency};
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

accord_core::words! {
    /// How a page is looked at.
    Look {
        /// Shop, desk and wire.
        Wire = "wire",
        /// Shop, desk and timeline.
        Timeline = "timeline",
        /// Every call by itself.
        Steps = "steps",
    }
}

/// The page of one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoView {
    /// The language of the page.
    pub language: Language,
    /// Whose flow.
    pub dialect: DemoDialect,
    /// How it is looked at.
    pub look: Look,
    /// The forms' token.
    pub csrf: String,
    /// The wallet's base URL, to be shown.
    pub wallet_url: String,
    /// What the demo merchant holds.
    pub state: DemoState,
    /// What the shop knows of its customer.
    pub shop: ShopState,
    /// What the last step came to.
    pub notice: Option<Notice>,
    /// Who may sign in on the wallet's page.
    pub users: Vec<DemoUser>,
    /// Requests of the merchant and of the wallet with their replies, newest first.
    pub exchanges: Vec<Exchange>,
    /// What happened between them.
    pub events: Vec<Event>,
    /// What the wallet told the user, newest first.
    pub messages: Vec<UserMessage>,
    /// What the merchant answers to consultUnbinding (Alipay+): `true`, `false`, `timeout`.
    pub consult_answer: &'static str,
    /// The wallet's time, in milliseconds since 1970.
    pub now: Option<i64>,
    /// Changes whenever there is something new to draw.
    pub stamp: String,
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
    /// Its accessTokenExpiryTime.
    pub access_until: Option<String>,
    /// Who agreed, as the wallet says.
    pub customer_id: Option<String>,
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

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Did it succeed?
    pub good: bool,
    /// In words.
    pub said: Said,
}

/// The words of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Words of the protocol, or of a fault below: shown as they are.
    Raw(String),
    /// The form was not one of ours.
    FormTooOld,
    /// The callback got a code.
    CallbackCode,
    /// The callback got an error.
    CallbackError(String),
    /// There is neither a code nor an error.
    CallbackNothing,
    /// The browser came back with a code and our authState.
    CameBack,
    /// The browser came back without a code.
    CameBackWithout,
    /// authState is a stranger's.
    ForeignState,
    /// Needs a code.
    NeedsCode,
    /// Needs an access token.
    NeedsToken,
    /// Needs a refresh token.
    NeedsRefreshToken,
    /// Needs a payment.
    NeedsPayment,
    /// The step has no such call, or a field has no such value.
    NoSuchStep,
    /// Nothing is due before then.
    NotDue(i64),
    /// That many debits went through.
    Debited(u64),
    /// A debit is still open.
    StillOpen,
    /// A fault waits for the next call of this operation.
    FaultWaits(String),
    /// No fault waits.
    FaultsCleared,
    /// consultUnbinding is answered so.
    ConsultSet(String),
    /// The clock was moved, and nobody had to pay.
    ClockMoved,
    /// What the wallet answered when the user ended the agreement.
    UserEnds(String),
}

impl From<String> for Said {
    fn from(words: String) -> Said {
        Said::Raw(words)
    }
}

impl Said {
    fn html(&self, t: &Texts) -> Markup {
        let plain = |key| t.html(key, &[]);
        match self {
            Said::Raw(words) => Markup::foreign(words),
            Said::FormTooOld => plain(Key("demo-form-too-old")),
            Said::CallbackCode => plain(Key("demo-callback-code")),
            Said::CallbackError(error) => t.html(Key("demo-callback-error"), &[("error", error)]),
            Said::CallbackNothing => plain(Key("demo-callback-nothing")),
            Said::CameBack => plain(Key("demo-came-back")),
            Said::CameBackWithout => plain(Key("demo-came-back-without")),
            Said::ForeignState => plain(Key("demo-foreign-state")),
            Said::NeedsCode => plain(Key("demo-needs-code")),
            Said::NeedsToken => plain(Key("demo-needs-token")),
            Said::NeedsRefreshToken => plain(Key("demo-needs-refresh-token")),
            Said::NeedsPayment => plain(Key("demo-needs-payment")),
            Said::NoSuchStep => plain(Key("demo-no-such-step")),
            Said::NotDue(at) => t.html(Key("demo-not-due"), &[("time", &t.time(Timestamp(*at)))]),
            Said::Debited(count) => t.html(Key("demo-debited"), &[("count", &t.number(*count))]),
            Said::StillOpen => plain(Key("demo-still-open")),
            Said::FaultWaits(operation) => t.html(Key("demo-fault-waits"), &[("operation", operation)]),
            Said::FaultsCleared => plain(Key("demo-faults-cleared")),
            Said::ConsultSet(answer) => t.html(Key("demo-consult-is"), &[("answer", answer)]),
            Said::ClockMoved => plain(Key("demo-clock-moved")),
            Said::UserEnds(answer) => t.html(Key("demo-user-ended"), &[("answer", answer)]),
        }
    }
}

/// A user of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoUser {
    /// What to sign in with.
    pub login_id: String,
    /// The PIN.
    pub pin: String,
    /// Whether it may act: the sandbox's word.
    pub status: String,
    /// What is in its accounts: currency and value, in the smallest unit.
    pub balances: Vec<(String, String)>,
}

impl DemoUser {
    /// Status and balances, as people read them.
    fn about(&self, t: &Texts) -> Markup {
        let status = match self.status.as_str() {
            "active" => t.text("admin-active"),
            "frozen" => t.text("admin-frozen"),
            "closed" => t.text("admin-closed"),
            other => format!("{ISOLATE}{}{POP_ISOLATE}", clean_line(other)),
        };
        let money = |(code, value): &(String, String)| {
            let currency = Currency::parse(code)?;
            let nothing = || value.parse() == Ok(0_u64);
            Amount::parse(currency, value)
                .map(|amount| t.money(&amount))
                .or_else(|| nothing().then(|| t.no_money(currency)))
        };
        let parts: Vec<String> =
            std::iter::once(status).chain(self.balances.iter().filter_map(money)).collect();
        Markup::of(&parts.join(" – "))
    }
}

/// A fault that can be scripted: its word, and how it is called.
struct FaultChoice {
    word: &'static str,
    label: String,
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
    notice: Option<(bool, Markup)>,
    auth_link: Option<String>,
    wallet_pages: String,
    clock: String,
    faults: Vec<FaultChoice>,
    look: &'static str,
    phone: Phone,
    view: &'a DemoView,
    exchanges: Vec<ShownExchange<'a>>,
    lines: Vec<Line>,
    messages: Vec<ShownUserMessage>,
}

#[derive(Template)]
#[template(path = "demo_steps.html")]
struct Steps<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    qi: bool,
    path: &'static str,
    lead: Markup,
    notice: Option<(bool, Markup)>,
    auth_link: Option<String>,
    view: &'a DemoView,
    exchanges: Vec<ShownExchange<'a>>,
    messages: Vec<ShownUserMessage>,
}

/// The page, as HTML.
pub fn render(view: &DemoView) -> String {
    let t = Texts(view.language);
    let path = view.dialect.path();
    let (qi, look) = (view.dialect == DemoDialect::Qi, view.look.as_str());
    let title = t.with(view.dialect.name(), &[]);
    let switch = Some(format!("/demo/{path}?view={look}&lang="));
    let lead = t.html(Key("demo-lead"), &[("url", &view.wallet_url)]);
    let notice = view.notice.as_ref().map(|notice| (notice.good, notice.said.html(&t)));
    let auth_link = view.state.auth_url.as_deref().and_then(link_target);
    let exchanges = view.exchanges.iter().map(|exchange| shown_exchange(&t, exchange)).collect();
    let messages = view.messages.iter().map(|message| shown_user_message(&t, message)).collect();
    if view.look == Look::Steps {
        return super::write(&Steps {
            t,
            title,
            switch,
            qi,
            path,
            lead,
            notice,
            auth_link,
            view,
            exchanges,
            messages,
        });
    }
    let lines = match view.look {
        Look::Timeline => timeline(&t, &view.exchanges, &view.events, &view.messages),
        Look::Wire | Look::Steps => Vec::new(),
    };
    super::write(&Page {
        t,
        title,
        switch,
        qi,
        path,
        lead,
        notice,
        auth_link,
        wallet_pages: format!("{}/wallet", view.wallet_url),
        clock: view.now.map(|now| t.time(Timestamp(now))).unwrap_or_default(),
        faults: faults(&t),
        look,
        phone: Phone::of(&t, view.dialect, &view.state, &view.shop, view.now),
        view,
        exchanges,
        lines,
        messages,
    })
}

/// What can be scripted. The codes are those that both papers know.
fn faults(t: &Texts) -> Vec<FaultChoice> {
    let own = |word, key| FaultChoice { word, label: t.with(key, &[]) };
    let code = |word: &'static str| FaultChoice { word, label: word.to_owned() };
    vec![
        own("U-success", Key("demo-fault-u-success")),
        own("U-failure", Key("demo-fault-u-failure")),
        own("U", Key("demo-fault-u")),
        code("RISK_REJECT"),
        code("USER_BALANCE_NOT_ENOUGH"),
        code("USER_STATUS_ABNORMAL"),
        own("", Key("demo-fault-none")),
    ]
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
