//! Refunds and closed orders: money given back.

use super::desk::Desk;
use super::sql::{self, Columns, statements};
use super::value::{Params, params};
use accord_core::ids::*;
use accord_core::moment::Timestamp;
use accord_core::outcome::Refusal;
use accord_core::payment::Resolution;
use accord_core::payment::cancel::ClosedOrder;
use accord_core::payment::refund::{Refund, RefundClaim, RefundStage};
use accord_core::store::refund::{RefundRows, RefundTx};
use accord_core::store::{StoreFault, Stored};

macro_rules! columns {
    () => {
        "id, owner, client, dialect, request_id, fingerprint, payment, currency, amount, reason, extras, stage, \
         settled_at, refusal, resolve_at, resolve_succeed, created_at, posting, end_posting"
    };
}

statements! {
    CLAIM = "SELECT owner, request_id, refund, created_at FROM refund_claims
        WHERE bucket = ?1 AND owner = ?2 AND request_id = ?3";
    INSERT_CLAIM = "INSERT INTO refund_claims (bucket, owner, request_id, refund, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    REFUND = concat!("SELECT ", columns!(), " FROM refunds WHERE bucket = ?1 AND id = ?2");
    OF_PAYMENT = concat!(
        "SELECT ", columns!(), " FROM refunds WHERE bucket = ?1 AND payment = ?2 ORDER BY created_at, id LIMIT ?3"
    );
    TO_RESOLVE = concat!(
        "SELECT ", columns!(), " FROM refunds
        WHERE stage = 'in_process' AND resolve_at IS NOT NULL AND resolve_at <= ?1
        ORDER BY resolve_at, bucket, id LIMIT ?2"
    );
    NEXT_TO_RESOLVE = "SELECT resolve_at FROM refunds WHERE stage = 'in_process' AND resolve_at IS NOT NULL
        ORDER BY resolve_at LIMIT 1";
    pub(crate) RUNNING = concat!(
        "SELECT ", columns!(), " FROM refunds WHERE stage = 'in_process' ORDER BY created_at, bucket, id LIMIT ?1"
    );
    AFTER = concat!(
        "SELECT ", columns!(), " FROM refunds WHERE (id, bucket) > (?2, ?1) ORDER BY id, bucket LIMIT ?3"
    );
    INSERT = concat!(
        "INSERT INTO refunds (bucket, ", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
         ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
    );
    UPDATE = "UPDATE refunds SET owner = ?3, client = ?4, dialect = ?5, request_id = ?6, fingerprint = ?7,
        payment = ?8, currency = ?9, amount = ?10, reason = ?11, extras = ?12, stage = ?13, settled_at = ?14,
        refusal = ?15, resolve_at = ?16, resolve_succeed = ?17, created_at = ?18, posting = ?19, end_posting = ?20
        WHERE bucket = ?1 AND id = ?2";
    CLOSED = "SELECT owner, request_id, at FROM closed_orders WHERE bucket = ?1 AND owner = ?2 AND request_id = ?3";
    INSERT_CLOSED = "INSERT INTO closed_orders (bucket, owner, request_id, at) VALUES (?1, ?2, ?3, ?4)";
}

impl RefundRows for Desk<'_> {
    fn refund_claim(&self, owner: &Owner, request: &RefundRequestId) -> Stored<Option<RefundClaim>> {
        let bucket = RefundClaim::bucket_of(owner, request).number();
        sql::one(self.0, CLAIM, params![bucket, owner.as_str(), request.as_str()], |row| {
            Ok(RefundClaim {
                owner: Owner::from_row(row.get::<String>()?),
                request_id: RefundRequestId::new(row.get::<String>()?),
                refund: row.parsed(RefundId::read)?,
                created_at: row.time()?,
            })
        })
    }

    fn refund(&self, id: &RefundId) -> Stored<Option<Refund>> {
        sql::one(self.0, REFUND, params![id.bucket().number(), id.as_str()], read)
    }

    fn refunds_of(&self, payment: &PaymentId, limit: usize) -> Stored<Vec<Refund>> {
        let key = params![payment.bucket().number(), payment.as_str(), sql::limit(limit)];
        sql::many(self.0, OF_PAYMENT, key, read)
    }

    fn refunds_to_resolve(&self, until: Timestamp, limit: usize) -> Stored<Vec<Refund>> {
        sql::scan(self.0, TO_RESOLVE, params![until.0, sql::limit(limit)], read, |row| row.id.bucket())
    }

    fn next_refund_to_resolve(&self) -> Stored<Option<Timestamp>> {
        sql::one(self.0, NEXT_TO_RESOLVE, params![], |row| row.time())
    }

    fn refunds_after(&self, after: Option<&RefundId>, limit: usize) -> Stored<Vec<Refund>> {
        let (bucket, id) = after.map_or((-1, ""), |id| (i64::from(id.bucket().number()), id.as_str()));
        sql::scan(self.0, AFTER, params![bucket, id, sql::limit(limit)], read, |row| row.id.bucket())
    }

    fn closed_order(&self, owner: &Owner, request: &PaymentRequestId) -> Stored<Option<ClosedOrder>> {
        let bucket = ClosedOrder::bucket_of(owner, request).number();
        sql::one(self.0, CLOSED, params![bucket, owner.as_str(), request.as_str()], |row| {
            Ok(ClosedOrder {
                owner: Owner::from_row(row.get::<String>()?),
                request_id: PaymentRequestId::new(row.get::<String>()?),
                at: row.time()?,
            })
        })
    }
}

impl RefundTx for Desk<'_> {
    fn insert_refund_claim(&mut self, claim: &RefundClaim) -> Stored<()> {
        let RefundClaim { owner, request_id, refund, created_at } = claim;
        let bucket = RefundClaim::bucket_of(owner, request_id).number();
        let values = params![bucket, owner.as_str(), request_id.as_str(), refund.as_str(), created_at.0];
        sql::write(self.0, INSERT_CLAIM, values)
    }

    fn insert_refund(&mut self, refund: &Refund) -> Stored<()> {
        with(refund, |values| sql::write(self.0, INSERT, values))
    }

    fn update_refund(&mut self, refund: &Refund) -> Stored<()> {
        with(refund, |values| sql::change(self.0, UPDATE, values, "the refund"))
    }

    fn insert_closed_order(&mut self, order: &ClosedOrder) -> Stored<()> {
        let ClosedOrder { owner, request_id, at } = order;
        let bucket = ClosedOrder::bucket_of(owner, request_id).number();
        sql::write(self.0, INSERT_CLOSED, params![bucket, owner.as_str(), request_id.as_str(), at.0])
    }
}

pub(crate) fn read(row: &mut Columns<'_>) -> Stored<Refund> {
    Ok(Refund {
        id: row.parsed(RefundId::read)?,
        owner: Owner::from_row(row.get::<String>()?),
        client: ClientId::new(row.get::<String>()?),
        dialect: DialectName::new(row.get::<String>()?),
        request_id: RefundRequestId::new(row.get::<String>()?),
        fingerprint: row.digest()?,
        payment: row.parsed(PaymentId::read)?,
        amount: row.amount()?,
        reason: row.get()?,
        extras: row.get()?,
        stage: {
            let stage: String = row.get()?;
            let at = row.maybe_time()?;
            let refusal = row.maybe(Refusal::parse)?;
            match (stage.as_str(), at, refusal) {
                ("in_process", None, None) => RefundStage::InProcess,
                ("succeeded", Some(at), None) => RefundStage::Succeeded { at },
                ("failed", Some(at), Some(refusal)) => RefundStage::Failed { at, refusal },
                _ => return Err(StoreFault::Corrupt("a refund's stage contradicts itself".into())),
            }
        },
        resolution: match (row.maybe_time()?, row.get::<Option<bool>>()?) {
            (None, None) => None,
            (Some(due_at), Some(succeed)) => Some(Resolution { due_at, succeed }),
            _ => return Err(StoreFault::Corrupt("a refund's resolution contradicts itself".into())),
        },
        created_at: row.time()?,
        posting: row.maybe(PostingId::read)?,
        end_posting: row.maybe(PostingId::read)?,
    })
}

fn with(refund: &Refund, run: impl FnOnce(Params<'_>) -> Stored<()>) -> Stored<()> {
    let (stage, settled_at, refusal) = match &refund.stage {
        RefundStage::InProcess => ("in_process", None, None),
        RefundStage::Succeeded { at } => ("succeeded", Some(at.0), None),
        RefundStage::Failed { at, refusal } => ("failed", Some(at.0), Some(refusal.as_str())),
    };
    run(params![
        refund.id.bucket().number(),
        refund.id.as_str(),
        refund.owner.as_str(),
        refund.client.as_str(),
        refund.dialect.as_str(),
        refund.request_id.as_str(),
        refund.fingerprint.0,
        refund.payment.as_str(),
        refund.amount.currency.code(),
        refund.amount.value(),
        refund.reason,
        refund.extras,
        stage,
        settled_at,
        refusal,
        refund.resolution.map(|resolution| resolution.due_at.0),
        refund.resolution.map(|resolution| resolution.succeed),
        refund.created_at.0,
        refund.posting.as_ref().map(PostingId::as_str),
        refund.end_posting.as_ref().map(PostingId::as_str),
    ])
}
