//! A payment that was answered Unknown, and what may not happen to it any more: a success that is decided, or carried
//! out, after its paymentExpiryTime or after the end of its agreement debits nothing.

mod stores;

use accord_core::agreement::control::{self, Change};
use accord_core::agreement::limits::Limits;
use accord_core::ids::{AuthId, PaymentId};
use accord_core::payment::pay::Forced;
use accord_core::payment::unresolved::{Decided, Running, decide};
use accord_core::payment::{PaymentStage, Resolution};
use accord_core::policy::MINUTE;
use accord_core::store::{self, Store};
use accord_core::user::UserStatus;
use accord_core::{Moment, Refusal, Timestamp};
use accord_testkit::conformance::fixture::{RICH, START};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, text};
use accord_wire::time;
use serde_json::Value;
use std::sync::Arc;
use stores::{Shelf, on_every_store};

/// When every order here expires.
const EXPIRY: i64 = START + MINUTE;

fn at(now: i64) -> Moment {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&now.to_be_bytes());
    Moment::new(Timestamp(now), seed)
}

struct Shop {
    store: Arc<dyn Store>,
    house: House,
    speech: Speech,
}

impl Shop {
    fn open(speech: Speech, shelf: Shelf) -> Shop {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        Shop { house: House::new(store.clone()), store, speech }
    }

    fn call(&self, operation: &str, body: &Value, forced: Option<Forced>, now: i64) -> Value {
        let [who, _] = self.speech.clients();
        let target = self.speech.target(operation);
        let request = who.request(&target, body.to_string().as_bytes(), &time::format_seconds(now, 0));
        let told = self.house.answer(&request, &at(now), Twist { forced, store: None });
        serde_json::from_slice(&told.answer.body).expect("JSON")
    }

    /// A payment of an order that expires, left running towards that end.
    fn running(&self, planned: Option<Resolution>) -> PaymentId {
        let prepared = self.call("prepare", &self.speech.prepare("expiry"), None, START);
        let auth_id = AuthId::read(&self.speech.auth_id(&prepared)).expect("an authId");
        let decided = self.house.decide(&auth_id, RICH, true, &at(START + 1));
        let accord_core::agreement::decide::Decided::Approved { code, .. } = decided else {
            panic!("approved")
        };
        let granted = self.call("applyToken", &self.speech.apply(code.reveal()), None, START + 2);
        let mut body = self.speech.pay(&text(&granted, "accessToken"), "order", "IQD", "1000");
        body["paymentExpiryTime"] = time::format_seconds(EXPIRY, 0).into();
        self.call("pay", &body, Some(Forced::Running(planned)), START + 3);
        let running = self.house.look(|rows| rows.running_payments(2));
        assert_eq!(running.len(), 1, "{running:?}");
        running[0].id.clone()
    }

    fn decide(&self, id: &PaymentId, succeed: bool, now: i64) -> Decided {
        let running = Running::Payment(id.clone());
        store::transact(&*self.store, move |tx| decide(tx, &running, succeed, "operator", &at(now)))
            .expect("a decision")
    }

    /// What the resolver makes of it when it comes round.
    fn resolved(&self, id: &PaymentId, now: i64) -> PaymentStage {
        self.house.resolve_due(&at(now));
        let id = id.clone();
        let payment = self.house.look(move |rows| rows.payment(&id)).expect("a payment");
        assert_eq!(payment.posting.is_some(), matches!(payment.stage, PaymentStage::Succeeded { .. }));
        payment.stage
    }
}

fn expired(now: i64) -> PaymentStage {
    PaymentStage::Failed { at: Timestamp(now), refusal: Refusal::OrderExpired }
}

#[test]
fn at_its_last_moment_a_payment_is_debited_and_a_millisecond_later_it_fails() {
    on_every_store(|shelf| {
        for speech in Speech::ALL {
            for (due, end) in [
                (EXPIRY, PaymentStage::Succeeded { at: Timestamp(EXPIRY) }),
                (EXPIRY + 1, expired(EXPIRY + 1)),
                (EXPIRY + MINUTE, expired(EXPIRY + 1)),
            ] {
                let shop = Shop::open(speech, shelf);
                let id = shop.running(Some(Resolution { due_at: Timestamp(due), succeed: true }));
                assert_eq!(shop.resolved(&id, EXPIRY.min(due) - 1), PaymentStage::InProcess);
                let now = due.min(EXPIRY + 1);
                assert_eq!(shop.resolved(&id, now), end, "due at {due}");
                assert_eq!(shop.resolved(&id, EXPIRY + 2 * MINUTE), end, "and so it stays");
            }
        }
    });
}

#[test]
fn a_success_that_is_carried_out_too_late_is_a_failure() {
    on_every_store(|shelf| {
        // Planned or decided in time; the server was down until after the expiry.
        for speech in Speech::ALL {
            for decided in [false, true] {
                let shop = Shop::open(speech, shelf);
                let planned = Resolution { due_at: Timestamp(EXPIRY - 1), succeed: true };
                let id = shop.running((!decided).then_some(planned));
                if decided {
                    assert_eq!(shop.decide(&id, true, EXPIRY), Decided::Due);
                }
                assert_eq!(shop.resolved(&id, EXPIRY + MINUTE), expired(EXPIRY + MINUTE));
            }
        }
    });
}

#[test]
fn nothing_is_decided_about_a_payment_after_its_expiry() {
    on_every_store(|shelf| {
        for succeed in [true, false] {
            let shop = Shop::open(Speech::AlipayPlus, shelf);
            let id = shop.running(None);
            assert_eq!(shop.decide(&id, succeed, EXPIRY + 1), Decided::Expired);
            assert_eq!(shop.resolved(&id, EXPIRY + 1), expired(EXPIRY + 1));
            assert_eq!(shop.decide(&id, succeed, EXPIRY + 2), Decided::Ended);
        }
    });
}

/// What happens to an agreement, or to its user, while a payment of it runs.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    /// It ends, whoever ends it.
    Ended,
    /// The last moment of validity that the user set passes.
    Lapsed,
    /// The user is frozen.
    Frozen,
}

impl Meanwhile {
    fn happens(self, shop: &Shop) {
        let now = at(START + 10);
        match self {
            Meanwhile::Ended => shop.house.end_agreement(RICH, &now),
            Meanwhile::Lapsed => {
                let (customer, agreement) = (RICH.id(), shop.house.agreement_of(RICH).id);
                let change = Change { agreement, actor: customer.as_str().to_owned(), customer };
                let limits = Limits { valid_to: Some(Timestamp(START + 20)), ..Limits::NONE };
                store::transact(&*shop.store, move |tx| control::set_user_limits(tx, &change, limits, &now))
                    .expect("a limit");
            }
            Meanwhile::Frozen => shop.house.change_user(RICH, |user| user.status = UserStatus::Frozen),
        }
    }

    fn refusal(self) -> Refusal {
        match self {
            Meanwhile::Ended | Meanwhile::Lapsed => Refusal::AccessTokenUnknown,
            Meanwhile::Frozen => Refusal::UserFrozen,
        }
    }
}

#[test]
fn a_running_payment_is_not_debited_after_the_end_of_its_agreement() {
    on_every_store(|shelf| {
        for speech in Speech::ALL {
            for what in [Meanwhile::Ended, Meanwhile::Lapsed, Meanwhile::Frozen] {
                let shop = Shop::open(speech, shelf);
                let due = START + 30;
                let id = shop.running(Some(Resolution { due_at: Timestamp(due), succeed: true }));
                what.happens(&shop);
                let failed = PaymentStage::Failed { at: Timestamp(due), refusal: what.refusal() };
                assert_eq!(shop.resolved(&id, due), failed, "{what:?} {speech:?}");
                assert_eq!(shop.resolved(&id, EXPIRY + MINUTE), failed, "and so it stays");
            }
        }
    });
}

#[test]
fn a_person_cannot_decide_that_a_debit_succeeds_after_the_end_of_its_agreement() {
    on_every_store(|shelf| {
        for what in [Meanwhile::Ended, Meanwhile::Lapsed] {
            let shop = Shop::open(Speech::AlipayPlus, shelf);
            let id = shop.running(None);
            what.happens(&shop);
            assert_eq!(shop.decide(&id, true, START + 30), Decided::AgreementOver, "{what:?}");
            assert_eq!(shop.resolved(&id, START + 30), PaymentStage::InProcess, "nothing was changed");
            assert_eq!(shop.decide(&id, false, START + 31), Decided::Due);
            let refusal = Refusal::RiskRejected;
            assert_eq!(
                shop.resolved(&id, START + 31),
                PaymentStage::Failed { at: Timestamp(START + 31), refusal }
            );
        }
        // Decided in time, carried out too late.
        let shop = Shop::open(Speech::Qi, shelf);
        let id = shop.running(None);
        assert_eq!(shop.decide(&id, true, START + 5), Decided::Due);
        Meanwhile::Ended.happens(&shop);
        let failed = PaymentStage::Failed { at: Timestamp(START + 30), refusal: Refusal::AccessTokenUnknown };
        assert_eq!(shop.resolved(&id, START + 30), failed);
    });
}
