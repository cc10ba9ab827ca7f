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
use accord_core::agreement::limits::Limits;
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
}

impl Offer {
    /// The offer of these terms, with what the dialect reads in them and the wallet's currency for limits.
    pub fn of(terms: &Terms, asked: Asked, wallet_currency: Option<Currency>) -> Offer {
        let debits = terms.scopes.contains(&Scope::AgreementPay);
        Offer {
            asked,
            limit_currency: asked.limits.currency.or(wallet_currency).filter(|_| debits),
            display_name: terms.display_name.clone(),
            legal_name: terms.legal_name.clone(),
            contract_title: terms.contract_title.clone(),
            contract_text: terms.contract_text.clone(),
            scopes: terms.scopes.clone(),
        }
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

    fn any(&self) -> bool {
        [&self.per_debit, &self.per_month].into_iter().flatten().any(|text| !text.trim().is_empty())
    }
}

/// Whole units in smallest ones. Digits may be Arabic, and grouped; an empty text is no limit.
fn read_units(text: Option<&str>, currency: Option<Currency>) -> Option<Option<i64>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Some(None) };
    let mut units: i64 = 0;
    for letter in text.chars() {
        let digit = match letter {
            '0'..='9' => u32::from(letter) - u32::from('0'),
            '\u{660}'..='\u{669}' => u32::from(letter) - 0x660,
            '\u{6F0}'..='\u{6F9}' => u32::from(letter) - 0x6F0,
            ',' | '\u{66C}' | ' ' | '\u{A0}' => continue,
            _ => return None,
        };
        units = units.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
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
    /// This user cannot make agreements (yet).
    NotAllowed,
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
            Hint::NotAllowed => Key("hint-not-allowed"),
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
fn scope_sentence(scope: Scope) -> Key {
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
    legal_name: String,
    contract_title: Option<String>,
    contract_text: Option<String>,
    scopes: Vec<String>,
    limits: Vec<String>,
    agreement: String,
}

/// What the owner binds itself to, a sentence each.
fn say_asked(t: &Texts, asked: &Asked) -> Vec<String> {
    let limits = &asked.limits;
    let every = asked.every.map(|every| match every {
        Every::Month => Key("due-every-month"),
        Every::Quarter => Key("due-every-quarter"),
        Every::Year => Key("due-every-year"),
    });
    let amount =
        limits.currency.zip(limits.per_debit).and_then(|(currency, most)| Amount::new(currency, most));
    let said = [
        every.map(|key| t.with(key, &[])),
        amount.map(|amount| t.with(Key("limit-debit"), &[("amount", &t.money(&amount))])),
        limits.max_count.map(|most| t.with(Key("limit-count"), &[("count", &most.to_string())])),
        limits.valid_from.map(|from| t.with(Key("limit-from"), &[("time", &t.time(from))])),
        limits.valid_to.map(|to| t.with(Key("limit-to"), &[("time", &t.time(to))])),
    ];
    said.into_iter().flatten().collect()
}

/// What the user lets the owner take at most, a sentence each. The page says it when the form comes back, the record
/// when the form is decided.
fn say_own(t: &Texts, view: &AuthorizeView) -> Vec<String> {
    let Some(limits) = view.typed_limits.read(view.offer.limit_currency) else { return Vec::new() };
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
    let debits = offer.scopes.contains(&Scope::AgreementPay);
    let agreement = if debits { Key("agree-debit") } else { Key("agree-access") };
    Said {
        title: t.with(Key("authorize-title"), &[("merchant", &display)]),
        contract_title: offer.contract_title.as_deref().map(clean_line).filter(|title| !title.is_empty()),
        scopes: match contract_text {
            Some(_) => Vec::new(),
            None => offer.scopes.iter().map(|scope| t.with(scope_sentence(*scope), &[])).collect(),
        },
        contract_text,
        limits: say_asked(t, &offer.asked),
        agreement: t.with(agreement, &[("merchant", &legal)]),
        legal_name: t.with(Key("legal-name"), &[("name", &legal)]),
    }
}

/// The plain text of what the page asks: title, names, contract or scopes, limits of the owner and those that the user
/// typed, and the sentence beside the box. One item a line, in the order of the page, without isolation marks. SHA-256 over its UTF-8 bytes is recorded.
pub fn shown_text(view: &AuthorizeView) -> String {
    let said = say(&Texts(view.language), &view.offer);
    let mut lines = vec![said.title, said.legal_name];
    lines.extend(said.contract_title);
    lines.extend(said.contract_text);
    lines.extend(said.scopes);
    lines.extend(said.limits);
    lines.extend(say_own(&Texts(view.language), view));
    lines.push(said.agreement);
    // What `clean` takes out of a stranger's text is here just the marks around arguments.
    clean(&lines.join("\n"))
}

#[derive(Template)]
#[template(path = "authorize.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    heading: Markup,
    legal_name: Markup,
    contract_title: Option<Markup>,
    contract_text: Option<Markup>,
    scopes: Vec<Markup>,
    limits: Vec<Markup>,
    limit_labels: Option<[Markup; 2]>,
    limits_open: bool,
    own_limits: Vec<Markup>,
    agreement: Markup,
    deadline: Markup,
    signed_in: Option<Markup>,
    hint: Option<Markup>,
    box_hinted: bool,
    sign_in_hinted: bool,
    view: &'a AuthorizeView,
}

/// The page, as HTML.
pub fn render(view: &AuthorizeView) -> String {
    let t = Texts(view.language);
    let said = say(&t, &view.offer);
    let page = Page {
        t,
        title: said.title.clone(),
        switch: Some(language_switch(&view.auth_id)),
        heading: Markup::of(&said.title),
        legal_name: Markup::of(&said.legal_name),
        contract_title: said.contract_title.as_deref().map(Markup::foreign),
        contract_text: said.contract_text.as_deref().map(Markup::foreign),
        scopes: said.scopes.iter().map(|sentence| Markup::of(sentence)).collect(),
        limits: said.limits.iter().map(|sentence| Markup::of(sentence)).collect(),
        limit_labels: view.offer.limit_currency.map(|currency| {
            [Key("own-limit-debit-label"), Key("own-limit-month-label")]
                .map(|key| t.html(key, &[("currency", currency.code())]))
        }),
        limits_open: view.typed_limits.any(),
        own_limits: say_own(&t, view).iter().map(|sentence| Markup::of(sentence)).collect(),
        agreement: Markup::of(&said.agreement),
        deadline: t.html(Key("authorize-deadline"), &[("time", &t.time(view.expires_at))]),
        signed_in: view.signed_in_as.as_deref().map(|login| t.html(Key("signed-in-as"), &[("login", login)])),
        hint: view.hint.map(|hint| hint.text(&t)),
        box_hinted: view.hint.is_some_and(Hint::about_box),
        sign_in_hinted: view.hint.is_some_and(Hint::about_sign_in),
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
