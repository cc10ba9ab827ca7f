//! Money in and out.

use super::house::{FROZEN, House, RICH};
use super::stores::{Shelf, served_from_every_store};
use super::{System, code, customer};
use accord_core::Ruled;
use accord_core::ids::CustomerId;
use accord_core::ledger::Account;
use accord_core::money::Currency;
use accord_core::operator::Role;
use serde_json::{Value, json};

served_from_every_store!(
    a_replayed_top_up_is_the_first_one,
    an_amount_that_makes_no_sense_moves_nothing,
    an_account_holds_no_more_than_can_be_counted,
    nobody_takes_out_what_is_not_there,
);

fn order(id: &str, customer: &str, value: Value) -> Value {
    json!({ "transferId": id, "customerId": customer, "amount": { "currency": "IQD", "value": value } })
}

async fn a_replayed_top_up_is_the_first_one(shelf: Shelf) {
    let house = House::open(shelf).await;
    let funding = System::with(&house, Role::Funding).await;
    let rich = customer(&house, RICH).await;
    let (status, first) = funding.post("/transfers/topUp", order("bank-1", &rich, json!("5000"))).await;
    assert_eq!((status, &first["repeated"], &first["balance"]), (200, &json!(false), &json!("100000005000")));
    let (status, again) = funding.post("/transfers/topUp", order("bank-1", &rich, json!("5000"))).await;
    assert_eq!((status, &again["repeated"], &again["balance"]), (200, &json!(true), &json!("100000005000")));
    assert_eq!(again["postingId"], first["postingId"]);

    let frozen = customer(&house, FROZEN).await;
    for (path, body, differs) in [
        ("/transfers/topUp", order("bank-1", &rich, json!("5001")), "amount:"),
        ("/transfers/topUp", order("bank-1", &frozen, json!("5000")), "customerId:"),
        ("/transfers/withdraw", order("bank-1", &rich, json!("5000")), "direction:"),
    ] {
        let answer = funding.post(path, body).await;
        assert_eq!(code(&answer), (409, "TRANSFER_ID_REUSED"), "{path}");
        let said = answer.1["error"]["message"].as_str().unwrap_or_default();
        assert!(said.starts_with(differs), "{said}");
    }
    let crowd = (0..16).map(|_| funding.post("/transfers/topUp", order("bank-2", &rich, json!("7"))));
    let mut fresh = 0;
    for (status, answer) in futures_of(crowd).await {
        assert_eq!(status, 200, "{answer}");
        fresh += u32::from(answer["repeated"] == false);
    }
    assert_eq!(fresh, 1);
    let (_, balances) = funding.get(&format!("/users/{rich}/balances")).await;
    assert_eq!(balances, json!({ "balances": { "IQD": "100000005007" } }));
    house.close().await;
}

/// Waits for all at once.
async fn futures_of<F: Future<Output = (u16, Value)>>(all: impl Iterator<Item = F>) -> Vec<(u16, Value)> {
    let mut running: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        running.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                done.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

async fn an_amount_that_makes_no_sense_moves_nothing(shelf: Shelf) {
    let house = House::open(shelf).await;
    let funding = System::with(&house, Role::Funding).await;
    let rich = customer(&house, RICH).await;
    for path in ["/transfers/topUp", "/transfers/withdraw"] {
        for value in ["-1", "0", "", "01", "1.5", "+1", "1e3", " 1", "12345678901234567", "١"] {
            let answer = funding.post(path, order("bad", &rich, json!(value))).await;
            assert_eq!(code(&answer), (422, "INVALID"), "{path} {value}");
        }
        for value in [json!(-1), json!(1), Value::Null] {
            let answer = funding.post(path, order("bad", &rich, value)).await;
            assert_eq!(code(&answer), (400, "BAD_REQUEST"), "{path}");
        }
        for id in ["", "a b", &"x".repeat(65)] {
            assert_eq!(
                code(&funding.post(path, order(id, &rich, json!("1"))).await),
                (422, "INVALID"),
                "{path} {id}"
            );
        }
        let nobody = funding.post(path, order("bad", "nobody", json!("1"))).await;
        assert_eq!(code(&nobody), (404, "USER_NOT_FOUND"));
    }
    let (_, balances) = funding.get(&format!("/users/{rich}/balances")).await;
    assert_eq!(balances["balances"]["IQD"], "100000000000");
    house.close().await;
}

async fn an_account_holds_no_more_than_can_be_counted(shelf: Shelf) {
    let house = House::open(shelf).await;
    let funding = System::with(&house, Role::Funding).await;
    let rich = customer(&house, RICH).await;
    let app = house.app();
    let (customer, currency) = (CustomerId::read(&rich).unwrap(), Currency::parse("IQD").unwrap());
    let full = Account { customer, currency, balance: i64::MAX - 5 };
    let filled: Ruled<()> = app.transact(move |tx| Ok(tx.put_account(&full)?)).await;
    filled.unwrap();
    let over = funding.post("/transfers/topUp", order("more", &rich, json!("6"))).await;
    assert_eq!(code(&over), (422, "VALUE_OUT_OF_RANGE"));
    // Nothing was done, and the id is free.
    let (status, fits) = funding.post("/transfers/topUp", order("more", &rich, json!("5"))).await;
    assert_eq!((status, &fits["balance"]), (200, &json!(i64::MAX.to_string())));
    house.close().await;
}

async fn nobody_takes_out_what_is_not_there(shelf: Shelf) {
    let house = House::open(shelf).await;
    let funding = System::with(&house, Role::Funding).await;
    let rich = customer(&house, RICH).await;
    let more = funding.post("/transfers/withdraw", order("w", &rich, json!("100000000001"))).await;
    assert_eq!(code(&more), (422, "BALANCE_NOT_ENOUGH"));
    let mut dollars = order("w", &rich, json!("1"));
    dollars["amount"]["currency"] = json!("USD");
    assert_eq!(code(&funding.post("/transfers/withdraw", dollars).await), (422, "BALANCE_NOT_ENOUGH"));
    // A refused transfer claims no id.
    let (status, all) = funding.post("/transfers/withdraw", order("w", &rich, json!("100000000000"))).await;
    assert_eq!((status, &all["balance"]), (200, &json!("0")), "{all}");

    let frozen = customer(&house, FROZEN).await;
    let out = funding.post("/transfers/withdraw", order("f", &frozen, json!("1"))).await;
    assert_eq!(code(&out), (409, "USER_FROZEN"));
    assert_eq!(funding.post("/transfers/topUp", order("f", &frozen, json!("1"))).await.0, 200);
    house.close().await;
}
