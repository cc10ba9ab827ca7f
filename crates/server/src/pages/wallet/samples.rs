//! Every page of the wallet once, for the laws of all pages: with a merchant who wants to break it.

use super::agreement::{AgreementView, EndView, Granted, Typed, render, render_end};
use super::home::{HomeView, Line, Standing};
use super::payment::{Back, PaymentView};
use super::settings::{DeviceLine, DevicesView, PreferencesView, render_devices, render_preferences};
use super::timeline::{Event, Said, Went, What, Who};
use super::{Frame, Hint, Letter, SignInView, home, payment, render_inbox, render_sign_in};
use accord_core::Timestamp;
use accord_core::agreement::control::{Overview, Spent, State};
use accord_core::agreement::limits::{Limits, Period};
use accord_core::agreement::{EndedBy, Scope, Terminal};
use accord_core::calendar::Date;
use accord_core::message::Kind;
use accord_core::message::routes::Carrier;
use accord_core::money::{Amount, Currency};
use accord_core::outcome::Refusal;
use accord_core::user::Language;

const AT: Timestamp = Timestamp(1_795_300_080_000);

fn limits() -> Limits {
    Limits {
        currency: Currency::parse("IQD"),
        per_debit: Some(1),
        per_day: Some(2_000),
        per_week: Some(3),
        per_month: Some(4),
        per_year: Some(5),
        max_count: Some(6),
        valid_from: Some(AT),
        valid_to: Some(AT),
        ..Limits::NONE
    }
}

/// The pages, by a name for the message of a failing test.
pub(in crate::pages) fn pages(language: Language, hostile: &str) -> Vec<(String, String)> {
    let text = || hostile.to_owned();
    let currency = Currency::parse("IQD").unwrap();
    let amount = Amount::new(currency, 25_000_000).unwrap();
    let frame = |hint| Frame { language, path: "/wallet".into(), unread: 3, sign_out: text(), hint };
    let hints = [
        Hint::Done,
        Hint::FormTooOld,
        Hint::NoCookies,
        Hint::SignIn,
        Hint::WrongSignIn,
        Hint::TooMany(AT),
        Hint::TooManyForGood,
        Hint::PinNeeded,
        Hint::WrongPin,
        Hint::LimitUnreadable,
        Hint::DayUnreadable,
        Hint::NoAddress,
        Hint::AlreadyEnded,
        Hint::Unavailable,
        Hint::SignedOut,
    ];
    let mut pages = Vec::new();
    for hint in std::iter::once(None).chain(hints.map(Some)) {
        let typed_login_id = Some(text());
        let view = SignInView {
            language,
            next: "/wallet".into(),
            csrf: text(),
            typed_login_id,
            hint,
            idle_ms: 900_000,
        };
        pages.push((format!("wallet sign-in {hint:?}"), render_sign_in(&view)));
    }
    let line = |state: &State| Line {
        id: text(),
        merchant: text(),
        about: text(),
        auth_id: "id".into(),
        agreed_at: AT,
        state: *state,
        paused_until: Some(AT),
        last: Some((amount, AT)),
        next: Some((Date::of_day(20_779), Some(amount))),
    };
    for agreements in [State::ALL.iter().map(line).collect(), Vec::new()] {
        let balances = vec![(currency, Some(amount)), (Currency::parse("USD").unwrap(), None)];
        let view = HomeView { frame: frame(None), login_id: text(), balances, agreements, only: None };
        pages.push(("wallet home".into(), home::render(&view)));
        for only in Standing::ALL.iter().copied() {
            let view = HomeView { only: Some(only), ..view.clone() };
            pages.push((format!("wallet home {only}"), home::render(&view)));
        }
    }
    let whats = [
        What::Agreed { language, terminal: Terminal::Web, address: text() },
        What::TokensIssued,
        What::TokensRenewed,
        What::Notice { due_at: AT },
        What::Debit { payment: "id".into(), amount, went: Went::Paid, description: text() },
        What::Debit {
            payment: "id".into(),
            amount,
            went: Went::Declined(Refusal::BalanceNotEnough),
            description: String::new(),
        },
        What::Refund { payment: "id".into(), amount, reason: text() },
        What::Limited(Some(limits())),
        What::Limited(Some(Limits::NONE)),
        What::Limited(None),
        What::Paused(Some(AT)),
        What::Paused(None),
        What::Resumed,
        What::Asked(Said::Allowed),
        What::Asked(Said::NotAllowed),
        What::Asked(Said::Nothing),
        What::Ended(EndedBy::User),
        What::Ended(EndedBy::Merchant),
        What::Ended(EndedBy::Wallet),
    ];
    let events = whats.into_iter().map(|what| Event { at: AT, who: Who::App, what }).collect::<Vec<_>>();
    for state in State::ALL.iter().copied() {
        let period = |period: &Period| Spent {
            period: *period,
            since: AT,
            limit: 5,
            spent: if *period == Period::Day { 6 } else { 0 },
            currency,
        };
        let overview = Overview {
            state,
            paused_until: Some(AT),
            effective: (state != State::Asleep).then(limits),
            merchant: limits(),
            user: limits(),
            spent: Period::ALL.iter().map(period).collect(),
            debits: Some(1),
            schedule: None,
            next_due: Some(Date::of_day(20_779)),
            next_amount: None,
        };
        let view = AgreementView {
            frame: frame(Some(Hint::PinNeeded)),
            granted: Granted {
                id: "id".into(),
                auth_id: "id".into(),
                merchant: text(),
                legal_name: text(),
                agreed_at: AT,
                contract_title: Some(text()),
                contract_text: Some(text()),
                scopes: Scope::ALL.to_vec(),
                text_digest: Some(text()),
            },
            overview: Some(overview),
            currency: Some(currency),
            typed: Typed {
                per_debit: text(),
                per_day: text(),
                per_week: text(),
                per_month: text(),
                per_year: text(),
            },
            csrf: text(),
            tomorrow: Date::of_day(20_780),
            receipt: state == State::Ended,
            events: events.clone(),
            older: Some("/wallet".into()),
        };
        pages.push((format!("wallet agreement {state}"), render(&view)));
    }
    for said in [Said::Allowed, Said::NotAllowed, Said::Nothing] {
        let view = EndView {
            frame: frame(None),
            id: "id".into(),
            merchant: text(),
            csrf: text(),
            asks: true,
            last: Some((said, AT)),
            silences: 2,
        };
        pages.push((format!("wallet end {said:?}"), render_end(&view)));
    }
    for went in [Went::Paid, Went::Running, Went::Declined(Refusal::AmountOverDebitLimit)] {
        let view = PaymentView {
            frame: frame(None),
            id: text(),
            request_id: text(),
            merchant: text(),
            legal_name: text(),
            description: text(),
            amount,
            went,
            at: AT,
            agreement: "id".into(),
            agreed_at: AT,
            limits: None,
            cancelled_at: Some(AT),
            back: [None, Some(AT)].map(|at| Back { amount, at, reason: text() }).to_vec(),
        };
        pages.push((format!("wallet payment {went:?}"), payment::render(&view)));
    }
    let link = Some("/wallet".to_owned());
    let letter = Letter { title: text(), text: text(), language, at: AT, new: true, link };
    pages.push(("wallet inbox".into(), render_inbox(&frame(None), &[letter])));
    pages.push(("wallet inbox empty".into(), render_inbox(&frame(None), &[])));
    for carriers in [Carrier::ALL.to_vec(), Vec::new()] {
        let view = PreferencesView {
            frame: frame(Some(Hint::NoAddress)),
            csrf: text(),
            language: language.as_str().to_owned(),
            email: text(),
            carriers,
            carried: vec![(Kind::Debit, Carrier::Email)],
        };
        pages.push(("wallet preferences".into(), render_preferences(&view)));
    }
    let device = |user_agent: &str| DeviceLine {
        id: "id".into(),
        here: true,
        user_agent: user_agent.to_owned(),
        address: text(),
        created_at: AT,
        last_seen_at: AT,
        csrf: text(),
    };
    let devices = [hostile, "", "Mozilla/5.0 (iPhone) Safari/605", "Windows"].map(device).to_vec();
    let view = DevicesView { frame: frame(None), csrf: text(), devices };
    pages.push(("wallet devices".into(), render_devices(&view)));
    pages
}
