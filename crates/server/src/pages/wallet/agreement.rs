//! One agreement: what was granted, how it stands, what its user can change, its story; and the page that ends it.

use super::timeline::{self, Event, Said};
use super::{Drawn, Frame, Hint, name, prose, switch};
use crate::pages::authorize::scope_sentence;
use crate::pages::i18n::{Key, Texts};
use crate::pages::markup::Markup;
use accord_core::Timestamp;
use accord_core::agreement::Scope;
use accord_core::agreement::control::{Overview, Spent, State};
use accord_core::agreement::limits::{Limits, Period};
use accord_core::calendar::Date;
use accord_core::money::{Amount, Currency};
use askama::Template;

/// What was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The agreement's id.
    pub id: String,
    /// The session it came of.
    pub auth_id: String,
    /// Trade name.
    pub merchant: String,
    /// Registered legal name.
    pub legal_name: String,
    /// When.
    pub agreed_at: Timestamp,
    /// The contract's title.
    pub contract_title: Option<String>,
    /// The contract's text, as agreed.
    pub contract_text: Option<String>,
    /// What was granted.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the text shown, in hex, if the consent is kept.
    pub text_digest: Option<String>,
}

/// What the user may type to limit the merchant, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// For one debit.
    pub per_debit: String,
    /// For a day.
    pub per_day: String,
    /// For a week.
    pub per_week: String,
    /// For a month.
    pub per_month: String,
    /// For a year.
    pub per_year: String,
}

impl Typed {
    /// Limits as the form shows them.
    pub fn of(limits: &Limits) -> Typed {
        let shown = |sum| shown_sum(sum, limits.currency);
        Typed {
            per_debit: shown(limits.per_debit),
            per_day: shown(limits.per_day),
            per_week: shown(limits.per_week),
            per_month: shown(limits.per_month),
            per_year: shown(limits.per_year),
        }
    }
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementView {
    /// What stands around.
    pub frame: Frame,
    /// What was agreed.
    pub granted: Granted,
    /// How it stands; nothing where its dialect is not served any more.
    pub overview: Option<Overview>,
    /// In which currency the user may limit debits.
    pub currency: Option<Currency>,
    /// The limits in the form.
    pub typed: Typed,
    /// The token of the forms.
    pub csrf: String,
    /// The first day that a pause may last until.
    pub tomorrow: Date,
    /// Is there a receipt?
    pub receipt: bool,
    /// Newest first.
    pub events: Vec<Event>,
    /// Where the older part of the story is.
    pub older: Option<String>,
}

/// Limits, a sentence each.
pub(super) fn say_limits(t: &Texts, limits: &Limits) -> Vec<Markup> {
    let sum = |key, most: Option<i64>| {
        let amount = Amount::new(limits.currency?, most?)?;
        Some(t.html(key, &[("amount", &t.money(&amount))]))
    };
    let said = [
        sum(Key("limit-debit"), limits.per_debit),
        sum(Key("limit-day"), limits.per_day),
        sum(Key("limit-week"), limits.per_week),
        sum(Key("limit-month"), limits.per_month),
        sum(Key("limit-year"), limits.per_year),
        limits.max_count.map(|most| t.html(Key("limit-count"), &[("count", &t.number(most))])),
        limits.valid_from.map(|from| t.html(Key("limit-from"), &[("time", &t.time(from))])),
        limits.valid_to.map(|to| t.html(Key("limit-to"), &[("time", &t.time(to))])),
    ];
    said.into_iter().flatten().collect()
}

fn say_spent(t: &Texts, spent: &Spent) -> Option<Markup> {
    let key = match spent.period {
        Period::Day => Key("spent-day"),
        Period::Week => Key("spent-week"),
        Period::Month => Key("spent-month"),
        Period::Year => Key("spent-year"),
    };
    let most = Amount::new(spent.currency, spent.limit)?;
    let taken = Amount::new(spent.currency, spent.spent);
    let taken = taken.map_or_else(|| t.no_money(spent.currency), |taken| t.money(&taken));
    let mut said = t.with(key, &[("taken", &taken), ("most", &t.money(&most))]);
    if spent.spent > spent.limit {
        said = format!("{said} {}", t.text("spent-over"));
    }
    Some(Markup::of(&said))
}

/// A sum as the form of limits shows it: whole units, and decimals only where a limit that was set elsewhere has some.
/// The form that comes back with the same words means the same limit.
pub fn shown_sum(sum: Option<i64>, currency: Option<Currency>) -> String {
    let amount = sum.zip(currency).and_then(|(sum, currency)| Amount::new(currency, sum));
    let decimal = amount.map(|amount| amount.decimal()).unwrap_or_default();
    match decimal.split_once('.') {
        Some((whole, part)) if part.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => decimal,
    }
}

/// One field of the form of limits.
struct LimitField {
    name: &'static str,
    label: String,
    value: String,
}

fn fields(t: &Texts, typed: &Typed) -> Vec<LimitField> {
    let field =
        |name, label, value: &String| LimitField { name, label: t.with(label, &[]), value: value.clone() };
    vec![
        field("perDebit", Key("own-limit-debit-label"), &typed.per_debit),
        field("perDay", Key("own-limit-day-label"), &typed.per_day),
        field("perWeek", Key("own-limit-week-label"), &typed.per_week),
        field("perMonth", Key("own-limit-month-label"), &typed.per_month),
        field("perYear", Key("own-limit-year-label"), &typed.per_year),
    ]
}

#[derive(Template)]
#[template(path = "wallet_agreement.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    frame: Drawn,
    view: &'a AgreementView,
    merchant: Markup,
    legal_name: Markup,
    badge: Option<(&'static str, String)>,
    agreed: Markup,
    paused: Option<Markup>,
    next: Option<Markup>,
    limits: Vec<Markup>,
    spent: Vec<Markup>,
    scopes: Vec<Markup>,
    contract_title: Option<Markup>,
    contract_text: Option<Markup>,
    unit: Markup,
    fields: Vec<LimitField>,
    limits_open: bool,
    can_change: bool,
    can_pause: bool,
    can_resume: bool,
    skip: Option<(String, Markup)>,
    tomorrow: String,
    events: Vec<timeline::Drawn>,
}

/// The page, as HTML.
pub fn render(view: &AgreementView) -> String {
    let t = Texts(view.frame.language);
    let granted = &view.granted;
    let overview = view.overview.as_ref();
    let state = overview.map(|overview| overview.state);
    let over = matches!(state, None | Some(State::Ended | State::Lapsed | State::Expired));
    let debits = granted.scopes.contains(&Scope::AgreementPay);
    let next = overview.and_then(|overview| overview.next_due.map(|day| (day, overview.next_amount)));
    let next_said = next.map(|(day, amount)| match amount {
        Some(amount) => {
            t.html(Key("wallet-next-debit"), &[("day", &t.date(day)), ("amount", &t.money(&amount))])
        }
        None => t.html(Key("wallet-next-debit-any"), &[("day", &t.date(day))]),
    });
    let none = t.html(Key("wallet-no-limits"), &[]);
    let limits = match overview.map(|overview| overview.effective) {
        Some(Some(limits)) => say_limits(&t, &limits),
        Some(None) => vec![t.html(Key("wallet-limits-clash"), &[])],
        None => Vec::new(),
    };
    let paused = overview.filter(|overview| overview.state == State::Paused);
    crate::pages::write(&Page {
        t,
        title: t.with(Key("wallet-agreement-title"), &[("merchant", &super::clean_line(&granted.merchant))]),
        switch: switch(&view.frame),
        frame: Drawn::of(&t, &view.frame),
        merchant: name(&granted.merchant),
        legal_name: t.html(Key("legal-name"), &[("name", &super::clean_line(&granted.legal_name))]),
        badge: state.map(|state| super::home::badge(&t, state)),
        agreed: t.html(Key("wallet-agreed-at"), &[("time", &t.time(granted.agreed_at))]),
        paused: paused.map(|overview| match overview.paused_until {
            Some(until) => t.html(Key("wallet-paused-until"), &[("time", &t.time(until))]),
            None => t.html(Key("wallet-paused"), &[]),
        }),
        next: next_said,
        limits: if limits.is_empty() && debits { vec![none] } else { limits },
        spent: overview.iter().flat_map(|it| &it.spent).filter_map(|spent| say_spent(&t, spent)).collect(),
        scopes: granted.scopes.iter().map(|scope| t.html(scope_sentence(*scope), &[])).collect(),
        contract_title: granted.contract_title.as_deref().map(name),
        contract_text: granted.contract_text.as_deref().map(prose),
        fields: view.currency.filter(|_| debits).map_or_else(Vec::new, |_| fields(&t, &view.typed)),
        unit: view
            .currency
            .map_or_else(|| Markup::of(""), |of| t.html(Key("own-limits-unit"), &[("unit", &t.unit(of))])),
        limits_open: view.frame.hint.is_some_and(Hint::about_limits),
        can_change: !over,
        can_pause: !over && debits && state != Some(State::Paused),
        can_resume: matches!(state, Some(State::Paused | State::Asleep)),
        skip: next
            .filter(|_| debits && state == Some(State::Active))
            .map(|(day, _)| (day.to_string(), t.html(Key("wallet-skip-what"), &[("day", &t.date(day))]))),
        tomorrow: view.tomorrow.to_string(),
        events: view.events.iter().map(|event| timeline::draw(&t, event)).collect(),
        view,
    })
}

/// The page that ends an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndView {
    /// What stands around.
    pub frame: Frame,
    /// The agreement's id.
    pub id: String,
    /// Trade name.
    pub merchant: String,
    /// The token of the form.
    pub csrf: String,
    /// Whether its owner will be asked.
    pub asks: bool,
    /// What the owner said the last time, and when.
    pub last: Option<(Said, Timestamp)>,
    /// How many questions without an answer count now.
    pub silences: usize,
}

#[derive(Template)]
#[template(path = "wallet_end.html")]
struct EndPage<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    frame: Drawn,
    heading: Markup,
    what: Markup,
    asks: Option<Markup>,
    last: Option<(&'static str, Markup)>,
    view: &'a EndView,
}

/// Asks once more, says what it means, and what the owner said if it was asked before.
pub fn render_end(view: &EndView) -> String {
    let t = Texts(view.frame.language);
    let merchant = super::clean_line(&view.merchant);
    let args = [("merchant", merchant.as_str())];
    let last = view.last.and_then(|(said, at)| {
        let (time, count) = (t.time(at), super::number(&t, view.silences));
        let args = [("merchant", merchant.as_str()), ("time", &time), ("count", &count)];
        match said {
            Said::Allowed => None,
            Said::NotAllowed => Some(("", t.html(Key("end-not-allowed"), &args[..2]))),
            Said::Nothing => Some(("warn", t.html(Key("end-no-answer"), &args))),
        }
    });
    crate::pages::write(&EndPage {
        t,
        title: t.text("end-title"),
        switch: switch(&view.frame),
        frame: Drawn::of(&t, &view.frame),
        heading: t.html(Key("end-heading"), &args),
        what: t.html(Key("end-what"), &args),
        asks: view.asks.then(|| t.html(Key("end-asks"), &args)),
        last,
        view,
    })
}
