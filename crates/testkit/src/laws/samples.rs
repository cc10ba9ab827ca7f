//! Rows to try a store with. Number and richness say everything: the same call gives the same row.
//!
//! A rich row has every option filled, texts that no careless encoding survives, and numbers at their limits;
//! a poor one is as empty as its type allows.

use accord_core::agreement::*;
use accord_core::calendar::Date;
use accord_core::client::*;
use accord_core::handle::Bucket;
use accord_core::ids::*;
use accord_core::journal::JournalLine;
use accord_core::ledger::*;
use accord_core::message::*;
use accord_core::moment::{Moment, Random, Timestamp};
use accord_core::money::{Amount, Currency};
use accord_core::notification::*;
use accord_core::outcome::Refusal;
use accord_core::payment::cancel::ClosedOrder;
use accord_core::payment::refund::{Refund, RefundClaim, RefundStage};
use accord_core::payment::*;
use accord_core::secret::{Digest, Salt, SecretKind, SecretRef};
use accord_core::token::*;
use accord_core::user::*;

/// Quotes, controls, tabs, lines, backslashes, right-to-left marks, letters beyond the first plane.
pub const ODD_TEXT: &str = "a\\n\n\t\"'; DROP TABLE users; --\r\u{1}\u{200f}دينار 𐎠𐎼𐎿 🦀\u{fffd}\\";

fn random(kind: &str, number: u32) -> Random {
    // No time of a sample, so that no payment was made in the moment in which something happened to it: a store may find
    // by their payment what happened then.
    Moment::new(Timestamp(777_777), [9; 32]).random(&format!("{kind}/{number}"))
}

/// A bucket; few of them, so that rows share one.
pub fn bucket(number: u32) -> Bucket {
    Bucket::new([0, 1, 511, 1023][number as usize % 4])
}

macro_rules! ids {
    ($($name:ident: $kind:ident),+) => {$(
        /// The id of that number.
        pub fn $name(number: u32) -> $kind {
            $kind::mint(bucket(number), &mut random(stringify!($name), number))
        }
    )+};
}

ids! {
    auth_id: AuthId, agreement_id: AgreementId, payment_id: PaymentId, customer_id: CustomerId,
    posting_id: PostingId, refund_id: RefundId, notification_id: NotificationId, message_id: MessageId
}

/// A digest.
pub fn digest(kind: &str, number: u32) -> Digest {
    Digest(random(kind, number).bytes())
}

/// A salt.
pub fn salt(number: u32, rich: bool) -> Salt {
    let salt = if rich { [0xff; 16] } else { random("salt", number).bytes() };
    Salt { key_version: if rich { u32::MAX } else { 0 }, salt }
}

/// A currency that exists.
pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap_or_else(|| panic!("{code} is a currency"))
}

/// An amount: the largest or the smallest.
pub fn amount(rich: bool) -> Amount {
    let (code, value) = if rich { ("IQD", Amount::MAX_VALUE) } else { ("JPY", 1) };
    Amount::new(currency(code), value).unwrap_or_else(|| panic!("{value} is an amount"))
}

/// A text.
pub fn text(rich: bool) -> String {
    if rich { ODD_TEXT.to_owned() } else { String::new() }
}

/// A text that may be missing.
pub fn maybe(rich: bool) -> Option<String> {
    rich.then(|| ODD_TEXT.to_owned())
}

/// A list of texts, one of them empty.
pub fn texts(rich: bool) -> Vec<String> {
    if rich { vec![String::new(), ODD_TEXT.to_owned(), "a.example".to_owned()] } else { Vec::new() }
}

/// A time: the last or the first of all.
pub fn time(rich: bool) -> Timestamp {
    Timestamp(if rich { i64::MAX } else { i64::MIN })
}

/// A time that may be missing.
pub fn maybe_time(rich: bool) -> Option<Timestamp> {
    rich.then_some(Timestamp(i64::MAX))
}

/// The most that a count may be, or the least.
pub fn most(rich: bool) -> u32 {
    if rich { u32::MAX } else { 0 }
}

/// An owner.
pub fn owner(number: u32) -> Owner {
    Owner::of(&["network", &format!("{ODD_TEXT}{number}")])
}

/// A client's id.
pub fn client_id(number: u32) -> ClientId {
    ClientId::new(format!("client-{number}"))
}

/// A dialect's name.
pub fn dialect() -> DialectName {
    DialectName::new("some-dialect")
}

/// A login id.
pub fn login_id(number: u32) -> LoginId {
    LoginId::new(format!("+96477000000{number:02}"))
}

/// A payment request id.
pub fn request_id(number: u32) -> PaymentRequestId {
    PaymentRequestId::new(format!("request\t{number}"))
}

/// A client.
pub fn client(number: u32, rich: bool) -> Client {
    Client {
        id: client_id(number),
        dialect: dialect(),
        legal_name: text(rich),
        display_name: text(rich),
        status: if rich { ClientStatus::Suspended } else { ClientStatus::Active },
        agreement_pay: rich,
        lenient: rich,
        auth_notify_url: maybe(rich),
        payment_notify_url: maybe(rich),
        return_url: maybe(rich),
        acquirers: texts(rich),
        redirect_hosts: texts(rich),
        rate_limit: rich.then_some(u32::MAX),
        created_at: time(rich),
    }
}

/// A client's key of that version.
pub fn client_key(number: u32, version: &str, rich: bool) -> ClientKey {
    ClientKey {
        client: client_id(number),
        version: version.to_owned(),
        public_key: text(rich),
        status: if rich { KeyStatus::Retired } else { KeyStatus::Active },
        created_at: time(rich),
    }
}

/// A user.
pub fn user(number: u32, rich: bool) -> User {
    User {
        id: customer_id(number),
        login_id: login_id(number),
        pin_hash: text(rich),
        status: if rich { UserStatus::Frozen } else { UserStatus::Closed },
        qualified: rich,
        language: if rich { Language::Arabic } else { Language::English },
        created_at: Timestamp(i64::from(number)),
    }
}

/// A guard.
pub fn pin_guard(number: u32, rich: bool) -> PinGuard {
    PinGuard {
        bucket: bucket(number),
        subject: format!("login:{number}"),
        wrong: most(rich),
        window_started_at: time(rich),
        blocked_until: time(rich),
        blocks: most(rich),
    }
}

/// A claim of prepare.
pub fn prepare_claim(number: u32, rich: bool) -> PrepareClaim {
    PrepareClaim {
        bucket: bucket(number),
        key: digest("key", number),
        fingerprint: digest("fingerprint", number + u32::from(rich)),
        auth_id: auth_id(number),
        answer: if rich { (0..=255).collect() } else { Vec::new() },
        created_at: time(rich),
    }
}

/// Terms.
pub fn terms(number: u32, rich: bool) -> Terms {
    Terms {
        auth_id: auth_id(number),
        owner: owner(number),
        client: client_id(number),
        dialect: dialect(),
        scopes: if rich { Scope::ALL.to_vec() } else { Vec::new() },
        legal_name: text(rich),
        display_name: text(rich),
        contract_title: maybe(rich),
        contract_text: maybe(rich),
        language: rich.then_some(Language::Arabic),
        redirect_url: maybe(rich),
        auth_state: maybe(rich),
        notify_url: maybe(rich),
        auth_client_id: maybe(rich),
        reference_merchant_id: maybe(rich),
        reference_agreement_id: maybe(rich),
        terminal: if rich { Terminal::MiniApp } else { Terminal::Web },
        extras: text(rich),
        created_at: time(rich),
    }
}

/// A session in that stage.
pub fn session(number: u32, stage: SessionStage, rich: bool) -> Session {
    Session {
        auth_id: auth_id(number),
        stage,
        expires_at: time(rich),
        wrong_pins: most(rich),
        decided_by: rich.then(|| digest("cookie", number)),
    }
}

/// Every stage of a session.
pub fn session_stages() -> Vec<SessionStage> {
    let at = Timestamp(i64::MAX);
    vec![
        SessionStage::Open,
        SessionStage::Refused { at },
        SessionStage::Approved { at, agreement: agreement_id(7) },
    ]
}

/// A consent.
pub fn consent(number: u32, rich: bool) -> Consent {
    Consent {
        auth_id: auth_id(number),
        decision: if rich { Decision::Approve } else { Decision::Refuse },
        customer: rich.then(|| customer_id(number)),
        text_digest: digest("shown", number),
        language: if rich { Language::Arabic } else { Language::English },
        version: text(rich),
        at: time(rich),
        address: text(rich),
    }
}

/// An agreement in that stage.
pub fn agreement(number: u32, customer: u32, stage: AgreementStage, rich: bool) -> Agreement {
    Agreement {
        id: agreement_id(number),
        auth_id: auth_id(number),
        owner: owner(number),
        client: client_id(number),
        dialect: dialect(),
        customer: customer_id(customer),
        stage,
        generation: most(rich),
        code_salt: salt(number, rich),
        created_at: Timestamp(i64::from(number % 3)),
    }
}

/// Every stage of an agreement.
pub fn agreement_stages() -> Vec<AgreementStage> {
    let mut stages = vec![AgreementStage::Consented, AgreementStage::Active];
    stages.extend(EndedBy::ALL.iter().map(|by| AgreementStage::Ended { at: Timestamp(i64::MIN), by: *by }));
    stages
}

/// A code.
pub fn code(number: u32, rich: bool) -> Code {
    Code {
        digest: digest("code", number),
        agreement: agreement_id(number),
        owner: owner(number),
        issued_at: time(rich),
        expires_at: time(rich),
    }
}

/// A pair of tokens.
pub fn token_set(number: u32, generation: u32, rich: bool) -> TokenSet {
    TokenSet {
        agreement: agreement_id(number),
        generation,
        access_digest: digest(&format!("access/{generation}"), number),
        refresh_digest: digest(&format!("refresh/{generation}"), number),
        salt: salt(number, rich),
        access_expires_at: time(rich),
        refresh_expires_at: time(rich),
        issued_at: time(rich),
        replaced_at: maybe_time(rich),
    }
}

/// A claim of a payment request id.
pub fn payment_claim(number: u32, payment: u32) -> PaymentClaim {
    PaymentClaim {
        owner: owner(number),
        request_id: request_id(number),
        payment: payment_id(payment),
        created_at: Timestamp(i64::from(payment)),
    }
}

/// A payment in that stage.
pub fn payment(number: u32, stage: PaymentStage, resolution: Option<Resolution>, rich: bool) -> Payment {
    Payment {
        id: payment_id(number),
        owner: owner(number),
        client: client_id(number),
        dialect: dialect(),
        request_id: request_id(number),
        fingerprint: digest("payment", number),
        agreement: agreement_id(number),
        customer: customer_id(number),
        amount: amount(rich),
        evaluation: rich,
        stage,
        resolution,
        expires_at: maybe_time(rich),
        answered_unknown: rich,
        notify_url: maybe(rich),
        description: text(rich),
        extras: text(rich),
        created_at: time(rich),
        posting: rich.then(|| posting_id(number)),
        refunded: if rich { i64::MAX } else { 0 },
        closed_at: rich.then(|| time(rich)),
    }
}

/// One side of a posting, in IQD.
pub fn entry(posting: &Posting, line: u32, party: Party, amount: i64) -> Entry {
    Entry { posting: posting.id.clone(), line, party, currency: currency("IQD"), amount }
}

/// A claim of a refund request id.
pub fn refund_claim(number: u32, refund: u32) -> RefundClaim {
    RefundClaim {
        owner: owner(number),
        request_id: RefundRequestId::new(format!("refund\t{number}")),
        refund: refund_id(refund),
        created_at: Timestamp(i64::from(refund)),
    }
}

/// A refund of the payment of that number, asked for at that time.
pub fn refund(number: u32, payment: u32, at: i64, stage: RefundStage, rich: bool) -> Refund {
    Refund {
        id: refund_id(number),
        owner: owner(number),
        client: client_id(number),
        dialect: dialect(),
        request_id: RefundRequestId::new(format!("refund\t{number}")),
        fingerprint: digest("refund", number),
        payment: payment_id(payment),
        amount: amount(rich),
        reason: maybe(rich),
        extras: text(rich),
        stage,
        resolution: rich.then_some(Resolution { due_at: Timestamp(at), succeed: at % 2 == 0 }),
        created_at: Timestamp(at),
        posting: rich.then(|| posting_id(number)),
        end_posting: rich.then(|| posting_id(number + 1)),
    }
}

/// Every stage of a refund, one for each refusal.
pub fn refund_stages() -> Vec<RefundStage> {
    let at = Timestamp(i64::MAX);
    let mut stages = vec![RefundStage::InProcess, RefundStage::Succeeded { at }];
    stages.extend(Refusal::ALL.iter().map(|refusal| RefundStage::Failed { at, refusal: *refusal }));
    stages
}

/// The mark of a closed order.
pub fn closed_order(number: u32, at: i64) -> ClosedOrder {
    ClosedOrder { owner: owner(number), request_id: request_id(number), at: Timestamp(at) }
}

/// Every stage of a payment, one for each refusal.
pub fn payment_stages() -> Vec<PaymentStage> {
    let at = Timestamp(i64::MAX);
    let mut stages = vec![PaymentStage::InProcess, PaymentStage::Succeeded { at }];
    stages.extend(Refusal::ALL.iter().map(|refusal| PaymentStage::Failed { at, refusal: *refusal }));
    stages
}

/// An account.
pub fn account(customer: u32, code: &str, balance: i64) -> Account {
    Account { customer: customer_id(customer), currency: currency(code), balance }
}

/// A posting and as many entries, for every kind of party.
pub fn posting(number: u32, rich: bool) -> (Posting, Vec<Entry>) {
    let id = posting_id(number);
    let posting = Posting {
        id: id.clone(),
        kind: if rich { PostingKind::Debit } else { PostingKind::Credit },
        reference: text(rich),
        at: time(rich),
    };
    let parties = [
        Party::User(customer_id(number)),
        Party::Payable { client: ClientId::new("a:b:c"), slot: u8::MAX },
        Party::Funding,
        Party::RefundsInFlight,
    ];
    let entries = parties.into_iter().zip(0..).map(|(party, line)| Entry {
        posting: id.clone(),
        line,
        party,
        currency: currency("IQD"),
        amount: if line % 2 == 0 { i64::MIN } else { i64::MAX },
    });
    (posting, if rich { entries.collect() } else { Vec::new() })
}

/// A notification, due at that time.
pub fn notification(number: u32, state: NotificationState, due_at: i64, rich: bool) -> Notification {
    let mark = |(kind, generation): (&SecretKind, u32)| Mark {
        placeholder: format!("{ODD_TEXT}{generation}"),
        secret: SecretRef {
            kind: *kind,
            agreement: agreement_id(number),
            generation,
            salt: salt(number, rich),
        },
    };
    Notification {
        id: notification_id(number),
        kind: text(rich),
        client: client_id(number),
        dialect: dialect(),
        url: text(rich),
        target: format!("host-{}.example:443", number % 3),
        body: text(rich),
        marks: if rich { SecretKind::ALL.iter().zip(0..).map(mark).collect() } else { Vec::new() },
        state,
        tries: most(rich),
        next_attempt_at: Timestamp(due_at),
        moot_after: maybe_time(rich),
        created_at: Timestamp(i64::from(number % 4)),
    }
}

/// An attempt.
pub fn attempt(notification: u32, number: u32, rich: bool) -> Attempt {
    Attempt {
        notification: notification_id(notification),
        number,
        at: time(rich),
        http_status: rich.then_some(u16::MAX),
        outcome: text(rich),
    }
}

/// A message to a customer about a payment.
pub fn message(number: u32, customer: u32, payment: u32, rich: bool) -> Message {
    let about = About::Debit {
        payment: payment_id(payment),
        failure: rich.then_some(Refusal::BalanceNotEnough),
        merchant: text(rich),
        amount: amount(rich),
        agreement: agreement_id(number),
        plan: match number % 3 {
            0 => Plan::NOTHING,
            1 => Plan { agreed: rich.then(|| amount(rich)), next: Date::new(2028, 2, 29), until: None },
            _ => Plan { agreed: Some(amount(rich)), next: None, until: Date::new(1, 1, 1).filter(|_| rich) },
        },
    };
    message_about(number, customer, rich, about)
}

/// A message to a customer about anything.
pub fn message_about(number: u32, customer: u32, rich: bool, about: About) -> Message {
    Message {
        id: message_id(number),
        customer: customer_id(customer),
        channel: Channel::Inbox,
        language: if rich { Language::Arabic } else { Language::English },
        about,
        at: Timestamp(i64::from(number % 3)),
    }
}

/// One of each kind of message but the debit's.
pub fn abouts(rich: bool) -> Vec<About> {
    let (agreement, payment, merchant) = (agreement_id(if rich { 2 } else { 1 }), payment_id(1), text(rich));
    vec![
        About::Refund { refund: text(rich), payment, merchant: merchant.clone(), amount: amount(rich) },
        About::Upcoming {
            agreement: agreement.clone(),
            merchant: merchant.clone(),
            amount: rich.then(|| amount(rich)),
            due_at: time(rich),
        },
        About::Ended { agreement, merchant: merchant.clone(), by: EndedBy::User },
        About::OneTimeCode {
            purpose: if rich { CodePurpose::Approval } else { CodePurpose::Merchant },
            request: text(rich),
            merchant: merchant.clone(),
            code: text(rich),
            expires_at: time(rich),
        },
        About::FromMerchant {
            request: text(rich),
            merchant,
            title: text(rich),
            content: text(rich),
            url: rich.then(|| text(rich)),
        },
    ]
}

/// A line about a subject.
pub fn journal_line(number: u32, subject: &str, rich: bool) -> JournalLine {
    JournalLine {
        stream: bucket(number),
        number,
        at: Timestamp(i64::from(number % 3)),
        act: text(rich),
        subject: subject.to_owned(),
        actor: text(rich),
        detail: text(rich),
        hash: digest("line", number),
    }
}
