//! A simulated month of debits, refunds and cancels of both dialects, on every store: the control
//! totals of all daily files equal the ledger, the same month gives the same bytes, and an altered file of a
//! counterparty is caught line by line. `ACCORD_SEED` plays one seed; `ACCORD_LONG=1` plays ten times as much.

mod stores;

use accord_core::ids::{AuthId, ClientId};
use accord_core::ledger::settle::{self, Totals};
use accord_core::ledger::verify;
use accord_core::moment::Random;
use accord_core::store::Store;
use accord_core::{Moment, Timestamp};
use accord_testkit::conformance::fixture::{CLIENTS, RICH, START, Signatory};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, result_code, text};
use accord_wire::settlement::compare::{Difference, compare};
use accord_wire::settlement::sheet::{self, Extent, Writer};
use accord_wire::settlement::{DEFAULT_ZONE, Day, Zone};
use accord_wire::time::{format_millis, parse_iso};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use stores::{Shelf, long};

const DAYS: i64 = 28;
const HOUR: i64 = 3_600_000;

fn seed() -> u64 {
    std::env::var("ACCORD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

fn per_day() -> u32 {
    if long() { 60 } else { 6 }
}

/// February 2026, as one client's files tell it.
type Files = BTreeMap<(String, String), Vec<u8>>;

struct Month {
    house: House,
    dice: Random,
    calls: u64,
    tokens: BTreeMap<&'static str, String>,
    /// Payments that were not given back whole.
    open: Vec<Paid>,
}

/// A payment that may still be given back.
struct Paid {
    speech: Speech,
    who: &'static Signatory,
    order: String,
    id: String,
    currency: &'static str,
    left: i64,
}

impl Month {
    fn new(store: Arc<dyn Store>, seed: u64) -> Month {
        let mut bytes = [3; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let dice = Moment::new(Timestamp(0), bytes).random("month");
        let mut month =
            Month { house: House::new(store), dice, calls: 0, tokens: BTreeMap::new(), open: Vec::new() };
        for speech in Speech::ALL {
            for who in speech.clients() {
                month.agree(speech, who);
            }
        }
        month
    }

    fn moment(&mut self, at: i64) -> Moment {
        self.calls += 1;
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.calls.to_be_bytes());
        Moment::new(Timestamp(at), bytes)
    }

    fn call(&mut self, speech: Speech, who: &Signatory, operation: &str, body: &Value, at: i64) -> Value {
        let time = format_millis(at, 3 * 3600);
        let request = who.request(&speech.target(operation), body.to_string().as_bytes(), &time);
        let moment = self.moment(at);
        let answer = self.house.answer(&request, &moment, Twist::default()).answer.body;
        serde_json::from_slice(&answer).expect("JSON")
    }

    fn agree(&mut self, speech: Speech, who: &'static Signatory) {
        let prepared = self.call(speech, who, "prepare", &speech.prepare(who.client_id), START);
        let auth_id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
        let at = self.moment(START);
        let decided = self.house.decide(&auth_id, RICH, true, &at);
        let accord_core::agreement::decide::Decided::Approved { code, .. } = decided else {
            panic!("approved, not {decided:?}")
        };
        let tokens = self.call(speech, who, "applyToken", &speech.apply(code.reveal()), START);
        self.tokens.insert(who.client_id, text(&tokens, "accessToken"));
    }

    fn pay(&mut self, order: String, at: i64) -> Paid {
        let speech = Speech::ALL[self.dice.below(2) as usize];
        let who = speech.clients()[self.dice.below(2) as usize];
        let currency = ["IQD", "USD"][self.dice.below(2) as usize];
        let left = i64::from(self.dice.below(900)) + 100;
        let body = speech.pay(&self.tokens[who.client_id], &order, currency, &left.to_string());
        let answer = self.call(speech, who, "pay", &body, at);
        assert_eq!(result_code(&answer), "SUCCESS", "{answer}");
        Paid { speech, who, order, id: text(&answer, "paymentId"), currency, left }
    }

    /// Gives something back, or asks for too much, which moves nothing.
    fn give_back(&mut self, paid: &mut Paid, refund: String, at: i64) {
        let Paid { speech, who, .. } = *paid;
        if speech == Speech::AlipayPlus && self.dice.below(3) == 0 {
            let answer = self.call(speech, who, "cancelPayment", &speech.cancel_payment(&paid.order), at);
            if result_code(&answer) == "SUCCESS" {
                paid.left = 0;
            }
            return;
        }
        let value = i64::from(self.dice.below(1200)) + 1;
        let body = speech.refund(&paid.order, &paid.id, &refund, paid.currency, &value.to_string());
        let answer = self.call(speech, who, "refund", &body, at);
        let expected = if value <= paid.left { "SUCCESS" } else { "an over-refund is refused" };
        if value <= paid.left {
            assert_eq!(result_code(&answer), expected, "{answer}");
            paid.left -= value;
        } else {
            assert_ne!(result_code(&answer), "SUCCESS", "{value} of {}", paid.left);
        }
    }

    fn play(&mut self) {
        let start = parse_iso("2026-02-01T00:00:00+03:00").expect("a time");
        let mut open: Vec<Paid> = Vec::new();
        for day in 0..DAYS - 1 {
            for number in 0..per_day() {
                // The last and the first millisecond of a day in both zones come up often; the month is the later zone's.
                let edges = [19 * HOUR, 24 * HOUR].map(|edge| [edge - 1, edge]);
                let within = match self.dice.below(3) {
                    0 => edges[self.dice.below(2) as usize][self.dice.below(2) as usize],
                    _ => i64::from(self.dice.below(24 * 3600)) * 1000 + i64::from(self.dice.below(1000)),
                };
                let at = start + day * 24 * HOUR + within;
                let order = format!("=order {day}-{number}");
                let paid = self.pay(order, at);
                open.push(paid);
                if let Some(mut paid) = (self.dice.below(2) == 0).then(|| open.swap_remove(0)) {
                    self.give_back(&mut paid, format!("+refund \"{day}\",{number}"), at + 60_000);
                    open.push(paid);
                }
            }
        }
        self.open = open;
    }

    /// A day later money moves both ways, also for payments of before: no file of a day that was over changes.
    fn later(&mut self, files: &Files) {
        let last = parse_iso("2026-02-28T12:00:00+08:00").expect("a time");
        for number in 0..8 {
            let mut paid = self.pay(format!("later {number}"), last);
            self.give_back(&mut paid, format!("later back {number}"), last + 1);
        }
        let mut early = std::mem::take(&mut self.open);
        for (number, paid) in early.iter_mut().enumerate().take(8) {
            self.give_back(paid, format!("late back {number}"), last + 2);
        }
        let after = self.judge();
        let changed: Vec<_> = files.iter().filter(|(key, bytes)| after[*key] != **bytes).collect();
        assert!(!changed.is_empty() && changed.iter().all(|((_, date), _)| date == "2026-02-28"));
    }

    /// Every client's file of each day of February.
    fn files(&self) -> (Files, BTreeMap<String, Totals>) {
        let wallets = Zone::parse(DEFAULT_ZONE).expect("a zone");
        let mut files = Files::new();
        let mut totals: BTreeMap<String, Totals> = BTreeMap::new();
        for who in CLIENTS {
            let client = ClientId::new(who.client_id);
            let zone = Zone::of(&who.registration().dialect, &wallets);
            for number in 1..=DAYS {
                let day = Day::parse(&format!("2026-02-{number:02}"), &zone).expect("a day");
                let mut writer = Writer::new(Vec::new(), &client, &day, Extent::Whole).expect("a file");
                let (key, span) = (client.clone(), day.span());
                let items = self.house.look(move |rows| {
                    let mut items = Vec::new();
                    settle::each(rows, &key, span, |item| items.push(item.clone()))?;
                    Ok(items)
                });
                items.iter().for_each(|item| writer.item(item).expect("an item"));
                let (day_totals, bytes) = writer.finish().expect("totals");
                files.insert((client.to_string(), day.date()), bytes);
                let sum = totals.entry(client.to_string()).or_default();
                for (key, total) in day_totals.0 {
                    let all = sum.0.entry(key).or_default();
                    all.count += total.count;
                    all.sum += total.sum;
                }
            }
        }
        (files, totals)
    }

    fn judge(&self) -> Files {
        let report = self.house.look(|rows| verify::verify(rows));
        assert_eq!(report.faults, Vec::<String>::new());
        assert!(report.settlement_items > 0);
        let (files, totals) = self.files();
        let mut items = 0;
        for (client, totals) in &totals {
            let id = ClientId::new(client);
            let balance = self.house.look(move |rows| settle::balance(rows, &id));
            for (currency, net) in totals.net() {
                items += net.count;
                let owed = report.payable.get(&(client.clone(), currency.to_string())).copied();
                assert_eq!(owed, Some(net.sum), "{client} {currency}: the files against the entries");
                assert_eq!(balance.get(&currency), Some(&net.sum), "{client} {currency}");
            }
        }
        assert_eq!(items, report.settlement_items, "each item is in one file and in no other");
        files
    }
}

fn played(store: Arc<dyn Store>) -> Files {
    let seed = seed();
    println!("seed {seed}");
    let mut month = Month::new(store, seed);
    month.play();
    let files = month.judge();
    assert_eq!(month.files().0, files, "the same files again, byte for byte");
    month.later(&files);
    files
}

#[test]
fn the_control_totals_of_a_month_equal_the_ledger_on_every_store_to_the_byte() {
    let mut told = Shelf::all().into_iter().map(|shelf| played(Arc::new(shelf.open())));
    let on_model = told.next().expect("a store");
    let others: Vec<Files> = told.collect();
    assert!(!others.is_empty());
    for other in &others {
        assert_eq!(on_model.len(), other.len());
        for (key, bytes) in &on_model {
            assert_eq!(
                String::from_utf8_lossy(bytes),
                String::from_utf8_lossy(&other[key]),
                "{key:?} differs between the stores"
            );
        }
    }
    let everything: Vec<String> =
        on_model.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    let everything = everything.concat();
    for kind in ["item,debit", "item,refund", "item,cancel", "total,refund", "net,,IQD"] {
        assert!(everything.contains(kind), "the month has no {kind}");
    }
    // Order ids begin with `=` and refund ids with `+` and a quote: no field of any file does.
    for field in everything.lines().flat_map(|line| line.split(',')) {
        let field = field.trim_start_matches('"');
        let number = field.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        let zone = field == "+08:00";
        assert!(!field.starts_with(['=', '+', '-', '@']) || number || zone, "{field}");
    }
    for speech in Speech::ALL {
        let of: Vec<&str> = speech.clients().iter().map(|who| who.client_id).collect();
        let files: Files = on_model
            .iter()
            .filter(|((id, _), _)| of.contains(&id.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        catches_what_is_altered(&files);
    }
}

/// A day's file with each kind of alteration.
fn catches_what_is_altered(files: &Files) {
    let rich = |bytes: &&Vec<u8>| String::from_utf8_lossy(bytes).matches("\r\nitem,").count() >= 3;
    let ours = files.values().find(rich).expect("a day with three items");
    let text = String::from_utf8(ours.clone()).expect("UTF-8");
    let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
    let here = sheet::read(ours.as_slice());
    assert_eq!(here.faults, vec![]);
    let against = |altered: &[String]| compare(&here, &sheet::read(altered.concat().as_bytes()));
    let owned = || -> Vec<String> { lines.iter().map(|line| (*line).to_owned()).collect() };
    let kinds = |found: &[Difference]| found.iter().map(Difference::kind).collect::<Vec<_>>();
    assert_eq!(against(&owned()), vec![]);

    // One unit more on line 4, and nothing else: the amount, and the totals that no longer add up.
    let mut altered = owned();
    let value = here.lines[1].value;
    altered[3] = altered[3].replacen(&format!(",{value},"), &format!(",{},", value + 1), 1);
    let found = against(&altered);
    assert_eq!(kinds(&found), ["amount", "total", "total"], "{found:?}");
    assert_eq!(found[0].lines(), (Some(4), Some(4)));
    let said = found[0].to_string();
    assert!(said.contains(&value.to_string()) && said.contains(&(value + 1).to_string()), "{said}");

    // Line 3 is gone: missing there.
    let mut altered = owned();
    altered.remove(2);
    let found = against(&altered);
    assert_eq!(found[0].kind(), "missing_there", "{found:?}");
    assert_eq!(found[0].lines(), (Some(3), None));
    assert!(kinds(&found).contains(&"total"));

    // A line of theirs that we do not know, and one told twice.
    let mut altered = owned();
    let stranger = altered[2].replacen(here.lines[0].fields[5].as_str(), "paymentOfNobody", 1);
    let again = altered[3].clone();
    altered.insert(3, stranger);
    altered.insert(4, again);
    let found = against(&altered);
    assert!(kinds(&found).contains(&"missing_here") && kinds(&found).contains(&"twice"), "{found:?}");
    let stranger = found.iter().find(|found| found.kind() == "missing_here").expect("found above");
    assert_eq!(stranger.lines(), (None, Some(4)));

    // Another word in a total, another day in the head, another order id, a line that is none.
    let total = lines.iter().position(|line| line.starts_with("total,")).expect("a total");
    let mut altered = owned();
    altered[total] = altered[total].replace("\r\n", "0\r\n");
    let found = against(&altered);
    assert_eq!((kinds(&found), found[0].lines().1), (vec!["total"], Some(total as u64 + 1)));
    let mut altered = owned();
    altered[0] = altered[0].replace("whole", "partial");
    assert_eq!(kinds(&against(&altered)), ["head"]);
    let mut altered = owned();
    altered[2] = altered[2].replacen("'=order", "'=other", 1);
    assert_eq!(kinds(&against(&altered)), ["field"]);
    let mut altered = owned();
    altered.insert(2, "what,is,this\r\n".to_owned());
    let found = against(&altered);
    assert_eq!((kinds(&found), found[0].lines()), (vec!["unreadable"], (None, Some(3))));

    // Cut off in the middle.
    let found = against(&owned()[..3]);
    assert!(kinds(&found).contains(&"unreadable") && kinds(&found).contains(&"missing_there"), "{found:?}");
}
