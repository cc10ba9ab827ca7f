//! Due work: notifications and messages to carry, running payments to resolve, the directory of clients to keep fresh.
//!
//! [`run`] does it as time passes. [`advance`] moves the sandbox's clock and does what becomes due on the way, in
//! order, each piece at its own due time.
//!
//! Any number of nodes on one store do this side by side. What has an effect outside is claimed by a lease first
//! (notifications, messages); everything else is one transaction that looks whether the work is still to be done. While
//! one node moves the sandbox's clock the others keep theirs, so that what becomes due on the way is done once.

use crate::app::App;
use crate::clock::{OFFSET_SETTING, random};
use crate::courier::Courier;
use crate::dispatcher::{Dispatcher, Journey, overdue};
use crate::telemetry;
use accord_core::agreement::schedule;
use accord_core::lease;
use accord_core::notification::{Notification, NotificationState};
use accord_core::payment::resolve::resolve;
use accord_core::payment::{Payment, refund};
use accord_core::store::{StoreFault, Stored};
use accord_core::{Moment, Ruled, Stop, Timestamp};
use accord_wire::signature::Signer;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Looks for due work at least so often.
const TICK: Duration = Duration::from_millis(250);
/// And at most so often.
const REST: Duration = Duration::from_millis(20);
/// So many of the newest notifications are looked through for held ones at a start.
const HELD: usize = 10_000;
/// Pieces taken at once.
const BATCH: usize = 100;
/// Whoever moves the sandbox's clock on a shared store holds this lease, for so long at a time: longer than any step.
const MOVER: &str = "clock";
const MOVER_MS: i64 = 60_000;

/// Does due work until the server drains; then waits for deliveries under way.
pub async fn run(app: Arc<App>, dispatcher: Arc<Dispatcher>, courier: Arc<Courier>) {
    while !app.draining.load(Ordering::Relaxed) {
        if let Err(fault) = round(&app, &dispatcher).await {
            tracing::error!(%fault, "due work could not be looked up");
        }
        if let Err(fault) = courier.round().await {
            tracing::error!(%fault, "messages that are due could not be claimed");
        }
        tokio::time::sleep(REST).await;
        let _ = tokio::time::timeout(TICK, app.wake.notified()).await;
    }
    let patience = tokio::time::Instant::now() + Duration::from_secs(12);
    while dispatcher.deliveries() + courier.deliveries() > 0 && tokio::time::Instant::now() < patience {
        tokio::time::sleep(REST).await;
    }
}

async fn round(app: &Arc<App>, dispatcher: &Arc<Dispatcher>) -> Stored<()> {
    {
        let _work = app.due_work.read().await;
        follow_moved_clock(app).await?;
        let now = app.clock.now();
        let seen = app.clone();
        let (payments, earliest, running) = app
            .look(move |rows| {
                seen.clients.refresh(rows)?;
                let next = rows.next_payment_to_resolve()?.filter(|next| *next <= now);
                let payments =
                    if next.is_some() { rows.payments_to_resolve(now, BATCH)? } else { Vec::new() };
                let running = (rows.payments_running()?, rows.refunds_running()?);
                Ok((payments, rows.next_notification_due()?, running))
            })
            .await?;
        for payment in spread(app, payments) {
            resolve_one(app, payment, &app.clock.moment()).await;
        }
        resolve_refunds(app, now, None).await?;
        tell_of_debits(app, now, None).await?;
        let wait = Duration::from_micros(app.options.signer.expected_wait_micros());
        let calls = Duration::from_micros(crate::calls::expected_wait_micros(app));
        telemetry::queues(overdue(earliest, now), wait, calls);
        let mounted = app.options.gateway.dialects();
        let mounted: Vec<_> = mounted.iter().map(|dialect| dialect.name()).collect();
        telemetry::unresolved("payment", &mounted, &running.0, now);
        telemetry::unresolved("refund", &mounted, &running.1, now);
        if earliest.is_none_or(|earliest| earliest > now) {
            return Ok(());
        }
    }
    dispatcher.round().await
}

/// Due pieces in an order of this node's own, so that nodes which found the same begin with different ones.
fn spread<T>(app: &App, mut due: Vec<T>) -> Vec<T> {
    if app.options.store.is_shared() && !due.is_empty() {
        let start = u64::from_be_bytes(random::<8>()) % due.len() as u64;
        due.rotate_left(usize::try_from(start).unwrap_or(0));
    }
    due
}

/// Another process may have moved the sandbox's clock. Not taken over while it is still being moved.
async fn follow_moved_clock(app: &Arc<App>) -> Stored<()> {
    if app.options.sandbox.is_none() || !app.options.store.is_shared() {
        return Ok(());
    }
    let (now, node) = (app.clock.unmoved(), app.node.clone());
    let offset = app.look(move |rows| {
        let mover = lease::read(rows, MOVER)?.filter(|lease| lease.lasts(now) && lease.holder != node);
        if mover.is_some() { Ok(None) } else { rows.setting(OFFSET_SETTING) }
    });
    if let Some(offset) = offset.await?.and_then(|text| text.parse().ok()) {
        app.clock.set_offset_ms(offset);
    }
    Ok(())
}

/// Says whether the payment reached its end.
async fn resolve_one(app: &Arc<App>, payment: Payment, at: &Moment) -> bool {
    let (id, at) = (payment.id.clone(), at.clone());
    let resolved: Ruled<bool> =
        app.transact_with(&payment.dialect, move |tx, context| resolve(tx, &id, context, &at)).await;
    match resolved {
        Ok(ended) => return ended,
        Err(Stop::Refused(refusal)) => {
            tracing::error!(%refusal, payment = %payment.id, "a payment stays unresolved")
        }
        Err(Stop::Fault(fault)) => {
            tracing::error!(%fault, payment = %payment.id, "a payment stays unresolved")
        }
    }
    false
}

/// Brings due refunds to their end; says how many got there.
async fn resolve_refunds(app: &Arc<App>, until: Timestamp, at: Option<&Moment>) -> Stored<usize> {
    let due = app
        .look(move |rows| match rows.next_refund_to_resolve()?.filter(|next| *next <= until) {
            Some(_) => rows.refunds_to_resolve(until, BATCH),
            None => Ok(Vec::new()),
        })
        .await?;
    let mut ended = 0;
    for refund in if at.is_none() { spread(app, due) } else { due } {
        let (id, at) = (refund.id.clone(), at.cloned().unwrap_or_else(|| app.clock.moment()));
        let resolved = app
            .transact_with(&refund.dialect, move |tx, context| {
                refund::resolve(tx, &id, context.voice.policy(), &at)
            })
            .await;
        match resolved {
            Ok(end) => ended += usize::from(end),
            Err(Stop::Refused(refusal)) => {
                tracing::error!(%refusal, refund = %refund.id, "a refund stays unresolved")
            }
            Err(Stop::Fault(fault)) => {
                tracing::error!(%fault, refund = %refund.id, "a refund stays unresolved")
            }
        }
    }
    Ok(ended)
}

/// Tells users of debits that come soon; says how many rows moved on.
async fn tell_of_debits(app: &Arc<App>, until: Timestamp, at: Option<&Moment>) -> Stored<usize> {
    let due = app.look(move |rows| rows.notices_due(until, BATCH)).await?;
    let mut told = 0;
    for controls in if at.is_none() { spread(app, due) } else { due } {
        let (id, at) = (controls.agreement, at.cloned().unwrap_or_else(|| app.clock.moment()));
        let wanted = id.clone();
        let Some(agreement) = app.look(move |rows| rows.agreement(&wanted)).await? else { continue };
        let announced = app
            .transact_with(&agreement.dialect, move |tx, context| {
                schedule::announce(tx, &agreement.id, context, &at)
            })
            .await;
        match announced {
            Ok(moved) => told += usize::from(moved),
            Err(Stop::Refused(refusal)) => {
                tracing::error!(%refusal, agreement = %id, "a debit to come stays untold")
            }
            Err(Stop::Fault(fault)) => {
                tracing::error!(%fault, agreement = %id, "a debit to come stays untold")
            }
        }
    }
    Ok(told)
}

/// Notifications that waited because this server contacted nobody but loopback go out once it may contact others.
pub async fn release_held(app: &Arc<App>) -> Stored<()> {
    if app.options.outbound.only_loopback {
        return Ok(());
    }
    // Looked for without holding anything: where nothing is held, as in every real wallet, nobody waits.
    let newest = app.look(|rows| rows.notifications(HELD)).await?;
    let now = app.clock.now();
    for held in newest.into_iter().filter(|one| one.state == NotificationState::Held) {
        let released: Ruled<()> = app
            .transact(move |tx| {
                if let Some(one) =
                    tx.notification(&held.id)?.filter(|one| one.state == NotificationState::Held)
                {
                    let state = NotificationState::Pending;
                    tx.update_notification(&Notification { state, next_attempt_at: now, ..one })?;
                }
                Ok(())
            })
            .await;
        if let Err(Stop::Fault(fault)) = released {
            return Err(fault);
        }
    }
    Ok(())
}

/// Moves the sandbox's clock by so many seconds. Work that becomes due runs before this returns, in order, each
/// piece at its own due time, including what it schedules in turn. The offset is kept in the store.
pub async fn advance(app: &Arc<App>, seconds: i64) -> Result<Timestamp, StoreFault> {
    let dispatcher = app.dispatcher.get().and_then(std::sync::Weak::upgrade);
    let dispatcher =
        dispatcher.ok_or_else(|| StoreFault::Unavailable("the server is about to stop".into()))?;
    let courier = app.courier.get().and_then(std::sync::Weak::upgrade);
    let courier = courier.ok_or_else(|| StoreFault::Unavailable("the server is about to stop".into()))?;
    let _alone = app.due_work.write().await;
    begin_moving(app).await?;
    let moved = journey(app, seconds, &dispatcher, &courier).await;
    end_moving(app).await;
    moved
}

/// Keeps other processes on the store from moving the clock as well, and goes on from where the last one left it.
async fn begin_moving(app: &Arc<App>) -> Stored<()> {
    while app.options.store.is_shared() {
        let (node, now) = (app.node.clone(), app.clock.unmoved());
        let begun: Ruled<(bool, Option<String>)> = app
            .transact(move |tx| {
                Ok((lease::take(tx, MOVER, &node, MOVER_MS, now)?, tx.setting(OFFSET_SETTING)?))
            })
            .await;
        match begun {
            Ok((true, offset)) => {
                let offset = offset.and_then(|text| text.parse().ok()).unwrap_or(0);
                app.clock.set_offset_ms(offset);
                break;
            }
            Ok((false, _)) | Err(Stop::Refused(_)) => tokio::time::sleep(TICK).await,
            Err(Stop::Fault(fault)) => return Err(fault),
        }
    }
    Ok(())
}

/// Lets the others take the clock over as it is now. If that cannot be written they wait for the lease's end.
async fn end_moving(app: &Arc<App>) {
    if app.options.store.is_shared() {
        let (node, now) = (app.node.clone(), app.clock.unmoved());
        let ended: Ruled<()> = app.transact(move |tx| lease::release(tx, MOVER, &node, now)).await;
        if let Err(Stop::Fault(fault)) = ended {
            tracing::warn!(%fault, "the lease of the clock was not given back");
        }
    }
}

async fn journey(
    app: &Arc<App>,
    seconds: i64,
    dispatcher: &Arc<Dispatcher>,
    courier: &Arc<Courier>,
) -> Result<Timestamp, StoreFault> {
    let goal_offset = app.clock.offset_ms().saturating_add(seconds.saturating_mul(1_000));
    let goal = app.clock.now().plus_millis(seconds.saturating_mul(1_000));
    let (mut before, mut progress) = (None, true);
    let journey = Arc::new(Journey::default());
    loop {
        let waiting = app
            .look(|rows| {
                let (payment, refund) = (rows.next_payment_to_resolve()?, rows.next_refund_to_resolve()?);
                Ok([payment, refund, rows.next_notice_due()?, rows.next_notification_due()?])
            })
            .await?;
        let [payment, refund, debit, notification] = waiting;
        let letters = courier.next_due().await?;
        let waiting = [payment, refund, debit, notification, letters];
        let Some(due) = waiting.into_iter().flatten().min().filter(|due| *due <= goal) else {
            break;
        };
        // What cannot be done stays due: it must not hold the clock.
        if before.replace(waiting) == Some(waiting) && !progress {
            break;
        }
        let now = app.clock.now();
        if due > now {
            app.clock.set_offset_ms(app.clock.offset_ms().saturating_add(due.since(now)));
        }
        let at = app.clock.moment_at(due);
        progress = if payment == Some(due) {
            let mut resolved = 0;
            for payment in app.look(move |rows| rows.payments_to_resolve(due, BATCH)).await? {
                resolved += usize::from(resolve_one(app, payment, &at).await);
            }
            resolved > 0
        } else if refund == Some(due) {
            resolve_refunds(app, due, Some(&at)).await? > 0
        } else if debit == Some(due) {
            tell_of_debits(app, due, Some(&at)).await? > 0
        } else if letters == Some(due) {
            courier.carry_due(due).await? > 0
        } else {
            // What is due within a second of each other goes out together; one hanging receiver costs one wait.
            let others = [payment, refund, debit].into_iter().flatten().min().unwrap_or(goal);
            let until = due.plus_millis(1_000).min(goal).min(others);
            deliver_due(app, dispatcher, until, &journey).await? > 0
        };
        keep_offset(app, app.clock.offset_ms()).await?;
    }
    app.clock.set_offset_ms(goal_offset);
    keep_offset(app, goal_offset).await?;
    Ok(app.clock.now())
}

/// Delivers what is due by that time, side by side, each as of its own due time; says how many were tried.
async fn deliver_due(
    app: &Arc<App>,
    dispatcher: &Arc<Dispatcher>,
    due: Timestamp,
    journey: &Arc<Journey>,
) -> Result<usize, StoreFault> {
    let notifications = app
        .look(move |rows| {
            let mut all = Vec::new();
            for target in rows.due_targets(due, BATCH)? {
                all.extend(rows.due_notifications(&target, due, BATCH)?);
            }
            Ok(all)
        })
        .await?;
    let mut deliveries = tokio::task::JoinSet::new();
    let count = notifications.len();
    for notification in notifications {
        let at = app.clock.moment_at(notification.next_attempt_at);
        let (dispatcher, journey) = (dispatcher.clone(), journey.clone());
        deliveries.spawn(async move { dispatcher.deliver(notification, &at, Some(&journey)).await });
    }
    while let Some(delivered) = deliveries.join_next().await {
        match delivered {
            Ok(Err(Stop::Fault(fault))) => return Err(fault),
            Ok(_) => {}
            Err(broken) => tracing::error!(%broken, "a delivery broke off"),
        }
    }
    Ok(count)
}

/// Keeps how far the clock was moved, and the lease of who moves it.
async fn keep_offset(app: &Arc<App>, offset_ms: i64) -> Stored<()> {
    let shared = app.options.store.is_shared();
    let (node, now) = (app.node.clone(), app.clock.unmoved());
    let kept: Ruled<bool> = app
        .transact(move |tx| {
            let ours = !shared || lease::take(tx, MOVER, &node, MOVER_MS, now)?;
            if ours {
                tx.put_setting(OFFSET_SETTING, &offset_ms.to_string())?;
            }
            Ok(ours)
        })
        .await;
    match kept {
        Ok(true) | Err(Stop::Refused(_)) => Ok(()),
        Ok(false) => Err(StoreFault::Unavailable("another process moves the clock".into())),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}
