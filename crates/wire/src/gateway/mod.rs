//! The envelope around every call: from raw request to act, from answer to the bytes that are signed.
//!
//! One call's way: [`Gateway::open`] checks in the order of decision 3 and gives an [`Accepted`] act or a refusal;
//! the server runs [`Accepted::execute`] inside a transaction and [`Accepted::conclude`]s; the [`ReplyEnvelope`] says
//! what to sign and which headers to send. No socket, clock, store or signing key is known here. Read on in `route`
//! (which dialect and operation), `open` (the checks), `reply`, and `outbound` (the wallet's own calls).

mod headers;
mod open;
mod outbound;
mod reply;
mod route;

use std::sync::Arc;

use accord_core::ids::DialectName;
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Tx};
use accord_core::{Moment, Ruled, Stop};

use crate::dialect::{Act, Answer, Dialect, Fault, Operation, Reason, result_only};
use crate::directory::KnownClient;

pub use outbound::{
    AcknowledgementSignature, Outbound, Replied, ResultWords, acknowledgement, outbound_content, read_result,
    target_of,
};
pub use reply::ReplyEnvelope;
pub use route::origin_form;

/// What a result message must not exceed, in characters (decision 14).
pub const MAX_MESSAGE: usize = 256;

/// A request as it came: nothing decoded.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, as sent.
    pub method: String,
    /// Path and query exactly as sent; an absolute form is already reduced by [`origin_form`].
    pub target: String,
    /// Every header line: name in lower case, value as sent.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; may be cut when `too_large`.
    pub body: Vec<u8>,
    /// Is the body over the limit (decision 10)?
    pub too_large: bool,
}

impl Request {
    /// The values of all header lines of that lower-case name.
    pub fn values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_slice())
    }
}

/// A dialect and the path that it is served under.
#[derive(Clone)]
pub struct Mount {
    /// `""`, `/api`, `/aps/api`: no trailing slash.
    pub prefix: String,
    /// What is spoken there.
    pub dialect: Arc<dyn Dialect>,
}

/// What a deployment may choose about the envelope.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// How far Request-Time may be from the server's time, either way, in milliseconds; 0: any (decision 8).
    pub time_window_ms: i64,
}

impl Default for GatewayOptions {
    fn default() -> GatewayOptions {
        GatewayOptions { time_window_ms: 5 * 60 * 1000 }
    }
}

/// The mounted dialects and the checks in front of them.
pub struct Gateway {
    /// Longest prefix first.
    mounts: Vec<Mount>,
    /// The last of them: answers what is below no mount.
    shortest: Mount,
    options: GatewayOptions,
}

/// What became of a request before any rule was asked.
pub enum Opened {
    /// Well signed and well formed.
    Accepted(Box<Accepted>),
    /// Answered already.
    Refused(Box<Declined>),
}

/// A request that the envelope or the fields refuse.
pub struct Declined {
    /// What to answer.
    pub answer: Answer,
    /// Why, for logs and counters.
    pub fault: Fault,
    /// How to answer.
    pub envelope: ReplyEnvelope,
    /// Whose interface it was.
    pub dialect: Arc<dyn Dialect>,
    /// The interface, once it is known.
    pub operation: Option<Operation>,
    /// The signer, once the signature has been verified (decision 2: before, the reply may be unsigned).
    pub client: Option<Arc<KnownClient>>,
    /// Had the signature been verified?
    pub verified: bool,
}

/// A request that may be run.
pub struct Accepted {
    /// What to run.
    pub act: Box<dyn Act>,
    /// Set when Request-Time is too far off: then only a known idempotency key gets its stored answer (decision 8).
    pub stale: Option<Answer>,
    /// How to answer.
    pub envelope: ReplyEnvelope,
    /// Whose interface it is.
    pub dialect: Arc<dyn Dialect>,
    /// The interface.
    pub operation: Operation,
    /// The verified signer.
    pub client: Arc<KnownClient>,
    /// What the act says of its refusal, if more than the table does.
    explanation: Option<String>,
}

impl Accepted {
    /// Runs the act inside a transaction; a stale one only if its idempotency key is known. May be called again
    /// after a conflict.
    pub fn execute(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        if let Some(stale) = &self.stale
            && !self.act.is_known(tx)?
        {
            return Ok(stale.clone());
        }
        let result = self.act.run(tx, keys, at);
        self.explanation = match &result {
            Err(Stop::Refused(refusal)) => self.act.explain(tx, *refusal)?,
            _ => None,
        };
        result
    }

    /// The same for an act that only reads, from committed rows.
    pub fn look(&mut self, rows: &dyn Rows, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        if let Some(stale) = &self.stale
            && !self.act.is_known(rows)?
        {
            return Ok(stale.clone());
        }
        let result = self.act.look(rows, keys, at);
        self.explanation = match &result {
            Err(Stop::Refused(refusal)) => self.act.explain(rows, *refusal)?,
            _ => None,
        };
        result
    }

    /// Turns whatever came of the transaction into an answer: refusals by the dialect's table, faults of the store
    /// into U, because they may have happened or may yet succeed.
    pub fn conclude(&self, result: Ruled<Answer>) -> Answer {
        match result {
            Ok(answer) => answer,
            Err(Stop::Refused(refusal)) => {
                by_table(&*self.dialect, Reason::Refusal(refusal), self.explanation.as_deref())
            }
            Err(Stop::Fault(_)) => by_table(&*self.dialect, Reason::Fault(Fault::Unexpected), None),
        }
    }
}

impl Gateway {
    /// Mounts the dialects. A prefix is empty or begins with `/`, ends without one and has neither `?` nor `#`; two
    /// equal prefixes clash.
    pub fn new(mounts: Vec<Mount>, options: GatewayOptions) -> Result<Gateway, String> {
        route::sorted(mounts).map(|(mounts, shortest)| Gateway { mounts, shortest, options })
    }

    /// The mounted dialect of that name.
    pub fn dialect(&self, name: &DialectName) -> Option<Arc<dyn Dialect>> {
        self.mounts.iter().map(|mount| &mount.dialect).find(|dialect| dialect.name() == *name).cloned()
    }

    /// Every mounted dialect, each once.
    pub fn dialects(&self) -> Vec<Arc<dyn Dialect>> {
        let mut dialects: Vec<Arc<dyn Dialect>> = Vec::new();
        for mount in &self.mounts {
            if dialects.iter().all(|known| known.name() != mount.dialect.name()) {
                dialects.push(mount.dialect.clone());
            }
        }
        dialects
    }

    /// The mounts, longest prefix first.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// An answer without opening the request: overload, draining, something unexpected. Its HTTP status is that of
    /// decision 1 (413, 503, else 200); a caller that answers a verified client's own rate limit sets 200 itself.
    pub fn refuse(&self, request: &Request, fault: Fault, message: &str) -> (Answer, ReplyEnvelope) {
        let dialect = &self.route(&request.target).mount.dialect;
        let used = crate::signature::Reading::of(request.values("signature")).encoding;
        let mut envelope = self.envelope(request, &**dialect, used);
        envelope.http_status = reply::http_status(fault);
        (by_table(&**dialect, Reason::Fault(fault), Some(message)), envelope)
    }
}

/// The answer of the dialect's table for a reason; without a message, the table's own words.
fn by_table(dialect: &dyn Dialect, reason: Reason, message: Option<&str>) -> Answer {
    let code = dialect.code(reason);
    result_only(&code, message.filter(|message| !message.is_empty()).unwrap_or(code.meaning))
}
