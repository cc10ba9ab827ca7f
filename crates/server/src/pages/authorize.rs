//! The authorization page: one question to one user (decisions 15, 16, 21).
//!
//! [`render`] draws it, before and after a sign-in that failed. What it says about the agreement comes from
//! [`Offer`], and [`shown_text`] says the same as plain text; its digest is recorded with the decision. The page
//! tells nothing about any user except to the one who is signed in, and that masked.

use super::handover::Panel;
use super::i18n::{Key, Texts};
use super::markup::{Markup, clean, clean_line};
use accord_core::Timestamp;
use accord_core::agreement::control::Asked;
use accord_core::agreement::limits::{Limits, Period};
use accord_core::agreement::schedule::Every;
use accord_core::agreement::{Scope, Terms};
use accord_core::money::{Amount, Currency};
use accord_core::user::Language;
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What is asked of the user: the part of the page that the owner of the agreement filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Trade name, shown in the title (Alipay+ prepare, authClientDisplayName).
    pub display_name: String,
    /// Registered legal name, shown with the agreement (Alipay+ prepare, authClientName).
    pub legal_name: String,
    /// The contract's title.
    pub contract_title: Option<String>,
    /// The contract's text (Qi prepare, extendInfo.contractDesc). Scopes are shown where there is none.
    pub contract_text: Option<String>,
    /// What is to be granted.
    pub scopes: Vec<Scope>,
    /// The limits and due days that the owner binds itself to.
    pub asked: Asked,
    /// In which currency the user may limit debits; nothing: not on this page.
    pub limit_currency: Option<Currency>,
    /// The network that the agreement is made by way of, as its paper wants it named.
    pub network: Option<&'static str>,
}

impl Offer {
    /// The offer of these terms, with what the dialect reads in them and the wallet's currency for limits.
    pub fn of(terms: &Terms, asked: Asked, wallet_currency: Option<Currency>) -> Offer {
        let debits = terms.scopes.contains(&Scope::AgreementPay);
        Offer {
            asked,
            network: None,
            limit_currency: asked.limits.currency.or(wallet_currency).filter(|_| debits),
            display_name: terms.display_name.clone(),
            legal_name: terms.legal_name.clone(),
            contract_title: terms.contract_title.clone(),
            contract_text: terms.contract_text.clone(),
            scopes: terms.scopes.clone(),
        }
    }

    fn debits(&self) -> bool {
        self.scopes.contains(&Scope::AgreementPay)
    }

    /// How much the owner may take at most, a sentence each; at least one.
    pub(super) fn amounts(&self, t: &Texts) -> Vec<String> {
        let limits = &self.asked.limits;
        let amount = |key: Key, most: i64| {
            let amount = Amount::new(limits.currency?, most)?;
            Some(t.with(key, &[("amount", &t.money(&amount))]))
        };
        let mut said = Vec::new();
        said.extend(limits.per_debit.and_then(|most| amount(Key("limit-debit"), most)));
        for (period, most) in limits.periods() {
            let key = match period {
                Period::Day => Key("limit-day"),
                Period::Week => Key("limit-week"),
                Period::Month => Key("limit-month"),
                Period::Year => Key("limit-year"),
            };
            said.extend(amount(key, most));
        }
        if said.is_empty() {
            let own = self.limit_currency.is_some();
            said.push(t.with(if own { Key("limit-none-own") } else { Key("limit-none") }, &[]));
        }
        said.extend(limits.max_count.map(|most| t.with(Key("limit-count"), &[("count", &t.number(most))])));
        said
    }

    /// How often debits come, a sentence.
    fn rhythm(&self, t: &Texts) -> String {
        let key = match self.asked.every {
            Some(Every::Month) => Key("due-every-month"),
            Some(Every::Quarter) => Key("due-every-quarter"),
            Some(Every::Year) => Key("due-every-year"),
            None => Key("due-any-time"),
        };
        t.with(key, &[])
    }

    /// From when and until when, a sentence each; at least one.
    fn span(&self, t: &Texts) -> Vec<String> {
        let limits = &self.asked.limits;
        let at = |key: Key, time: Timestamp| t.with(key, &[("time", &t.time(time))]);
        let from = limits.valid_from.map(|from| at(Key("limit-from"), from));
        let to = limits.valid_to.map_or_else(|| t.text("limit-to-none"), |to| at(Key("limit-to"), to));
        from.into_iter().chain([to]).collect()
    }
}

/// Everything the page needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeView {
    /// The language to speak.
    pub language: Language,
    /// The session, as in the page's URL.
    pub auth_id: String,
    /// The form's token against requests forged by other sites.
    pub csrf: String,
    /// What is asked.
    pub offer: Offer,
    /// Until when it may be decided.
    pub expires_at: Timestamp,
    /// The masked login id of a live wallet session. Approving asks for the PIN all the same.
    pub signed_in_as: Option<String>,
    /// What this user has typed as login id into the form that came back, if it did.
    pub typed_login_id: Option<String>,
    /// The limits that this user has typed, as typed.
    pub typed_limits: TypedLimits,
    /// Why the form came back.
    pub hint: Option<Hint>,
    /// The way to the user's phone, on a PC.
    pub panel: Option<Panel>,
    /// The way to the wallet's app, on a phone.
    pub app_link: Option<String>,
}

/// What the user typed to limit the merchant: whole units of the offer's currency, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedLimits {
    /// The most for one debit.
    pub per_debit: Option<String>,
    /// The most for a calendar month.
    pub per_month: Option<String>,
}

impl TypedLimits {
    /// The limits they say; nothing when a number cannot be read.
    pub fn read(&self, currency: Option<Currency>) -> Option<Limits> {
        let per_debit = read_units(self.per_debit.as_deref(), currency)?;
        let per_month = read_units(self.per_month.as_deref(), currency)?;
        let currency = per_debit.or(per_month).and(currency);
        Some(Limits { currency, per_debit, per_month, ..Limits::NONE })
    }

    /// The same in whole units and Western digits; what cannot be read is left out.
    pub fn plain(&self, currency: Option<Currency>) -> TypedLimits {
        let units = |smallest: Option<i64>, limits: &Limits| {
            let unit = 10_i64.checked_pow(u32::from(limits.currency?.exponent()))?;
            Some(smallest?.checked_div(unit)?.to_string())
        };
        let limits = self.read(currency).unwrap_or(Limits::NONE);
        TypedLimits {
            per_debit: units(limits.per_debit, &limits),
            per_month: units(limits.per_month, &limits),
        }
    }

    fn any(&self) -> bool {
        [&self.per_debit, &self.per_month].into_iter().flatten().any(|text| !text.trim().is_empty())
    }
}

/// Whole units in smallest ones. Digits may be Arabic, and grouped; an empty text is no limit.
pub(crate) fn read_units(text: Option<&str>, currency: Option<Currency>) -> Option<Option<i64>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Some(None) };
    let units = crate::typed::units(text)?;
    let currency = currency?;
    let smallest = units.checked_mul(10_i64.checked_pow(u32::from(currency.exponent()))?)?;
    Amount::new(currency, smallest).map(|amount| Some(amount.value()))
}

/// Why the form is shown again. Unknown, frozen and wrong look the same (decision 21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Approved without the box.
    TickTheBox,
    /// Approved without login id or PIN.
    SignIn,
    /// Unknown user, frozen user or wrong PIN.
    WrongSignIn,
    /// Too many wrong PINs; no sign-in before this time.
    TooManyTries {
        /// When it may be tried again.
        until: Timestamp,
    },
    /// Too many wrong PINs in this session: it can only be refused.
    SessionBlocked,
    /// The form's token is not this browser's: opened twice, or kept too long.
    FormTooOld,
    /// The browser sent no cookie, so its form cannot be told from a forged one.
    CookieMissing,
    /// The second step came too late, or in another browser: the PIN is asked for again.
    AgreeAgain,
    /// A limit that is no whole number above zero.
    LimitUnreadable,
    /// It could not be done now; nothing was decided.
    Unavailable,
}

impl Hint {
    fn text(self, t: &Texts) -> Markup {
        let key = match self {
            Hint::TickTheBox => Key("hint-tick-the-box"),
            Hint::SignIn => Key("hint-sign-in"),
            Hint::WrongSignIn => Key("hint-wrong-sign-in"),
            Hint::TooManyTries { until } => {
                return t.html(Key("hint-too-many-tries"), &[("time", &t.time(until))]);
            }
            Hint::SessionBlocked => Key("hint-session-blocked"),
            Hint::FormTooOld => Key("hint-form-too-old"),
            Hint::CookieMissing => Key("hint-cookie-missing"),
            Hint::AgreeAgain => Key("hint-agree-again"),
            Hint::LimitUnreadable => Key("hint-limit-unreadable"),
            Hint::Unavailable => Key("hint-unavailable"),
        };
        t.html(key, &[])
    }

    fn about_box(self) -> bool {
        self == Hint::TickTheBox
    }

    fn about_sign_in(self) -> bool {
        matches!(self, Hint::SignIn | Hint::WrongSignIn)
    }
}

/// What a scope grants, as a sentence.
pub(super) fn scope_sentence(scope: Scope) -> Key {
    match scope {
        Scope::AgreementPay => Key("scope-agreement-pay"),
        Scope::UserLoginId => Key("scope-user-login-id"),
        Scope::BaseUserInfo => Key("scope-base-user-info"),
        Scope::HashLoginId => Key("scope-hash-login-id"),
        Scope::SendOtp => Key("scope-send-otp"),
        Scope::AuthBase => Key("scope-auth-base"),
        Scope::UserId => Key("scope-base-user-info"),
        Scope::AuthUser => Key("scope-auth-user"),
        Scope::UserName => Key("scope-user-name"),
        Scope::UserAvatar => Key("scope-user-avatar"),
        Scope::UserGender => Key("scope-user-gender"),
        Scope::UserBirthday => Key("scope-user-birthday"),
        Scope::UserNationality => Key("scope-user-nationality"),
        Scope::UserContactInfo => Key("scope-user-contactinfo"),
        Scope::NotificationInbox => Key("scope-notification-inbox"),
        Scope::NotificationPush => Key("scope-notification-push"),
    }
}

/// The sentences of an offer, each in its place. Page and recorded text are both made of these.
struct Said {
    title: String,
    partner: String,
    contract_title: Option<String>,
    contract_text: Option<String>,
    scopes: Vec<String>,
    rhythm: Option<String>,
    amounts: Vec<String>,
    span: Vec<String>,
    end: String,
    agreement: String,
}

/// What the user lets the owner take at most, a sentence each. The page says it when the form comes back and when it asks
/// once more, the record when it is decided.
pub(super) fn say_own(t: &Texts, typed: &TypedLimits, currency: Option<Currency>) -> Vec<String> {
    let Some(limits) = typed.read(currency) else { return Vec::new() };
    let sums = [(Key("own-limit-debit"), limits.per_debit), (Key("own-limit-month"), limits.per_month)];
    let said = sums.into_iter().filter_map(|(key, most)| {
        let amount = Amount::new(limits.currency?, most?)?;
        Some(t.with(key, &[("amount", &t.money(&amount))]))
    });
    said.collect()
}

fn say(t: &Texts, offer: &Offer) -> Said {
    let (display, legal) = (clean_line(&offer.display_name), clean_line(&offer.legal_name));
    let contract_text = offer.contract_text.as_deref().map(clean).filter(|text| !text.trim().is_empty());
    let debits = offer.debits();
    let (title, agreement) = match debits {
        true => (Key("authorize-title"), Key("agree-debit")),
        false => (Key("authorize-title-access"), Key("agree-access")),
    };
    Said {
        title: t.with(title, &[("merchant", &display)]),
        partner: t.with(Key("legal-name"), &[("name", &legal)]),
        contract_title: offer.contract_title.as_deref().map(clean_line).filter(|title| !title.is_empty()),
        contract_text,
        scopes: offer.scopes.iter().map(|scope| t.with(scope_sentence(*scope), &[])).collect(),
        rhythm: debits.then(|| offer.rhythm(t)),
        amounts: if debits { offer.amounts(t) } else { Vec::new() },
        span: if debits { offer.span(t) } else { Vec::new() },
        end: t.text("fact-end-how"),
        agreement: t.with(agreement, &[("merchant", &legal)]),
    }
}

/// The plain text of what the page asks: title, names, what is granted, how often, how much, how long, how it ends, the
/// contract, the limits that the user typed, and the sentence beside the box. One item a line, without isolation marks.
/// SHA-256 over its UTF-8 bytes is recorded.
pub fn shown_text(view: &AuthorizeView) -> String {
    let t = Texts(view.language);
    let said = say(&t, &view.offer);
    let mut lines = vec![said.title, said.partner];
    lines.extend(said.scopes);
    lines.extend(said.rhythm);
    lines.extend(said.amounts);
    lines.extend(said.span);
    lines.push(said.end);
    lines.extend(said.contract_title);
    lines.extend(said.contract_text);
    lines.extend(say_own(&t, &view.typed_limits, view.offer.limit_currency));
    lines.push(said.agreement);
    // What `clean` takes out of a stranger's text is here just the marks around arguments.
    clean(&lines.join("\n"))
}

/// A contract longer than this, in letters or lines, is folded: the decision stays in reach.
const LONG_CONTRACT: (usize, usize) = (1_200, 24);
/// A name longer than this is written smaller.
const LONG_NAME: usize = 60;

#[derive(Template)]
#[template(path = "authorize.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    eyebrow: Markup,
    heading: Markup,
    long_name: bool,
    scopes: Vec<Markup>,
    /// Label and sentences.
    facts: Vec<(String, Vec<Markup>)>,
    network: Option<Markup>,
    app_text: Markup,
    contract_title: Option<Markup>,
    contract_text: Option<Markup>,
    contract_long: bool,
    limits_unit: Option<Markup>,
    limits_open: bool,
    own_limits: Vec<Markup>,
    agreement: Markup,
    text_link: String,
    deadline: Markup,
    signed_in: Option<Markup>,
    hint: Option<Markup>,
    box_hinted: bool,
    sign_in_hinted: bool,
    limits_hinted: bool,
    view: &'a AuthorizeView,
}

/// The page, as HTML.
pub fn render(view: &AuthorizeView) -> String {
    let t = Texts(view.language);
    let said = say(&t, &view.offer);
    let marked = |sentences: &[String]| sentences.iter().map(|said| Markup::of(said)).collect::<Vec<_>>();
    let mut facts = vec![(t.text("fact-partner"), marked(&[said.partner]))];
    if let Some(rhythm) = said.rhythm {
        facts.push((t.text("fact-rhythm"), marked(&[rhythm])));
        facts.push((t.text("fact-amount"), marked(&said.amounts)));
        facts.push((t.text("fact-span"), marked(&said.span)));
    }
    facts.push((t.text("fact-end"), marked(&[said.end])));
    let text = said.contract_text.as_deref().unwrap_or_default();
    let page = Page {
        t,
        title: said.title.clone(),
        switch: Some(language_switch(&view.auth_id)),
        eyebrow: t.html(Key("authorize-eyebrow"), &[("wallet", &t.wallet_name())]),
        heading: Markup::of(&said.title),
        long_name: view.offer.display_name.chars().count() > LONG_NAME,
        scopes: marked(&said.scopes),
        facts,
        network: view.offer.network.map(|name| t.html(Key("network"), &[("network", name)])),
        app_text: t.html(Key("app-open"), &[("wallet", &t.wallet_name())]),
        contract_title: said.contract_title.as_deref().map(Markup::foreign),
        contract_long: text.chars().count() > LONG_CONTRACT.0 || text.lines().count() > LONG_CONTRACT.1,
        contract_text: said.contract_text.as_deref().map(Markup::foreign),
        limits_unit: view
            .offer
            .limit_currency
            .map(|currency| t.html(Key("own-limits-unit"), &[("unit", &t.unit(currency))])),
        limits_open: view.typed_limits.any(),
        own_limits: marked(&say_own(&t, &view.typed_limits, view.offer.limit_currency)),
        agreement: Markup::of(&said.agreement),
        text_link: format!(
            "/authorize/text?authId={}&lang={}",
            utf8_percent_encode(&view.auth_id, NON_ALPHANUMERIC),
            t.tag()
        ),
        deadline: t.html(Key("authorize-deadline"), &[("time", &t.time(view.expires_at))]),
        signed_in: view.signed_in_as.as_deref().map(|login| t.html(Key("signed-in-as"), &[("login", login)])),
        hint: view.hint.map(|hint| hint.text(&t)),
        box_hinted: view.hint.is_some_and(Hint::about_box),
        sign_in_hinted: view.hint.is_some_and(Hint::about_sign_in),
        limits_hinted: view.hint == Some(Hint::LimitUnreadable),
        view,
    };
    super::write(&page)
}

/// The same page, without the tag of the language.
pub(super) fn language_switch(auth_id: &str) -> String {
    format!("/authorize?authId={}&lang=", utf8_percent_encode(auth_id, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_whole_number_in_any_digits_or_nothing() {
        for (text, most) in [
            ("", Some(None)),
            ("  ", Some(None)),
            ("50000", Some(Some(50_000_000))),
            ("50,000", Some(Some(50_000_000))),
            ("٥٠٬٠٠٠", Some(Some(50_000_000))),
            ("۵۰۰۰۰", Some(Some(50_000_000))),
            ("9999999999999", Some(Some(9_999_999_999_999_000))),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("10000000000000", None),
            ("99999999999999999999", None),
            ("all", None),
            (",", None),
        ] {
            assert_eq!(read_units(Some(text), Currency::parse("IQD")), most, "{text}");
        }
        assert_eq!(read_units(Some("5"), None), None);
    }
}
