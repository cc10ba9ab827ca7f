//! What the house sends of its own accord: notices, and the question before a user ends an agreement.
//!
//! As the server sends it: signed over the path and query of the URL, secrets derived anew. Nothing travels here, so
//! nothing is acknowledged or sent again.

use crate::conformance::fixture::{KEY_VERSION, Person};
use crate::conformance::house::House;
use crate::vectors::story::Sent;
use accord_core::Moment;
use accord_core::agreement::unbind::{self, Consulted, Unbound};
use accord_core::token::live;
use accord_core::voice::Context;
use accord_wire::dialect::Dialect;
use accord_wire::gateway::{Outbound, outbound_content, target_of};
use accord_wire::signature::Signed;
use accord_wire::time;

impl House {
    /// The first try of every notice that was not sent before, oldest first.
    pub fn send(&self, at: &Moment) -> Vec<Sent> {
        let waiting = self.waiting();
        let sent = waiting.iter().map(|notice| {
            let dialect = self.dialect(notice.dialect.as_str());
            self.signed(&*dialect, notice.client.as_str(), &notice.kind, &notice.url, self.said(notice), at)
        });
        sent.collect()
    }

    /// The user ends the newest of the user's agreements, after the question that the paper wants, which is answered so.
    pub fn unbind(&self, person: &Person, answer: Option<bool>, at: &Moment) -> (Option<Sent>, &'static str) {
        let agreement = self.agreement_of(person);
        let dialect = self.dialect(agreement.dialect.as_str());
        let (auth_id, id, generation) =
            (agreement.auth_id.clone(), agreement.id.clone(), agreement.generation);
        let client = agreement.client.clone();
        let (terms, client, set) = self.look(move |rows| {
            Ok((rows.terms(&auth_id)?, rows.client(&client)?, rows.token_set(&id, generation)?))
        });
        let context = Context { keys: &self.keys, voice: &*dialect };
        let pair = set.and_then(|set| live::pair_of(&set, context));
        let consultation = client
            .as_ref()
            .zip(terms.as_ref())
            .zip(pair.as_ref())
            .and_then(|((client, terms), pair)| dialect.consult(client, terms, &pair.access));
        let consulted = match (&consultation, answer) {
            (None, _) => Consulted::NotAsked,
            (Some(_), Some(true)) => Consulted::Allowed,
            (Some(_), Some(false)) => Consulted::NotAllowed,
            (Some(asked), None) => Consulted::Unknown { silence_frees: asked.silence_frees },
        };
        let question = consultation.map(|asked| {
            let client = agreement.client.as_str();
            self.signed(&*dialect, client, "consultUnbinding", &asked.url, asked.body, at)
        });
        let (id, keys, at) = (agreement.id, self.keys.clone(), at.clone());
        let unbound = self.transact(move |tx| {
            unbind::by_user(tx, &id, consulted, Context { keys: &keys, voice: &*dialect }, &at)
        });
        let outcome = match unbound {
            Unbound::Ended(_) => "ended",
            Unbound::NotAllowed(_) => "not allowed",
            Unbound::TryLater { .. } => "try later",
            Unbound::NotFound => "not found",
        };
        (question, outcome)
    }

    fn signed(
        &self,
        dialect: &dyn Dialect,
        client: &str,
        kind: &str,
        url: &str,
        body: String,
        at: &Moment,
    ) -> Sent {
        let target = target_of(&url::Url::parse(url).expect("a URL"));
        let request_time = time::format_seconds(at.now.0, dialect.utc_offset_seconds());
        let content = outbound_content("POST", &target, client, &request_time, body.as_bytes());
        let signature = self.wallet_key.sign(&content).expect("the wallet's key signs");
        let signed = Signed { key_version: KEY_VERSION.to_owned(), signature };
        let headers = Outbound::new(client, &request_time, &signed).headers;
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Sent { kind: kind.to_owned(), url: url.to_owned(), target, headers, body }
    }
}
