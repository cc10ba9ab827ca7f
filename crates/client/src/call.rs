//! Sending a signed request and judging what comes back.
//!
//! An S is believed only with a good signature; a reply that is signed wrongly is not believed whatever it says. An
//! unsigned F or U is reported as such: papers and gateways send them (Alipay+ 1.8).

use std::fmt;
use std::path::Path;
use std::time::Duration;

use accord_wire::gateway::{ResultWords, read_result};
use accord_wire::keys::{KeyFault, PublicKey};
use accord_wire::signature::{self, SignatureFault};

use crate::operations::DialectKind;
use crate::request::{Identity, SignedRequest, Wallet, key_of, prepare_request};
use crate::sandbox::{SandboxFault, SandboxFile};

/// How long a call may take in all.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes read of a reply's body.
pub const REPLY_LIMIT: usize = 1024 * 1024;

/// A reply as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replied {
    /// HTTP status.
    pub status: u16,
    /// Every header line: name in lower case, value as received.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Replied {
    /// The value of the one header of that lower-case name; nothing when there is none or more than one.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        one(&self.headers, name)
    }
}

pub(crate) fn values<'h>(headers: &'h [(String, Vec<u8>)], name: &str) -> Vec<&'h [u8]> {
    headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_slice()).collect()
}

pub(crate) fn one<'h>(headers: &'h [(String, Vec<u8>)], name: &str) -> Option<&'h [u8]> {
    match values(headers, name).as_slice() {
        [value] => Some(value),
        _ => None,
    }
}

/// What is known of the origin of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Signed by the wallet.
    Verified,
    /// No signature: anybody may have said it.
    Unverified,
    /// A signature that does not hold, and why.
    Wrong(String),
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verification::Verified => f.write_str("verified"),
            Verification::Unverified => f.write_str("unverified: no signature"),
            Verification::Wrong(why) => write!(f, "not verified: {why}"),
        }
    }
}

/// A call and its reply, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was sent.
    pub request: SignedRequest,
    /// What came back.
    pub reply: Replied,
    /// The exact bytes that the reply's signature should cover; nothing without one Response-Time.
    pub reply_content: Option<Vec<u8>>,
    /// Whether it does.
    pub verification: Verification,
    /// What it says. All empty only in the exchange of a [`CallFault::NoResult`].
    pub result: ResultWords,
}

impl Exchange {
    /// Did the call succeed?
    pub fn is_success(&self) -> bool {
        self.result.status == "S"
    }
}

/// Why a call gave nothing to rely on. The outcome of what was asked for is not known, unless it was never sent.
#[derive(Debug, thiserror::Error)]
pub enum CallFault {
    /// No operation of that name. Nothing was sent.
    #[error("no operation `{name}` in dialect {dialect}")]
    Operation {
        /// The name asked for.
        name: String,
        /// The dialect.
        dialect: DialectKind,
    },
    /// Not an http or https URL with a host. Nothing was sent.
    #[error("not an http or https URL: {0}")]
    Url(String),
    /// The key cannot sign. Nothing was sent.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The files of the sandbox cannot be used. Nothing was sent.
    #[error(transparent)]
    Sandbox(#[from] SandboxFault),
    /// No HTTP reply, or one that is too long.
    #[error("no reply: {0}")]
    Transport(String),
    /// The reply has no `result`.
    #[error("HTTP status {} without a result", .0.reply.status)]
    NoResult(Box<Exchange>),
    /// The reply's signature is wrong, or missing under an S.
    #[error("the reply is not to be believed, {}", .0.verification)]
    Signature(Box<Exchange>),
}

/// Calls one wallet as one client.
#[derive(Debug, Clone)]
pub struct Client {
    identity: Identity,
    wallet: Wallet,
    http: reqwest::Client,
}

impl Client {
    /// A client that follows no redirects and uses no proxy.
    pub fn new(identity: Identity, wallet: Wallet) -> Result<Client, CallFault> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|fault| CallFault::Transport(causes(&fault)))?;
        Ok(Client { identity, wallet, http })
    }

    /// A test client of the sandbox in `dir`: `qi`, `qi2`, `alipayPlus` or `alipayPlus2`.
    pub fn from_sandbox(dir: &Path, who: &str) -> Result<Client, CallFault> {
        let file = SandboxFile::read(dir)?;
        Client::new(file.identity(dir, who)?, file.wallet(dir, who)?)
    }

    /// Who calls.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Who is called.
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// Signs, sends, verifies. `time` becomes Request-Time as it is.
    pub async fn call(&self, operation: &str, body: &[u8], time: &str) -> Result<Exchange, CallFault> {
        let request = prepare_request(&self.identity, &self.wallet, operation, body, time)?;
        let reply = self.send(&request).await?;
        judge(request, reply, &self.wallet.wallet_keys)
    }

    /// Sends a signed request as it is.
    pub async fn send(&self, request: &SignedRequest) -> Result<Replied, CallFault> {
        let transport = |fault: reqwest::Error| CallFault::Transport(causes(&fault));
        let mut builder = self.http.post(&request.url).body(request.body.clone());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let mut response = builder.send().await.map_err(transport)?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len() + chunk.len() > REPLY_LIMIT {
                return Err(CallFault::Transport(format!("the reply is longer than {REPLY_LIMIT} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Replied { status, headers, body })
    }
}

/// An error with what caused it; reqwest's own text names only the outermost.
fn causes(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(fault) = cause {
        text = format!("{text}: {fault}");
        cause = fault.source();
    }
    text
}

/// Decides whether a reply may be relied on.
pub fn judge(
    request: SignedRequest,
    reply: Replied,
    wallet_keys: &[(String, PublicKey)],
) -> Result<Exchange, CallFault> {
    let result = read_result(&reply.body);
    let succeeded = result.as_ref().is_some_and(|result| result.status == "S");
    // A wallet that could not read our Client-Id signs it as empty and does not echo it; it cannot then say S.
    let echoed = reply.header("client-id").unwrap_or_default();
    let reply_content = reply.header("response-time").map(|time| {
        let (method, target) = (request.method.as_bytes(), request.target.as_bytes());
        signature::content_to_sign(method, target, echoed, time, &reply.body)
    });
    let foreign = !echoed.is_empty() || succeeded;
    let verification = if foreign && echoed != request.client_id.as_bytes() {
        match values(&reply.headers, "signature").is_empty() {
            true => Verification::Unverified,
            false => Verification::Wrong("Client-Id: not the one that was sent".to_owned()),
        }
    } else {
        verify(&reply.headers, reply_content.as_deref(), "Response-Time", wallet_keys)
    };
    let believed = match verification {
        Verification::Verified => true,
        Verification::Unverified => !succeeded,
        Verification::Wrong(_) => false,
    };
    let nothing = || ResultWords { status: String::new(), code: String::new(), message: String::new() };
    let has_result = result.is_some();
    let result = result.unwrap_or_else(nothing);
    let exchange = Box::new(Exchange { request, reply, reply_content, verification, result });
    match (believed, has_result) {
        (true, true) => Ok(*exchange),
        (true, false) => Err(CallFault::NoResult(exchange)),
        (false, _) => Err(CallFault::Signature(exchange)),
    }
}

/// Checks the `Signature` header of a message of the wallet over `content`, which is nothing without a time.
pub(crate) fn verify(
    headers: &[(String, Vec<u8>)],
    content: Option<&[u8]>,
    time_header: &str,
    wallet_keys: &[(String, PublicKey)],
) -> Verification {
    let header = match signature::parse(values(headers, "signature")) {
        Ok(header) => header,
        Err(SignatureFault::Missing) => return Verification::Unverified,
        Err(fault) => return Verification::Wrong(fault.to_string()),
    };
    let Some(content) = content else {
        return Verification::Wrong(format!("{time_header}: header missing or sent more than once"));
    };
    let Some(key) = key_of(wallet_keys, header.key_version.as_deref()) else {
        return Verification::Wrong("Signature: no key of that keyVersion is known here".to_owned());
    };
    match signature::verify(key, content, &header) {
        Ok(()) => Verification::Verified,
        Err(fault) => Verification::Wrong(format!(
            "{fault}; the content checked has {}",
            signature::content_digest(content)
        )),
    }
}
