//! The outbox: a notice is durable with what it reports, or not at all.

use crate::handle::Bucket;
use crate::ids::{ClientId, NotificationId};
use crate::moment::{Moment, Random, Timestamp};
use crate::notification::{Mark, Notification, NotificationState};
use crate::secret::SecretRef;
use crate::store::{Stored, Tx};
use crate::voice::{Context, Event};

/// A notice being written.
pub struct Notice {
    id: NotificationId,
    random: Random,
    created_at: Timestamp,
    marks: Vec<Mark>,
    moot_after: Option<Timestamp>,
}

impl Notice {
    /// Begins a notice about something in `bucket`; `label` tells it from others of the same call.
    pub fn new(at: &Moment, bucket: Bucket, label: &str) -> Notice {
        let mut random = at.random(&format!("notice/{label}"));
        let id = NotificationId::mint(bucket, &mut random);
        Notice { id, random, created_at: at.now, marks: Vec::new(), moot_after: None }
    }

    /// A placeholder for a secret, to be written into the body. It is random, so nobody can forge one.
    pub fn mark(&mut self, secret: SecretRef) -> String {
        let random: [u8; 16] = self.random.bytes();
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let placeholder = format!("secret-{hex}");
        self.marks.push(Mark { placeholder: placeholder.clone(), secret });
        placeholder
    }

    /// Not worth sending after that time.
    pub fn moot_after(mut self, time: Timestamp) -> Notice {
        self.moot_after = Some(time);
        self
    }

    /// Asks the dialect for its words and leaves them in the outbox; nothing if it has none.
    pub fn leave(
        self,
        tx: &mut dyn Tx,
        client: &ClientId,
        context: Context<'_>,
        event: &Event<'_>,
    ) -> Stored<()> {
        let Some(client) = tx.client(client)? else { return Ok(()) };
        let Some(announcement) = context.voice.announce(&client, event) else { return Ok(()) };
        tx.insert_notification(&Notification {
            id: self.id,
            kind: announcement.kind.to_owned(),
            client: client.id,
            dialect: client.dialect,
            target: target_of(&announcement.url),
            url: announcement.url,
            body: announcement.body,
            marks: self.marks,
            state: NotificationState::Pending,
            tries: 0,
            next_attempt_at: self.created_at,
            moot_after: self.moot_after,
            created_at: self.created_at,
        })
    }
}

/// Scheme, host, port and path of a URL: what deliveries are kept apart by. Receivers that share a host (a platform of
/// many shops) do not delay one another.
pub fn target_of(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{}://{}{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::target_of;

    #[test]
    fn a_target_is_a_url_without_its_query() {
        for (url, target) in [
            ("https://Shop.Example/Notify?x=1", "https://shop.example/Notify"),
            ("http://127.0.0.1:8080/a/b", "http://127.0.0.1:8080/a/b"),
            ("https://shop.example?x=/y", "https://shop.example/"),
            ("https://shop.example#f", "https://shop.example/"),
        ] {
            assert_eq!(target_of(url), target);
        }
    }
}
