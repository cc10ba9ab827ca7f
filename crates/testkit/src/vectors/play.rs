//! Playing stories: against a store, step by step, and telling new ones.

use crate::conformance::fixture::{self, PEOPLE, Person, Signatory};
use crate::conformance::house::{House, Reply, Twist};
use crate::conformance::speech::{Speech, result_code, text};
use crate::model::ModelStore;
use crate::vectors::story::{Call, Control, Scene, Sent, Step, Story};
use accord_core::agreement::Scope;
use accord_core::agreement::decide::Decided;
use accord_core::client::ClientStatus;
use accord_core::ids::AuthId;
use accord_core::money::Amount;
use accord_core::store::Store;
use accord_core::user::UserStatus;
use accord_core::{Refusal, Timestamp};
use accord_wire::dialect::{Fault, Reason};
use accord_wire::gateway::Request;
use accord_wire::time;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Plays a story on an empty store and says the first thing that is not as it was promised.
pub fn replay(story: &Story, store: Arc<dyn Store>) -> Result<(), String> {
    let house = House::new(store);
    for (number, step) in story.steps.iter().enumerate() {
        let played = Step { scene: perform(&house, step), ..step.clone() };
        let (played, promised) = (played.to_json(), step.to_json());
        if played != promised {
            return Err(format!("steps[{number}]\n  promised {promised:#}\n  played {played:#}"));
        }
    }
    let after = after(&house);
    if after != story.after {
        return Err(format!("after\n  promised {:#}\n  played {after:#}", story.after));
    }
    Ok(())
}

/// Lets a step happen; the scene with what really came of it.
fn perform(house: &House, step: &Step) -> Scene {
    let at = &step.moment();
    match step.scene.clone() {
        Scene::Call(call) => {
            let (reply, reason) = house.reply(&call.request, at, call.twist);
            Scene::Call(Box::new(Call { reply, reason: reason.or(call.reason), ..*call }))
        }
        Scene::Decide { auth_id, user, approve, .. } => {
            let id = AuthId::read(&auth_id).unwrap_or_else(|| panic!("`{auth_id}` is no authId"));
            let (outcome, code) = match house.decide(&id, Person::named(&user), approve, at) {
                Decided::Approved { code, .. } => ("approved", Some(code.reveal().to_owned())),
                Decided::Refused { .. } => ("refused", None),
                Decided::Already { .. } => ("already decided", None),
                Decided::Expired { .. } => ("expired", None),
                Decided::Unknown => ("unknown", None),
            };
            Scene::Decide { auth_id, user, approve, outcome: outcome.to_owned(), code }
        }
        Scene::LogIn { client_id, user, scopes, .. } => {
            let client = fixture::CLIENTS.into_iter().find(|client| client.client_id == client_id);
            let client = client.unwrap_or_else(|| panic!("no client `{client_id}`"));
            let code = house.log_in(client, Person::named(&user), &scopes, at);
            Scene::LogIn { client_id, user, scopes, code }
        }
        Scene::Credit { user, currency, value } => {
            let amount = Amount::new(fixture::currency(&currency), value).expect("an amount");
            house.credit(Person::named(&user), amount, at);
            Scene::Credit { user, currency, value }
        }
        Scene::User { user, status, qualified } => {
            house.change_user(Person::named(&user), move |row| {
                row.status = status;
                row.qualified = qualified;
            });
            Scene::User { user, status, qualified }
        }
        Scene::Client { client_id, status, agreement_pay, acquirers } => {
            let listed = acquirers.clone();
            house.change_client(&client_id, move |row| {
                row.status = status;
                row.agreement_pay = agreement_pay;
                row.acquirers.clone_from(&listed);
            });
            Scene::Client { client_id, status, agreement_pay, acquirers }
        }
        Scene::EndAgreement { user } => {
            house.end_agreement(Person::named(&user), at);
            Scene::EndAgreement { user }
        }
        Scene::Control { user, control } => {
            house.control(Person::named(&user), control, at);
            Scene::Control { user, control }
        }
        Scene::Resolve => {
            house.resolve_due(at);
            Scene::Resolve
        }
        Scene::Send { .. } => Scene::Send { sent: house.send(at) },
        Scene::Unbind { user, answer, .. } => {
            let (question, outcome) = house.unbind(Person::named(&user), answer, at);
            Scene::Unbind { user, answer, question, outcome: outcome.to_owned() }
        }
    }
}

/// How the books stand, and what waits to be told.
fn after(house: &House) -> Value {
    let mut balances = Map::new();
    for person in PEOPLE {
        let accounts = person.opening.iter().map(|(code, _)| {
            let balance = house.balance(person, code).map(|value| value.to_string());
            ((*code).to_owned(), Value::from(balance))
        });
        balances.insert(person.name.to_owned(), Value::Object(accounts.collect()));
    }
    let notices = house.notices();
    let notices: Vec<Value> = notices
        .into_iter()
        .map(|(kind, url, body)| json!({ "kind": kind, "url": url, "body": body }))
        .collect();
    json!({ "balances": balances, "notices": notices })
}

/// What a storyteller expects of a call.
#[derive(Debug, Clone, Copy)]
pub enum Expect {
    /// S.
    Success,
    /// F or U, as the dialect calls this reason.
    Because(Reason),
}

/// The expectation of a success.
pub const S: Expect = Expect::Success;

impl From<Refusal> for Expect {
    fn from(refusal: Refusal) -> Expect {
        Expect::Because(Reason::Refusal(refusal))
    }
}

impl From<Fault> for Expect {
    fn from(fault: Fault) -> Expect {
        Expect::Because(Reason::Fault(fault))
    }
}

/// A story being told: each step happens at once, on the model store, a second after the one before.
pub struct Play {
    /// What is spoken.
    pub speech: Speech,
    /// When the next step happens, in milliseconds.
    pub now: i64,
    who: &'static Signatory,
    house: House,
    story: Story,
}

/// Tokens in the clear.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Debits.
    pub access: String,
    /// Buys the next pair.
    pub refresh: String,
}

impl Play {
    /// Begins a story.
    pub fn new(speech: Speech, about: &str) -> Play {
        let [who, _] = speech.clients();
        Play {
            speech,
            now: fixture::START,
            who,
            house: House::new(Arc::new(ModelStore::new())),
            story: Story { about: about.to_owned(), steps: Vec::new(), after: Value::Null },
        }
    }

    /// The story as told.
    pub fn finish(mut self) -> Story {
        self.story.after = after(&self.house);
        self.story
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: i64) {
        self.now += millis;
    }

    /// The first (0) or the second (1) client of the dialect calls from now on.
    pub fn by_client(&mut self, number: usize) {
        self.who = self.speech.clients()[number];
    }

    /// The client that calls.
    pub fn who(&self) -> &'static Signatory {
        self.who
    }

    /// Request-Time of a call that happens next.
    pub fn time(&self) -> String {
        time::format_seconds(self.now, self.speech.utc_offset_seconds())
    }

    /// A time to come, as a body says it.
    pub fn time_in(&self, millis: i64) -> String {
        time::format_seconds(self.now + millis, self.speech.utc_offset_seconds())
    }

    /// A good request, to be sent as it is or after something was done to it.
    pub fn request(&self, operation: &str, body: &Value) -> Request {
        self.who.request(&self.speech.target(operation), body.to_string().as_bytes(), &self.time())
    }

    /// Calls.
    pub fn call(&mut self, operation: &str, body: &Value, expect: impl Into<Expect>) -> Value {
        let request = self.request(operation, body);
        self.send(request, expect)
    }

    /// Sends a request as it is.
    pub fn send(&mut self, request: Request, expect: impl Into<Expect>) -> Value {
        self.send_with(request, Twist::default(), expect)
    }

    /// Sends a request that meets something beside the rules.
    pub fn send_with(&mut self, request: Request, twist: Twist, expect: impl Into<Expect>) -> Value {
        let expect = expect.into();
        let reason = match expect {
            Expect::Success => None,
            Expect::Because(reason) => Some(reason),
        };
        let reply = Reply { status: 0, headers: Vec::new(), body: Vec::new() };
        let scene = self.step(Scene::Call(Box::new(Call { request, twist, reason, reply })));
        let Scene::Call(call) = scene else { panic!("a call stays a call") };
        let body: Value = serde_json::from_slice(&call.reply.body).expect("a JSON reply");
        let expected = reason.map_or("SUCCESS", |reason| self.speech.code(reason).code);
        assert_eq!(result_code(&body), expected, "{}: {body}", self.story.about);
        assert_eq!(call.reason, reason, "{}: {body}", self.story.about);
        body
    }

    /// A user decides; the code after a yes.
    pub fn decide(&mut self, auth_id: &str, person: &Person, approve: bool) -> Option<String> {
        let (auth_id, user) = (auth_id.to_owned(), person.name.to_owned());
        match self.step(Scene::Decide { auth_id, user, approve, outcome: String::new(), code: None }) {
            Scene::Decide { code, .. } => code,
            _ => None,
        }
    }

    /// A user says yes to the session that `prepare` opened.
    pub fn approve(&mut self, prepared: &Value, person: &Person) -> String {
        let auth_id = self.speech.auth_id(prepared);
        self.decide(&auth_id, person, true).expect("a code")
    }

    /// prepare and the user's yes: a code.
    pub fn code(&mut self, person: &Person) -> String {
        let prepared = self.call("prepare", &self.speech.prepare("agreement-1"), S);
        self.approve(&prepared, person)
    }

    /// prepare, the user's yes, applyToken: tokens.
    pub fn tokens(&mut self, person: &Person) -> Tokens {
        let code = self.code(person);
        let granted = self.call("applyToken", &self.speech.apply(&code), S);
        Tokens { access: text(&granted, "accessToken"), refresh: text(&granted, "refreshToken") }
    }

    /// A token for these scopes: by the page (Alipay+), by a mini program's log in (Qi).
    pub fn token_for(&mut self, person: &Person, reference: &str, scopes: &[Scope]) -> String {
        let code = match self.speech {
            Speech::Qi => self.log_in(person, scopes),
            Speech::AlipayPlus => {
                let prepared = self.call("prepare", &self.speech.prepare_scopes(reference, scopes), S);
                self.approve(&prepared, person)
            }
        };
        text(&self.call("applyToken", &self.speech.apply(&code), S), "accessToken")
    }

    /// A mini program of the calling client asks a signed-in user for scopes: a code.
    pub fn log_in(&mut self, person: &Person, scopes: &[Scope]) -> String {
        let (client_id, user) = (self.who.client_id.to_owned(), person.name.to_owned());
        let scene = Scene::LogIn { client_id, user, scopes: scopes.to_vec(), code: String::new() };
        match self.step(scene) {
            Scene::LogIn { code, .. } => code,
            _ => String::new(),
        }
    }

    /// The newest one-time code that the user was sent.
    pub fn one_time_code(&self, person: &Person) -> String {
        self.house.one_time_code(person).expect("a one-time code")
    }

    /// The next pair.
    pub fn refresh(&mut self, refresh: &str) -> Tokens {
        let granted = self.call("applyToken", &self.speech.refresh(refresh), S);
        Tokens { access: text(&granted, "accessToken"), refresh: text(&granted, "refreshToken") }
    }

    /// A debit of dinars.
    pub fn pay(&mut self, access: &str, id: &str, value: &str, expect: impl Into<Expect>) -> Value {
        self.call("pay", &self.speech.pay(access, id, "IQD", value), expect)
    }

    /// An inquiry by the caller's id.
    pub fn inquire(&mut self, id: &str, expect: impl Into<Expect>) -> Value {
        self.call("inquiryPayment", &self.speech.inquire(id), expect)
    }

    /// A refund of dinars of the order that `paid` answered.
    pub fn refund(
        &mut self,
        order: &str,
        paid: &Value,
        id: &str,
        value: &str,
        expect: impl Into<Expect>,
    ) -> Value {
        let payment_id = text(paid, "paymentId");
        self.call("refund", &self.speech.refund(order, &payment_id, id, "IQD", value), expect)
    }

    /// Money comes in.
    pub fn credit(&mut self, person: &Person, value: i64) {
        self.step(Scene::Credit { user: person.name.to_owned(), currency: "IQD".to_owned(), value });
    }

    /// A user's status changes.
    pub fn user(&mut self, person: &Person, status: UserStatus, qualified: bool) {
        self.step(Scene::User { user: person.name.to_owned(), status, qualified });
    }

    /// The calling client's registration changes.
    pub fn client(&mut self, status: ClientStatus, agreement_pay: bool, acquirers: &[&str]) {
        let client_id = self.who.client_id.to_owned();
        let acquirers = acquirers.iter().map(|id| (*id).to_owned()).collect();
        self.step(Scene::Client { client_id, status, agreement_pay, acquirers });
    }

    /// A user ends the newest agreement.
    pub fn end_agreement(&mut self, person: &Person) {
        self.step(Scene::EndAgreement { user: person.name.to_owned() });
    }

    /// A user pauses, resumes or limits the newest agreement.
    pub fn control(&mut self, person: &Person, control: Control) {
        self.step(Scene::Control { user: person.name.to_owned(), control });
    }

    /// Due payments reach their end.
    pub fn resolve(&mut self) {
        self.step(Scene::Resolve);
    }

    /// Everything that waits to be told is sent for the first time.
    pub fn deliver(&mut self) -> Vec<Sent> {
        match self.step(Scene::Send { sent: Vec::new() }) {
            Scene::Send { sent } => sent,
            _ => Vec::new(),
        }
    }

    /// A user ends the newest agreement; its owner says so when asked. What came of it.
    pub fn unbind(&mut self, person: &Person, answer: Option<bool>) -> String {
        let (user, outcome) = (person.name.to_owned(), String::new());
        match self.step(Scene::Unbind { user, answer, question: None, outcome }) {
            Scene::Unbind { outcome, .. } => outcome,
            _ => String::new(),
        }
    }

    /// The time `millis` after the next step.
    pub fn in_millis(&self, millis: i64) -> Timestamp {
        Timestamp(self.now + millis)
    }

    fn step(&mut self, scene: Scene) -> Scene {
        let number = u8::try_from(self.story.steps.len() + 1).expect("a short story");
        let step = Step { now: self.now, seed: [number; 32], scene };
        let scene = perform(&self.house, &step);
        self.story.steps.push(Step { scene: scene.clone(), ..step });
        self.now += 1_000;
        scene
    }
}
