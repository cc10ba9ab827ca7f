//! `kill -9` under mixed load, again and again on one directory: nothing that was acknowledged is missing, nothing
//! is doubled, the books balance, and what was not yet delivered arrives.
//!
//! `ACCORD_LONG=1` kills 20 times instead of 3. `ACCORD_SEED=…` repeats the choices of a run that failed; how far
//! the machine gets between two choices is never the same, so a failure may need several runs to come again.

mod house;

use accord_client::{DialectKind, Verification};
use house::mailbox::{Letter, Mailbox, Manner};
use house::shop::{Bill, Heard, Shop, auth_id};
use house::support::{On, on_every_store, run};
use house::{Dice, House, Tokens, http};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

on_every_store!(
    async a_killed_wallet_has_kept_its_word_when_it_comes_back,
);

/// Tasks that call at the same time.
const TASKS: usize = 16;
/// Who pays: two with money, one without.
const USERS: [usize; 3] = [0, 3, 1];

/// What a task needs to call the wallet in one round. Every call may stay without an answer.
struct World {
    round: usize,
    url: String,
    time: String,
    shops: [Shop; 2],
    boxes: [String; 2],
    users: Vec<(String, String)>,
    /// Calls that were answered.
    answered: AtomicUsize,
}

/// A session that was asked for, Alipay+ with the answer's bytes.
struct Prepared {
    shop: usize,
    reference: String,
    answer: Option<Vec<u8>>,
}

/// A call that changes an agreement and was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    Apply,
    Refresh,
    Cancel,
}

/// An agreement that the test knows of: its code was acknowledged.
#[derive(Debug, Clone)]
struct Agreement {
    round: usize,
    shop: usize,
    user: usize,
    reference: String,
    code: String,
    /// Every pair that was acknowledged, oldest first.
    tokens: Vec<Tokens>,
    pending: Pending,
    canceled: bool,
}

/// A payment that was asked for, and its end if that was acknowledged: S with the paymentId, or F with the code.
struct Debit {
    shop: usize,
    user: usize,
    bill: Bill,
    token: String,
    end: Option<(char, String)>,
}

/// What came of the calls of a round.
#[derive(Default)]
struct Record {
    prepared: Vec<Prepared>,
    undecided: Vec<(String, usize)>,
    agreements: Vec<Agreement>,
    debits: Vec<Debit>,
    /// Payments without an answer that had nevertheless been made.
    made: usize,
}

/// The end that an answer to pay reports; nothing while the payment runs.
#[track_caller]
fn end_of(said: &Heard) -> Option<(char, String)> {
    match (said.status.as_str(), said.code.as_str()) {
        ("S", "SUCCESS") => Some(('S', said.body["paymentId"].as_str().expect("an id").to_owned())),
        ("F", code @ "USER_BALANCE_NOT_ENOUGH") => Some(('F', code.to_owned())),
        ("U", "PAYMENT_IN_PROCESS") => None,
        _ => panic!("{}", said.body),
    }
}

impl World {
    fn new(round: usize, house: &House, time: String, boxes: [String; 2]) -> World {
        let users = house.file.users.iter().map(|user| (user.login_id.clone(), user.pin.clone())).collect();
        let shops = [house.shop("qi2"), house.shop("alipayPlus2")];
        let answered = AtomicUsize::new(0);
        World { round, url: house.url.clone(), time, shops, boxes, users, answered }
    }

    async fn call(&self, shop: usize, operation: &str, body: Value) -> Option<Heard> {
        let said = self.shops[shop].try_call(operation, &body, &self.time).await?;
        self.answered.fetch_add(1, Ordering::Relaxed);
        Some(said)
    }

    fn prepare_body(&self, shop: usize, reference: &str) -> Value {
        self.shops[shop].prepare_body(reference, Some(&format!("{}/auth/{reference}", self.boxes[shop])))
    }

    async fn decide(&self, auth_id: &str, user: usize) -> Option<(u16, String)> {
        let (login, pin) = &self.users[user];
        let body = json!({ "authId": auth_id, "loginId": login, "pin": pin, "decision": "approve" });
        let head = "POST /sandbox/decide HTTP/1.1\r\nContent-Type: application/json";
        http(&self.url, head, &body.to_string()).await
    }

    /// prepare, decide, applyToken. Stops where an answer fails to come, and says so by giving nothing.
    async fn agree(&self, shop: usize, user: usize, reference: String, record: &mut Record) -> Option<()> {
        let said = self.call(shop, "prepare", self.prepare_body(shop, &reference)).await;
        let answer = said.as_ref().map(|said| said.raw.clone());
        record.prepared.push(Prepared { shop, reference: reference.clone(), answer });
        let id = auth_id(&said?.body);
        let Some((status, said)) = self.decide(&id, user).await else {
            record.undecided.push((id, user));
            return None;
        };
        assert_eq!(status, 200, "{said}");
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let code = said["authCode"].as_str().expect("a code").to_owned();
        let (tokens, pending) = (Vec::new(), Pending::Apply);
        let round = self.round;
        record.agreements.push(Agreement {
            round,
            shop,
            user,
            reference,
            code,
            tokens,
            pending,
            canceled: false,
        });
        let agreement = record.agreements.last_mut().expect("it");
        let said = self.call(shop, "applyToken", self.shops[shop].apply_body(&agreement.code)).await?;
        said.is("S SUCCESS");
        (agreement.tokens, agreement.pending) = (vec![said.tokens()], Pending::Nothing);
        Some(())
    }

    async fn pay(&self, shop: usize, bill: &Bill, token: &str) -> Option<Heard> {
        self.call(shop, "pay", self.shops[shop].pay_body(bill, token)).await
    }

    fn bill(&self, shop: usize, id: String, dice: &mut Dice) -> Bill {
        // User 3 has no dollars, so they all pay dinars; odd values tell one debit from another.
        let bill = Bill::new(&id, "IQD", 1 + dice.roll(9_999));
        bill.notify(&format!("{}/pay/{id}", self.boxes[shop]))
    }

    /// Calls until an answer fails to come.
    async fn work(self: Arc<World>, task: usize, mut dice: Dice, mut record: Record) -> Record {
        for number in 0.. {
            let id = format!("r{}-t{task}-{number}", self.round);
            let live: Vec<usize> = (0..record.agreements.len())
                .filter(|at| !record.agreements[*at].canceled && !record.agreements[*at].tokens.is_empty())
                .collect();
            if live.is_empty() || dice.roll(30) == 0 {
                let (shop, user) = ((task + number) % 2, USERS[(dice.roll(8) / 3) as usize]);
                if self.agree(shop, user, id, &mut record).await.is_none() {
                    return record;
                }
                continue;
            }
            let agreement = &mut record.agreements[live[dice.roll(live.len() as u64) as usize]];
            let newest = agreement.tokens.last().expect("tokens").clone();
            let (shop, user) = (agreement.shop, agreement.user);
            let refresh = || self.call(shop, "applyToken", self.shops[shop].refresh_body(&newest.refresh));
            let bill = self.bill(shop, id, &mut dice);
            let pay = || self.pay(shop, &bill, &newest.access);
            let choice = dice.roll(12);
            // What is asked for: up to two calls beside each other.
            let (paid, again, refreshed, canceled) = match choice {
                0..=5 => (Some(pay().await), None, None, None),
                6..=7 => {
                    let (one, other) = tokio::join!(pay(), pay());
                    (Some(one), Some(other), None, None)
                }
                8..=9 => {
                    let (paid, refreshed) = tokio::join!(pay(), refresh());
                    (Some(paid), None, Some(refreshed), None)
                }
                10 => (None, None, Some(refresh().await), None),
                _ => {
                    let body = self.shops[shop].cancel_body(&newest.access);
                    (None, None, None, Some(self.call(shop, "cancelToken", body).await))
                }
            };
            let lost =
                [&paid, &again, &refreshed, &canceled].into_iter().any(|said| matches!(said, Some(None)));
            match refreshed {
                Some(Some(said)) => {
                    said.is("S SUCCESS");
                    agreement.tokens.push(said.tokens());
                    agreement.round = self.round;
                }
                Some(None) => agreement.pending = Pending::Refresh,
                None => {}
            }
            match canceled {
                Some(Some(said)) => {
                    said.is("S SUCCESS");
                    agreement.canceled = true;
                }
                Some(None) => agreement.pending = Pending::Cancel,
                None => {}
            }
            if let Some(one) = paid {
                let ends: Vec<_> = [one, again.flatten()].iter().flatten().filter_map(end_of).collect();
                assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}");
                let end = ends.first().cloned();
                record.debits.push(Debit { shop, user, bill, token: newest.access, end });
            }
            if lost {
                return record;
            }
        }
        record
    }
}

impl Record {
    fn absorb(&mut self, other: Record) {
        self.prepared.extend(other.prepared);
        self.undecided.extend(other.undecided);
        self.agreements.extend(other.agreements);
        self.debits.extend(other.debits);
    }

    /// Looks after everything that the round was told or not told. What was not answered is asked again, as a
    /// caller would, and must then come to exactly one end.
    async fn audit(&mut self, world: &World) {
        let again = async |shop: usize, operation: &str, body: Value| {
            world.call(shop, operation, body).await.unwrap_or_else(|| panic!("no answer to {operation}"))
        };
        for one in &self.prepared {
            let first = again(one.shop, "prepare", world.prepare_body(one.shop, &one.reference)).await;
            first.is("S SUCCESS");
            if world.shops[one.shop].kind == DialectKind::AlipayPlus {
                let expected = one.answer.as_ref().unwrap_or(&first.raw);
                let second = again(one.shop, "prepare", world.prepare_body(one.shop, &one.reference)).await;
                assert!(first.raw == *expected && second.raw == *expected, "{}", first.body);
            }
        }
        for (id, user) in &self.undecided {
            let (status, said) = world.decide(id, *user).await.expect("an answer");
            assert!(status == 200 || status == 409, "{said}");
        }
        for debit in &mut self.debits {
            if debit.end.is_none() {
                let shop = &world.shops[debit.shop];
                let said = again(debit.shop, "inquiryPayment", shop.inquiry_body(&debit.bill.id)).await;
                self.made += usize::from(shop.standing(&said).is_some());
            }
            let said = world.pay(debit.shop, &debit.bill, &debit.token).await.expect("an answer");
            let end = end_of(&said).unwrap_or_else(|| panic!("{}: still running", debit.bill.id));
            let known = debit.end.get_or_insert_with(|| end.clone());
            assert_eq!(*known, end, "{}", debit.bill.id);
            let shop = &world.shops[debit.shop];
            let said = again(debit.shop, "inquiryPayment", shop.inquiry_body(&debit.bill.id)).await;
            assert_eq!(shop.standing(&said), Some(end.0), "{}", said.body);
            if end.0 == 'S' {
                assert_eq!(said.body["paymentId"], end.1.as_str());
            }
        }
        for (number, agreement) in self.agreements.iter_mut().enumerate() {
            let shop = &world.shops[agreement.shop];
            let (pending, this_round) = (agreement.pending, agreement.round == world.round);
            agreement.pending = Pending::Nothing;
            let code = again(agreement.shop, "applyToken", shop.apply_body(&agreement.code)).await;
            match (pending, agreement.tokens.as_slice()) {
                (Pending::Apply, _) => {
                    code.is("S SUCCESS");
                    agreement.tokens.push(code.tokens());
                }
                // The refresh or the cancellation may have happened.
                (Pending::Refresh | Pending::Cancel, _) => {}
                (Pending::Nothing, [only]) if this_round && !agreement.canceled => {
                    assert_eq!(code.tokens(), *only);
                }
                (Pending::Nothing, _) => code.is("F USED_CODE"),
            }
            let newest = agreement.tokens.last().expect("tokens").clone();
            match (pending, agreement.tokens.as_slice()) {
                (Pending::Refresh, _) => {
                    let said = again(agreement.shop, "applyToken", shop.refresh_body(&newest.refresh)).await;
                    said.is("S SUCCESS");
                    let same = again(agreement.shop, "applyToken", shop.refresh_body(&newest.refresh)).await;
                    assert_eq!(same.tokens(), said.tokens());
                    agreement.tokens.push(said.tokens());
                }
                (Pending::Cancel, _) => {
                    again(agreement.shop, "cancelToken", shop.cancel_body(&newest.access))
                        .await
                        .is("S SUCCESS");
                    agreement.canceled = true;
                }
                (_, [.., before, newest]) if this_round && !agreement.canceled => {
                    let said = again(agreement.shop, "applyToken", shop.refresh_body(&before.refresh)).await;
                    assert_eq!(said.tokens(), *newest);
                }
                _ => {}
            }
            let newest = agreement.tokens.last().expect("tokens").clone();
            let id = format!("r{}-audit-{number}", world.round);
            let bill = world.bill(agreement.shop, id, &mut Dice(number as u64));
            let said = world.pay(agreement.shop, &bill, &newest.access).await.expect("an answer");
            match (agreement.canceled, shop.kind) {
                (true, DialectKind::Qi) => said.is("F INVALID_ACCESS_TOKEN"),
                (true, DialectKind::AlipayPlus) => said.is("F INVALID_TOKEN"),
                (false, _) => {
                    let (shop, user, token) = (agreement.shop, agreement.user, newest.access);
                    self.debits.push(Debit { shop, user, bill, token, end: end_of(&said) });
                }
            }
        }
    }
}

/// The receivers: in the storm they are as bad as receivers can be; after it one in four still fails once.
async fn open_boxes(house: &House, storm: Arc<AtomicBool>) -> [Mailbox; 2] {
    let open = async |who: &str| {
        let (storm, failed) = (storm.clone(), Mutex::new(HashSet::new()));
        let count = AtomicU64::new(0);
        Mailbox::open(house.shop(who).receiver(), move |letter: &Letter| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            if storm.load(Ordering::Relaxed) {
                match Dice(number).roll(8) {
                    0..=1 => Manner::Status(500),
                    2 => Manner::Close,
                    3 => Manner::Slow(300),
                    _ => Manner::Sign,
                }
            } else if number.is_multiple_of(4) && failed.lock().expect("it").insert(letter.body.clone()) {
                Manner::SignAs("U")
            } else {
                Manner::Sign
            }
        })
        .await
    };
    [open("qi2").await, open("alipayPlus2").await]
}

/// Moves the clock until nothing waits, then looks at what arrived for this round.
async fn check_notifications(house: &House, record: &Record, boxes: &[Mailbox; 2], round: usize) {
    let prefix = format!("/r{round}-");
    let mut mine = Vec::new();
    for _ in 0..5 {
        house.advance(660).await;
        mine = house.notifications().await;
        mine.retain(|one| one["url"].as_str().is_some_and(|url| url.contains(&prefix)));
        if mine.iter().all(|one| one["state"] != "pending") {
            break;
        }
    }
    let mut stored: HashMap<(String, String), Vec<&Value>> = HashMap::new();
    for one in &mine {
        let key = |name: &str| one[name].as_str().expect("a text").to_owned();
        assert!(one["state"] == "delivered" || one["state"] == "moot", "{one}");
        stored.entry((key("url"), key("type"))).or_default().push(one);
    }
    let doubled: Vec<_> = stored.values().filter(|ones| ones.len() > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");

    let mut arrived: HashMap<String, Vec<Letter>> = HashMap::new();
    for mailbox in boxes {
        for letter in mailbox.letters() {
            assert_eq!(letter.received.verified, Verification::Verified, "{letter:?}");
            arrived.entry(format!("{}{}", mailbox.url, letter.target)).or_default().push(letter);
        }
    }
    for debit in &record.debits {
        let url = debit.bill.notify.as_ref().expect("a URL");
        let letters = arrived.get(url).unwrap_or_else(|| panic!("{url}: no notice arrived"));
        let (status, word) = debit.end.as_ref().expect("an end");
        for letter in letters {
            let body = letter.json();
            assert_eq!(body["paymentResult"]["resultStatus"], status.to_string(), "{body}");
            let told = if *status == 'S' { &body["paymentId"] } else { &body["paymentResult"]["resultCode"] };
            assert_eq!(told, word.as_str(), "{body}");
            assert_eq!(letter.body, letters[0].body);
        }
    }
    for agreement in record.agreements.iter().filter(|one| one.shop == 1) {
        // An agreement of an earlier round has told of its tokens then.
        if !agreement.reference.starts_with(&prefix[1..]) {
            continue;
        }
        let letters = arrived.get(&format!("{}/auth/{}", boxes[1].url, agreement.reference));
        let told = |kind: &str, token: &str| {
            let mut letters = letters.into_iter().flatten();
            letters.any(|letter| letter.received.kind == kind && letter.text("accessToken") == token)
        };
        assert!(told("TOKEN_CREATED", &agreement.tokens[0].access), "{agreement:?}");
        let newest = &agreement.tokens.last().expect("tokens").access;
        assert_eq!(told("TOKEN_CANCELED", newest), agreement.canceled, "{agreement:?}");
    }
}

/// Every user's money and inbox against every debit of the whole test.
async fn check_books(house: &House, opening: &BTreeMap<usize, i128>, debits: &[Debit]) {
    for user in USERS {
        let of_user: Vec<&Debit> = debits.iter().filter(|debit| debit.user == user).collect();
        let spent: i128 = of_user
            .iter()
            .filter(|debit| debit.end.as_ref().is_some_and(|end| end.0 == 'S'))
            .map(|debit| i128::from(debit.bill.value))
            .sum();
        assert_eq!(house.balance(user, "IQD").await, opening[&user] - spent, "user {user}");
        // Beside the debits the inbox tells of agreements that ended.
        let ended =
            |text: &str| text.contains("can no longer debit you") || text.contains("لم يعد بإمكانه السحب");
        let told = house.messages(user).await;
        let told = told.iter().filter(|message| !message["text"].as_str().is_some_and(ended));
        assert_eq!(told.count(), of_user.len(), "user {user}");
    }
    let mut ids: Vec<&String> =
        debits.iter().filter_map(|debit| debit.end.as_ref()).map(|end| &end.1).collect();
    ids.retain(|id| *id != "USER_BALANCE_NOT_ENOUGH");
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two debits have one paymentId");
    verify_ledger(house);
}

fn verify_ledger(house: &House) {
    let data = house.data();
    let said = run(&["ledger", "verify", "--data", data.to_str().expect("UTF-8"), "--json"]).ends(0);
    assert_eq!(said.json()["balanced"], true, "{}", said.out);
}

async fn a_killed_wallet_has_kept_its_word_when_it_comes_back(on: On) {
    let long = std::env::var("ACCORD_LONG").is_ok_and(|long| long == "1");
    let rounds = if long { 20 } else { 3 };
    let given = std::env::var("ACCORD_SEED").ok().map(|seed| seed.parse().expect("ACCORD_SEED: a number"));
    let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    println!("ACCORD_SEED={seed}");
    let mut dice = Dice(seed);

    let mut house = House::open("crash", on);
    let storm = Arc::new(AtomicBool::new(false));
    let boxes = open_boxes(&house, storm.clone()).await;
    let urls = boxes.each_ref().map(|mailbox| mailbox.url.clone());
    let mut opening = BTreeMap::new();
    for user in USERS {
        opening.insert(user, house.balance(user, "IQD").await);
    }
    let mut all = Vec::new();
    let mut survivors: Vec<Agreement> = Vec::new();

    for round in 0..rounds {
        storm.store(true, Ordering::Relaxed);
        let world = Arc::new(World::new(round, &house, house.now().await, urls.clone()));
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let dice = Dice(seed ^ ((round * TASKS + task + 1) as u64) << 32);
            let agreements = survivors.pop().into_iter().collect();
            tasks.spawn(world.clone().work(task, dice, Record { agreements, ..Record::default() }));
        }
        // After so many answers, however long they take, and then anywhere in what goes on.
        let answers = 20 + dice.roll(700) as usize;
        let enough = async || (world.answered.load(Ordering::Relaxed) >= answers).then_some(());
        house.eventually("enough answers", enough).await;
        tokio::time::sleep(Duration::from_micros(dice.roll(20_000))).await;
        house.kill();
        let mut record = Record::default();
        while let Some(ended) = tasks.join_next().await {
            record.absorb(ended.expect("a task that ends well"));
        }
        let unanswered = record.debits.iter().filter(|debit| debit.end.is_none()).count();
        storm.store(false, Ordering::Relaxed);

        house.start();
        verify_ledger(&house);
        let world = World::new(round, &house, house.now().await, urls.clone());
        let (sessions, asked) = (record.prepared.len(), record.debits.len());
        record.audit(&world).await;
        println!(
            "round {round}: killed after {answers} answers; {sessions} sessions, {asked} debits, {unanswered} of them \
             unanswered, {} of those made",
            record.made
        );
        check_notifications(&house, &record, &boxes, round).await;
        let Record { agreements, debits, .. } = record;
        all.extend(debits);
        check_books(&house, &opening, &all).await;
        survivors.extend(agreements.into_iter().filter(|agreement| !agreement.canceled));
    }

    // What the first rounds were told holds to the end, also when the process is asked to stop.
    house.stop();
    verify_ledger(&house);
    house.start();
    let world = World::new(rounds, &house, house.now().await, urls);
    for debit in &all {
        let shop = &world.shops[debit.shop];
        let said = world.call(debit.shop, "inquiryPayment", shop.inquiry_body(&debit.bill.id)).await;
        let end = debit.end.as_ref().map(|end| end.0);
        assert_eq!(shop.standing(&said.expect("an answer")), end, "{}", debit.bill.id);
    }
    check_books(&house, &opening, &all).await;
    let said = all.iter().filter(|debit| debit.end.as_ref().is_some_and(|end| end.0 == 'S')).count();
    assert!(said > rounds * TASKS, "too few debits to prove anything: {said}");
}
