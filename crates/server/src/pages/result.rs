//! What a page says when the question is answered, or can no longer be.
//!
//! [`render`] draws the plain outcomes. [`render_handover`] draws the page that gives a Qi code to the wallet
//! app's web view (decision 23): the script `assets/bridge.js` reads its data attributes; without scripts the
//! browser is led to the return URL, and a link leads there in any case. The code goes nowhere else.

use super::authorize::language_switch;
use super::i18n::{Key, Texts};
use super::markup::{Markup, clean_line, link_target};
use accord_core::user::Language;
use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A result page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultView {
    /// The language to speak.
    pub language: Language,
    /// The session, for the link to the other language; nothing where there is none.
    pub auth_id: Option<String>,
    /// What happened.
    pub outcome: Outcome,
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Approved, told to the browser that decided.
    Approved {
        /// The merchant's trade name.
        merchant: String,
        /// Who agreed, masked.
        masked_login_id: String,
        /// The way back with the code in it.
        return_url: Option<String>,
    },
    /// Refused, told to the browser that decided.
    Refused {
        /// The merchant's trade name.
        merchant: String,
        /// The way back without a code.
        return_url: Option<String>,
    },
    /// Nobody decided in time.
    Expired {
        /// The merchant's trade name.
        merchant: String,
        /// The way back without a code.
        return_url: Option<String>,
    },
    /// Decided on the phone that took the page over from a PC, told to that phone.
    HandedOver {
        /// The merchant's trade name.
        merchant: String,
        /// What was decided.
        approved: bool,
        /// The way back, on this phone.
        return_url: Option<String>,
    },
    /// Decided before, told to anybody: no code and no user.
    AlreadyDecided {
        /// The merchant's trade name.
        merchant: String,
        /// What was decided.
        approved: bool,
    },
    /// There is no such session. Nothing of the request is repeated.
    Unknown,
    /// It could not be done now; nothing is said of what happened.
    Unavailable,
}

/// The page that hands the outcome to the wallet app's web view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoverView {
    /// The language to speak.
    pub language: Language,
    /// The session, for the link to the other language.
    pub auth_id: String,
    /// The merchant's trade name.
    pub merchant: String,
    /// What to hand over.
    pub handover: Handover,
    /// Where a browser without the app's object is led: configured by the wallet, without a fragment.
    pub return_url: Option<String>,
}

/// What the mini program's callback is given (Qi mini program, qicardSignContract).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// `authCode`.
    Approved {
        /// The authorization code.
        auth_code: String,
        /// Who agreed, masked.
        masked_login_id: String,
    },
    /// `error` 6001: the user said no.
    Refused,
    /// `error` 6002: the network failed.
    NetworkFailed,
    /// `error` 6003: it was not signed, for instance because the time was over.
    NotSigned,
    /// `error` 7001: the outcome is not known; it may have been signed.
    OutcomeUnknown,
}

impl Handover {
    /// The number that the callback gets in `error`, with our words for it.
    fn error(&self) -> Option<(&'static str, Key)> {
        match self {
            Handover::Approved { .. } => None,
            Handover::Refused => Some(("6001", Key("bridge-refused"))),
            Handover::NetworkFailed => Some(("6002", Key("bridge-network"))),
            Handover::NotSigned => Some(("6003", Key("bridge-not-signed"))),
            Handover::OutcomeUnknown => Some(("7001", Key("bridge-unknown"))),
        }
    }
}

#[derive(Template)]
#[template(path = "result.html")]
struct Page {
    t: Texts,
    title: String,
    switch: Option<String>,
    tone: &'static str,
    heading: String,
    lines: Vec<Markup>,
    back: Option<(String, Markup)>,
    /// The way back is not what most people need now.
    back_aside: bool,
    /// Is the agreement in the wallet of whoever reads this?
    in_wallet: bool,
    handover: Option<Attributes>,
    going_on: Markup,
}

/// What `assets/bridge.js` reads. Empty where there is nothing to say.
struct Attributes {
    auth_code: String,
    error: String,
    error_message: String,
    return_url: String,
}

/// A result page, as HTML.
pub fn render(view: &ResultView) -> String {
    let t = Texts(view.language);
    let no_login = String::new();
    let (tone, heading, lines, merchant, login, return_url) = match &view.outcome {
        Outcome::Approved { merchant, masked_login_id, return_url } => {
            ("good", Key("approved-title"), APPROVED, merchant, masked_login_id, return_url.as_deref())
        }
        Outcome::Refused { merchant, return_url } => (
            "plain",
            Key("refused-title"),
            &[Key("refused-text")][..],
            merchant,
            &no_login,
            return_url.as_deref(),
        ),
        Outcome::Expired { merchant, return_url } => (
            "bad",
            Key("expired-title"),
            &[Key("expired-text")][..],
            merchant,
            &no_login,
            return_url.as_deref(),
        ),
        Outcome::HandedOver { merchant, approved, return_url } => {
            let (tone, heading, lines) = match approved {
                true => ("good", Key("approved-title"), HANDED_OVER),
                false => ("plain", Key("refused-title"), &[Key("handed-refused")][..]),
            };
            (tone, heading, lines, merchant, &no_login, return_url.as_deref())
        }
        Outcome::AlreadyDecided { merchant, approved: true } => {
            ("plain", Key("decided-title"), &[Key("decided-approved")][..], merchant, &no_login, None)
        }
        Outcome::AlreadyDecided { merchant, approved: false } => {
            ("plain", Key("decided-title"), &[Key("decided-refused")][..], merchant, &no_login, None)
        }
        Outcome::Unknown => {
            ("bad", Key("unknown-title"), &[Key("unknown-text")][..], &no_login, &no_login, None)
        }
        Outcome::Unavailable => {
            ("bad", Key("unavailable-title"), &[Key("unavailable-text")][..], &no_login, &no_login, None)
        }
    };
    let merchant = clean_line(merchant);
    let heading = t.with(heading, &[]);
    super::write(&Page {
        t,
        title: heading.clone(),
        switch: view.auth_id.as_deref().map(language_switch),
        tone,
        heading,
        lines: said(&t, lines, &merchant, login),
        back: return_url.and_then(|url| back(&t, url, &merchant)),
        back_aside: matches!(view.outcome, Outcome::HandedOver { .. }),
        in_wallet: matches!(
            view.outcome,
            Outcome::Approved { .. }
                | Outcome::HandedOver { approved: true, .. }
                | Outcome::AlreadyDecided { approved: true, .. }
        ),
        handover: None,
        going_on: Markup::of(""),
    })
}

const APPROVED: &[Key] =
    &[Key("approved-text"), Key("approved-by"), Key("approved-next"), Key("approved-stop")];

const HANDED_OVER: &[Key] =
    &[Key("approved-text"), Key("handed-approved"), Key("approved-next"), Key("approved-stop")];

/// The hand-over page, as HTML.
pub fn render_handover(view: &HandoverView) -> String {
    let t = Texts(view.language);
    let merchant = clean_line(&view.merchant);
    let return_url = view.return_url.as_deref().and_then(|url| handover_url(&t, url, &view.handover));
    let (auth_code, login) = match &view.handover {
        Handover::Approved { auth_code, masked_login_id } => (auth_code.clone(), masked_login_id.as_str()),
        _ => (String::new(), ""),
    };
    let (error, message) = view
        .handover
        .error()
        .map_or((String::new(), String::new()), |(code, message)| (code.to_owned(), t.with(message, &[])));
    let (tone, heading, lines) = match view.handover {
        Handover::Approved { .. } => ("good", Key("approved-title"), APPROVED),
        Handover::Refused => ("plain", Key("refused-title"), &[Key("refused-text")][..]),
        Handover::NotSigned => ("bad", Key("expired-title"), &[Key("expired-text")][..]),
        Handover::NetworkFailed | Handover::OutcomeUnknown => {
            ("bad", Key("unavailable-title"), &[Key("unavailable-text")][..])
        }
    };
    let heading = t.with(heading, &[]);
    super::write(&Page {
        t,
        title: heading.clone(),
        switch: Some(language_switch(&view.auth_id)),
        tone,
        heading,
        lines: said(&t, lines, &merchant, login),
        back: return_url.clone().and_then(|url| back(&t, &url, &merchant)),
        back_aside: false,
        in_wallet: false,
        going_on: t.html(Key("going-on"), &[("merchant", &merchant)]),
        handover: Some(Attributes {
            auth_code,
            error,
            error_message: message,
            return_url: return_url.unwrap_or_default(),
        }),
    })
}

/// `return_url` with what the callback is given in its fragment: `#authCode=…` or `#error=…&errorMessage=…`.
pub fn handover_url(t: &Texts, return_url: &str, handover: &Handover) -> Option<String> {
    const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let base = return_url.split('#').next().unwrap_or_default();
    let fragment = match (handover, handover.error()) {
        (Handover::Approved { auth_code, .. }, _) => {
            format!("authCode={}", utf8_percent_encode(auth_code, VALUE))
        }
        (_, Some((code, message))) => {
            let message = t.with(message, &[]);
            format!("error={code}&errorMessage={}", utf8_percent_encode(&message, VALUE))
        }
        (_, None) => return None,
    };
    link_target(&format!("{base}#{fragment}"))
}

fn said(t: &Texts, keys: &[Key], merchant: &str, login: &str) -> Vec<Markup> {
    keys.iter().map(|key| t.html(*key, &[("merchant", merchant), ("login", login)])).collect()
}

fn back(t: &Texts, url: &str, merchant: &str) -> Option<(String, Markup)> {
    Some((link_target(url)?, t.html(Key("back-to-merchant"), &[("merchant", merchant)])))
}
