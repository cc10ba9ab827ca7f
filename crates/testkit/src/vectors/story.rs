//! A vector as its file has it: steps with their time and seed, and how the books stand afterwards.
//!
//! Bodies are texts in which JSON has escaped what it must, so that every byte is there; a body that is no UTF-8 is
//! written as Base64.

use crate::conformance::house::{Reply, Trouble, Twist};
use accord_core::agreement::Scope;
use accord_core::client::ClientStatus;
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::user::UserStatus;
use accord_core::{Moment, Refusal, Timestamp};
use accord_wire::dialect::{Fault, Reason};
use accord_wire::gateway::Request;
use accord_wire::time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Times in the files are those of Baghdad.
const OFFSET_SECONDS: i32 = 3 * 3600;

/// A vector.
#[derive(Debug, Clone)]
pub struct Story {
    /// What it shows, in a sentence.
    pub about: String,
    /// What happens.
    pub steps: Vec<Step>,
    /// How the books stand afterwards, and what waits to be told.
    pub after: Value,
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub struct Step {
    /// The time of the call, in milliseconds.
    pub now: i64,
    /// Everything random of the call comes of this.
    pub seed: [u8; 32],
    /// What happens.
    pub scene: Scene,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum Scene {
    /// A call.
    Call(Box<Call>),
    /// A user decides a session.
    Decide {
        /// The session.
        auth_id: String,
        /// Who.
        user: String,
        /// Yes or no.
        approve: bool,
        /// What came of it.
        outcome: String,
        /// The code that the browser is sent back with.
        code: Option<String>,
    },
    /// A mini program of a Qi client asks a signed-in user for scopes (my.getAuthCode).
    LogIn {
        /// Whose mini program.
        client_id: String,
        /// Who is signed in to the app.
        user: String,
        /// What is granted.
        scopes: Vec<Scope>,
        /// The code that the mini program gets.
        code: String,
    },
    /// Money comes in.
    Credit {
        /// To whom.
        user: String,
        /// In which currency.
        currency: String,
        /// How much, in smallest units.
        value: i64,
    },
    /// A user's row is changed.
    User {
        /// Whose.
        user: String,
        /// What the user may do.
        status: UserStatus,
        /// Identified well enough?
        qualified: bool,
    },
    /// A client's registration is changed.
    Client {
        /// Whose.
        client_id: String,
        /// May it call?
        status: ClientStatus,
        /// May it ask for agreement payments?
        agreement_pay: bool,
        /// Acquirers it may name; empty: any.
        acquirers: Vec<String>,
    },
    /// A user ends the newest agreement in the wallet.
    EndAgreement {
        /// Who.
        user: String,
    },
    /// A user pauses, resumes or limits the newest agreement in the wallet.
    Control {
        /// Who.
        user: String,
        /// How.
        control: Control,
    },
    /// Running payments that are due reach their end.
    Resolve,
    /// Everything that waits to be told is sent for the first time.
    Send {
        /// The notices as they travel, oldest first.
        sent: Vec<Sent>,
    },
    /// A user ends the newest agreement in the wallet; its owner is asked first where the paper wants that.
    Unbind {
        /// Who.
        user: String,
        /// What the owner answers, if asked: yes, no, or nothing at all.
        answer: Option<bool>,
        /// The question as it travels; nothing where nobody is asked.
        question: Option<Sent>,
        /// What came of it.
        outcome: String,
    },
}

/// A call of the wallet's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The notice's name in the paper.
    pub kind: String,
    /// Where to.
    pub url: String,
    /// The path and query that are signed.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: String,
}

impl Sent {
    fn to_json(&self) -> Value {
        let headers: Vec<String> =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let request =
            json!({ "method": "POST", "target": self.target, "headers": headers, "body": self.body });
        json!({ "kind": self.kind, "url": self.url, "request": request })
    }

    fn parse(sent: &Value) -> Result<Sent, String> {
        let request = &sent["request"];
        Ok(Sent {
            kind: string(sent, "kind")?,
            url: string(sent, "url")?,
            target: string(request, "target")?,
            headers: headers_of(request)?,
            body: string(request, "body")?,
        })
    }
}

/// What a user does to an agreement without ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// No debits until it is resumed.
    Pause,
    /// Debits again.
    Resume,
    /// Limits in dinars' smallest units; nothing set: none.
    Limit {
        /// The most for one debit.
        per_debit: Option<i64>,
        /// The most for a calendar month.
        per_month: Option<i64>,
        /// How many debits.
        max_count: Option<u32>,
    },
}

/// A call and its reply.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is sent.
    pub request: Request,
    /// What it meets beside the rules.
    pub twist: Twist,
    /// Why it is no success.
    pub reason: Option<Reason>,
    /// What comes back.
    pub reply: Reply,
}

impl Step {
    /// Time and chance of this step.
    pub fn moment(&self) -> Moment {
        Moment::new(Timestamp(self.now), self.seed)
    }
}

impl Story {
    /// The file's text.
    pub fn text(&self) -> String {
        let steps: Vec<Value> = self.steps.iter().map(Step::to_json).collect();
        let story = json!({ "about": self.about, "steps": steps, "after": self.after });
        format!("{story:#}\n")
    }

    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Story, String> {
        let story: Value = serde_json::from_str(text).map_err(|why| why.to_string())?;
        let steps = story["steps"].as_array().ok_or("steps: missing")?;
        let steps: Result<Vec<Step>, String> = steps
            .iter()
            .enumerate()
            .map(|(number, step)| Step::parse(step).map_err(|why| format!("steps[{number}]: {why}")))
            .collect();
        Ok(Story { about: string(&story, "about")?, steps: steps?, after: story["after"].clone() })
    }

    /// The wallet's own calls, in order.
    pub fn sent(&self) -> impl Iterator<Item = &Sent> {
        self.steps.iter().flat_map(|step| match &step.scene {
            Scene::Send { sent } => sent.iter().collect(),
            Scene::Unbind { question, .. } => question.iter().collect(),
            _ => Vec::new(),
        })
    }

    /// The calls, in order.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.steps.iter().filter_map(|step| match &step.scene {
            Scene::Call(call) => Some(&**call),
            _ => None,
        })
    }
}

impl Step {
    /// As the file has it.
    pub fn to_json(&self) -> Value {
        let mut step = Map::new();
        step.insert("at".into(), time::format_seconds(self.now, OFFSET_SECONDS).into());
        step.insert("seed".into(), hex(&self.seed).into());
        if let Value::Object(scene) = self.scene.to_json() {
            step.extend(scene);
        }
        Value::Object(step)
    }

    fn parse(step: &Value) -> Result<Step, String> {
        let now = time::parse_iso(&string(step, "at")?).map_err(|why| format!("at: {why}"))?;
        let seed = unhex(&string(step, "seed")?).ok_or("seed: 64 hexadecimal digits")?;
        Ok(Step { now, seed, scene: Scene::parse(step)? })
    }
}

impl Scene {
    fn to_json(&self) -> Value {
        match self {
            Scene::Call(call) => call.to_json(),
            Scene::Decide { auth_id, user, approve, outcome, code } => json!({
                "decide": { "authId": auth_id, "user": user, "approve": approve },
                "outcome": outcome,
                "authCode": code,
            }),
            Scene::LogIn { client_id, user, scopes, code } => {
                let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
                json!({ "logIn": { "clientId": client_id, "user": user, "scopes": scopes }, "authCode": code })
            }
            Scene::Credit { user, currency, value } => {
                json!({ "credit": { "user": user, "currency": currency, "value": value.to_string() } })
            }
            Scene::User { user, status, qualified } => {
                json!({ "user": { "name": user, "status": status.as_str(), "qualified": qualified } })
            }
            Scene::Client { client_id, status, agreement_pay, acquirers } => json!({ "client": {
                "clientId": client_id,
                "status": status.as_str(),
                "agreementPay": agreement_pay,
                "acquirers": acquirers,
            } }),
            Scene::EndAgreement { user } => json!({ "endAgreement": { "user": user } }),
            Scene::Control { user, control: Control::Pause } => json!({ "pause": { "user": user } }),
            Scene::Control { user, control: Control::Resume } => json!({ "resume": { "user": user } }),
            Scene::Control { user, control: Control::Limit { per_debit, per_month, max_count } } => {
                let sum = |sum: &Option<i64>| sum.map(|sum| sum.to_string());
                let (per_debit, per_month) = (sum(per_debit), sum(per_month));
                json!({ "limit": {
                    "user": user, "perDebit": per_debit, "perMonth": per_month, "maxCount": max_count,
                } })
            }
            Scene::Resolve => json!({ "resolve": "running payments that are due" }),
            Scene::Send { sent } => json!({ "send": sent.iter().map(Sent::to_json).collect::<Vec<Value>>() }),
            Scene::Unbind { user, answer, question, outcome } => json!({
                "unbind": { "user": user, "allowUnbinding": answer },
                "question": question.as_ref().map(Sent::to_json),
                "outcome": outcome,
            }),
        }
    }

    fn parse(step: &Value) -> Result<Scene, String> {
        let bool_of = |value: &Value, name: &str| value[name].as_bool().ok_or(format!("{name}: a boolean"));
        if step.get("request").is_some() {
            return Ok(Scene::Call(Box::new(Call::parse(step)?)));
        }
        if let Some(decide) = step.get("decide") {
            return Ok(Scene::Decide {
                auth_id: string(decide, "authId")?,
                user: string(decide, "user")?,
                approve: bool_of(decide, "approve")?,
                outcome: string(step, "outcome")?,
                code: step["authCode"].as_str().map(str::to_owned),
            });
        }
        if let Some(log_in) = step.get("logIn") {
            let scopes = log_in["scopes"].as_array().ok_or("scopes: a list")?;
            let scopes = scopes.iter().map(|scope| scope.as_str().and_then(Scope::parse));
            return Ok(Scene::LogIn {
                client_id: string(log_in, "clientId")?,
                user: string(log_in, "user")?,
                scopes: scopes.collect::<Option<_>>().ok_or("scopes: known ones")?,
                code: string(step, "authCode")?,
            });
        }
        if let Some(credit) = step.get("credit") {
            return Ok(Scene::Credit {
                user: string(credit, "user")?,
                currency: string(credit, "currency")?,
                value: string(credit, "value")?.parse().map_err(|_| "value: digits")?,
            });
        }
        if let Some(user) = step.get("user") {
            return Ok(Scene::User {
                user: string(user, "name")?,
                status: UserStatus::parse(&string(user, "status")?).ok_or("status")?,
                qualified: bool_of(user, "qualified")?,
            });
        }
        if let Some(client) = step.get("client") {
            let acquirers = client["acquirers"].as_array().ok_or("acquirers: a list")?;
            return Ok(Scene::Client {
                client_id: string(client, "clientId")?,
                status: ClientStatus::parse(&string(client, "status")?).ok_or("status")?,
                agreement_pay: bool_of(client, "agreementPay")?,
                acquirers: acquirers.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            });
        }
        if let Some(ended) = step.get("endAgreement") {
            return Ok(Scene::EndAgreement { user: string(ended, "user")? });
        }
        for (name, control) in [("pause", Control::Pause), ("resume", Control::Resume)] {
            if let Some(controlled) = step.get(name) {
                return Ok(Scene::Control { user: string(controlled, "user")?, control });
            }
        }
        if let Some(limit) = step.get("limit") {
            let sum = |name: &str| limit[name].as_str().and_then(|digits| digits.parse().ok());
            let max_count = limit["maxCount"].as_u64().and_then(|count| u32::try_from(count).ok());
            let (per_debit, per_month) = (sum("perDebit"), sum("perMonth"));
            let control = Control::Limit { per_debit, per_month, max_count };
            return Ok(Scene::Control { user: string(limit, "user")?, control });
        }
        if let Some(sent) = step.get("send") {
            let sent = sent.as_array().ok_or("send: a list")?;
            return Ok(Scene::Send { sent: sent.iter().map(Sent::parse).collect::<Result<_, _>>()? });
        }
        if let Some(unbind) = step.get("unbind") {
            let question = step.get("question").filter(|question| !question.is_null());
            return Ok(Scene::Unbind {
                user: string(unbind, "user")?,
                answer: unbind["allowUnbinding"].as_bool(),
                question: question.map(Sent::parse).transpose()?,
                outcome: string(step, "outcome")?,
            });
        }
        step.get("resolve").map(|_| Scene::Resolve).ok_or("nothing happens in this step".into())
    }
}

impl Call {
    fn to_json(&self) -> Value {
        let Request { method, target, headers, body, .. } = &self.request;
        let headers: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
            .collect();
        let mut request = json!({ "method": method, "target": target, "headers": headers });
        put_body(&mut request, body);
        let mut step = json!({ "request": request });
        if let Some(forced) = self.twist.forced {
            step["forced"] = forced_to_json(forced);
        }
        if let Some(trouble) = self.twist.store {
            step["store"] = match trouble {
                Trouble::Unknown => "unknown",
                Trouble::Unavailable => "unavailable",
            }
            .into();
        }
        if let Some(reason) = self.reason {
            step["reason"] = reason_name(reason).into();
        }
        let headers: Vec<String> =
            self.reply.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let mut reply = json!({ "status": self.reply.status, "headers": headers });
        put_body(&mut reply, &self.reply.body);
        step["reply"] = reply;
        step
    }

    fn parse(step: &Value) -> Result<Call, String> {
        let (request, reply) = (&step["request"], &step["reply"]);
        let reason = match step["reason"].as_str() {
            Some(name) => Some(reason_named(name).ok_or(format!("reason: no `{name}`"))?),
            None => None,
        };
        let forced = match step.get("forced") {
            Some(forced) => Some(forced_of(forced)?),
            None => None,
        };
        let store = match step["store"].as_str() {
            None => None,
            Some("unknown") => Some(Trouble::Unknown),
            Some("unavailable") => Some(Trouble::Unavailable),
            Some(other) => return Err(format!("store: no `{other}`")),
        };
        let headers = headers_of(request)?;
        Ok(Call {
            request: Request {
                method: string(request, "method")?,
                target: string(request, "target")?,
                headers: headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect(),
                body: body_of(request)?,
                too_large: false,
            },
            twist: Twist { forced, store },
            reason,
            reply: Reply {
                status: reply["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(0),
                headers: headers_of(reply)?,
                body: body_of(reply)?,
            },
        })
    }
}

/// A reason's name in the files.
pub fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Fault(fault) => fault.as_str(),
        Reason::Refusal(refusal) => refusal.as_str(),
    }
}

fn reason_named(name: &str) -> Option<Reason> {
    Fault::parse(name).map(Reason::Fault).or_else(|| Refusal::parse(name).map(Reason::Refusal))
}

fn forced_to_json(forced: Forced) -> Value {
    match forced {
        Forced::Fail(refusal) => json!({ "fail": refusal.as_str() }),
        Forced::Running(None) => json!({ "running": null }),
        Forced::Running(Some(Resolution { due_at, succeed })) => {
            let due_at = time::format_seconds(due_at.0, OFFSET_SECONDS);
            json!({ "running": { "dueAt": due_at, "succeed": succeed } })
        }
    }
}

fn forced_of(forced: &Value) -> Result<Forced, String> {
    if let Some(name) = forced["fail"].as_str() {
        return Refusal::parse(name).map(Forced::Fail).ok_or(format!("fail: no `{name}`"));
    }
    let running = &forced["running"];
    if running.is_null() {
        return Ok(Forced::Running(None));
    }
    let due_at = time::parse_iso(&string(running, "dueAt")?).map_err(|why| why.to_string())?;
    let succeed = running["succeed"].as_bool().ok_or("succeed: a boolean")?;
    Ok(Forced::Running(Some(Resolution { due_at: Timestamp(due_at), succeed })))
}

fn put_body(message: &mut Value, body: &[u8]) {
    match std::str::from_utf8(body) {
        Ok(text) => message["body"] = text.into(),
        Err(_) => message["bodyBase64"] = STANDARD.encode(body).into(),
    }
}

fn body_of(message: &Value) -> Result<Vec<u8>, String> {
    match message["bodyBase64"].as_str() {
        Some(encoded) => STANDARD.decode(encoded).map_err(|why| format!("bodyBase64: {why}")),
        None => string(message, "body").map(String::into_bytes),
    }
}

fn headers_of(message: &Value) -> Result<Vec<(String, String)>, String> {
    let lines = message["headers"].as_array().ok_or("headers: a list")?;
    let pair = |line: &Value| {
        let (name, value) = line.as_str()?.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    lines.iter().map(|line| pair(line).ok_or("headers: `name: value`".to_owned())).collect()
}

fn string(value: &Value, name: &str) -> Result<String, String> {
    value[name].as_str().map(str::to_owned).ok_or(format!("{name}: a text"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
    digits?.try_into().ok()
}
