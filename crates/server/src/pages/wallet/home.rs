//! The first page: balances, and the user's agreements by how they stand.

use super::{Drawn, Frame, name, switch};
use crate::pages::i18n::{Key, Texts};
use crate::pages::markup::Markup;
use accord_core::Timestamp;
use accord_core::agreement::control::State;
use accord_core::agreement::limits::Limits;
use accord_core::calendar::Date;
use accord_core::money::Amount;
use askama::Template;

/// One agreement, in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// The merchant, as the user knows it.
    pub merchant: String,
    /// The session whose logo it has.
    pub auth_id: String,
    /// When the user agreed.
    pub agreed_at: Timestamp,
    /// How it stands.
    pub state: State,
    /// Until when it is paused.
    pub paused_until: Option<Timestamp>,
    /// The tightest of all limits.
    pub limits: Option<Limits>,
    /// What was taken last, and when.
    pub last: Option<(Amount, Timestamp)>,
    /// The next due day.
    pub next: Option<(Date, Option<Amount>)>,
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeView {
    /// What stands around.
    pub frame: Frame,
    /// Masked.
    pub login_id: String,
    /// By currency; nothing in an account is no amount: code and zero.
    pub balances: Vec<(String, Option<Amount>)>,
    /// Newest first.
    pub agreements: Vec<Line>,
}

struct Group {
    id: &'static str,
    title: String,
    rows: Vec<Row>,
}

struct Row {
    href: String,
    logo: String,
    merchant: Markup,
    badge: (&'static str, String),
    facts: Vec<Markup>,
}

#[derive(Template)]
#[template(path = "wallet_home.html")]
struct Page {
    t: Texts,
    title: String,
    switch: Option<String>,
    frame: Drawn,
    greeting: Markup,
    balances: Vec<Markup>,
    groups: Vec<Group>,
}

/// How a state is called, and which colour it has.
pub(super) fn badge(t: &Texts, state: State) -> (&'static str, String) {
    let (tone, key) = match state {
        State::Active => ("good", Key("state-active")),
        State::Consented => ("info", Key("state-consented")),
        State::NotYetValid => ("info", Key("state-not-yet-valid")),
        State::Paused => ("warn", Key("state-paused")),
        State::Asleep => ("warn", Key("state-asleep")),
        State::Lapsed => ("", Key("state-lapsed")),
        State::Ended => ("", Key("state-ended")),
    };
    (tone, t.with(key, &[]))
}

fn facts(t: &Texts, line: &Line) -> Vec<Markup> {
    let mut facts = vec![t.html(Key("wallet-agreed-at"), &[("time", &t.time(line.agreed_at))])];
    if let Some(until) = line.paused_until {
        facts.push(t.html(Key("wallet-paused-until"), &[("time", &t.time(until))]));
    }
    if let Some((amount, at)) = &line.last {
        facts.push(t.html(Key("wallet-last-debit"), &[("amount", &t.money(amount)), ("time", &t.time(*at))]));
    }
    match &line.next {
        Some((day, Some(amount))) => {
            let (day, amount) = (t.date(*day), t.money(amount));
            facts.push(t.html(Key("wallet-next-debit"), &[("day", &day), ("amount", &amount)]));
        }
        Some((day, None)) => facts.push(t.html(Key("wallet-next-debit-any"), &[("day", &t.date(*day))])),
        None => {}
    }
    let limits = line.limits.iter().flat_map(|limits| super::agreement::say_limits(t, limits));
    facts.extend(limits.take(2));
    facts
}

/// The page, as HTML.
pub fn render(view: &HomeView) -> String {
    let t = Texts(view.frame.language);
    let group = |id, key, states: &[State]| {
        let these = view.agreements.iter().filter(|line| states.contains(&line.state));
        let rows = these.map(|line| Row {
            href: format!("/wallet/agreements/{}", line.id),
            logo: format!("/logo/{}", line.auth_id),
            merchant: name(&line.merchant),
            badge: badge(&t, line.state),
            facts: facts(&t, line),
        });
        Group { id, title: t.with(key, &[]), rows: rows.collect() }
    };
    let groups = [
        group("active", Key("wallet-group-active"), &[State::Active, State::Consented, State::NotYetValid]),
        group("paused", Key("wallet-group-paused"), &[State::Paused]),
        group("asleep", Key("wallet-group-asleep"), &[State::Asleep]),
        group("ended", Key("wallet-group-ended"), &[State::Ended, State::Lapsed]),
    ];
    let balance = |(code, amount): &(String, Option<Amount>)| match amount {
        Some(amount) => Markup::of(&t.money(amount)),
        None => t.html(Key("money"), &[("number", &t.number(0_u64)), ("code", code)]),
    };
    crate::pages::write(&Page {
        t,
        title: t.text("wallet-home-title"),
        switch: switch(&view.frame),
        frame: Drawn::of(&t, &view.frame),
        greeting: t.html(Key("wallet-signed-in-as"), &[("login", &view.login_id)]),
        balances: view.balances.iter().map(balance).collect(),
        groups: groups.into_iter().filter(|group| !group.rows.is_empty()).collect(),
    })
}
