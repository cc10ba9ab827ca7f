//! The authorization page: one question to one user (decisions 15, 16, 21).
//!
//! [`render`] draws it, before and after a sign-in that failed. What it says about the agreement comes from
//! [`Offer`], and [`shown_text`] says the same as plain text; its digest is recorded with the decision. The page
//! tells nothing about any user except to the one who is signed in, and that masked.

use super::i18n::{Key, Texts};
use super::markup::{Markup, clean, clean_line};
use accord_core::Timestamp;
use accord_core::agreement::{Scope, Terms};
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
}

impl Offer {
    /// The offer of these terms.
    pub fn of(terms: &Terms) -> Offer {
        Offer {
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
    /// Why the form came back.
    pub hint: Option<Hint>,
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
    agreement: String,
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
        agreement: t.with(agreement, &[("merchant", &legal)]),
        legal_name: t.with(Key("legal-name"), &[("name", &legal)]),
    }
}

/// The plain text of what the page asks: title, names, contract or scopes, and the sentence beside the box. One
/// item a line, in the order of the page, without isolation marks. SHA-256 over its UTF-8 bytes is recorded.
pub fn shown_text(view: &AuthorizeView) -> String {
    let said = say(&Texts(view.language), &view.offer);
    let mut lines = vec![said.title, said.legal_name];
    lines.extend(said.contract_title);
    lines.extend(said.contract_text);
    lines.extend(said.scopes);
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
        switch: Some(language_switch(&t, &view.auth_id)),
        heading: Markup::of(&said.title),
        legal_name: Markup::of(&said.legal_name),
        contract_title: said.contract_title.as_deref().map(Markup::foreign),
        contract_text: said.contract_text.as_deref().map(Markup::foreign),
        scopes: said.scopes.iter().map(|sentence| Markup::of(sentence)).collect(),
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

/// The same page in the other language.
pub(super) fn language_switch(t: &Texts, auth_id: &str) -> String {
    let id = utf8_percent_encode(auth_id, NON_ALPHANUMERIC);
    format!("/authorize?authId={id}&lang={}", t.other_tag())
}
