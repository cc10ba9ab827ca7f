//! The second step of the authorization page, and the text of an agreement by itself.
//!
//! [`render`] asks once more, in short: who, with whom, how much. [`render_text`] shows what is asked as a page to be
//! read at leisure or printed; it tells nothing about any user.

use super::authorize::{Offer, TypedLimits, language_switch, say_own};
use super::i18n::{Key, Texts};
use super::markup::{Markup, clean_line};
use accord_core::Timestamp;
use accord_core::agreement::limits::Limits;
use accord_core::agreement::{Decision, Scope};
use accord_core::user::Language;
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything the second step needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmView {
    /// The language to speak.
    pub language: Language,
    /// The session, as in the page's URL.
    pub auth_id: String,
    /// The token of this form: of this session and this decision.
    pub csrf: String,
    /// What is to be confirmed.
    pub decision: Decision,
    /// What is asked.
    pub offer: Offer,
    /// The limits that were typed in the first step.
    pub limits: TypedLimits,
    /// Who typed the PIN in the first step.
    pub masked_login_id: Option<String>,
    /// Until when it may be decided.
    pub expires_at: Timestamp,
    /// The field for a one-time code, where one is asked for beside the PIN.
    pub code: Option<CodeField>,
}

/// Where a one-time code is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeField {
    /// Until when the code that was sent is good; nothing when none is.
    pub good_until: Option<Timestamp>,
    /// Why it is asked for again.
    pub hint: Option<CodeHint>,
}

/// Why a one-time code is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeHint {
    /// None was typed; one was sent, now or a moment ago.
    Sent,
    /// None was typed, and there have been enough.
    NotBefore {
        /// When the next may be sent.
        time: Timestamp,
    },
    /// It was another.
    Wrong {
        /// So many tries are left.
        left: u32,
    },
    /// It came too late or was tried too often.
    Over,
}

impl CodeField {
    fn about(&self, t: &Texts) -> Markup {
        match self.good_until {
            Some(until) => t.html(Key("confirm-code-sent"), &[("time", &t.time(until))]),
            None => t.html(Key("confirm-code-none"), &[]),
        }
    }
}

impl CodeHint {
    fn text(self, t: &Texts) -> Markup {
        match self {
            CodeHint::Sent => t.html(Key("confirm-code-type"), &[]),
            CodeHint::NotBefore { time } => t.html(Key("confirm-code-later"), &[("time", &t.time(time))]),
            CodeHint::Wrong { left } => t.html(Key("confirm-code-wrong"), &[("left", &t.number(left))]),
            CodeHint::Over => t.html(Key("confirm-code-over"), &[]),
        }
    }
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    heading: Markup,
    lead: Markup,
    /// Label and sentences.
    facts: Vec<(String, Vec<Markup>)>,
    deadline: Markup,
    button: Markup,
    back: String,
    /// What is said of the code that was sent.
    code: Option<Markup>,
    code_hint: Option<Markup>,
    view: &'a ConfirmView,
}

/// The second step, as HTML.
pub fn render(view: &ConfirmView) -> String {
    let t = Texts(view.language);
    let offer = &view.offer;
    let (merchant, legal) = (clean_line(&offer.display_name), clean_line(&offer.legal_name));
    let approve = view.decision == Decision::Approve;
    let debits = offer.scopes.contains(&Scope::AgreementPay);
    let (heading, lead, button) = match (approve, debits) {
        (true, true) => (Key("confirm-title"), Key("confirm-debit"), Key("confirm-approve")),
        (true, false) => (Key("confirm-title"), Key("confirm-access"), Key("confirm-approve")),
        (false, _) => (Key("confirm-refuse-title"), Key("confirm-refuse-text"), Key("confirm-refuse")),
    };
    let args = [("merchant", merchant.as_str())];
    let mut facts = Vec::new();
    if approve {
        if let Some(login) = &view.masked_login_id {
            facts.push((t.text("fact-account"), vec![Markup::foreign(login)]));
        }
        facts.push((t.text("fact-partner"), vec![Markup::foreign(&legal)]));
        let own = say_own(&t, &view.limits, offer.limit_currency);
        let unlimited = offer.asked.limits == Limits::NONE;
        let mut amounts = if unlimited && !own.is_empty() { Vec::new() } else { offer.amounts(&t) };
        amounts.extend(own);
        if debits {
            facts.push((t.text("fact-amount"), amounts.iter().map(|said| Markup::of(said)).collect()));
            facts.push((t.text("fact-end"), vec![t.html(Key("confirm-end"), &[])]));
        }
    }
    let address = language_switch(&view.auth_id);
    super::write(&Page {
        t,
        title: t.with(heading, &args),
        switch: Some(format!("{}&lang=", address.replacen("&lang=", &format!("&step={}", view.decision), 1))),
        heading: t.html(heading, &args),
        lead: t.html(lead, &args),
        facts,
        deadline: t.html(Key("authorize-deadline"), &[("time", &t.time(view.expires_at))]),
        button: t.html(button, &[]),
        back: format!("{address}{}", t.tag()),
        code: view.code.as_ref().map(|code| code.about(&t)),
        code_hint: view.code.and_then(|code| code.hint).map(|hint| hint.text(&t)),
        view,
    })
}

/// The text by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextView {
    /// The language to speak.
    pub language: Language,
    /// The session.
    pub auth_id: String,
    /// The merchant's trade name.
    pub merchant: String,
    /// What is asked, a paragraph a line.
    pub text: String,
}

#[derive(Template)]
#[template(path = "agreement_text.html")]
struct TextPage {
    t: Texts,
    title: String,
    switch: Option<String>,
    heading: Markup,
    text: Markup,
    back: String,
}

/// The text of an agreement, as HTML.
pub fn render_text(view: &TextView) -> String {
    let t = Texts(view.language);
    let merchant = clean_line(&view.merchant);
    let args = [("merchant", merchant.as_str())];
    let id = utf8_percent_encode(&view.auth_id, NON_ALPHANUMERIC);
    super::write(&TextPage {
        t,
        title: t.with(Key("text-title"), &args),
        switch: Some(format!("/authorize/text?authId={id}&lang=")),
        heading: t.html(Key("text-title"), &args),
        text: Markup::foreign(&view.text),
        back: format!("{}{}", language_switch(&view.auth_id), t.tag()),
    })
}
