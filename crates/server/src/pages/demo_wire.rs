//! What went over the wire, as the demo draws it: every signed message with the exact content that was signed, and the
//! same as a timeline together with what happened between the messages.

use super::i18n::{Key, Texts};
use super::markup::Markup;
use accord_core::Timestamp;
use accord_core::user::Language;
use accord_wire::time::parse_iso;

/// A request and its reply, as they went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its place in the order of everything that happened.
    pub number: u64,
    /// Did the wallet send the request (a notification)?
    pub from_wallet: bool,
    /// `prepare`, `notifyPayment`.
    pub operation: String,
    /// When, as text.
    pub time: String,
    /// The result in one word: `S SUCCESS`.
    pub outcome: String,
    /// Is it what one hopes for?
    pub good: bool,
    /// The request.
    pub request: SignedMessage,
    /// The reply; nothing if there was none.
    pub reply: Option<SignedMessage>,
}

/// One signed HTTP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMessage {
    /// `POST http://…` or `200`.
    pub start_line: String,
    /// Name and value, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The exact content that the signature covers.
    pub signed_content: String,
    /// Its length in bytes.
    pub signed_length: usize,
    /// Its SHA-256 in lower-case hex.
    pub signed_digest: String,
    /// The body, byte for byte.
    pub body: String,
    /// What the demo merchant knows of the signature.
    pub signature: SignatureState,
}

/// What the demo merchant knows of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureState {
    /// Made by the demo merchant itself.
    Made,
    /// The wallet's, and verified.
    Verified,
    /// Missing or wrong, and why.
    Wrong(String),
}

/// A message of the wallet to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage {
    /// Its language.
    pub language: Language,
    /// One line.
    pub title: String,
    /// The whole.
    pub text: String,
    /// When, as text.
    pub time: String,
}

/// Something that happened between the signed messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of everything that happened.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What.
    pub what: Happening,
}

/// What can happen between the signed messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The mini program, or the browser, brought a code.
    CodeCame,
    /// It brought something else.
    NoCode(String),
    /// The clock was moved.
    ClockMoved,
    /// A fault was scripted.
    FaultScripted(String),
    /// The user ended the agreement in the wallet; the wallet's answer.
    UserEnds(String),
}

/// How a message is drawn.
pub(super) struct Shown<'a> {
    pub(super) message: &'a SignedMessage,
    pub(super) pretty: Option<String>,
    pub(super) verdict: Markup,
    pub(super) tone: &'static str,
    pub(super) measure: Markup,
}

/// How a request and its reply are drawn.
pub(super) struct ShownExchange<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) way: String,
    pub(super) request: Shown<'a>,
    pub(super) reply: Option<Shown<'a>>,
}

/// How a message to the user is drawn.
pub(super) struct ShownUserMessage {
    /// When, in the page's language.
    pub(super) at: Markup,
    pub(super) tag: String,
    pub(super) dir: &'static str,
    pub(super) title: Markup,
    pub(super) lines: Vec<Markup>,
}

/// One line of the timeline.
pub(super) struct Line {
    pub(super) time: String,
    pub(super) way: String,
    pub(super) what: Markup,
    /// Its badge: tone and words.
    pub(super) badge: Option<(&'static str, String)>,
    /// The signed message it stands for.
    pub(super) number: Option<u64>,
}

pub(super) fn shown_exchange<'a>(t: &Texts, exchange: &'a Exchange) -> ShownExchange<'a> {
    ShownExchange {
        exchange,
        way: way(t, exchange.from_wallet),
        request: shown(t, &exchange.request),
        reply: exchange.reply.as_ref().map(|reply| shown(t, reply)),
    }
}

fn way(t: &Texts, from_wallet: bool) -> String {
    t.with(if from_wallet { Key("demo-way-in") } else { Key("demo-way-out") }, &[])
}

fn shown<'a>(t: &Texts, message: &'a SignedMessage) -> Shown<'a> {
    let (verdict, tone) = match &message.signature {
        SignatureState::Made => (t.html(Key("demo-signature-made"), &[]), "info"),
        SignatureState::Verified => (t.html(Key("demo-signature-verified"), &[]), "good"),
        SignatureState::Wrong(why) => (t.html(Key("demo-signature-wrong"), &[("reason", why)]), "bad"),
    };
    let length = message.signed_length.to_string();
    let measure = [("length", length.as_str()), ("digest", &message.signed_digest)];
    Shown {
        message,
        pretty: pretty(&message.body),
        verdict,
        tone,
        measure: t.html(Key("demo-measure"), &measure),
    }
}

/// A JSON body with line breaks, if that differs from the body.
fn pretty(body: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    serde_json::to_string_pretty(&value).ok().filter(|pretty| pretty != body)
}

pub(super) fn shown_user_message(t: &Texts, message: &UserMessage) -> ShownUserMessage {
    let words = Texts(message.language);
    ShownUserMessage {
        at: Markup::of(&t.time(Timestamp(millis(&message.time)))),
        tag: words.tag().to_owned(),
        dir: words.dir(),
        title: Markup::of(&message.title),
        lines: message.text.lines().map(Markup::of).collect(),
    }
}

/// Everything in the order it happened, oldest first.
pub(super) fn timeline(
    t: &Texts,
    exchanges: &[Exchange],
    events: &[Event],
    messages: &[UserMessage],
) -> Vec<Line> {
    let mut lines: Vec<((i64, u64), Line)> = Vec::new();
    for exchange in exchanges {
        let tone = if exchange.good { "good" } else { "bad" };
        let line = Line {
            time: exchange.time.clone(),
            way: way(t, exchange.from_wallet),
            what: Markup::foreign(&exchange.operation),
            badge: Some((tone, exchange.outcome.clone())),
            number: Some(exchange.number),
        };
        lines.push(((millis(&exchange.time), exchange.number), line));
    }
    for event in events {
        let (way, what) = match &event.what {
            Happening::CodeCame => (Key("demo-way-browser"), t.html(Key("demo-event-code"), &[])),
            Happening::NoCode(why) => {
                (Key("demo-way-browser"), t.html(Key("demo-event-no-code"), &[("reason", why)]))
            }
            Happening::ClockMoved => (Key("demo-way-sandbox"), t.html(Key("demo-event-clock"), &[])),
            Happening::FaultScripted(fault) => {
                (Key("demo-way-sandbox"), t.html(Key("demo-event-fault"), &[("fault", fault)]))
            }
            Happening::UserEnds(answer) => {
                (Key("demo-way-user"), t.html(Key("demo-event-user-ends"), &[("answer", answer)]))
            }
        };
        let time = accord_wire::time::format_millis(event.at, 0);
        let line = Line { time, way: t.with(way, &[]), what, badge: None, number: None };
        lines.push(((event.at, event.number), line));
    }
    for message in messages {
        let what = Markup::foreign(&message.title);
        let way = t.with(Key("demo-way-message"), &[]);
        let line = Line { time: message.time.clone(), way, what, badge: None, number: None };
        lines.push(((millis(&message.time), u64::MAX), line));
    }
    lines.sort_by_key(|(key, _)| *key);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn millis(time: &str) -> i64 {
    parse_iso(time).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeline_runs_from_the_oldest_and_places_what_has_no_number_by_its_time() {
        let exchange = |number, time: &str| Exchange {
            number,
            from_wallet: number == 3,
            operation: format!("call-{number}"),
            time: time.to_owned(),
            outcome: "S SUCCESS".to_owned(),
            good: true,
            request: SignedMessage {
                start_line: String::new(),
                headers: Vec::new(),
                signed_content: String::new(),
                signed_length: 0,
                signed_digest: String::new(),
                body: String::new(),
                signature: SignatureState::Made,
            },
            reply: None,
        };
        let second = parse_iso("2026-01-15T09:30:02.000+00:00").unwrap();
        let message = UserMessage {
            language: Language::English,
            title: "Paid".to_owned(),
            text: String::new(),
            time: "2026-01-15T09:30:02.500+00:00".to_owned(),
        };
        let lines = timeline(
            &Texts(Language::English),
            &[exchange(3, "2026-01-15T12:30:03+03:00"), exchange(1, "2026-01-15T09:30:01.000+00:00")],
            &[Event { number: 2, at: second, what: Happening::ClockMoved }],
            &[message],
        );
        let order: Vec<_> = lines.iter().map(|line| line.what.as_str().to_owned()).collect();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [Some(1), None, None, Some(3)]);
        assert!(order[0].contains("call-1") && order[2].contains("Paid") && order[3].contains("call-3"));
    }
}
