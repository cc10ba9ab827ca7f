//! Funding is a port: a wallet may say differently from where payments come, and nothing else changes.

mod stores;

use accord_core::handle::Bucket;
use accord_core::ids::{AuthId, CustomerId, PostingId};
use accord_core::ledger::funding::{Funding, OwnLedger};
use accord_core::ledger::post;
use accord_core::ledger::verify::verify;
use accord_core::money::{Amount, Currency};
use accord_core::outcome::{Refusal, Ruled};
use accord_core::payment::Payment;
use accord_core::payment::refund::Refund;
use accord_core::store::{self, Rows, Tx};
use accord_core::{Moment, Timestamp};
use accord_testkit::conformance::fixture::{RICH, START};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, result_code, text};
use accord_wire::time;
use serde_json::Value;
use std::sync::Arc;
use stores::on_every_store;

/// What each account must keep, in its smallest units.
const RESERVE: i64 = 99_000_000_000;

/// The wallet's ledger, of which a part may not be debited.
#[derive(Debug)]
struct Reserve;

impl Funding for Reserve {
    fn judge(&self, rows: &dyn Rows, payer: &CustomerId, amount: Amount) -> Ruled<()> {
        let account = rows.account(payer, amount.currency)?.ok_or(Refusal::AccountMissing)?;
        match account.balance - RESERVE < amount.value() {
            true => Err(Refusal::BalanceNotEnough.into()),
            false => Ok(()),
        }
    }

    fn debit(&self, tx: &mut dyn Tx, payment: &Payment, at: &Moment) -> Ruled<PostingId> {
        OwnLedger.debit(tx, payment, at)
    }

    fn cancel(&self, tx: &mut dyn Tx, payment: &Payment, rest: Amount, at: &Moment) -> Ruled<PostingId> {
        OwnLedger.cancel(tx, payment, rest, at)
    }

    fn refund(&self, tx: &mut dyn Tx, payment: &Payment, refund: &Refund, at: &Moment) -> Ruled<PostingId> {
        OwnLedger.refund(tx, payment, refund, at)
    }

    fn end_refund(
        &self,
        tx: &mut dyn Tx,
        payment: &Payment,
        refund: &Refund,
        succeed: bool,
        at: &Moment,
    ) -> Ruled<PostingId> {
        OwnLedger.end_refund(tx, payment, refund, succeed, at)
    }
}

#[test]
fn a_wallet_s_own_funding_decides_what_can_be_debited_and_the_books_balance() {
    on_every_store(|shelf| {
        for speech in Speech::ALL {
            let house = House::funded(Arc::new(shelf.open()), Arc::new(Reserve));
            let [who, _] = speech.clients();
            let mut number = 0;
            let mut call = |operation: &str, body: Value, code: &str| {
                number += 1;
                let time = time::format_seconds(START, 0);
                let request = who.request(&speech.target(operation), body.to_string().as_bytes(), &time);
                let told =
                    house.answer(&request, &Moment::new(Timestamp(START), [number; 32]), Twist::default());
                let body: Value = serde_json::from_slice(&told.answer.body).expect("JSON");
                assert_eq!(result_code(&body), code, "{operation}: {body}");
                body
            };
            let prepared = call("prepare", speech.prepare("funding"), "SUCCESS");
            let auth_id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
            let at = Moment::new(Timestamp(START), [200; 32]);
            let decided = house.decide(&auth_id, RICH, true, &at);
            let accord_core::agreement::decide::Decided::Approved { code, .. } = decided else {
                panic!("approved")
            };
            let access = text(&call("applyToken", speech.apply(code.reveal()), "SUCCESS"), "accessToken");

            // 100,000,000 dinars are there; 99,000,000 of them stay.
            let refused = speech.pay(&access, "too-much", "IQD", "1000000001");
            call("pay", refused, "USER_BALANCE_NOT_ENOUGH");
            let paid = call("pay", speech.pay(&access, "just-right", "IQD", "1000000000"), "SUCCESS");
            assert_eq!(house.balance(RICH, "IQD"), Some(RESERVE));
            let refund = speech.refund("just-right", &text(&paid, "paymentId"), "back-1", "IQD", "400000000");
            call("refund", refund, "SUCCESS");
            assert_eq!(house.balance(RICH, "IQD"), Some(RESERVE + 400_000_000));
            let report = house.look(verify);
            assert!(report.faults.is_empty(), "{report:?}");
        }
    });
}

#[test]
fn opening_balances_do_not_clash_for_users_of_one_bucket() {
    on_every_store(|shelf| {
        let at = Moment::new(Timestamp(START), [7; 32]);
        let ids = store::transact(&shelf.open(), move |tx| {
            let dinars = Amount::new(Currency::parse("IQD").expect("dinars"), 1_000).expect("an amount");
            let mut random = at.random("users");
            let mut users = (0..4).map(|_| CustomerId::mint(Bucket::new(7), &mut random));
            users.try_fold(Vec::new(), |mut ids, user| {
                ids.push(post::credit(tx, &user, dinars, "sandbox opening IQD", &at)?);
                Ok(ids)
            })
        });
        assert_eq!(ids.expect("four credits").len(), 4);
    });
}
