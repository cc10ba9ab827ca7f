//! The shop: subscriptions, what is due, and what the merchant does at its desk.
//!
//! A subscriber pays at the start and then every so many months, counted from the start, so that the 31st comes back
//! after a shorter month. A debit whose outcome is open counts as made, so that nobody pays twice; when it turns out
//! to have failed, its period is due again. What the shop believes, it believes of signed replies and notifications.

use super::calls::{self, Operation};
use super::merchant::Now;
use super::visit::{Flow, fresh_id};
use super::{Demo, visit};
use crate::pages::demo::{DemoDialect, DemoState, Said};
use crate::pages::demo_shop::{Bill, BillKind, BillStage, EXTRA_PRICE, Plan, ShopState};
use crate::pages::demo_wire::Happening;
use accord_core::Timestamp;
use accord_core::calendar::{Date, day_of, start_of};
use accord_core::user::Language;
use accord_wire::time::parse_iso;
use serde_json::{Value, json};

/// Debits that the shop remembers.
const MOST_BILLS: usize = 240;
/// Debits made at once, at most, when much is due.
const MOST_AT_ONCE: usize = 24;
/// A token that ends within a day is renewed first.
const DAY_MS: i64 = 86_400_000;
/// Baghdad.
const ZONE_MS: i64 = 3 * 3_600_000;
/// What a wallet says of a token that is over for good.
const TOKEN_OVER: [&str; 2] = ["INVALID_ACCESS_TOKEN", "INVALID_TOKEN"];

pub(super) type Done = Result<(bool, Said), Said>;

/// The same time of day, that many months later, in Baghdad.
fn months_later(from: i64, months: i64) -> i64 {
    let day = day_of(Timestamp(from), ZONE_MS);
    let of_day = from - start_of(day, ZONE_MS).0;
    start_of(Date::of_day(day).plus_months(months).day_number(), ZONE_MS).0 + of_day
}

/// When the next period is due, if somebody subscribed.
pub(super) fn next_due(shop: &ShopState) -> Option<i64> {
    let (plan, started) = (shop.plan?, shop.started?);
    let made = |bill: &&Bill| bill.kind == BillKind::Period && !matches!(bill.stage, BillStage::Failed(_));
    let made = i64::try_from(shop.bills.iter().filter(made).count()).ok()?;
    Some(months_later(started, made * plan.months()))
}

/// The next time that a whole number of months has passed since the start.
fn next_month(shop: &ShopState, now: i64) -> i64 {
    let Some(started) = shop.started else { return months_later(now, 1) };
    (1..=1_200).map(|months| months_later(started, months)).find(|at| *at > now).unwrap_or(now)
}

/// The shop asks for an agreement on the terms of a plan.
pub(super) async fn subscribe(
    demo: &Demo,
    dialect: DemoDialect,
    flow: &mut Flow,
    (plan, language): (Plan, Language),
    now: &Now,
) -> Done {
    let user_info = flow.state.user_info.take();
    flow.state = DemoState { user_info, ..Flow::default().state };
    flow.shop = ShopState {
        plan: Some(plan),
        language: Some(language),
        user_name: flow.shop.user_name.take(),
        bills: Vec::new(),
        started: None,
        next_due: None,
    };
    calls::make(demo, dialect, Operation::Subscribe(plan, language), flow, now).await
}

/// The code is here: it is redeemed, and what is due is debited.
pub(super) async fn settle(demo: &Demo, dialect: DemoDialect, flow: &mut Flow, now: &Now) -> Done {
    let redeemed = calls::make(demo, dialect, Operation::ApplyToken, flow, now).await?;
    if !redeemed.0 || flow.shop.plan.is_none() {
        return Ok(redeemed);
    }
    if flow.shop.started.is_none() {
        flow.shop.started = Some(now.millis);
    }
    collect(demo, dialect, flow, now).await
}

/// Debits everything that is due.
pub(super) async fn collect(demo: &Demo, dialect: DemoDialect, flow: &mut Flow, now: &Now) -> Done {
    let mut made: u64 = 0;
    for _ in 0..MOST_AT_ONCE {
        let Some(due) = next_due(&flow.shop) else { return Err(Said::NeedsToken) };
        if due > now.millis {
            return Ok((true, if made == 0 { Said::NotDue(due) } else { Said::Debited(made) }));
        }
        if flow.shop.bills.iter().any(|bill| bill.stage == BillStage::Open) {
            return Ok((true, Said::StillOpen));
        }
        let price = flow.shop.plan.map_or(0, Plan::price);
        let done = debit(demo, dialect, flow, BillKind::Period, price, now).await?;
        if !done.0 {
            return Ok(done);
        }
        made += 1;
    }
    Ok((true, Said::Debited(made)))
}

/// One debit of the shop's own prices. Renews the tokens first when they are about to end.
async fn debit(
    demo: &Demo,
    dialect: DemoDialect,
    flow: &mut Flow,
    kind: BillKind,
    price: i64,
    now: &Now,
) -> Done {
    let until = flow.state.access_until.as_deref().and_then(|time| parse_iso(time).ok());
    if until.is_some_and(|until| until - now.millis < DAY_MS) && flow.state.refresh_token.is_some() {
        calls::make(demo, dialect, Operation::Refresh, flow, now).await?;
    }
    let pay = Operation::Pay { kind, value: price.to_string(), currency: "IQD".to_owned() };
    calls::make(demo, dialect, pay, flow, now).await
}

/// The customer buys an extra.
pub(super) async fn buy(demo: &Demo, dialect: DemoDialect, flow: &mut Flow, now: &Now) -> Done {
    debit(demo, dialect, flow, BillKind::Extra, EXTRA_PRICE, now).await
}

/// A month passes, or all the time until something is due; then the shop debits.
pub(super) async fn later(demo: &Demo, dialect: DemoDialect, flow: &mut Flow, by: &str, now: &Now) -> Done {
    let target = match by {
        "due" => next_due(&flow.shop).ok_or(Said::NeedsToken)?,
        _ => next_month(&flow.shop, now.millis),
    };
    let merchant = demo.merchant().await?;
    let seconds = ((target - now.millis).max(0) + 999) / 1_000;
    merchant.tell("/sandbox/clock", &json!({ "advanceSeconds": seconds })).await?;
    let now = merchant.now().await?;
    flow.happened(demo, &now, Happening::ClockMoved);
    hear(demo, dialect, flow);
    if flow.state.cancelled || next_due(&flow.shop).is_none() {
        return Ok((true, Said::ClockMoved));
    }
    collect(demo, dialect, flow, &now).await
}

/// Scripts how the next call of an operation ends, by the sandbox's control API.
pub(super) async fn script_fault(
    demo: &Demo,
    flow: &mut Flow,
    (operation, outcome): (&str, &str),
    now: &Now,
) -> Done {
    let merchant = demo.merchant().await?;
    if outcome.is_empty() {
        merchant.clear("/sandbox/faults").await?;
        return Ok((true, Said::FaultsCleared));
    }
    let (word, then) = match outcome.split_once('-') {
        Some((word, then)) => (word, Some(then)),
        None => (outcome, None),
    };
    let script =
        json!({ "operation": operation, "outcome": word, "count": 1, "then": then, "afterSeconds": 5 });
    merchant.tell("/sandbox/faults", &script).await?;
    flow.happened(demo, now, Happening::FaultScripted(format!("{operation} {outcome}")));
    Ok((true, Said::FaultWaits(operation.to_owned())))
}

/// The user ends the agreement in the wallet, as the wallet's own page would. The newest that lives with this shop.
pub(super) async fn user_ends(demo: &Demo, dialect: DemoDialect, flow: &mut Flow, now: &Now) -> Done {
    let merchant = demo.merchant().await?;
    let customer = flow.state.customer_id.clone().ok_or(Said::NeedsToken)?;
    let word = match dialect {
        DemoDialect::Qi => "qi",
        DemoDialect::AlipayPlus => "alipay-plus",
    };
    let agreement = merchant
        .agreements_of(&customer)
        .await?
        .into_iter()
        .find(|one| one["dialect"] == word && one["status"] != "ended")
        .ok_or(Said::NeedsToken)?;
    let asked = json!({ "agreementId": agreement["agreementId"], "by": "user" });
    let told = merchant.tell("/sandbox/agreements/end", &asked).await?;
    let answer = told.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
    flow.happened(demo, now, Happening::UserEnds(answer.clone()));
    hear(demo, dialect, flow);
    Ok((answer == "ended", Said::UserEnds(answer)))
}

/// Takes in what notifications said since: outcomes of open debits, and the end of the agreement.
pub(super) fn hear(demo: &Demo, dialect: DemoDialect, flow: &mut Flow) {
    for bill in flow.shop.bills.iter_mut().filter(|bill| bill.stage == BillStage::Open) {
        if let Some([status, code, payment_id]) = demo.inbox.result_of(dialect, &bill.request_id) {
            bill.stage = stage_of(&status, &code);
            bill.payment_id = Some(payment_id).filter(|id| !id.is_empty()).or(bill.payment_id.take());
        }
    }
    if let Some(token) = &flow.state.access_token
        && demo.inbox.ended(dialect, token)
    {
        flow.state.cancelled = true;
    }
    flow.shop.next_due = next_due(&flow.shop);
}

/// What a debit's status and code make of it.
pub(super) fn stage_of(status: &str, code: &str) -> BillStage {
    match status {
        "S" => BillStage::Paid,
        "F" => BillStage::Failed(code.to_owned()),
        _ => BillStage::Open,
    }
}

/// Writes a new debit down, before it is sent.
pub(super) fn open_bill(
    flow: &mut visit::Flow,
    (kind, value, currency): (BillKind, String, String),
    now: &Now,
) {
    let request_id = format!("demo-{}", fresh_id());
    flow.state.payment_request_id = Some(request_id.clone());
    flow.state.payment_id = None;
    flow.state.payment_result = None;
    let stage = BillStage::Open;
    let bill = Bill { request_id, payment_id: None, value, currency, kind, at: now.millis, stage };
    flow.shop.bills.insert(0, bill);
    flow.shop.bills.truncate(MOST_BILLS);
}

/// Writes down what became of a debit, and of the agreement if the token is over.
pub(super) fn close_bill(flow: &mut Flow, request_id: &str, payment_id: Option<String>, stage: BillStage) {
    if matches!(&stage, BillStage::Failed(code) if TOKEN_OVER.contains(&code.as_str())) {
        flow.state.cancelled = true;
    }
    if let Some(bill) = flow.shop.bills.iter_mut().find(|bill| bill.request_id == request_id) {
        bill.payment_id = payment_id.or(bill.payment_id.take());
        bill.stage = stage;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        parse_iso(text).unwrap()
    }

    fn bill(kind: BillKind, stage: BillStage) -> Bill {
        Bill {
            request_id: fresh_id(),
            payment_id: None,
            value: "1".to_owned(),
            currency: "IQD".to_owned(),
            kind,
            at: 0,
            stage,
        }
    }

    #[test]
    fn a_period_is_due_on_the_day_of_the_start_or_on_the_last_of_a_shorter_month() {
        let started = at("2026-01-31T22:30:00+03:00");
        let mut shop =
            ShopState { plan: Some(Plan::Monthly), started: Some(started), ..ShopState::default() };
        for due in ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"] {
            assert_eq!(next_due(&shop), Some(at(&format!("{due}T22:30:00+03:00"))), "{due}");
            shop.bills.push(bill(BillKind::Period, BillStage::Paid));
        }
        shop.plan = Some(Plan::Yearly);
        assert_eq!(next_due(&shop), Some(at("2030-01-31T22:30:00+03:00")));
    }

    #[test]
    fn only_periods_count_and_one_that_failed_is_due_again() {
        let started = at("2026-01-15T10:00:00+03:00");
        let mut shop =
            ShopState { plan: Some(Plan::Seasonal), started: Some(started), ..ShopState::default() };
        shop.bills = vec![
            bill(BillKind::Extra, BillStage::Paid),
            bill(BillKind::Single, BillStage::Paid),
            bill(BillKind::Period, BillStage::Failed("RISK_REJECT".to_owned())),
        ];
        assert_eq!(next_due(&shop), Some(started));
        for counts in [BillStage::Open, BillStage::Paid, BillStage::Refunded, BillStage::Cancelled] {
            shop.bills[2].stage = counts;
            assert_eq!(next_due(&shop), Some(at("2026-04-15T10:00:00+03:00")));
        }
        assert_eq!(next_due(&ShopState::default()), None);
    }

    #[test]
    fn a_month_later_is_counted_from_the_start_of_the_subscription() {
        let started = at("2026-01-31T10:00:00+03:00");
        let shop = ShopState { started: Some(started), ..ShopState::default() };
        for (now, next) in [
            ("2026-01-31T10:00:00+03:00", "2026-02-28T10:00:00+03:00"),
            ("2026-02-28T10:00:05+03:00", "2026-03-31T10:00:00+03:00"),
            ("2026-03-31T09:59:59+03:00", "2026-03-31T10:00:00+03:00"),
        ] {
            assert_eq!(next_month(&shop, at(now)), at(next), "{now}");
        }
        let nobody = ShopState::default();
        assert_eq!(next_month(&nobody, at("2026-01-31T01:00:00+03:00")), at("2026-02-28T01:00:00+03:00"));
    }

    #[test]
    fn a_token_that_is_over_ends_the_subscription_and_a_refused_debit_does_not() {
        let mut flow = Flow::default();
        close_bill(&mut flow, "x", None, stage_of("F", "RISK_REJECT"));
        assert!(!flow.state.cancelled);
        close_bill(&mut flow, "x", None, stage_of("F", "INVALID_TOKEN"));
        assert!(flow.state.cancelled);
    }
}
