//! Everything that is tried at every route: a good request, spoiled in one thing.

use accord_testkit::conformance::fixture::{Signatory, drop_header, set_header};
use accord_testkit::conformance::speech::Speech;
use accord_wire::dialect::Fault;
use accord_wire::gateway::Request;
use accord_wire::signature::{self, Encoding};

/// A good request and who may spoil it.
pub struct Good<'g> {
    pub speech: Speech,
    pub who: &'static Signatory,
    pub request: &'g Request,
}

impl Good<'_> {
    fn with(&self, name: &str, value: &str) -> Request {
        let mut request = self.request.clone();
        set_header(&mut request, name, value);
        request
    }

    fn signed(&self, request: Request) -> Request {
        self.who.sign(request, Encoding::Percent)
    }

    fn signature(&self) -> Vec<u8> {
        let header = signature::parse(self.request.values("signature")).expect("a signature");
        header.value
    }

    fn with_signature(&self, value: &[u8]) -> Request {
        self.with("signature", &signature::render("1", value, Encoding::Percent))
    }

    fn at(&self, target: String) -> Request {
        self.signed(Request { target, ..self.request.clone() })
    }
}

/// One way to be wrong: its name, what it makes of a good request, and why that is refused.
pub type Wrong = (&'static str, fn(&Good<'_>) -> Request, Fault);

/// Too long by one byte.
const TOO_LONG: usize = 256 * 1024 + 1;

pub const WRONGS: &[Wrong] = &[
    ("unsigned", unsigned, Fault::SignatureWrong),
    ("signature of nothing", |good| good.with("signature", ""), Fault::SignatureWrong),
    ("signature with a flipped bit", flipped, Fault::SignatureWrong),
    ("signature cut by a byte", |good| good.with_signature(&good.signature()[..255]), Fault::SignatureWrong),
    ("two signatures", doubled, Fault::SignatureWrong),
    ("another client's key", foreign_key, Fault::SignatureWrong),
    ("body changed after signing", changed, Fault::SignatureWrong),
    ("stale", |good| good.signed(good.with("request-time", "2020-01-01T00:00:00Z")), Fault::Stale),
    ("from the future", |good| good.signed(good.with("request-time", "2120-01-01T00:00:00Z")), Fault::Stale),
    ("no request time", no_time, Fault::Header),
    ("unknown client", |good| good.signed(good.with("client-id", "NOBODY")), Fault::ClientUnknown),
    ("no client", no_client, Fault::ClientUnknown),
    ("client of the other dialect", stranger, Fault::ClientUnknown),
    ("suspended client", suspended, Fault::ClientSuspended),
    ("client over its own rate", rated, Fault::Overloaded),
    ("unknown key version", unknown_key, Fault::KeyUnknown),
    ("GET", |good| method(good, "GET"), Fault::MethodNotPost),
    ("PUT", |good| method(good, "PUT"), Fault::MethodNotPost),
    ("OPTIONS", |good| method(good, "OPTIONS"), Fault::MethodNotPost),
    ("another media type", |good| good.with("content-type", "text/xml"), Fault::MediaType),
    (
        "another charset",
        |good| good.with("content-type", "application/json; charset=utf-16"),
        Fault::MediaType,
    ),
    ("malformed JSON", |good| body(good, b"{\"scopes\":"), Fault::Malformed),
    ("no JSON at all", |good| body(good, b""), Fault::Malformed),
    ("a member twice", |good| body(good, b"{\"a\":1,\"a\":1}"), Fault::Malformed),
    ("an empty object", |good| body(good, b"{}"), Fault::Field),
    ("oversized", |good| body(good, &vec![b' '; TOO_LONG]), Fault::TooLarge),
    ("much oversized", |good| body(good, &vec![b'a'; 4 * TOO_LONG]), Fault::TooLarge),
    ("trailing slash", |good| good.at(format!("{}/", good.request.target)), Fault::PathUnknown),
    ("doubled slash", |good| good.at(good.request.target.replacen("/v1/", "/v1//", 1)), Fault::PathUnknown),
    ("encoded dot", |good| good.at(good.request.target.replacen("/v1/", "/v1/%2e/", 1)), Fault::PathUnknown),
    (
        "dot segment",
        |good| good.at(good.request.target.replacen("/v1/", "/v1/../v1/", 1)),
        Fault::PathUnknown,
    ),
    (
        "another case",
        |good| {
            let target =
                ["a", "p", "u", "o", "m"].iter().fold(good.request.target.clone(), |target, letter| {
                    target.replacen(&format!("/v1/{letter}"), &format!("/v1/{}", letter.to_uppercase()), 1)
                });
            good.at(target)
        },
        Fault::PathUnknown,
    ),
];

fn unsigned(good: &Good<'_>) -> Request {
    let mut request = good.request.clone();
    drop_header(&mut request, "signature");
    request
}

fn flipped(good: &Good<'_>) -> Request {
    let mut value = good.signature();
    value[100] ^= 0x10;
    good.with_signature(&value)
}

fn doubled(good: &Good<'_>) -> Request {
    let mut request = good.request.clone();
    let again: Vec<(String, Vec<u8>)> =
        request.headers.iter().filter(|(name, _)| name == "signature").cloned().collect();
    request.headers.extend(again);
    request
}

fn foreign_key(good: &Good<'_>) -> Request {
    let [_, other] = good.speech.clients();
    other.sign(good.request.clone(), Encoding::Percent)
}

fn changed(good: &Good<'_>) -> Request {
    let mut request = good.request.clone();
    request.body.push(b' ');
    request
}

fn no_time(good: &Good<'_>) -> Request {
    let mut request = good.request.clone();
    drop_header(&mut request, "request-time");
    good.signed(request)
}

fn no_client(good: &Good<'_>) -> Request {
    let mut request = good.request.clone();
    drop_header(&mut request, "client-id");
    good.signed(request)
}

fn stranger(good: &Good<'_>) -> Request {
    let stranger = good.speech.stranger();
    stranger.sign(good.with("client-id", stranger.client_id), Encoding::Percent)
}

/// Registered by the walk, with the good client's key.
fn suspended(good: &Good<'_>) -> Request {
    good.signed(good.with("client-id", &format!("SUSPENDED-{}", good.speech.name())))
}

/// Registered by the walk, with the good client's key, for no calls a second.
fn rated(good: &Good<'_>) -> Request {
    good.signed(good.with("client-id", &format!("RATED-{}", good.speech.name())))
}

fn unknown_key(good: &Good<'_>) -> Request {
    good.with("signature", &signature::render("2", &good.signature(), Encoding::Percent))
}

fn method(good: &Good<'_>, method: &str) -> Request {
    good.signed(Request { method: method.to_owned(), ..good.request.clone() })
}

fn body(good: &Good<'_>, body: &[u8]) -> Request {
    good.signed(Request { body: body.to_vec(), ..good.request.clone() })
}
