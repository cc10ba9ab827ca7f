//! Money given back, as stories: refunds in parts, cancels before, while and after a payment, many at one moment.
//!
//! On the model store and on SQLite; after every story the books are proved from the entries.

mod stores;

use accord_core::ids::AuthId;
use accord_core::ledger::verify::{Report, verify};
use accord_core::message::About;
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::policy::{DAY, MINUTE};
use accord_core::store::Store;
use accord_core::{Moment, Timestamp};
use accord_testkit::conformance::fixture::{RICH, START};
use accord_testkit::conformance::house::{House, Told, Twist};
use accord_testkit::conformance::speech::{Speech, result_code, text};
use accord_wire::gateway::Request;
use accord_wire::time;
use serde_json::Value;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

/// What every story pays.
const PRICE: i64 = 1_000_000;

/// One merchant's dealings with one house.
struct Shop {
    house: House,
    speech: Speech,
    access: String,
    now: Cell<i64>,
}

/// The story in both dialects, on each store.
fn everywhere(tell: impl Fn(&Shop)) {
    for speech in Speech::ALL {
        on_every_store(speech, &tell);
    }
}

fn on_every_store(speech: Speech, tell: impl Fn(&Shop)) {
    stores::on_every_store(|shelf| {
        let shop = Shop::open(House::new(Arc::new(shelf.open())), speech);
        tell(&shop);
        shop.books();
    });
}

/// A moment like no other at that time.
fn moment(now: i64) -> Moment {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number);
    Moment::new(Timestamp(now), seed)
}

impl Shop {
    fn open(house: House, speech: Speech) -> Shop {
        let shop = Shop { house, speech, access: String::new(), now: Cell::new(START) };
        let prepared = shop.call("prepare", &speech.prepare("refunds"), "SUCCESS");
        let auth_id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
        let decided = shop.house.decide(&auth_id, RICH, true, &moment(START));
        let accord_core::agreement::decide::Decided::Approved { code, .. } = decided else {
            panic!("approved")
        };
        let granted = shop.call("applyToken", &speech.apply(code.reveal()), "SUCCESS");
        Shop { access: text(&granted, "accessToken"), ..shop }
    }

    fn wait(&self, millis: i64) {
        self.now.set(self.now.get() + millis);
    }

    fn request(&self, operation: &str, body: &Value) -> Request {
        let [who, _] = self.speech.clients();
        let time = time::format_seconds(self.now.get(), 0);
        who.request(&self.speech.target(operation), body.to_string().as_bytes(), &time)
    }

    fn call(&self, operation: &str, body: &Value, code: &str) -> Value {
        self.call_with(operation, body, None, code)
    }

    fn call_with(&self, operation: &str, body: &Value, forced: Option<Forced>, code: &str) -> Value {
        let twist = Twist { forced, store: None };
        let Told { answer, .. } =
            self.house.answer(&self.request(operation, body), &moment(self.now.get()), twist);
        let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(result_code(&body), code, "{operation}: {body}");
        body
    }

    /// A payment of the price; the wallet's id of it.
    fn pay(&self, order: &str) -> String {
        let body = self.speech.pay(&self.access, order, "IQD", &PRICE.to_string());
        text(&self.call("pay", &body, "SUCCESS"), "paymentId")
    }

    fn pay_again(&self, order: &str, code: &str) {
        self.call("pay", &self.speech.pay(&self.access, order, "IQD", &PRICE.to_string()), code);
    }

    fn refund(&self, order: &str, payment: &str, id: &str, value: i64, code: &str) -> Value {
        let body = self.speech.refund(order, payment, id, "IQD", &value.to_string());
        self.call("refund", &body, code)
    }

    fn cancel(&self, order: &str, code: &str) {
        self.call("cancelPayment", &self.speech.cancel_payment(order), code);
    }

    fn inquire(&self, order: &str) -> Value {
        self.call("inquiryPayment", &self.speech.inquire(order), "SUCCESS")
    }

    /// What an Alipay+ inquiry says of the payment.
    fn payment_result(&self, order: &str) -> String {
        text(&self.inquire(order)["paymentResult"], "resultCode")
    }

    fn balance(&self) -> i64 {
        self.house.balance(RICH, "IQD").expect("an account")
    }

    /// Sums of money that messages told the user came back, oldest first.
    fn messages(&self) -> Vec<i64> {
        let messages = self.house.look(|rows| rows.messages(&RICH.id(), 100));
        let told = messages.iter().rev().filter_map(|message| match &message.about {
            About::Refund { amount, .. } => Some(amount.value()),
            _ => None,
        });
        told.collect()
    }

    fn books(&self) -> Report {
        let report = self.house.look(|rows| verify(rows));
        assert_eq!(report.faults, Vec::<String>::new());
        report
    }
}

fn over(speech: Speech) -> &'static str {
    speech.code(accord_wire::dialect::Reason::Refusal(accord_core::Refusal::RefundOverPayment)).code
}

#[test]
fn a_payment_goes_back_in_parts_and_never_more_than_was_paid() {
    everywhere(|shop| {
        let before = shop.balance();
        let payment = shop.pay("order");
        for (part, id) in ["one", "two", "three"].into_iter().enumerate() {
            shop.refund("order", &payment, id, 300_000, "SUCCESS");
            shop.wait(1_000);
            let back = 300_000 * (part as i64 + 1);
            assert_eq!(shop.balance(), before - PRICE + back, "the payer has it at once");
        }
        shop.refund("order", &payment, "too much", 100_001, over(shop.speech));
        assert_eq!(shop.balance(), before - PRICE + 900_000);
        let told = shop.inquire("order");
        if shop.speech == Speech::Qi {
            let kinds: Vec<String> = told["transactions"]
                .as_array()
                .expect("transactions")
                .iter()
                .map(|one| format!("{} {}", text(one, "transactionType"), text(one, "transactionStatus")))
                .collect();
            assert_eq!(kinds, ["PAYMENT SUCCESS", "REFUND SUCCESS", "REFUND SUCCESS", "REFUND SUCCESS"]);
            assert_eq!(told["paymentStatus"], "SUCCESS");
        } else {
            assert_eq!(shop.payment_result("order"), "SUCCESS");
        }
        shop.refund("order", &payment, "the rest", 100_000, "SUCCESS");
        assert_eq!(shop.balance(), before);
        assert_eq!(shop.messages(), [300_000, 300_000, 300_000, 100_000]);
        assert_eq!(shop.books().refunds, 5, "the refused one is kept as a fact");
    });
}

#[test]
fn of_many_refunds_of_the_rest_one_wins() {
    everywhere(|shop| {
        let before = shop.balance();
        let payment = shop.pay("order");
        shop.refund("order", &payment, "first", 400_000, "SUCCESS");
        let calls: Vec<(Request, Moment)> = (0..32)
            .map(|number| {
                let id = format!("rest {number}");
                let body = shop.speech.refund("order", &payment, &id, "IQD", "600000");
                (shop.request("refund", &body), moment(shop.now.get()))
            })
            .collect();
        let barrier = Barrier::new(calls.len());
        let codes: Vec<String> = std::thread::scope(|scope| {
            let callers: Vec<_> = calls
                .iter()
                .map(|(request, at)| {
                    let (barrier, house) = (&barrier, &shop.house);
                    scope.spawn(move || {
                        barrier.wait();
                        let body = house.answer(request, at, Twist::default()).answer.body;
                        let body: Value = serde_json::from_slice(&body).expect("JSON");
                        result_code(&body).to_owned()
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().expect("an answer")).collect()
        });
        assert_eq!(codes.iter().filter(|code| *code == "SUCCESS").count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| *code == over(shop.speech)).count(), 31, "{codes:?}");
        assert_eq!(shop.balance(), before);
    });
}

#[test]
fn a_refund_that_runs_is_in_flight_until_it_is_resolved() {
    everywhere(|shop| {
        let before = shop.balance();
        let payment = shop.pay("order");
        let running = |id: &str, succeed: bool| {
            let due_at = Timestamp(shop.now.get() + MINUTE);
            let forced = Some(Forced::Running(Some(Resolution { due_at, succeed })));
            let body = shop.speech.refund("order", &payment, id, "IQD", "500000");
            let code =
                shop.speech.code(accord_wire::dialect::Reason::Refusal(accord_core::Refusal::RefundRunning));
            shop.call_with("refund", &body, forced, code.code);
        };
        running("good", true);
        running("bad", false);
        assert_eq!(shop.balance(), before - PRICE);
        assert_eq!(shop.books().refunds_in_flight.get("IQD"), Some(&1_000_000));
        shop.refund("order", &payment, "nothing left", 1, over(shop.speech));
        shop.wait(MINUTE);
        shop.house.resolve_due(&moment(shop.now.get()));
        assert_eq!(shop.balance(), before - 500_000);
        assert_eq!(shop.books().refunds_in_flight.get("IQD"), Some(&0));
        assert_eq!(shop.messages(), [500_000]);
        shop.refund("order", &payment, "good", 500_000, "SUCCESS");
        shop.refund("order", &payment, "again", 500_000, "SUCCESS");
        assert_eq!(shop.balance(), before);
    });
}

#[test]
fn a_payment_can_be_refunded_for_at_least_366_days() {
    on_every_store(Speech::AlipayPlus, |shop| {
        let payment = shop.pay("order");
        shop.wait(366 * DAY);
        shop.refund("order", &payment, "day 366", 1_000, "SUCCESS");
        shop.wait(DAY + 1);
        shop.refund("order", &payment, "day 367", 1_000, "REFUND_WINDOW_EXCEED");
    });
    on_every_store(Speech::Qi, |shop| {
        let payment = shop.pay("order");
        shop.wait(3_000 * DAY);
        shop.refund("order", &payment, "years later", 1_000, "SUCCESS");
    });
}

#[test]
fn a_cancel_after_pay_gives_back_what_is_left_and_closes_the_order() {
    on_every_store(Speech::AlipayPlus, |shop| {
        let before = shop.balance();
        let payment = shop.pay("order");
        shop.refund("order", &payment, "part", 250_000, "SUCCESS");
        shop.wait(1_000);
        shop.cancel("order", "SUCCESS");
        assert_eq!(shop.balance(), before);
        shop.cancel("order", "SUCCESS");
        assert_eq!(shop.balance(), before, "once");
        assert_eq!(shop.messages(), [250_000, 750_000]);
        assert_eq!(shop.payment_result("order"), "ORDER_IS_CLOSED");
        shop.pay_again("order", "ORDER_IS_CLOSED");
        shop.refund("order", &payment, "of a cancelled one", 1, "ORDER_IS_CLOSED");
        shop.refund("order", &payment, "part", 250_000, "SUCCESS");
    });
}

#[test]
fn a_cancel_before_pay_closes_the_order_for_good() {
    on_every_store(Speech::AlipayPlus, |shop| {
        let before = shop.balance();
        shop.cancel("order", "SUCCESS");
        shop.wait(400 * DAY);
        shop.cancel("order", "SUCCESS");
        shop.now.set(START);
        shop.pay_again("order", "ORDER_IS_CLOSED");
        assert_eq!(shop.balance(), before);
        assert_eq!(shop.payment_result("order"), "ORDER_IS_CLOSED");
    });
}

#[test]
fn a_cancel_while_paying_ends_the_payment_and_nothing_is_debited_later() {
    on_every_store(Speech::AlipayPlus, |shop| {
        let before = shop.balance();
        let due_at = Timestamp(shop.now.get() + MINUTE);
        let forced = Some(Forced::Running(Some(Resolution { due_at, succeed: true })));
        let body = shop.speech.pay(&shop.access, "order", "IQD", &PRICE.to_string());
        shop.call_with("pay", &body, forced, "PAYMENT_IN_PROCESS");
        shop.cancel("order", "SUCCESS");
        shop.wait(MINUTE);
        shop.house.resolve_due(&moment(shop.now.get()));
        assert_eq!(shop.balance(), before);
        shop.pay_again("order", "ORDER_IS_CLOSED");
        assert_eq!(shop.payment_result("order"), "ORDER_IS_CLOSED");
        let told: Vec<String> = shop.house.notices().into_iter().map(|(_, _, body)| body).collect();
        assert!(told.iter().any(|body| body.contains("ORDER_IS_CLOSED")), "its end is notified: {told:?}");
    });
}

#[test]
fn a_refund_in_flight_of_a_cancelled_order_reaches_the_payer_either_way() {
    for succeed in [true, false] {
        on_every_store(Speech::AlipayPlus, |shop| {
            let before = shop.balance();
            let payment = shop.pay("order");
            let due_at = Timestamp(shop.now.get() + MINUTE);
            let forced = Some(Forced::Running(Some(Resolution { due_at, succeed })));
            let body = shop.speech.refund("order", &payment, "part", "IQD", "400000");
            shop.call_with("refund", &body, forced, "UNKNOWN_EXCEPTION");
            shop.cancel("order", "SUCCESS");
            assert_eq!(shop.balance(), before - 400_000);
            shop.books();
            shop.wait(MINUTE);
            shop.house.resolve_due(&moment(shop.now.get()));
            assert_eq!(shop.balance(), before, "the refund ended with success: {succeed}");
        });
    }
}

#[test]
fn an_altered_refund_or_payment_does_not_pass_for_good_books() {
    stores::on_every_store(|shelf| {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        let shop = Shop::open(House::new(store.clone()), Speech::Qi);
        let payment = shop.pay("order");
        shop.refund("order", &payment, "part", 400_000, "SUCCESS");
        shop.books();
        let spoilt = accord_core::store::transact(&*store, |tx| {
            let mut refund = tx.refunds_after(None, 1)?.remove(0);
            refund.amount =
                accord_core::money::Amount::new(refund.amount.currency, 300_000).expect("an amount");
            Ok(tx.update_refund(&refund)?)
        });
        spoilt.expect("a changed row");
        let faults = shop.house.look(|rows| verify(rows)).faults;
        assert_eq!(faults.len(), 2, "the refund, and the payment's sum: {faults:?}");
    });
}
