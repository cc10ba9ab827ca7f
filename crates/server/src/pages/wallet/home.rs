//! The first page: balances, and the user's agreements by how they stand.

use super::{Drawn, Frame, name};
use crate::pages::i18n::{Key, Texts};
use crate::pages::markup::Markup;
use accord_core::Timestamp;
use accord_core::agreement::control::State;
use accord_core::calendar::Date;
use accord_core::money::{Amount, Currency};
use askama::Template;

/// One agreement, in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// The merchant, as the user knows it.
    pub merchant: String,
    /// What the agreement is about: its contract's title or first line. Tells agreements with one merchant apart.
    pub about: String,
    /// The session whose logo it has.
    pub auth_id: String,
    /// When the user agreed.
    pub agreed_at: Timestamp,
    /// How it stands.
    pub state: State,
    /// Until when it is paused.
    pub paused_until: Option<Timestamp>,
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
    /// By currency; nothing in an account is no amount.
    pub balances: Vec<(Currency, Option<Amount>)>,
    /// Newest first.
    pub agreements: Vec<Line>,
    /// Only those that stand so; nothing: all.
    pub only: Option<Standing>,
}

accord_core::words! {
    /// How agreements are told apart on this page.
    Standing {
        /// The merchant may debit, now or soon.
        Active = "active",
        /// The user paused it.
        Paused = "paused",
        /// Nothing was debited for long.
        Asleep = "asleep",
        /// It is over.
        Ended = "ended",
    }
}

impl Standing {
    fn of(state: State) -> Standing {
        match state {
            State::Active | State::Consented | State::NotYetValid => Standing::Active,
            State::Paused => Standing::Paused,
            State::Asleep => Standing::Asleep,
            State::Ended | State::Lapsed | State::Expired => Standing::Ended,
        }
    }

    fn name(self) -> Key {
        match self {
            Standing::Active => Key("wallet-group-active"),
            Standing::Paused => Key("wallet-group-paused"),
            Standing::Asleep => Key("wallet-group-asleep"),
            Standing::Ended => Key("wallet-group-ended"),
        }
    }
}

struct Group {
    id: &'static str,
    title: String,
    count: String,
    /// Shown closed: what is over is not what people come for.
    folded: bool,
    rows: Vec<Row>,
}

struct Row {
    href: String,
    logo: String,
    merchant: Markup,
    /// Only where the group's name does not say it.
    badge: Option<(&'static str, String)>,
    about: Option<Markup>,
    fact: Markup,
    amount: Option<Markup>,
}

/// A link to the agreements that stand so.
struct Tab {
    href: String,
    name: String,
    count: String,
    here: bool,
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
    tabs: Vec<Tab>,
    groups: Vec<Group>,
    none: Option<String>,
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
        State::Expired => ("", Key("state-expired")),
        State::Ended => ("", Key("state-ended")),
    };
    (tone, t.with(key, &[]))
}

/// The one thing that is worth a line in a list: what holds it back, what comes next, what was last, when it began.
fn fact(t: &Texts, line: &Line) -> (Markup, Option<Amount>) {
    let last = line.last.as_ref().map(|(amount, at)| (*amount, t.day(*at)));
    let live = Standing::of(line.state) == Standing::Active;
    match (&line.paused_until, &line.next, last) {
        (Some(until), ..) => (t.html(Key("wallet-row-paused"), &[("day", &t.day(*until))]), None),
        (None, Some((day, amount)), _) if live => {
            (t.html(Key("wallet-row-next"), &[("day", &t.date(*day))]), *amount)
        }
        (None, _, Some((amount, day))) => (t.html(Key("wallet-row-last"), &[("day", &day)]), Some(amount)),
        (None, _, None) => (t.html(Key("wallet-row-agreed"), &[("day", &t.day(line.agreed_at))]), None),
    }
}

fn row(t: &Texts, line: &Line) -> Row {
    let plain = matches!(line.state, State::Active | State::Paused | State::Asleep | State::Ended);
    let (fact, amount) = fact(t, line);
    Row {
        href: format!("/wallet/agreements/{}", line.id),
        logo: format!("/logo/{}", line.auth_id),
        merchant: name(&line.merchant),
        badge: (!plain).then(|| badge(t, line.state)),
        about: (!line.about.trim().is_empty()).then(|| name(&line.about)),
        fact,
        amount: amount.map(|amount| Markup::of(&t.money(&amount))),
    }
}

/// The page, as HTML.
pub fn render(view: &HomeView) -> String {
    let t = Texts(view.frame.language);
    let of =
        |standing: Standing| view.agreements.iter().filter(move |line| Standing::of(line.state) == standing);
    let standings: Vec<Standing> =
        Standing::ALL.iter().copied().filter(|standing| of(*standing).next().is_some()).collect();
    let shown = |standing: &&Standing| view.only.is_none_or(|only| only == **standing);
    let groups = standings.iter().filter(shown).map(|standing| Group {
        id: standing.as_str(),
        title: t.with(standing.name(), &[]),
        count: super::number(&t, of(*standing).count()),
        folded: *standing == Standing::Ended && view.only.is_none() && standings.len() > 1,
        rows: of(*standing).map(|line| row(&t, line)).collect(),
    });
    let groups: Vec<Group> = groups.collect();
    let tab = |standing: Option<Standing>| Tab {
        href: standing.map_or_else(|| "/wallet".to_owned(), |it| format!("/wallet?state={it}")),
        name: t.with(standing.map_or(Key("wallet-group-all"), Standing::name), &[]),
        count: super::number(&t, standing.map_or(view.agreements.len(), |it| of(it).count())),
        here: standing == view.only,
    };
    let choices = std::iter::once(None).chain(standings.iter().copied().map(Some));
    let tabs = if standings.len() > 1 { choices.map(tab).collect() } else { Vec::new() };
    let none = match (view.agreements.is_empty(), groups.is_empty()) {
        (true, _) => Some(t.text("wallet-no-agreements")),
        (false, true) => Some(t.text("wallet-none-so")),
        (false, false) => None,
    };
    let balance = |(currency, amount): &(Currency, Option<Amount>)| {
        Markup::of(&amount.map_or_else(|| t.no_money(*currency), |amount| t.money(&amount)))
    };
    crate::pages::write(&Page {
        t,
        title: t.text("wallet-home-title"),
        switch: Some(match view.only {
            Some(only) => format!("/wallet?state={only}&lang="),
            None => "/wallet?lang=".to_owned(),
        }),
        frame: Drawn::of(&t, &view.frame),
        greeting: t.html(Key("wallet-signed-in-as"), &[("login", &view.login_id)]),
        balances: view.balances.iter().map(balance).collect(),
        tabs,
        groups,
        none,
    })
}
