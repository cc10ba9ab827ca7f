//! The wallet's own pages, for its users: what stands around each of them, and those that hold little.
//!
//! Everything here is drawn from views that a handler of [`crate::wallet_pages`] has filled for the one user who is
//! signed in. Names and texts of merchants are strangers' text ([`super::markup`]).

pub mod agreement;
pub mod home;
pub mod payment;
#[cfg(test)]
pub(super) mod samples;
pub mod settings;
pub mod timeline;

use super::i18n::{Key, Texts};
use super::markup::{Markup, clean, clean_line};
use accord_core::Timestamp;
use accord_core::user::Language;
use askama::Template;

/// What stands around every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The language to speak.
    pub language: Language,
    /// The page's own path.
    pub path: String,
    /// Messages that were not seen yet.
    pub unread: usize,
    /// The token of the form that signs out.
    pub sign_out: String,
    /// What is to be said first.
    pub hint: Option<Hint>,
}

/// What is said above a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// It was done.
    Done,
    /// The form was not made for this browser, this sign-in, or for how things stand now.
    FormTooOld,
    /// Cookies are off.
    NoCookies,
    /// Login id or PIN is missing.
    SignIn,
    /// Unknown user, frozen user or wrong PIN.
    WrongSignIn,
    /// Too many wrong PINs; no sign-in before this time.
    TooMany(Timestamp),
    /// Too many wrong PINs.
    TooManyForGood,
    /// A wider limit without the PIN.
    PinNeeded,
    /// A wider limit with a wrong PIN.
    WrongPin,
    /// A limit that is no whole number above zero.
    LimitUnreadable,
    /// A day that is none, or over.
    DayUnreadable,
    /// No e-mail address.
    NoAddress,
    /// The agreement is over: it cannot be changed.
    AlreadyEnded,
    /// It could not be done now.
    Unavailable,
    /// The user was signed out.
    SignedOut,
}

impl Hint {
    /// Is it good news?
    fn good(self) -> bool {
        matches!(self, Hint::Done | Hint::SignedOut)
    }

    /// Is it about the form of limits?
    fn about_limits(self) -> bool {
        use Hint::*;
        matches!(self, PinNeeded | WrongPin | LimitUnreadable | TooMany(_) | TooManyForGood)
    }

    fn text(self, t: &Texts) -> Markup {
        let key = match self {
            Hint::Done => Key("wallet-hint-done"),
            Hint::FormTooOld => Key("wallet-hint-form-too-old"),
            Hint::NoCookies => Key("wallet-hint-no-cookies"),
            Hint::SignIn => Key("hint-sign-in"),
            Hint::WrongSignIn => Key("hint-wrong-sign-in"),
            Hint::TooMany(until) => {
                return t.html(Key("hint-too-many-tries"), &[("time", &t.time(until))]);
            }
            Hint::TooManyForGood | Hint::WrongPin => Key("wallet-hint-wrong-pin"),
            Hint::PinNeeded => Key("wallet-hint-pin-needed"),
            Hint::LimitUnreadable => Key("wallet-hint-limit-unreadable"),
            Hint::DayUnreadable => Key("wallet-hint-day-unreadable"),
            Hint::NoAddress => Key("wallet-hint-no-address"),
            Hint::AlreadyEnded => Key("wallet-hint-already-ended"),
            Hint::Unavailable => Key("wallet-hint-unavailable"),
            Hint::SignedOut => Key("wallet-hint-signed-out"),
        };
        t.html(key, &[])
    }
}

/// The frame, as templates read it.
pub(super) struct Drawn {
    pub(super) path: String,
    pub(super) unread: Option<Markup>,
    pub(super) sign_out: String,
    pub(super) hint: Option<(bool, Markup)>,
}

impl Drawn {
    pub(super) fn of(t: &Texts, frame: &Frame) -> Drawn {
        let count = number(t, frame.unread);
        Drawn {
            path: frame.path.clone(),
            unread: (frame.unread > 0).then(|| t.html(Key("wallet-unread"), &[("count", &count)])),
            sign_out: frame.sign_out.clone(),
            hint: frame.hint.map(|hint| (hint.good(), hint.text(t))),
        }
    }

    /// Is the page at `path`, or below it? For `aria-current`.
    pub(super) fn at(&self, path: &str) -> bool {
        self.path == path
    }
}

/// The page's own address up to and including `lang=`.
pub(super) fn switch(frame: &Frame) -> Option<String> {
    Some(format!("{}?lang=", frame.path))
}

/// The page that asks who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInView {
    /// The language to speak.
    pub language: Language,
    /// Where to go after it: a path of these pages.
    pub next: String,
    /// The form's token.
    pub csrf: String,
    /// What was typed as login id.
    pub typed_login_id: Option<String>,
    /// How long a sign-in lives without use, in milliseconds.
    pub idle_ms: i64,
    /// What is to be said first.
    pub hint: Option<Hint>,
}

#[derive(Template)]
#[template(path = "wallet_sign_in.html")]
struct SignInPage<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    hint: Option<(bool, Markup)>,
    wrong: bool,
    note: Markup,
    view: &'a SignInView,
}

/// Asks who is there.
pub fn render_sign_in(view: &SignInView) -> String {
    let t = Texts(view.language);
    let wrong = matches!(view.hint, Some(Hint::SignIn | Hint::WrongSignIn));
    super::write(&SignInPage {
        t,
        title: t.text("wallet-sign-in-title"),
        switch: Some(format!("{}?lang=", view.next)),
        hint: view.hint.map(|hint| (hint.good(), hint.text(&t))),
        wrong,
        note: t.html(Key("wallet-sign-in-note"), &[("span", &t.minutes(view.idle_ms))]),
        view,
    })
}

/// A message in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line, in its own language.
    pub title: String,
    /// The whole; a paragraph a line.
    pub text: String,
    /// The language it was written in.
    pub language: Language,
    /// When.
    pub at: Timestamp,
    /// Not seen before now?
    pub new: bool,
    /// A page about it.
    pub link: Option<String>,
}

#[derive(Template)]
#[template(path = "wallet_inbox.html")]
struct InboxPage {
    t: Texts,
    title: String,
    switch: Option<String>,
    frame: Drawn,
    letters: Vec<DrawnLetter>,
}

struct DrawnLetter {
    tag: String,
    dir: &'static str,
    title: Markup,
    lines: Vec<Markup>,
    at: Markup,
    new: bool,
    link: Option<(String, String)>,
}

/// The inbox.
pub fn render_inbox(frame: &Frame, letters: &[Letter]) -> String {
    let t = Texts(frame.language);
    let drawn = |letter: &Letter| DrawnLetter {
        tag: letter.language.as_str().to_owned(),
        dir: super::i18n::dir(letter.language),
        title: Markup::of(&letter.title),
        lines: letter.text.lines().map(Markup::of).collect(),
        at: Markup::of(&t.time(letter.at)),
        new: letter.new,
        link: letter.link.as_ref().map(|link| {
            let payment = link.starts_with("/wallet/payments/");
            let about = if payment { Key("event-more") } else { Key("payment-agreement") };
            (link.clone(), t.with(about, &[]))
        }),
    };
    super::write(&InboxPage {
        t,
        title: t.text("wallet-inbox-title"),
        switch: switch(frame),
        frame: Drawn::of(&t, frame),
        letters: letters.iter().map(drawn).collect(),
    })
}

/// A count in the language's digits.
fn number(t: &Texts, count: usize) -> String {
    t.number(u64::try_from(count).unwrap_or(u64::MAX))
}

/// One line of a stranger, as HTML of its own.
pub(super) fn name(text: &str) -> Markup {
    Markup::foreign(&clean_line(text))
}

/// A text of a stranger, as HTML of its own.
pub(super) fn prose(text: &str) -> Markup {
    Markup::foreign(&clean(text))
}
