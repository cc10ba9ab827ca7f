//! Carries notifications: finds what is due, sends it, writes down what came of it.
//!
//! Deliveries to one target (a URL without its query) do not delay another's: each target has its own few places, and
//! due work is asked for by target. What an attempt means for the schedule is decided in
//! `accord_core::notification::retry`.

use crate::app::App;
use crate::calls::sign;
use crate::outbound::{GuardedResolver, OutboundPolicy, Permit};
use crate::telemetry;
use accord_core::ids::NotificationId;
use accord_core::notification::retry::{self, Delivery, LEASE};
use accord_core::notification::{Attempt, Notification, NotificationState};
use accord_core::store::Stored;
use accord_core::{Moment, Ruled, Timestamp};
use accord_wire::directory::Directory;
use accord_wire::gateway::{self, Outbound, Replied};
use accord_wire::signature::Lane;
use accord_wire::time;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// One try may take so long (decision 37).
const TRY_TIMEOUT: Duration = Duration::from_secs(10);
/// So much of an acknowledgement is read.
const REPLY_LIMIT: usize = 64 * 1024;
/// So many deliveries to one target at a time.
const PER_TARGET: usize = 8;
/// And so many in all.
const IN_ALL: usize = 512;
/// One try may take so long to a target that has just let us wait, while the sandbox's clock is moved.
const SHORT_TIMEOUT: Duration = Duration::from_secs(1);
/// So many targets are looked at in one round.
const TARGETS: usize = 1_000;

const TIMED_OUT: &str = "timed out";

/// One move of the sandbox's clock: it remembers which targets let it wait, so that it need not wait as long again.
#[derive(Default)]
pub struct Journey {
    slow: Mutex<HashSet<String>>,
}

impl Journey {
    fn is_slow(&self, target: &str) -> bool {
        self.slow.lock().is_ok_and(|slow| slow.contains(target))
    }

    fn note_slow(&self, target: &str) {
        if let Ok(mut slow) = self.slow.lock() {
            slow.insert(target.to_owned());
        }
    }
}

/// The dispatcher: an HTTP client that goes only where it may, and what is under way.
pub struct Dispatcher {
    app: Arc<App>,
    http: reqwest::Client,
    under_way: Mutex<HashMap<String, HashSet<NotificationId>>>,
}

impl Dispatcher {
    /// A dispatcher for this server.
    pub fn new(app: Arc<App>, policy: &OutboundPolicy) -> Result<Arc<Dispatcher>, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TRY_TIMEOUT)
            .dns_resolver(Arc::new(GuardedResolver(Arc::new(policy.clone()))))
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent("accord")
            .build()?;
        Ok(Arc::new(Dispatcher { app, http, under_way: Mutex::default() }))
    }

    /// The client, which goes only where it may.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Starts every delivery that is due now and has a place. Returns without waiting for them.
    pub async fn round(self: &Arc<Self>) -> Stored<()> {
        let now = self.app.clock.now();
        let targets = self.app.look(move |rows| rows.due_targets(now, TARGETS)).await?;
        for target in targets {
            let busy = self.busy(&target);
            if self.deliveries() >= IN_ALL {
                break;
            }
            if busy.len() >= PER_TARGET {
                continue;
            }
            let wanted = target.clone();
            let due = self
                .app
                .look(move |rows| rows.due_notifications(&wanted, now, PER_TARGET + busy.len()))
                .await?;
            for notification in due {
                if self.begin(&notification) {
                    let dispatcher = self.clone();
                    tokio::spawn(async move {
                        // Held while the clock stands still; waits while the sandbox moves it.
                        let _work = dispatcher.app.due_work.read().await;
                        let at = dispatcher.app.clock.moment();
                        let target = notification.target.clone();
                        let id = notification.id.clone();
                        if let Err(fault) = dispatcher.deliver(notification, &at, None).await {
                            tracing::error!(?fault, notification = %id, "a delivery could not be written down");
                        }
                        dispatcher.end(&target, &id);
                        dispatcher.app.wake.notify_one();
                    });
                }
            }
        }
        Ok(())
    }

    /// How many deliveries are under way.
    pub fn deliveries(&self) -> usize {
        self.under_way.lock().map(|map| map.values().map(HashSet::len).sum()).unwrap_or(0)
    }

    fn busy(&self, target: &str) -> HashSet<NotificationId> {
        self.under_way.lock().ok().and_then(|map| map.get(target).cloned()).unwrap_or_default()
    }

    fn begin(&self, notification: &Notification) -> bool {
        let Ok(mut map) = self.under_way.lock() else { return false };
        let busy = map.entry(notification.target.clone()).or_default();
        busy.len() < PER_TARGET && busy.insert(notification.id.clone())
    }

    fn end(&self, target: &str, id: &NotificationId) {
        if let Ok(mut map) = self.under_way.lock()
            && let Some(busy) = map.get_mut(target)
        {
            busy.remove(id);
            if busy.is_empty() {
                map.remove(target);
            }
        }
    }

    /// Makes one attempt, as of `at`, and writes down what came of it. A notification that is no longer due by the
    /// time it is looked at again is left alone.
    pub async fn deliver(
        &self,
        notification: Notification,
        at: &Moment,
        journey: Option<&Journey>,
    ) -> Ruled<()> {
        if self.app.dialect(&notification.dialect).is_none() {
            return Ok(());
        }
        let (id, judged) = (notification.id.clone(), at.clone());
        let standing = self
            .app
            .look(move |rows| {
                let Some(notification) = rows.notification(&id)? else { return Ok(None) };
                if notification.state != NotificationState::Pending
                    || notification.next_attempt_at > judged.now
                {
                    return Ok(None);
                }
                let moot = retry::is_moot(rows, &notification, &judged)?;
                Ok(Some((notification, moot)))
            })
            .await?;
        let Some((notification, moot)) = standing else { return Ok(()) };
        if moot {
            return self.set_state(&notification, NotificationState::Moot).await;
        }
        match self.app.options.outbound.judge(&notification.url) {
            Permit::Hold => self.set_state(&notification, NotificationState::Held).await,
            Permit::Never(why) => self.write_down(&notification, None, why, Delivery::Failed, at).await,
            Permit::Go => {
                let shared = self.app.options.store.is_shared();
                // The last moment to begin: an answer comes within the lease.
                let latest = at.now.plus_millis(LEASE).0.saturating_sub(TRY_TIMEOUT.as_millis() as i64);
                let latest = (shared && journey.is_none()).then_some(Timestamp(latest));
                if shared && !self.claim(&notification, at).await? {
                    return Ok(());
                }
                let began = Instant::now();
                let slow = journey.is_some_and(|journey| journey.is_slow(&notification.target));
                let timeout = if slow { SHORT_TIMEOUT } else { TRY_TIMEOUT };
                let Some((status, outcome, delivery)) =
                    self.attempt(&notification, at, timeout, latest).await
                else {
                    return Ok(());
                };
                if let (Some(journey), TIMED_OUT) = (journey, outcome.as_str()) {
                    journey.note_slow(&notification.target);
                }
                let word = match delivery {
                    Delivery::Acknowledged => "acknowledged",
                    Delivery::Refused => "refused",
                    Delivery::Failed => "failed",
                };
                telemetry::attempt(&notification.kind, word, began.elapsed());
                tracing::info!(target: "accord::notification", notification = %notification.id, kind = notification.kind,
                    client = %notification.client, attempt = notification.tries + 1, http_status = status, outcome,
                    "notification");
                self.write_down(&notification, status, outcome, delivery, at).await
            }
        }
    }

    /// Sends once and reads the acknowledgement: HTTP status, what happened for people, what it means. Nothing: it is
    /// later than `latest`, so nothing was sent. A node that slept has lost its claim, or is about to: another carries
    /// it.
    async fn attempt(
        &self,
        notification: &Notification,
        at: &Moment,
        timeout: Duration,
        latest: Option<Timestamp>,
    ) -> Option<(Option<u16>, String, Delivery)> {
        let failed = |why: String| Some((None, why, Delivery::Failed));
        let Some(dialect) = self.app.dialect(&notification.dialect) else {
            return failed("its dialect is not mounted".into());
        };
        let Ok(url) = url::Url::parse(&notification.url) else {
            return failed("its URL cannot be read".into());
        };
        let Some(body) = body_of(&self.app, notification) else {
            return failed("a secret in its body can no longer be derived".into());
        };
        let target = gateway::target_of(&url);
        let client_id = notification.client.as_str();
        let request_time = time::format_seconds(at.now.0, dialect.utc_offset_seconds());
        let content = gateway::outbound_content("POST", &target, client_id, &request_time, body.as_bytes());
        let signed = match sign(&self.app, content, Lane::Notification).await {
            Ok(signed) => signed,
            Err(fault) => return failed(format!("not signed: {fault}")),
        };
        let mut request = self.http.post(url).timeout(timeout).body(body);
        for (name, value) in Outbound::new(client_id, &request_time, &signed).headers {
            request = request.header(name, value);
        }
        // Looked at last: whatever came before may have taken its time.
        if latest.is_some_and(|latest| self.app.clock.now() > latest) {
            return None;
        }
        let mut reply = match request.send().await {
            Ok(reply) => reply,
            Err(fault) if fault.is_timeout() => return failed(TIMED_OUT.into()),
            Err(fault) if fault.is_connect() => {
                return failed(format!("no connection: {}", root_cause(&fault)));
            }
            Err(fault) => return failed(format!("no answer: {}", root_cause(&fault))),
        };
        let status = reply.status().as_u16();
        let mut body = Vec::new();
        loop {
            match reply.chunk().await {
                Ok(Some(chunk)) => {
                    let room = REPLY_LIMIT.saturating_sub(body.len());
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if room <= chunk.len() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(fault) => {
                    let why = format!("answer broke off: {}", root_cause(&fault));
                    return Some((Some(status), why, Delivery::Failed));
                }
            }
        }
        let headers: Vec<(String, Vec<u8>)> = reply
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let replied = Replied { status, headers: &headers, body: &body };
        let client = self.app.clients.find(client_id);
        let (delivery, outcome) =
            gateway::acknowledgement(dialect.as_ref(), client.as_deref(), &target, client_id, &replied);
        Some((Some(status), outcome, delivery))
    }

    /// Takes a notification for this node alone.
    async fn claim(&self, seen: &Notification, at: &Moment) -> Ruled<bool> {
        let (seen, claimed_at) = (seen.clone(), at.clone());
        self.app.transact(move |tx| Ok(retry::claim(tx, &seen, &claimed_at)?)).await
    }

    async fn set_state(&self, notification: &Notification, state: NotificationState) -> Ruled<()> {
        let seen = notification.clone();
        self.app
            .transact(move |tx| {
                // Not if another node has claimed it since: it is on its way then.
                if let Some(current) = tx.notification(&seen.id)?
                    && current.state == NotificationState::Pending
                    && current.tries == seen.tries
                    && current.next_attempt_at == seen.next_attempt_at
                {
                    tx.update_notification(&Notification { state, ..current })?;
                }
                Ok(())
            })
            .await
    }

    async fn write_down(
        &self,
        notification: &Notification,
        http_status: Option<u16>,
        outcome: String,
        delivery: Delivery,
        at: &Moment,
    ) -> Ruled<()> {
        let (id, tries, now) = (notification.id.clone(), notification.tries, at.now);
        self.app
            .transact(move |tx| {
                let Some(current) = tx.notification(&id)? else { return Ok(()) };
                if current.tries != tries || current.state != NotificationState::Pending {
                    return Ok(());
                }
                let number = tries + 1;
                let outcome = outcome.clone();
                tx.insert_attempt(&Attempt {
                    notification: id.clone(),
                    number,
                    at: now,
                    http_status,
                    outcome,
                })?;
                tx.update_notification(&retry::after_attempt(current, delivery, now))?;
                Ok(())
            })
            .await
    }
}

/// The body as it is sent: placeholders replaced by the secrets they stand for.
pub fn body_of(app: &App, notification: &Notification) -> Option<String> {
    let dialect = app.dialect(&notification.dialect)?;
    let policy = dialect.policy();
    let mut body = notification.body.clone();
    for mark in &notification.marks {
        let shape = match mark.secret.kind {
            accord_core::secret::SecretKind::AuthCode => &policy.code,
            accord_core::secret::SecretKind::AccessToken => &policy.access,
            accord_core::secret::SecretKind::RefreshToken => &policy.refresh,
        };
        let secret = app.options.keys.derive(&mark.secret, shape)?;
        body = body.replace(&mark.placeholder, secret.reveal());
    }
    Some(body)
}

/// The innermost reason: `connection refused`, not the layers above it.
pub fn root_cause(fault: &dyn std::error::Error) -> String {
    let mut innermost = fault;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// How long ago the earliest pending notification was due.
pub fn overdue(earliest: Option<Timestamp>, now: Timestamp) -> Duration {
    let millis = earliest.map_or(0, |earliest| now.since(earliest).max(0));
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
