//! Transfers: money in and out, once for each id that the caller gives.

use super::door::Caller;
use super::{no_such_user, stopped, unfit};
use crate::app::App;
use crate::sandbox::answer::{Failure, Members, Told, iso};
use accord_core::ids::CustomerId;
use accord_core::money::{Amount, Currency};
use accord_core::operator::transfer::{Direction, Order, Transferred, transfer};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// `POST /wallet/v1/transfers/topUp`
pub async fn top_up(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    members: Members,
) -> Result<Told, Failure> {
    run(&app, Direction::TopUp, caller, &members).await
}

/// `POST /wallet/v1/transfers/withdraw`
pub async fn withdraw(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    members: Members,
) -> Result<Told, Failure> {
    run(&app, Direction::Withdraw, caller, &members).await
}

async fn run(
    app: &Arc<App>,
    direction: Direction,
    Caller(actor): Caller,
    members: &Members,
) -> Result<Told, Failure> {
    let id = members.required("transferId")?.to_owned();
    if !(1..=64).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unfit("transferId: 1 to 64 visible ASCII characters"));
    }
    let amount = amount_of(members)?;
    let customer = CustomerId::read(members.required("customerId")?).ok_or_else(no_such_user)?;
    let order = Order { id, customer, direction, amount, actor };
    let at = app.clock.moment();
    let ended = app
        .transact(move |tx| {
            let ended = transfer(tx, &order, &at)?;
            let balance = tx.account(&order.customer, order.amount.currency)?.map_or(0, |row| row.balance);
            Ok((ended, balance))
        })
        .await;
    let (ended, balance) = ended.map_err(stopped)?;
    let (done, repeated) = match ended {
        Transferred::Done(done) => (done, false),
        Transferred::Before(done) => (done, true),
        Transferred::OutOfRange => {
            let message = "amount.value: the account would hold more than can be counted";
            return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "VALUE_OUT_OF_RANGE", message));
        }
        Transferred::Other(differing) => {
            let names = differing.join(", ");
            let message = format!("{names}: not as in the first request of this transferId");
            return Err(Failure::new(StatusCode::CONFLICT, "TRANSFER_ID_REUSED", message));
        }
    };
    Ok(Told(json!({
        "transferId": done.id,
        "customerId": done.customer.as_str(),
        "amount": { "currency": done.amount.currency.code(), "value": done.amount.value().to_string() },
        "postingId": done.posting.as_str(),
        "time": iso(done.at),
        "repeated": repeated,
        "balance": balance.to_string(),
    })))
}

fn amount_of(members: &Members) -> Result<Amount, Failure> {
    let amount = members.object("amount")?.ok_or_else(|| Failure::bad("amount: missing"))?;
    let currency = Currency::parse(amount.required("currency")?)
        .ok_or_else(|| unfit("amount.currency: no currency of ISO 4217, such as IQD"))?;
    Amount::parse(currency, amount.required("value")?).ok_or_else(|| {
        unfit("amount.value: 1 to 16 digits of the smallest unit, above zero, without sign or leading zero")
    })
}
