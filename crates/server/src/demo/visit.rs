//! What the demo merchant remembers of a browser, by a cookie. In memory, and bounded.

use super::merchant::Now;
use super::{Demo, wire_log};
use crate::clock::random;
use crate::pages::demo::{DemoDialect, DemoState, Notice};
use crate::pages::demo_shop::ShopState;
use crate::pages::demo_wire::{Event, Exchange, Happening};
use accord_core::secret::Digest;
use accord_core::user::Language;
use axum::http::{HeaderMap, header};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use subtle::ConstantTimeEq;

const COOKIE: &str = "accord_demo";
/// Browsers remembered at once; beyond it the one that was away longest is forgotten.
const MOST_VISITS: usize = 256;
/// Messages kept of one flow.
const MOST_EXCHANGES: usize = 60;
/// Events kept of one flow.
const MOST_EVENTS: usize = 60;

/// One flow of one browser.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) state: DemoState,
    pub(super) shop: ShopState,
    pub(super) notice: Option<Notice>,
    /// Newest first.
    pub(super) exchanges: VecDeque<Exchange>,
    /// What happened between them, newest first.
    pub(super) events: VecDeque<Event>,
    /// Notifications up to this number belong to an earlier life.
    pub(super) since: u64,
    /// Is every call made by itself (the page of the steps)?
    pub(super) at_steps: bool,
    /// What must come back with the code (Alipay+ prepare, authState).
    pub(super) auth_state: Option<String>,
}

impl Default for Flow {
    fn default() -> Flow {
        let state = DemoState {
            contract_desc: "Dijla Stream: films and series for 25,000 IQD a month, until you end it."
                .to_owned(),
            amount: "25000000".to_owned(),
            currency: "IQD".to_owned(),
            ..DemoState::default()
        };
        Flow {
            state,
            shop: ShopState::default(),
            notice: None,
            exchanges: VecDeque::new(),
            events: VecDeque::new(),
            since: 0,
            at_steps: false,
            auth_state: None,
        }
    }
}

impl Flow {
    /// Writes an exchange down.
    pub(super) fn log(&mut self, exchange: Exchange) {
        wire_log::push_bounded(&mut self.exchanges, exchange, MOST_EXCHANGES);
    }

    /// Writes down what happened between exchanges.
    pub(super) fn happened(&mut self, demo: &Demo, now: &Now, what: Happening) {
        let event = Event { number: demo.next_number(), at: now.millis, what };
        wire_log::push_bounded(&mut self.events, event, MOST_EVENTS);
    }
}

/// Everything about one browser.
#[derive(Debug, Default)]
pub(super) struct Visit {
    pub(super) language: Option<Language>,
    qi: Flow,
    alipay_plus: Flow,
    /// When it was last here, counted in requests.
    seen: u64,
}

impl Visit {
    pub(super) fn flow(&mut self, dialect: DemoDialect) -> &mut Flow {
        match dialect {
            DemoDialect::Qi => &mut self.qi,
            DemoDialect::AlipayPlus => &mut self.alipay_plus,
        }
    }
}

/// Who asks: a number of its own.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    number: String,
    fresh: bool,
}

impl Visitor {
    /// The token of this browser's forms. It is not the cookie, and the cookie cannot be found from it.
    pub(super) fn form_token(&self) -> String {
        Digest::of_parts(&["demo form", &self.number]).hex()
    }

    /// The cookie to be set, for a browser that has none yet.
    pub(super) fn set_cookie(&self) -> Option<String> {
        self.fresh.then(|| format!("{COOKIE}={}; Path=/demo; HttpOnly; SameSite=Lax", self.number))
    }
}

#[derive(Debug, Default)]
struct Remembered {
    visits: HashMap<String, Visit>,
    requests: u64,
}

/// All browsers.
#[derive(Debug, Default)]
pub(super) struct Visits(Mutex<Remembered>);

impl Visits {
    /// Reads the cookie; a browser without one gets a number.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Visitor {
        match cookie(headers)
            .filter(|number| number.len() == 32 && number.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            Some(number) => Visitor { number, fresh: false },
            None => Visitor { number: hex(&random::<16>()), fresh: true },
        }
    }

    /// Was this token given to this browser?
    pub(super) fn owns_form(&self, visitor: &Visitor, token: &str) -> bool {
        !visitor.fresh && bool::from(visitor.form_token().as_bytes().ct_eq(token.as_bytes()))
    }

    /// Works on what is remembered of a browser.
    pub(super) fn with<T>(&self, visitor: &Visitor, work: impl FnOnce(&mut Visit) -> T) -> T {
        let mut remembered = self.lock();
        remembered.requests += 1;
        let requests = remembered.requests;
        if remembered.visits.len() >= MOST_VISITS && !remembered.visits.contains_key(&visitor.number) {
            let longest_away = remembered.visits.iter().min_by_key(|(_, visit)| visit.seen);
            if let Some(number) = longest_away.map(|(number, _)| number.clone()) {
                remembered.visits.remove(&number);
            }
        }
        let visit = remembered.visits.entry(visitor.number.clone()).or_default();
        visit.seen = requests;
        work(visit)
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // What a panic left behind is at worst half a step of one browser.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A fresh id: 24 hex digits.
pub(super) fn fresh_id() -> String {
    hex(&random::<12>())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE).then(|| value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn a_browser_is_known_again_by_its_cookie() {
        let visits = Visits::default();
        let first = visits.visitor(&HeaderMap::new());
        visits.with(&first, |visit| visit.flow(DemoDialect::Qi).state.amount = "7".into());
        let cookie = first.set_cookie().unwrap();
        let again = visits.visitor(&headers(&format!("x=1; {}", cookie.split(';').next().unwrap())));
        assert_eq!(again.set_cookie(), None);
        assert_eq!(visits.with(&again, |visit| visit.flow(DemoDialect::Qi).state.amount.clone()), "7");
        assert_eq!(
            visits.with(&again, |visit| visit.flow(DemoDialect::AlipayPlus).state.amount.clone()),
            "25000000"
        );
        assert!(visits.owns_form(&again, &first.form_token()));
        for token in ["", "x", again.number.as_str()] {
            assert!(!visits.owns_form(&again, token));
        }
        let stranger = visits.visitor(&headers("accord_demo=short"));
        assert!(!visits.owns_form(&stranger, &first.form_token()));
        assert!(!visits.owns_form(&stranger, &stranger.form_token()), "it has never seen a form");
    }

    #[test]
    fn browsers_that_stay_away_are_forgotten() {
        let visits = Visits::default();
        let first = visits.visitor(&HeaderMap::new());
        visits.with(&first, |visit| visit.language = Some(Language::Arabic));
        for _ in 0..MOST_VISITS {
            visits.with(&visits.visitor(&HeaderMap::new()), |_| ());
        }
        assert_eq!(visits.with(&first, |visit| visit.language), None);
        assert_eq!(visits.lock().visits.len(), MOST_VISITS);
    }
}
