//! Opening a request: path → method → media type → size → headers → client → key version → signature → request time →
//! JSON → fields (decision 3). The first failure answers; nothing here touches the store.

use std::sync::Arc;

use accord_core::Moment;

use super::route::Route;
use super::{
    Accepted, Declined, Gateway, MAX_MESSAGE, Opened, ReplyEnvelope, Request, by_table, headers, reply,
};
use crate::dialect::{Act, Answer, Dialect, Fault, Operation, Reason, Refused};
use crate::directory::{Directory, KnownClient};
use crate::json::{self, Json};
use crate::signature::{self, Reading, SignatureFault, SignatureHeader};
use crate::time;

/// What a request has become when every check has passed.
struct Passed {
    act: Box<dyn Act>,
    stale: Option<Answer>,
    operation: Operation,
    client: Arc<KnownClient>,
}

impl Gateway {
    /// Checks the envelope, verifies the signature and reads the fields.
    pub fn open(&self, directory: &dyn Directory, request: &Request, at: &Moment) -> Opened {
        let route = self.route(&request.target);
        let dialect = route.mount.dialect.clone();
        let Reading { header, encoding } = Reading::of(request.values("signature"));
        let envelope = self.envelope(request, &*dialect, encoding);
        let mut client = None;
        match self.check(directory, request, &route, header, at, &mut client) {
            Ok(Passed { act, stale, operation, client }) => {
                let explanation = None;
                Opened::Accepted(Box::new(Accepted {
                    act,
                    stale,
                    envelope,
                    dialect,
                    operation,
                    client,
                    explanation,
                }))
            }
            Err(refused) => Opened::Refused(Box::new(Declined {
                answer: by_table(&*dialect, Reason::Fault(refused.fault), Some(&refused.message)),
                fault: refused.fault,
                envelope: ReplyEnvelope { http_status: reply::http_status(refused.fault), ..envelope },
                dialect,
                operation: route.operation,
                verified: client.is_some(),
                client,
            })),
        }
    }

    /// All checks, in order. `verified` is filled when the signature has been found good.
    fn check(
        &self,
        directory: &dyn Directory,
        request: &Request,
        route: &Route<'_>,
        signature: Result<SignatureHeader, SignatureFault>,
        at: &Moment,
        verified: &mut Option<Arc<KnownClient>>,
    ) -> Result<Passed, Refused> {
        let dialect = &route.mount.dialect;
        let unknown = || Refused::new(Fault::PathUnknown, "path: no interface of that name");
        let operation = route.operation.ok_or_else(unknown)?;
        if request.method != "POST" {
            return Err(Refused::new(Fault::MethodNotPost, "method: must be POST"));
        }
        headers::check_media_type(request)?;
        if request.too_large {
            return Err(Refused::new(Fault::TooLarge, "body: longer than the server reads"));
        }
        let headers = headers::read(request, signature)?;

        let client = directory
            .find(headers.client_id)
            .filter(|client| client.client.dialect == dialect.name())
            .ok_or_else(|| {
                Refused::new(Fault::ClientUnknown, "Client-Id: not registered for this protocol")
            })?;
        if !client.is_active() {
            return Err(Refused::new(Fault::ClientSuspended, "Client-Id: the client is suspended"));
        }
        let key_unknown = |why: String| Refused::new(Fault::KeyUnknown, why);
        // The only fault that `headers::read` lets pass is that of a malformed keyVersion.
        let signature = headers.signature.map_err(|fault| key_unknown(fault.to_string()))?;
        let key = client.key(signature.key_version.as_deref()).ok_or_else(|| {
            key_unknown(
                "Signature: no active key of that keyVersion is registered for this client".to_owned(),
            )
        })?;
        let content = headers::content(request);
        signature::verify(&key.key, &content, &signature)
            .map_err(|fault: SignatureFault| headers::wrong_signature(fault, &content))?;
        *verified = Some(client.clone());

        let stale = self.judge_time(headers.request_time, &**dialect, at)?;
        match read_fields(request, dialect, &operation, &client) {
            Ok(act) => {
                let stale =
                    stale.map(|late| by_table(&**dialect, Reason::Fault(late.fault), Some(&late.message)));
                Ok(Passed { act, stale, operation, client })
            }
            // The time is judged before the fields, so a late call with bad fields is late.
            Err(refused) => Err(stale.unwrap_or(refused)),
        }
    }

    /// Nothing when the time is near enough; the refusal of a stale call otherwise.
    fn judge_time(
        &self,
        sent: &[u8],
        dialect: &dyn Dialect,
        at: &Moment,
    ) -> Result<Option<Refused>, Refused> {
        let read = std::str::from_utf8(sent).ok().and_then(|text| time::parse_header_time(text).ok());
        let sent =
            read.ok_or_else(|| Refused::new(Fault::Header, format!("Request-Time: {}", time::TimeFault)))?;
        let ahead = sent.saturating_sub(at.now.0);
        let window = self.options.time_window_ms.unsigned_abs();
        if window == 0 || ahead.unsigned_abs() <= window {
            return Ok(None);
        }
        let seconds = ahead.unsigned_abs().div_ceil(1000);
        let side = if ahead < 0 { "behind" } else { "ahead of" };
        let now = time::format_seconds(at.now.0, dialect.utc_offset_seconds());
        let message = format!("Request-Time: {seconds} s {side} the server's {now}");
        Ok(Some(Refused::new(Fault::Stale, message)))
    }
}

fn read_fields(
    request: &Request,
    dialect: &Arc<dyn Dialect>,
    operation: &Operation,
    client: &KnownClient,
) -> Result<Box<dyn Act>, Refused> {
    let malformed =
        |why: String| Refused::new(Fault::Malformed, why.chars().take(MAX_MESSAGE).collect::<String>());
    let body = json::parse(&request.body).map_err(|fault| malformed(format!("body: {fault}")))?;
    if !matches!(body, Json::Object(_)) {
        return Err(malformed(format!("body: must be an object, found {}", body.kind())));
    }
    dialect.clone().read(operation, &client.client, &body)
}
