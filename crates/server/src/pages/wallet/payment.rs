//! One payment: why was I charged?

use super::timeline::{Went, debit_key};
use super::{Drawn, Frame, name, prose, switch};
use crate::pages::i18n::{Key, Texts};
use crate::pages::markup::Markup;
use accord_core::Timestamp;
use accord_core::agreement::limits::Limits;
use accord_core::money::Amount;
use askama::Template;

/// Money that came back, or is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    /// How much.
    pub amount: Amount,
    /// Since when the user has it; nothing: it is on its way.
    pub at: Option<Timestamp>,
    /// Why, as the merchant says.
    pub reason: String,
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentView {
    /// What stands around.
    pub frame: Frame,
    /// Its id.
    pub id: String,
    /// The merchant's number of it.
    pub request_id: String,
    /// Trade name.
    pub merchant: String,
    /// Registered legal name.
    pub legal_name: String,
    /// What the merchant says it was for.
    pub description: String,
    /// How much.
    pub amount: Amount,
    /// How it went.
    pub went: Went,
    /// When it was asked for.
    pub at: Timestamp,
    /// The agreement it was made under.
    pub agreement: String,
    /// When the user agreed to that.
    pub agreed_at: Timestamp,
    /// The limits that hold now.
    pub limits: Option<Limits>,
    /// When its order was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Money that came back.
    pub back: Vec<Back>,
}

#[derive(Template)]
#[template(path = "wallet_payment.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    frame: Drawn,
    heading: Markup,
    tone: &'static str,
    why: Markup,
    reason: Option<Markup>,
    merchant: Markup,
    legal_name: Markup,
    description: Option<Markup>,
    at: Markup,
    limits: Vec<Markup>,
    cancelled: Option<Markup>,
    back: Vec<(Markup, Option<Markup>)>,
    view: &'a PaymentView,
}

/// The page, as HTML.
pub fn render(view: &PaymentView) -> String {
    let t = Texts(view.frame.language);
    let merchant = super::clean_line(&view.merchant);
    let agreed = t.time(view.agreed_at);
    let (tone, title, why, reason) = match view.went {
        Went::Paid => ("good", Key("payment-title-paid"), Key("payment-why-paid"), None),
        Went::Declined(refusal) => {
            let reason = t.html(crate::pages::messages::reason(refusal), &[]);
            ("bad", Key("payment-title-declined"), Key("payment-why-declined"), Some(reason))
        }
        Went::Running => ("warn", Key("payment-title-running"), Key("payment-why-running"), None),
    };
    let back = |back: &Back| {
        let amount = t.money(&back.amount);
        let said = match back.at {
            Some(at) => t.html(Key("payment-back"), &[("amount", &amount), ("time", &t.time(at))]),
            None => t.html(Key("payment-back-running"), &[("amount", &amount)]),
        };
        (said, (!back.reason.trim().is_empty()).then(|| prose(&back.reason)))
    };
    crate::pages::write(&Page {
        t,
        title: t.with(title, &[]),
        switch: switch(&view.frame),
        frame: Drawn::of(&t, &view.frame),
        heading: t.html(debit_key(view.went), &[("amount", &t.money(&view.amount))]),
        tone,
        why: t.html(why, &[("merchant", &merchant), ("time", &agreed)]),
        reason,
        merchant: name(&view.merchant),
        legal_name: name(&view.legal_name),
        description: (!view.description.trim().is_empty()).then(|| prose(&view.description)),
        at: Markup::of(&t.time(view.at)),
        limits: view.limits.iter().flat_map(|limits| super::agreement::say_limits(&t, limits)).collect(),
        cancelled: view.cancelled_at.map(|at| t.html(Key("payment-cancelled"), &[("time", &t.time(at))])),
        back: view.back.iter().map(back).collect(),
        view,
    })
}
