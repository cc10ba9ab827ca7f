//! A wallet with one agreement, in either dialect, on any store.

use crate::stores::{Opened, on_every_store};
use accord_core::agreement::Agreement;
use accord_core::agreement::control::Change;
use accord_core::agreement::decide::Decided;
use accord_core::ids::{AuthId, ClientId, DialectName, PaymentRequestId};
use accord_core::money::Amount;
use accord_core::payment::PaymentStage;
use accord_core::payment::pay::{Pay, pay};
use accord_core::policy::{DAY, Policy};
use accord_core::secret::{Digest, Secret};
use accord_core::store::{self, Tx};
use accord_core::token::live::Bearer;
use accord_core::voice::Context;
use accord_core::{Moment, Refusal, Ruled, Stop, Timestamp};
use accord_testkit::conformance::fixture::{self, RICH};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, result_code, text};
use accord_wire::time;
use serde_json::{Value, json};
use std::sync::Arc;

/// Alipay+'s access tokens live 180 days: so often a new pair is asked for…
const REFRESHED_AFTER: i64 = 100 * DAY;
/// …and at the latest after so long.
const OVERDUE_AFTER: i64 = 175 * DAY;

pub fn moment(now: i64, number: u64) -> Moment {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Moment::new(Timestamp(now), seed)
}

/// In both dialects, on every store.
pub fn everywhere(mut check: impl FnMut(Speech, &Opened)) {
    on_every_store(|shelf| {
        let store = shelf.open();
        Speech::ALL.into_iter().for_each(|speech| check(speech, &store));
    });
}

/// A wallet with one agreement.
pub struct Home {
    pub house: House,
    pub change: Change,
    speech: Speech,
    token: String,
    refresh: String,
    refreshed_at: i64,
    calls: u64,
}

impl Home {
    /// A contract of Qi with those terms, at `now`, in a store that is emptied first.
    pub fn contracted(store: &Opened, info: Value, now: i64) -> Home {
        Home::open(Speech::Qi, store, Some(info), now)
    }

    /// prepare, the user's yes, applyToken, at `now`, in a store that is emptied first; terms that limit nothing.
    pub fn agreed(speech: Speech, store: &Opened, now: i64) -> Home {
        Home::open(speech, store, None, now)
    }

    fn open(speech: Speech, store: &Opened, info: Option<Value>, now: i64) -> Home {
        store.empty();
        let house = House::new(Arc::new(store.clone()));
        let mut body = speech.prepare("agreement-1");
        if let Some(info) = info {
            body["extendInfo"] = info.to_string().into();
        }
        let prepared = call(&house, speech, "prepare", &body, &moment(now, 1));
        let id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
        let decided = house.decide(&id, RICH, true, &moment(now, 2));
        let Decided::Approved { code, .. } = decided else { panic!("not approved: {decided:?}") };
        let granted = call(&house, speech, "applyToken", &speech.apply(code.reveal()), &moment(now, 3));
        let agreement = house.agreement_of(RICH).id;
        Home {
            change: Change { agreement, customer: RICH.id(), actor: "the user".to_owned() },
            house,
            speech,
            token: text(&granted, "accessToken"),
            refresh: text(&granted, "refreshToken"),
            refreshed_at: now,
            calls: 3,
        }
    }

    /// Asks for new pairs of tokens in time, up to then. Past its validity an agreement gives none.
    fn keep_tokens(&mut self, now: i64) {
        while self.speech == Speech::AlipayPlus && now - self.refreshed_at > REFRESHED_AFTER {
            let late = now - self.refreshed_at > OVERDUE_AFTER;
            let at = if late { self.refreshed_at + REFRESHED_AFTER } else { now };
            self.calls += 1;
            let (body, moment) = (self.speech.refresh(&self.refresh), moment(at, self.calls));
            let granted = said(&self.house, self.speech, "applyToken", &body, &moment);
            if result_code(&granted) == "INVALID_REFRESH_TOKEN" {
                return;
            }
            (self.token, self.refresh) = (text(&granted, "accessToken"), text(&granted, "refreshToken"));
            self.refreshed_at = at;
        }
    }

    /// The policy of its dialect.
    pub fn policy(&self) -> Policy {
        self.house.dialect(self.speech.name()).policy().clone()
    }

    /// Runs a rule of the wallet.
    pub fn rule<T: Send + 'static>(
        &mut self,
        now: i64,
        rule: impl FnMut(&mut dyn Tx, Context<'_>, &Change, &Moment) -> Ruled<T> + Send + 'static,
    ) -> T {
        self.try_rule(now, rule).expect("a rule that is kept")
    }

    fn try_rule<T: Send + 'static>(
        &mut self,
        now: i64,
        mut rule: impl FnMut(&mut dyn Tx, Context<'_>, &Change, &Moment) -> Ruled<T> + Send + 'static,
    ) -> Ruled<T> {
        self.calls += 1;
        let (at, change, keys) = (moment(now, self.calls), self.change.clone(), fixture::derivation_keys());
        let voice = self.house.dialect(self.speech.name());
        store::transact(&*self.house.store, move |tx| {
            rule(tx, Context { keys: &keys, voice: &*voice }, &change, &at)
        })
    }

    /// A debit; why it was refused.
    pub fn debit(&mut self, amount: Amount, now: i64) -> Result<(), Refusal> {
        self.keep_tokens(now);
        let client = ClientId::new(self.speech.clients()[0].client_id);
        let owner = self.house.agreement_of(RICH).owner;
        let command = Pay {
            bearer: Bearer { owner, auth_client_id: None },
            client,
            dialect: DialectName::new(self.speech.name()),
            request_id: PaymentRequestId::new(format!("order-{}", self.calls)),
            fingerprint: Digest::of("a debit"),
            token: Secret::new(&*self.token),
            amount,
            expires_at: None,
            evaluation: false,
            notify_url: None,
            description: String::new(),
            extras: "{}".to_owned(),
            forced: None,
        };
        let paid = self.try_rule(now, move |tx, context, _, at| pay(tx, &command, context, at));
        match paid {
            Ok(payment) => match payment.stage {
                PaymentStage::Succeeded { .. } => Ok(()),
                PaymentStage::Failed { refusal, .. } => Err(refusal),
                PaymentStage::InProcess => panic!("nothing runs on here"),
            },
            Err(Stop::Refused(refusal)) => Err(refusal),
            Err(Stop::Fault(fault)) => panic!("{fault}"),
        }
    }
}

/// An agreement whose code was not redeemed yet, in a store that is emptied first.
pub fn unredeemed(speech: Speech, store: &Opened, now: i64) -> (House, Agreement) {
    store.empty();
    let house = House::new(Arc::new(store.clone()));
    let prepared = call(&house, speech, "prepare", &speech.prepare("agreement-1"), &moment(now, 1));
    let id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
    let decided = house.decide(&id, RICH, true, &moment(now, 2));
    assert!(matches!(decided, Decided::Approved { .. }), "{decided:?}");
    let agreement = house.agreement_of(RICH);
    (house, agreement)
}

fn call(house: &House, speech: Speech, operation: &str, body: &Value, at: &Moment) -> Value {
    let answer = said(house, speech, operation, body, at);
    assert_eq!(answer["result"]["resultStatus"], json!("S"), "{operation}: {answer}");
    answer
}

fn said(house: &House, speech: Speech, operation: &str, body: &Value, at: &Moment) -> Value {
    let [who, _] = speech.clients();
    let clock = time::format_seconds(at.now.0, 3 * 3600);
    let request = who.request(&speech.target(operation), body.to_string().as_bytes(), &clock);
    let (reply, _) = house.reply(&request, at, Twist::default());
    serde_json::from_slice(&reply.body).expect("a JSON reply")
}
