//! What a dialect is to the rest of the house: a parser of bodies into acts, a renderer of answers, and a voice.
//!
//! The envelope around both is the same for all dialects and lives in [`crate::gateway`]. Business rules live in
//! `accord-core`: an act only calls one and writes down what it said.

use crate::fields::FieldFault;
use crate::json::{Json, text_of};
use accord_core::agreement::Terms;
use accord_core::client::Client;
use accord_core::ids::{AuthId, ClientId, DialectName, Owner};
use accord_core::payment::pay::{Forced, Pay};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, StoreFault, Stored, Tx};
use accord_core::voice::Voice;
use accord_core::{Moment, Refusal, Ruled, Stop};
use std::sync::Arc;

accord_core::words! {
    /// Why the envelope or the fields of a request are refused, before any rule is asked.
    Fault {
        /// No interface at this path.
        PathUnknown = "path_unknown",
        /// The method is not POST.
        MethodNotPost = "method_not_post",
        /// The media type is not JSON in UTF-8.
        MediaType = "media_type",
        /// The body is over the limit.
        TooLarge = "too_large",
        /// A required header is missing or malformed.
        Header = "header",
        /// Client-Id missing, doubled, malformed, unknown, or of another dialect.
        ClientUnknown = "client_unknown",
        /// The client is suspended.
        ClientSuspended = "client_suspended",
        /// No key of that version for this client.
        KeyUnknown = "key_unknown",
        /// The signature is missing, malformed or wrong.
        SignatureWrong = "signature_wrong",
        /// Request-Time is too far from the server's time.
        Stale = "stale",
        /// The body is not the JSON that is asked for.
        Malformed = "malformed",
        /// A field is missing, ill-typed, too long or not one of the values.
        Field = "field",
        /// The scopes are not offered.
        ScopeUnknown = "scope_unknown",
        /// The grant type is not offered.
        GrantTypeUnknown = "grant_type_unknown",
        /// The caller may not name this pspId, acquirerId or product.
        NotAllowed = "not_allowed",
        /// Too many calls, or the server is draining. Unknown, never stored.
        Overloaded = "overloaded",
        /// Something unexpected, or a commit whose end is not known. Unknown.
        Unexpected = "unexpected",
    }
}

/// Why a request gets no success: refused by the wire or by the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// By envelope or fields.
    Fault(Fault),
    /// By a rule.
    Refusal(Refusal),
}

/// One of the three ends of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Done.
    S,
    /// Failed for good.
    F,
    /// Not known; never to be booked as either.
    U,
}

impl Status {
    /// The letter on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::S => "S",
            Status::F => "F",
            Status::U => "U",
        }
    }
}

/// What a dialect calls a reason: one line of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `resultCode`.
    pub code: &'static str,
    /// `resultStatus`.
    pub status: Status,
    /// Where the paper says so.
    pub source: &'static str,
    /// What it means, for `docs/result-codes.md` and as the message when there is nothing more exact to say.
    pub meaning: &'static str,
}

/// A refusal by the wire, with the sentence that names header, field or byte position (at most 256 characters).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub fault: Fault,
    /// `resultMessage`.
    pub message: String,
}

impl Refused {
    /// A refusal with that message.
    pub fn new(fault: Fault, message: impl Into<String>) -> Refused {
        Refused { fault, message: message.into() }
    }
}

impl From<FieldFault> for Refused {
    fn from(fault: FieldFault) -> Refused {
        Refused::new(Fault::Field, fault.to_string())
    }
}

/// A reply's body and what it says, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exact bytes.
    pub body: Vec<u8>,
    /// `resultStatus`.
    pub status: Status,
    /// `resultCode`.
    pub code: &'static str,
}

/// A request that has been read and found well formed: ready to be run inside a transaction, perhaps twice.
pub trait Act: Send {
    /// Calls the rule and writes its answer. A refusal (`Stop::Refused`) is rendered by the gateway; what a rule
    /// wants kept although it refused comes back as an `Answer` with status F.
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer>;

    /// Does this call only read? Then it is answered by [`Act::look`], which never waits for the writer.
    fn only_reads(&self) -> bool {
        false
    }

    /// Answers from committed rows alone, as [`Act::run`] would. For acts that only read.
    fn look(&mut self, _rows: &dyn Rows, _keys: &DerivationKeys, _at: &Moment) -> Ruled<Answer> {
        Err(Stop::Fault(StoreFault::Unavailable("this act does not only read".into())))
    }

    /// Has this call's idempotency key been seen (decision 8)? False for calls without one.
    fn is_known(&self, rows: &dyn Rows) -> Stored<bool>;

    /// What to say of a refusal that the table's words say too little of: which field of a repeat differs (decision 14).
    fn explain(&self, _rows: &dyn Rows, _refusal: Refusal) -> Stored<Option<String>> {
        Ok(None)
    }

    /// Who owns what this call makes or names.
    fn owner(&self) -> &Owner;

    /// Forces an outcome from the sandbox's fault script; false if this act knows none (the gateway then answers
    /// the forced code itself).
    fn force(&mut self, forced: Forced) -> bool;

    /// The debit that this call asks for, so that a risk engine can be asked about it first; nothing for other calls.
    fn debit(&self) -> Option<&Pay> {
        None
    }
}

/// An operation of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The API's name: `prepare`, `applyToken`, `pay`, …
    pub name: &'static str,
    /// Its path after the mount: `/v1/authorizations/prepare`.
    pub path: &'static str,
}

/// A question to the owner of an agreement: may its user end it in the wallet?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consultation {
    /// Where it is asked.
    pub url: String,
    /// The exact body; the token in it is in the clear, so it is never stored.
    pub body: String,
    /// May the agreement end although nobody answers, after some tries?
    pub silence_frees: bool,
}

/// One published protocol.
pub trait Dialect: Voice {
    /// Its stable name: `qi`, `alipay-plus`.
    fn name(&self) -> DialectName;

    /// Every operation it serves.
    fn operations(&self) -> &'static [Operation];

    /// Reads a body into an act. `client` is the verified signer.
    fn read(
        self: Arc<Self>,
        operation: &Operation,
        client: &Client,
        body: &Json,
    ) -> Result<Box<dyn Act>, Refused>;

    /// The question that the paper wants asked before a user ends an agreement in the wallet (Alipay+
    /// consultUnbinding); nothing where it wants none (Qi), or where there is nobody to ask.
    fn consult(
        &self,
        _client: &Client,
        _terms: &Terms,
        _access: &accord_core::secret::Secret,
    ) -> Option<Consultation> {
        None
    }

    /// What the well signed body of a success says to that question; nothing when it says neither yes nor no.
    fn consulted(&self, _body: &Json) -> Option<bool> {
        None
    }

    /// The network whose name the authorization page must show (Alipay+ MPP, authorization page: "Alipay+ brand");
    /// nothing where the wallet and the merchant are alone.
    fn network(&self) -> Option<&'static str> {
        None
    }

    /// Who owns what a client makes whose requests name that acquirer (decision 12). For look-ups by people.
    fn owner_of(&self, client: &ClientId, _acquirer: &str) -> Owner {
        Owner::of(&[client.as_str()])
    }

    /// Where the merchant's logo is, as the terms say (Alipay+ prepare, authClientLogo); nothing where there is none.
    /// A stranger's URL: to be fetched under the rules for outgoing calls, never to be shown.
    fn logo_url(&self, _terms: &Terms) -> Option<String> {
        None
    }

    /// What the QR code of that authorization's page says, if the wallet scans (Alipay+ prepare, codeValue); nothing
    /// where there is no such code.
    fn code_value(&self, _auth_id: &AuthId) -> Option<String> {
        None
    }

    /// Where the wallet's own app opens that authorization (Alipay+ prepare, schemeUrl); nothing where the paper knows no
    /// such URL.
    fn app_url(&self, _auth_id: &AuthId, _terminal: accord_core::agreement::Terminal) -> Option<String> {
        None
    }

    /// What this dialect calls a reason. Exhaustive: a new reason does not compile until it has a line.
    fn code(&self, reason: Reason) -> Code;

    /// The offset of times in our replies, in seconds east of UTC.
    fn utc_offset_seconds(&self) -> i32;

    /// Does a reply's signature take the form that the request used (Qi), or always percent-encoding (Alipay+)?
    fn mirrors_encoding(&self) -> bool;

    /// May a `/v1` error reply be read as acknowledgement without a valid signature (decision 37)? Qi: yes.
    fn trusts_unsigned_acknowledgement(&self) -> bool;
}

/// The body of a reply that is only a result object.
pub fn result_only(code: &Code, message: &str) -> Answer {
    let message: String = message.chars().take(256).collect();
    let body = serde_json::json!({
        "result": { "resultCode": code.code, "resultStatus": code.status.as_str(), "resultMessage": message }
    });
    Answer { body: text_of(body).into_bytes(), status: code.status, code: code.code }
}
