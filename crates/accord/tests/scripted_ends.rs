//! What answered Unknown over a real server, and the end it came to: debits at their expiry, cancellations whose answer
//! was lost or that never happened, refunds on their way. Answers, inquiries, notices, messages and money agree.

mod house;

use house::mailbox::{Mailbox, Manner};
use house::shop::{Bill, Heard, Shop};
use house::support::{On, on_every_store};
use house::{House, Tokens, millis};
use serde_json::{Value, json};

on_every_store!(
    async
    a_debit_that_runs_past_its_expiry_fails_then_and_is_never_made,
    a_persons_decision_debits_only_before_the_expiry,
    a_cancellation_that_answered_unknown_was_done_whole_or_not_at_all,
    what_is_asked_of_a_refund_on_its_way_is_what_its_end_will_confirm,
);

const PRICE: i128 = 25_000;

fn bill(id: &str) -> Bill {
    Bill::new(id, "IQD", 25_000)
}

/// U, and then an end or none.
fn script(operation: &str, then: Option<&str>, after_seconds: i64) -> Value {
    json!({ "operation": operation, "outcome": "U", "then": then, "afterSeconds": after_seconds })
}

/// A pay that expires so many seconds from now.
async fn expiring(house: &House, shop: &Shop, bill: &Bill, tokens: &Tokens, seconds: i64) -> Heard {
    let mut body = shop.pay_body(bill, &tokens.access);
    let expiry = millis(&json!(house.now().await)) + seconds * 1_000;
    body["paymentExpiryTime"] = json!(accord_wire::time::format_seconds(expiry, 0));
    shop.call("pay", body).await
}

/// The ids of the payments and refunds that have no end yet.
fn unresolved(house: &House) -> Vec<Value> {
    let data = house.data().display().to_string();
    let listed = house::support::run(&["payment", "unresolved", "--data", &data, "--json"]).ends(0).json();
    listed["unresolved"].as_array().expect("rows").clone()
}

async fn a_debit_that_runs_past_its_expiry_fails_then_and_is_never_made(on: On) {
    let house = House::open("expiry", on);
    let data = house.data().display().to_string();
    for (who, code) in [("qi2", "ORDER_STATUS_INVALID"), ("alipayPlus2", "ORDER_IS_CLOSED")] {
        let shop = house.shop(who);
        let mailbox = Mailbox::open(shop.receiver(), |_| Manner::Sign).await;
        let tokens = house.agree(&shop, "plan", 0, None).await;
        let (before, told) = (house.balance(0, "IQD").await, house.messages(0).await.len());
        // Planned to succeed after the expiry; waiting for a person; planned to succeed in time.
        let plans = [("late", Some("success"), 3_600), ("stuck", None, 0), ("intime", Some("success"), 20)];
        for (id, then, after) in plans {
            house.fault(script("pay", then, after)).await;
            let url = format!("{}/{id}", mailbox.url);
            expiring(&house, &shop, &bill(id).notify(&url), &tokens, 60).await.is("U PAYMENT_IN_PROCESS");
        }
        let stuck = unresolved(&house).into_iter().find(|row| row["requestId"] == "stuck").expect("a row");
        assert_eq!(stuck["becomes"], "failure", "at its expiry: {stuck}");
        assert!(millis(&stuck["resolvesAt"]) - millis(&stuck["expiresAt"]) == 1, "{stuck}");
        house.advance(30).await;
        assert_eq!(shop.inquire("late").await, Some('U'));
        assert_eq!(shop.inquire("intime").await, Some('S'));
        assert_eq!(house.balance(0, "IQD").await, before - PRICE);

        let started = millis(&json!(house.now().await));
        house.advance(40).await;
        for id in ["late", "stuck"] {
            let last = shop.pay(&bill(id), &tokens.access).await;
            last.is(&format!("F {code}"));
            let inquired = shop.call("inquiryPayment", shop.inquiry_body(id)).await;
            assert_eq!(shop.standing(&inquired), Some('F'));
            assert!(inquired.body.to_string().contains(code), "{}", inquired.body);
            let notice = house.tried(&format!("{}/{id}", mailbox.url), 1).await;
            assert_eq!(notice["state"], "delivered", "{notice}");
            let letter = mailbox.letters_to(&format!("/{id}"))[0].json();
            assert_eq!(letter["paymentResult"]["resultCode"], code, "{letter}");
        }
        let messages = house.messages(0).await;
        assert_eq!(messages.len(), told + 3, "one each: {messages:?}");
        let at = millis(&messages[0]["time"]) - started;
        assert!((0..40_000).contains(&at), "at the expiry, not when the clock stood still: {messages:?}");
        assert!(messages[0]["text"].as_str().is_some_and(|text| text.contains("expired")), "{messages:?}");

        // Nobody can decide otherwise afterwards, and the planned success of an hour later is forgotten.
        let id = stuck["id"].as_str().expect("an id");
        house::support::run(&["payment", "resolve", "--data", &data, id, "--to", "success"]).ends(1);
        house.advance(7_200).await;
        assert_eq!(shop.inquire("late").await, Some('F'));
        assert_eq!(house.balance(0, "IQD").await, before - PRICE);
        assert_eq!(house.messages(0).await.len(), told + 3);
    }
    house::support::run(&["ledger", "verify", "--data", &data]).ends(0);
}

async fn a_persons_decision_debits_only_before_the_expiry(on: On) {
    let house = House::open("decided", on);
    let data = house.data().display().to_string();
    let shop = house.shop("alipayPlus2");
    let tokens = house.agree(&shop, "plan", 0, None).await;
    let before = house.balance(0, "IQD").await;
    for (id, waits, exit, standing) in [("early", 0, 0, 'S'), ("late", 3_601, 1, 'F')] {
        house.fault(script("pay", None, 0)).await;
        expiring(&house, &shop, &bill(id), &tokens, 3_600).await.is("U PAYMENT_IN_PROCESS");
        let row = unresolved(&house).remove(0);
        house.advance(waits).await;
        let payment = row["id"].as_str().expect("an id");
        house::support::run(&["payment", "resolve", "--data", &data, payment, "--to", "success"]).ends(exit);
        let end = async || (shop.inquire(id).await == Some(standing)).then_some(());
        house.eventually("the end of a decided debit", end).await;
    }
    assert_eq!(house.balance(0, "IQD").await, before - PRICE);
    house::support::run(&["ledger", "verify", "--data", &data]).ends(0);
}

async fn cancel(shop: &Shop, id: &str) -> Heard {
    shop.call("cancelPayment", shop.inquiry_body(id)).await
}

/// What inquiryPayment says of an order, and the kinds of its transactions.
async fn known(shop: &Shop, id: &str) -> (String, Vec<String>) {
    let said = shop.call("inquiryPayment", shop.inquiry_body(id)).await;
    said.is("S SUCCESS");
    let kinds = said.body["transactions"].as_array().cloned().unwrap_or_default();
    let kinds = kinds.iter().map(|one| one["transactionType"].as_str().expect("a type").to_owned());
    (said.body["paymentResult"]["resultCode"].as_str().expect("a code").to_owned(), kinds.collect())
}

async fn a_cancellation_that_answered_unknown_was_done_whole_or_not_at_all(on: On) {
    let house = House::open("cancel-unknown", on);
    let data = house.data().display().to_string();
    let shop = house.shop("alipayPlus2");
    let mailbox = Mailbox::open(shop.receiver(), |_| Manner::Sign).await;
    let tokens = house.agree(&shop, "plan", 0, None).await;
    let before = house.balance(0, "IQD").await;
    let notice = |id: &str| format!("{}/{id}", mailbox.url);

    // Done, and the answer lost: the money is back before the repeat, which says so.
    shop.pay(&bill("paid"), &tokens.access).await.is("S SUCCESS");
    house.fault(script("cancelPayment", Some("success"), 0)).await;
    cancel(&shop, "paid").await.is("U UNKNOWN_EXCEPTION");
    assert_eq!(house.balance(0, "IQD").await, before);
    let closed = ("ORDER_IS_CLOSED".to_owned(), vec!["PAYMENT".to_owned(), "CANCEL".to_owned()]);
    assert_eq!(known(&shop, "paid").await, closed);
    cancel(&shop, "paid").await.is("S SUCCESS");
    assert_eq!(known(&shop, "paid").await, closed);

    // Not done: the debit stands until the repeat.
    for then in [Some("failure"), None] {
        let id = if then.is_some() { "kept" } else { "open" };
        shop.pay(&bill(id), &tokens.access).await.is("S SUCCESS");
        house.fault(script("cancelPayment", then, 0)).await;
        cancel(&shop, id).await.is("U UNKNOWN_EXCEPTION");
        house.advance(3_600).await;
        assert_eq!(known(&shop, id).await, ("SUCCESS".to_owned(), vec!["PAYMENT".to_owned()]));
        assert_eq!(house.balance(0, "IQD").await, before - PRICE);
        cancel(&shop, id).await.is("S SUCCESS");
        assert_eq!(house.balance(0, "IQD").await, before);
    }
    let mut told = house.messages(0).await.len();

    // Of a running debit: the cancellation whose answer was lost is its end, and what was planned is forgotten.
    house.fault(script("pay", Some("success"), 600)).await;
    shop.pay(&bill("ran").notify(&notice("ran")), &tokens.access).await.is("U PAYMENT_IN_PROCESS");
    house.fault(script("cancelPayment", Some("success"), 0)).await;
    cancel(&shop, "ran").await.is("U UNKNOWN_EXCEPTION");
    house.advance(1_200).await;
    assert_eq!(known(&shop, "ran").await, ("ORDER_IS_CLOSED".to_owned(), vec![]));
    assert_eq!(house.tried(&notice("ran"), 1).await["state"], "delivered");
    assert_eq!(mailbox.letters_to("/ran")[0].json()["paymentResult"]["resultCode"], "ORDER_IS_CLOSED");
    assert_eq!((house.balance(0, "IQD").await, house.messages(0).await.len()), (before, told + 1));
    told += 1;

    // One that never happened leaves it running: the resolver ends it, tells everybody, and the repeat gives it back.
    house.fault(script("pay", Some("success"), 600)).await;
    shop.pay(&bill("runs").notify(&notice("runs")), &tokens.access).await.is("U PAYMENT_IN_PROCESS");
    house.fault(script("cancelPayment", Some("failure"), 0)).await;
    cancel(&shop, "runs").await.is("U UNKNOWN_EXCEPTION");
    assert_eq!(known(&shop, "runs").await, ("PAYMENT_IN_PROCESS".to_owned(), vec![]));
    house.advance(1_200).await;
    assert_eq!(known(&shop, "runs").await.0, "SUCCESS");
    assert_eq!(house.tried(&notice("runs"), 1).await["state"], "delivered");
    assert_eq!(mailbox.letters_to("/runs")[0].json()["paymentResult"]["resultStatus"], "S");
    assert_eq!((house.balance(0, "IQD").await, house.messages(0).await.len()), (before - PRICE, told + 1));
    cancel(&shop, "runs").await.is("S SUCCESS");
    assert_eq!(known(&shop, "runs").await, closed);
    assert_eq!((house.balance(0, "IQD").await, house.messages(0).await.len()), (before, told + 2));

    // Of an order that was never seen: done, a late pay finds it closed; not done, it is paid.
    house.fault(script("cancelPayment", Some("success"), 0)).await;
    cancel(&shop, "unseen").await.is("U UNKNOWN_EXCEPTION");
    shop.pay(&bill("unseen"), &tokens.access).await.is("F ORDER_IS_CLOSED");
    house.fault(script("cancelPayment", Some("failure"), 0)).await;
    cancel(&shop, "seen").await.is("U UNKNOWN_EXCEPTION");
    shop.pay(&bill("seen"), &tokens.access).await.is("S SUCCESS");
    assert!(unresolved(&house).is_empty(), "a cancellation leaves nothing running");
    house::support::run(&["ledger", "verify", "--data", &data]).ends(0);
}

/// How an owner hears of a refund: Qi asks for it, Alipay+ finds it among the payment's transactions.
async fn refunded(shop: &Shop, order: &str, id: &str) -> String {
    let said = match shop.kind {
        accord_client::DialectKind::Qi => shop.call("inquiryRefund", json!({ "refundRequestId": id })).await,
        accord_client::DialectKind::AlipayPlus => {
            let said = shop.call("inquiryPayment", shop.inquiry_body(order)).await;
            let all = said.body["transactions"].as_array().expect("transactions");
            let one = all.iter().find(|one| one["transactionRequestId"] == id).expect("the refund");
            return one["transactionStatus"].as_str().expect("a status").to_owned();
        }
    };
    said.is("S SUCCESS");
    said.body["refundStatus"].as_str().expect("a status").to_owned()
}

async fn what_is_asked_of_a_refund_on_its_way_is_what_its_end_will_confirm(on: On) {
    let house = House::open("refund-inquired", on);
    let data = house.data().display().to_string();
    for who in ["qi2", "alipayPlus2"] {
        let shop = house.shop(who);
        let tokens = house.agree(&shop, "refunds", 0, None).await;
        let paid = shop.pay(&bill("order"), &tokens.access).await;
        let before = house.balance(0, "IQD").await;
        for (id, then) in [("good", Some("success")), ("bad", Some("failure")), ("stuck", None)] {
            house.fault(script("refund", then, 600)).await;
            let mut body = shop.inquiry_body("order");
            body["paymentId"] = paid.body["paymentId"].clone();
            body["refundRequestId"] = json!(id);
            body["refundAmount"] = json!({ "currency": "IQD", "value": "5000" });
            assert_eq!(shop.call("refund", body).await.status, "U");
            assert_eq!(refunded(&shop, "order", id).await, "PROCESSING");
        }
        house.advance(601).await;
        assert_eq!(refunded(&shop, "order", "good").await, "SUCCESS");
        assert_eq!(refunded(&shop, "order", "bad").await, "FAIL");
        assert_eq!(refunded(&shop, "order", "stuck").await, "PROCESSING");
        assert_eq!(house.balance(0, "IQD").await, before + 5_000);
        let stuck = unresolved(&house).remove(0);
        let id = stuck["id"].as_str().expect("an id");
        house::support::run(&["payment", "resolve", "--data", &data, id, "--to", "success"]).ends(0);
        house
            .eventually("the refund that was decided", async || {
                (refunded(&shop, "order", "stuck").await == "SUCCESS").then_some(())
            })
            .await;
        assert_eq!(house.balance(0, "IQD").await, before + 10_000);
    }
    house::support::run(&["ledger", "verify", "--data", &data]).ends(0);
}
