//! Rows of payments, and of the request ids that became them.

use super::engine::Engine;
use super::sql::{self, Columns, statements};
use super::value::{Params, params};
use accord_core::ids::{
    AgreementId, ClientId, CustomerId, DialectName, Owner, PaymentId, PaymentRequestId, PostingId,
};
use accord_core::moment::Timestamp;
use accord_core::outcome::Refusal;
use accord_core::payment::{Payment, PaymentClaim, PaymentStage, Resolution};
use accord_core::store::{StoreFault, Stored};

macro_rules! payment_columns {
    () => {
        "id, owner, client, dialect, request_id, fingerprint, agreement, customer, currency, amount, evaluation, \
         stage, settled_at, refusal, resolve_at, resolve_succeed, answered_unknown, notify_url, description, \
         extras, created_at, posting, refunded, closed_at, expires_at"
    };
}

statements! {
    CLAIM = "SELECT owner, request_id, payment, created_at FROM payment_claims
        WHERE bucket = ?1 AND owner = ?2 AND request_id = ?3";
    INSERT_CLAIM = "INSERT INTO payment_claims (bucket, owner, request_id, payment, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    PAYMENT = concat!("SELECT ", payment_columns!(), " FROM payments WHERE bucket = ?1 AND id = ?2");
    TO_RESOLVE = concat!(
        "SELECT ", payment_columns!(), " FROM payments
        WHERE stage = 'in_process' AND resolve_at IS NOT NULL AND resolve_at <= ?1
        ORDER BY resolve_at, bucket, id LIMIT ?2"
    );
    NEXT_TO_RESOLVE = "SELECT resolve_at FROM payments WHERE stage = 'in_process' AND resolve_at IS NOT NULL
        ORDER BY resolve_at LIMIT 1";
    pub(crate) RUNNING = concat!(
        "SELECT ", payment_columns!(), " FROM payments WHERE stage = 'in_process'
        ORDER BY created_at, bucket, id LIMIT ?1"
    );
    AFTER = concat!(
        "SELECT ", payment_columns!(), " FROM payments WHERE (id, bucket) > (?2, ?1) ORDER BY id, bucket LIMIT ?3"
    );
    INSERT_PAYMENT = concat!(
        "INSERT INTO payments (bucket, ", payment_columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
         ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)"
    );
    UPDATE_PAYMENT = "UPDATE payments SET owner = ?3, client = ?4, dialect = ?5, request_id = ?6, fingerprint = ?7,
        agreement = ?8, customer = ?9, currency = ?10, amount = ?11, evaluation = ?12, stage = ?13,
        settled_at = ?14, refusal = ?15, resolve_at = ?16, resolve_succeed = ?17, answered_unknown = ?18,
        notify_url = ?19, description = ?20, extras = ?21, created_at = ?22, posting = ?23, refunded = ?24,
        closed_at = ?25, expires_at = ?26
        WHERE bucket = ?1 AND id = ?2";
    // The first page begins behind everything.
    pub(crate) OF_AGREEMENT = concat!(
        "SELECT ", payment_columns!(), " FROM payments
        WHERE bucket = ?1 AND agreement = ?2 AND customer = ?3 AND (created_at, id) < (?4, ?5)
        ORDER BY created_at DESC, id DESC LIMIT ?6"
    );
}

pub(crate) fn payment_claim(
    db: &dyn Engine,
    owner: &Owner,
    request: &PaymentRequestId,
) -> Stored<Option<PaymentClaim>> {
    let bucket = PaymentClaim::bucket_of(owner, request);
    sql::one(db, CLAIM, params![bucket.number(), owner.as_str(), request.as_str()], |row| {
        Ok(PaymentClaim {
            owner: Owner::from_row(row.get::<String>()?),
            request_id: PaymentRequestId::new(row.get::<String>()?),
            payment: row.parsed(PaymentId::read)?,
            created_at: row.time()?,
        })
    })
}

pub(crate) fn insert_payment_claim(db: &dyn Engine, claim: &PaymentClaim) -> Stored<()> {
    let bucket = PaymentClaim::bucket_of(&claim.owner, &claim.request_id);
    let values = params![
        bucket.number(),
        claim.owner.as_str(),
        claim.request_id.as_str(),
        claim.payment.as_str(),
        claim.created_at.0,
    ];
    sql::write(db, INSERT_CLAIM, values)
}

pub(crate) fn read_payment(row: &mut Columns<'_>) -> Stored<Payment> {
    Ok(Payment {
        id: row.parsed(PaymentId::read)?,
        owner: Owner::from_row(row.get::<String>()?),
        client: ClientId::new(row.get::<String>()?),
        dialect: DialectName::new(row.get::<String>()?),
        request_id: PaymentRequestId::new(row.get::<String>()?),
        fingerprint: row.digest()?,
        agreement: row.parsed(AgreementId::read)?,
        customer: row.parsed(CustomerId::read)?,
        amount: row.amount()?,
        evaluation: row.get()?,
        stage: {
            let stage: String = row.get()?;
            let at = row.maybe_time()?;
            let refusal = row.maybe(Refusal::parse)?;
            match (stage.as_str(), at, refusal) {
                ("in_process", None, None) => PaymentStage::InProcess,
                ("succeeded", Some(at), None) => PaymentStage::Succeeded { at },
                ("failed", Some(at), Some(refusal)) => PaymentStage::Failed { at, refusal },
                _ => return Err(StoreFault::Corrupt("a payment's stage contradicts itself".into())),
            }
        },
        resolution: match (row.maybe_time()?, row.get::<Option<bool>>()?) {
            (None, None) => None,
            (Some(due_at), Some(succeed)) => Some(Resolution { due_at, succeed }),
            _ => return Err(StoreFault::Corrupt("a payment's resolution contradicts itself".into())),
        },
        answered_unknown: row.get()?,
        notify_url: row.get()?,
        description: row.get()?,
        extras: row.get()?,
        created_at: row.time()?,
        posting: row.maybe(PostingId::read)?,
        refunded: row.get()?,
        closed_at: row.maybe_time()?,
        expires_at: row.maybe_time()?,
    })
}

pub(crate) fn payment(db: &dyn Engine, id: &PaymentId) -> Stored<Option<Payment>> {
    sql::one(db, PAYMENT, params![id.bucket().number(), id.as_str()], read_payment)
}

pub(crate) fn payments_of_agreement(
    db: &dyn Engine,
    customer: &CustomerId,
    agreement: &AgreementId,
    before: Option<(Timestamp, &PaymentId)>,
    limit: usize,
) -> Stored<Vec<Payment>> {
    // No id is above a tilde.
    let (time, id) = before.map_or((i64::MAX, "~"), |(time, id)| (time.0, id.as_str()));
    let (bucket, agreement, customer) = (customer.bucket().number(), agreement.as_str(), customer.as_str());
    let values = params![bucket, agreement, customer, time, id, sql::limit(limit)];
    sql::many(db, OF_AGREEMENT, values, read_payment)
}

pub(crate) fn payments_to_resolve(db: &dyn Engine, until: Timestamp, limit: usize) -> Stored<Vec<Payment>> {
    sql::scan(db, TO_RESOLVE, params![until.0, sql::limit(limit)], read_payment, |row| row.id.bucket())
}

pub(crate) fn next_payment_to_resolve(db: &dyn Engine) -> Stored<Option<Timestamp>> {
    sql::one(db, NEXT_TO_RESOLVE, params![], |row| row.time())
}

pub(crate) fn payments_after(
    db: &dyn Engine,
    after: Option<&PaymentId>,
    limit: usize,
) -> Stored<Vec<Payment>> {
    let (bucket, id) = after.map_or((-1, ""), |id| (i64::from(id.bucket().number()), id.as_str()));
    sql::scan(db, AFTER, params![bucket, id, sql::limit(limit)], read_payment, |row| row.id.bucket())
}

pub(crate) fn insert_payment(db: &dyn Engine, payment: &Payment) -> Stored<()> {
    with_payment(payment, |values| sql::write(db, INSERT_PAYMENT, values))
}

pub(crate) fn update_payment(db: &dyn Engine, payment: &Payment) -> Stored<()> {
    with_payment(payment, |values| sql::change(db, UPDATE_PAYMENT, values, "the payment"))
}

fn with_payment(payment: &Payment, run: impl Fn(Params<'_>) -> Stored<()>) -> Stored<()> {
    let (stage, settled_at, refusal) = match &payment.stage {
        PaymentStage::InProcess => ("in_process", None, None),
        PaymentStage::Succeeded { at } => ("succeeded", Some(at.0), None),
        PaymentStage::Failed { at, refusal } => ("failed", Some(at.0), Some(refusal.as_str())),
    };
    run(params![
        payment.id.bucket().number(),
        payment.id.as_str(),
        payment.owner.as_str(),
        payment.client.as_str(),
        payment.dialect.as_str(),
        payment.request_id.as_str(),
        payment.fingerprint.0,
        payment.agreement.as_str(),
        payment.customer.as_str(),
        payment.amount.currency.code(),
        payment.amount.value(),
        payment.evaluation,
        stage,
        settled_at,
        refusal,
        payment.resolution.map(|resolution| resolution.due_at.0),
        payment.resolution.map(|resolution| resolution.succeed),
        payment.answered_unknown,
        payment.notify_url,
        payment.description,
        payment.extras,
        payment.created_at.0,
        payment.posting.as_ref().map(PostingId::as_str),
        payment.refunded,
        payment.closed_at.map(|at| at.0),
        payment.expires_at.map(|at| at.0),
    ])
}
