//! Carries messages out of the wallet: claims the deliveries that are due, hands them to a carrier, writes down what
//! came of it.
//!
//! Never on the path of a request, and never twice at a time: a claim is a lease in the store
//! (`accord_core::message::delivery`), so several servers share the work. What becomes of a delivery after a try is
//! decided there too. One-time codes have places of their own: a flood of other messages does not delay them.

pub mod email;
pub mod probe;
pub mod sms;

use crate::app::App;
use crate::telemetry;
use accord_core::message::delivery::{self, Carried, Claimed, Delivery};
use accord_core::message::routes::Carrier;
use accord_core::store::{StoreFault, Stored};
use accord_core::{Ruled, Stop, Timestamp};
use email::{Email, EmailOptions};
use sms::{Sms, SmsOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// So many deliveries by one carrier at a time, of each urgency.
const PLACES: usize = 8;
/// One try may take so long. Shorter than the lease of a claim.
const TRY_TIMEOUT: Duration = Duration::from_secs(30);
/// So much of what a carrier said is kept.
const MAX_OUTCOME: usize = 300;

/// The carriers of a deployment; those that are not there carry nothing.
#[derive(Debug, Clone, Default)]
pub struct CourierOptions {
    /// The mail server.
    pub email: Option<EmailOptions>,
    /// The SMS gateway.
    pub sms: Option<SmsOptions>,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What it means.
    pub carried: Carried,
    /// In words, for people. Never a secret.
    pub outcome: String,
}

impl Said {
    fn new(carried: Carried, outcome: impl AsRef<str>) -> Said {
        let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
        Said { carried, outcome: outcome.as_ref().chars().map(plain).take(MAX_OUTCOME).collect() }
    }

    /// The carrier has it.
    pub fn sent(outcome: impl AsRef<str>) -> Said {
        Said::new(Carried::Sent, outcome)
    }

    /// It will never be taken.
    pub fn refused(outcome: impl AsRef<str>) -> Said {
        Said::new(Carried::Refused, outcome)
    }

    /// It may be taken another time.
    pub fn failed(outcome: impl AsRef<str>) -> Said {
        Said::new(Carried::Failed, outcome)
    }
}

/// Carriers and how much is under way.
pub struct Courier {
    app: Arc<App>,
    email: Option<Email>,
    sms: Option<Sms>,
    under_way: [[AtomicUsize; 2]; 2],
}

impl Courier {
    /// A courier for this server. The fault is a sentence for its operator.
    pub fn new(app: Arc<App>, options: &CourierOptions) -> Result<Arc<Courier>, String> {
        let email = options.email.as_ref().map(Email::new).transpose()?;
        let sms = options.sms.as_ref().map(Sms::new).transpose()?;
        Ok(Arc::new(Courier { app, email, sms, under_way: Default::default() }))
    }

    /// How many deliveries are under way.
    pub fn deliveries(&self) -> usize {
        self.under_way.iter().flatten().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The earliest time at which there is something to carry.
    pub async fn next_due(&self) -> Stored<Option<Timestamp>> {
        let queues = self.queues();
        if queues.is_empty() {
            return Ok(None);
        }
        let due = move |rows: &dyn accord_core::store::Rows| {
            let times = queues.iter().map(|(carrier, urgent)| rows.next_delivery_due(*carrier, *urgent));
            times.collect::<Stored<Vec<_>>>()
        };
        Ok(self.app.look(due).await?.into_iter().flatten().min())
    }

    /// Starts every delivery that is due now and has a place. Returns without waiting for them.
    pub async fn round(self: &Arc<Self>) -> Stored<()> {
        if self.queues().is_empty() {
            return Ok(());
        }
        // Held while the clock stands still; waits while the sandbox moves it.
        let work = self.app.due_work.read().await;
        let now = self.app.clock.now();
        let due = self.next_due().await?;
        telemetry::messages_due(crate::dispatcher::overdue(due, now));
        if due.is_none_or(|due| due > now) {
            return Ok(());
        }
        for (carrier, urgent) in self.queues() {
            for claimed in self.claim(carrier, urgent, now).await? {
                let courier = self.clone();
                let count = self.count(carrier, urgent);
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let _work = courier.app.due_work.read().await;
                    courier.carry(claimed, None).await;
                    courier.count(carrier, urgent).fetch_sub(1, Ordering::Relaxed);
                    courier.app.wake.notify_one();
                });
            }
        }
        drop(work);
        Ok(())
    }

    /// Carries what is due at `now` side by side, as of that time, and waits for it; says how many were tried. For the
    /// sandbox, whose clock is being moved.
    pub async fn carry_due(self: &Arc<Self>, now: Timestamp) -> Stored<usize> {
        let mut tries = JoinSet::new();
        for (carrier, urgent) in self.queues() {
            for claimed in self.claim(carrier, urgent, now).await? {
                let courier = self.clone();
                tries.spawn(async move { courier.carry(claimed, Some(now)).await });
            }
        }
        let count = tries.len();
        while tries.join_next().await.is_some() {}
        Ok(count)
    }

    /// The queues of the carriers that are there: urgent ones first.
    fn queues(&self) -> Vec<(Carrier, bool)> {
        let there = |carrier: &Carrier| match carrier {
            Carrier::Email => self.email.is_some(),
            Carrier::Sms => self.sms.is_some(),
        };
        let of = |urgent| {
            Carrier::ALL
                .iter()
                .copied()
                .filter(there)
                .map(move |carrier| (carrier, urgent))
                .collect::<Vec<_>>()
        };
        [of(true), of(false)].concat()
    }

    fn count(&self, carrier: Carrier, urgent: bool) -> &AtomicUsize {
        let [email, sms] = &self.under_way;
        let [usual, first] = match carrier {
            Carrier::Email => email,
            Carrier::Sms => sms,
        };
        if urgent { first } else { usual }
    }

    async fn claim(&self, carrier: Carrier, urgent: bool, now: Timestamp) -> Stored<Vec<Claimed>> {
        let places = PLACES.saturating_sub(self.count(carrier, urgent).load(Ordering::Relaxed));
        if places == 0 {
            return Ok(Vec::new());
        }
        let claimed: Ruled<Vec<Claimed>> =
            self.app.transact(move |tx| delivery::claim(tx, carrier, urgent, places, now)).await;
        match claimed {
            Ok(claimed) => Ok(claimed),
            Err(Stop::Fault(StoreFault::Conflict(_))) | Err(Stop::Refused(_)) => Ok(Vec::new()),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    /// One try, and what came of it written down.
    async fn carry(&self, claimed: Claimed, as_of: Option<Timestamp>) {
        let began = Instant::now();
        let Claimed { delivery, message } = claimed;
        // A server that slept since the claim has lost it again, or is about to: another carries it.
        let last_start = delivery.due_at.0.saturating_sub(TRY_TIMEOUT.as_millis() as i64);
        if as_of.is_none() && self.app.clock.now().0 > last_start {
            return;
        }
        let (carrier, kind) = (delivery.carrier, delivery.kind);
        let attempt = async {
            match (carrier, &self.email, &self.sms) {
                (Carrier::Email, Some(email), _) => email.send(&delivery, &message).await,
                (Carrier::Sms, _, Some(sms)) => sms.send(&delivery, &message).await,
                _ => Said::failed("there is no such carrier"),
            }
        };
        let said =
            tokio::time::timeout(TRY_TIMEOUT, attempt).await.unwrap_or_else(|_| Said::failed("timed out"));
        let word = match said.carried {
            Carried::Sent => "sent",
            Carried::Refused => "refused",
            Carried::Failed => "failed",
        };
        telemetry::carried(carrier.as_str(), kind.as_str(), word, began.elapsed());
        tracing::info!(target: "accord::message", message = %delivery.message, kind = %kind, channel = %carrier,
            attempt = delivery.tries, outcome = said.outcome, "message {word}");
        let now = as_of.unwrap_or_else(|| self.app.clock.now());
        let written: Ruled<Option<Delivery>> = {
            let delivery = delivery.clone();
            self.app
                .transact(move |tx| delivery::settle(tx, &delivery, said.carried, &said.outcome, now))
                .await
        };
        match written {
            Ok(Some(end)) if end.state == delivery::DeliveryState::Dead => {
                telemetry::message_died(carrier.as_str(), kind.as_str());
                tracing::warn!(target: "accord::message", message = %delivery.message, kind = %kind,
                    channel = %carrier, "a message never left the wallet");
            }
            Ok(_) | Err(Stop::Refused(_)) => {}
            // The lease ends, and somebody tries again under the same id.
            Err(Stop::Fault(fault)) => {
                tracing::error!(%fault, message = %delivery.message, "a delivery could not be written down");
            }
        }
    }
}
