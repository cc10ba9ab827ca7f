//! Control: what holds an agreement's debits back, and how the user changes that.
//!
//! The acts are [`pause`], [`resume`], [`skip_next`] and [`set_user_limits`]; [`overview`] shows how things stand.
//! Whoever serves the user (pages, wallet API) has made sure of the user first; an agreement of somebody else is
//! answered as if it did not exist. The merchant has no act here: its terms are fixed when the user agrees.

use crate::agreement::limits::{self, Limits, Period};
use crate::agreement::schedule::{Every, Schedule, next_notice};
use crate::agreement::{Agreement, AgreementStage, usage};
use crate::calendar::{Date, day_of, showable, start_of};
use crate::ids::{AgreementId, CustomerId};
use crate::journal;
use crate::ledger::funding::Funding;
use crate::moment::{Moment, Timestamp};
use crate::money::{Amount, Currency};
use crate::outcome::{Refusal, Ruled};
use crate::policy::{ControlPolicy, Policy};
use crate::store::{Rows, Stored, Tx};

/// What an owner's terms say of limits and due days. A dialect reads it from the terms ([`crate::voice::Voice::asked`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The limits that the owner binds itself to.
    pub limits: Limits,
    /// How often a debit will be due.
    pub every: Option<Every>,
    /// The first due day; nothing: the day of the agreement, which nobody can be told of ahead.
    pub first_due: Option<Date>,
}

impl Asked {
    /// Terms that limit nothing.
    pub const NOTHING: Asked = Asked { limits: Limits::NONE, every: None, first_due: None };
}

/// No debits for a while, as the user wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// Until when; nothing: until the user resumes.
    pub until: Option<Timestamp>,
}

/// The controls of one agreement. There is no row before anything is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controls {
    /// Whose controls.
    pub agreement: AgreementId,
    /// Limits of the merchant's terms. Never changed.
    pub merchant: Limits,
    /// Limits of the user. Changed by the user only.
    pub user: Limits,
    /// When debits are due, if the terms say.
    pub schedule: Option<Schedule>,
    /// No debits for a while.
    pub pause: Option<Pause>,
    /// When the user last woke the agreement.
    pub woken_at: Option<Timestamp>,
    /// When the user is to be told of `due_day`.
    pub notice_at: Option<Timestamp>,
    /// The due day that the next notice is about.
    pub due_day: Option<i64>,
}

impl Controls {
    /// Controls that hold nothing back.
    pub fn none(agreement: AgreementId) -> Controls {
        Controls {
            agreement,
            merchant: Limits::NONE,
            user: Limits::NONE,
            schedule: None,
            pause: None,
            woken_at: None,
            notice_at: None,
            due_day: None,
        }
    }

    /// Is it paused at that time? The moment a pause ends at is free again.
    pub fn paused(&self, at: Timestamp) -> bool {
        self.pause.is_some_and(|pause| pause.until.is_none_or(|until| at < until))
    }

    /// The first moment without validity, of merchant and user.
    pub fn valid_to(&self) -> Option<Timestamp> {
        self.merchant.valid_to.into_iter().chain(self.user.valid_to).min()
    }

    /// The amount of a debit, if the merchant's terms name one.
    pub fn agreed_amount(&self) -> Option<Amount> {
        Amount::new(self.merchant.currency?, self.merchant.per_debit?)
    }
}

/// What the debits of one agreement are held to.
#[derive(Debug)]
pub struct Held<'a> {
    pub(super) agreement: &'a Agreement,
    pub(super) policy: &'a ControlPolicy,
    pub(super) controls: Option<Controls>,
    pub(crate) funding: &'a dyn Funding,
}

/// Finds what the debits of an agreement are held to.
pub fn hold<'a>(rows: &dyn Rows, agreement: &'a Agreement, policy: &'a Policy) -> Stored<Held<'a>> {
    let controls = rows.controls(&agreement.id)?;
    Ok(Held { agreement, policy: &policy.control, controls, funding: policy.funding.as_ref() })
}

impl Held<'_> {
    /// Past its validity an agreement is as good as ended: a token fault (decision 33).
    pub fn judge_validity(&self, now: Timestamp) -> Result<(), Refusal> {
        let valid_to = self.controls.as_ref().and_then(Controls::valid_to);
        match valid_to.is_some_and(|valid_to| now >= valid_to) {
            true => Err(Refusal::AccessTokenUnknown),
            false => Ok(()),
        }
    }

    /// May anything be debited now? Not while it is paused, asleep or not yet valid.
    pub fn judge_state(&self, rows: &dyn Rows, now: Timestamp) -> Ruled<()> {
        match self.resting(rows, now)? {
            Some(_) => Err(Refusal::AgreementPaused.into()),
            None => Ok(()),
        }
    }

    /// May this be debited now? In the order of decision 33: state, one debit, periods, number.
    pub fn judge(&self, rows: &dyn Rows, amount: &Amount, now: Timestamp) -> Ruled<()> {
        self.judge_state(rows, now)?;
        let layers = self.layers();
        let layers: Vec<&Limits> = layers.iter().collect();
        let today = self.policy.day(now);
        let anchor = self.policy.day(self.agreement.created_at);
        let usage = match limits::usage_needed_from(&layers, today, anchor) {
            Some(from) => rows.usage_since(&self.agreement.id, from)?,
            None => Vec::new(),
        };
        Ok(limits::judge(&layers, amount, today, anchor, &usage)?)
    }

    /// Counts a debit that has just succeeded.
    pub fn count(&self, tx: &mut dyn Tx, amount: &Amount, now: Timestamp) -> Stored<()> {
        usage::add(tx, &self.agreement.id, amount, self.policy.day_zone_offset_ms, now)
    }

    pub(super) fn layers(&self) -> [Limits; 3] {
        let (merchant, user) = match &self.controls {
            Some(controls) => (controls.merchant, controls.user),
            None => (Limits::NONE, Limits::NONE),
        };
        [self.policy.limits, merchant, user]
    }

    /// Why no debit may be made now, apart from limits.
    fn resting(&self, rows: &dyn Rows, now: Timestamp) -> Stored<Option<State>> {
        if self.layers().iter().any(|limits| limits.valid_from.is_some_and(|from| now < from)) {
            return Ok(Some(State::NotYetValid));
        }
        if self.controls.as_ref().is_some_and(|controls| controls.paused(now)) {
            return Ok(Some(State::Paused));
        }
        Ok(self.asleep(rows, now)?.then_some(State::Asleep))
    }

    /// Was nothing debited for so long that it fell asleep?
    pub(super) fn asleep(&self, rows: &dyn Rows, now: Timestamp) -> Stored<bool> {
        let Some(days) = self.policy.asleep_after_days else { return Ok(false) };
        let woken = self.controls.as_ref().and_then(|controls| controls.woken_at);
        let counted = woken.unwrap_or(self.agreement.created_at).max(self.agreement.created_at);
        let last = rows.last_usage_day(&self.agreement.id)?;
        let since = self.policy.day(counted).max(last.unwrap_or(i64::MIN));
        Ok(self.policy.day(now).saturating_sub(since) > i64::from(days))
    }
}

crate::words! {
    /// How an agreement stands towards debits.
    State {
        /// The user agreed; the code is not yet redeemed.
        Consented = "consented",
        /// It may be debited.
        Active = "active",
        /// Its validity has not begun.
        NotYetValid = "not_yet_valid",
        /// The user paused it.
        Paused = "paused",
        /// Nothing was debited for long; the user may wake it by resuming.
        Asleep = "asleep",
        /// Its validity is over.
        Lapsed = "lapsed",
        /// The user agreed, and the code was not redeemed in its time.
        Expired = "expired",
        /// It is over.
        Ended = "ended",
    }
}

/// Keeps what the terms ask for, when the user agrees. Writes nothing where they ask for nothing.
pub fn begin(
    tx: &mut dyn Tx,
    agreement: &Agreement,
    asked: &Asked,
    policy: &ControlPolicy,
    at: &Moment,
) -> Ruled<()> {
    if *asked == Asked::NOTHING {
        return Ok(());
    }
    let today = policy.day(at.now);
    let first_due = asked.first_due.unwrap_or_else(|| Date::of_day(today));
    let schedule = asked.every.map(|every| Schedule { every, anchor: first_due });
    let notice = schedule.and_then(|plan| next_notice(&plan, today, asked.limits.valid_to, policy));
    let (notice_at, due_day) = notice.unzip();
    tx.put_controls(&Controls {
        merchant: asked.limits,
        schedule,
        notice_at,
        due_day,
        ..Controls::none(agreement.id.clone())
    })?;
    Ok(())
}

/// Who changes which agreement. The customer must be its payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which agreement.
    pub agreement: AgreementId,
    /// Its payer.
    pub customer: CustomerId,
    /// Who asks, for the journal: the customer's id, or the credential that acts for the customer.
    pub actor: String,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one short-lived answer, not a row among many")]
pub enum Changed {
    /// Done; how the controls stand now.
    Done(Controls),
    /// This user has no such agreement.
    Unknown,
    /// The agreement is over: ended, or past its validity.
    Ended,
    /// It makes no sense, for that reason.
    Unfit(&'static str),
}

/// No debits until that time, or until the user resumes.
pub fn pause(tx: &mut dyn Tx, change: &Change, until: Option<Timestamp>, at: &Moment) -> Ruled<Changed> {
    if until.is_some_and(|until| until <= at.now) {
        return Ok(Changed::Unfit("the pause would end before it begins"));
    }
    if until.is_some_and(|until| !showable(until)) {
        return Ok(Changed::Unfit("the pause must end before the year 9999"));
    }
    let detail = until.map_or_else(|| "until resumed".to_owned(), |until| format!("until {}", until.0));
    alter(tx, change, "agreement.paused", &detail, at, |controls| {
        controls.pause = Some(Pause { since: at.now, until });
    })
}

/// Debits again: ends a pause, and wakes what fell asleep.
pub fn resume(tx: &mut dyn Tx, change: &Change, at: &Moment) -> Ruled<Changed> {
    alter(tx, change, "agreement.resumed", "", at, |controls| {
        controls.pause = None;
        controls.woken_at = Some(at.now);
    })
}

/// Which debit is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The next one of the schedule: the very one that [`Overview::next_due`] names.
    Next,
    /// That too, but only while it is the one due on that day, which the user was shown.
    Due(Date),
    /// Whatever would come until then.
    Until(Timestamp),
}

/// Skips the next debit: a pause until the due day after it, so that it cannot be taken a day late, or until a date.
pub fn skip_next(
    tx: &mut dyn Tx,
    change: &Change,
    skip: Skip,
    policy: &Policy,
    at: &Moment,
) -> Ruled<Changed> {
    if let Skip::Until(until) = skip {
        return pause(tx, change, Some(until), at);
    }
    let agreement = tx.agreement(&change.agreement)?;
    let Some(agreement) = agreement.filter(|agreement| agreement.customer == change.customer) else {
        return Ok(Changed::Unknown);
    };
    if agreement.ended() {
        return Ok(Changed::Ended);
    }
    let held = hold(tx, &agreement, policy)?;
    let Some(schedule) = held.controls.as_ref().and_then(|controls| controls.schedule) else {
        return Ok(Changed::Unfit("no schedule is known: say until when"));
    };
    let Some(skipped) = held.next_debit(tx, at.now)? else {
        return Ok(Changed::Unfit("no debit is due: say until when"));
    };
    if matches!(skip, Skip::Due(shown) if shown.day_number() != skipped) {
        return Ok(Changed::Unfit("due: another debit is the next one now"));
    }
    let until = start_of(schedule.next_after(skipped), policy.control.day_zone_offset_ms);
    pause(tx, change, Some(until), at)
}

/// Replaces the user's own limits. They may become wider as well as tighter: the merchant's terms and the wallet's
/// policy stay beside them. An end that has passed is refused: an agreement whose validity is over is over for good.
pub fn set_user_limits(tx: &mut dyn Tx, change: &Change, user: Limits, at: &Moment) -> Ruled<Changed> {
    if let Some(fault) = user.fault() {
        return Ok(Changed::Unfit(fault));
    }
    if user.valid_to.is_some_and(|valid_to| valid_to <= at.now) {
        return Ok(Changed::Unfit("the end of validity has passed already"));
    }
    alter(tx, change, "agreement.limited", &user.to_string(), at, |controls| controls.user = user)
}

fn alter(
    tx: &mut dyn Tx,
    change: &Change,
    act: &str,
    detail: &str,
    at: &Moment,
    alter: impl FnOnce(&mut Controls),
) -> Ruled<Changed> {
    let agreement = tx.agreement(&change.agreement)?;
    let Some(agreement) = agreement.filter(|agreement| agreement.customer == change.customer) else {
        return Ok(Changed::Unknown);
    };
    if agreement.ended() {
        return Ok(Changed::Ended);
    }
    let known = tx.controls(&agreement.id)?;
    // A token fault was said of it (decision 33), and a token fault is never said of a passing state (decision 32).
    if known.as_ref().and_then(Controls::valid_to).is_some_and(|valid_to| at.now >= valid_to) {
        return Ok(Changed::Ended);
    }
    let mut controls = known.unwrap_or_else(|| Controls::none(agreement.id.clone()));
    alter(&mut controls);
    tx.put_controls(&controls)?;
    journal::append(tx, at, agreement.id.bucket(), act, agreement.id.as_str(), &change.actor, detail)?;
    Ok(Changed::Done(controls))
}

/// What was taken of a limited period so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Which period.
    pub period: Period,
    /// When it began.
    pub since: Timestamp,
    /// The limit that is tightest now, in smallest units of `currency`.
    pub limit: i64,
    /// What was taken.
    pub spent: i64,
    /// In which currency.
    pub currency: Currency,
}

/// How an agreement stands, for its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// How it stands towards debits.
    pub state: State,
    /// Until when it is paused; nothing: not paused, or until resumed.
    pub paused_until: Option<Timestamp>,
    /// The tightest of all limits; nothing where layers in two currencies allow no debit at all.
    pub effective: Option<Limits>,
    /// The merchant's limits.
    pub merchant: Limits,
    /// The user's own.
    pub user: Limits,
    /// What was taken of each limited period.
    pub spent: Vec<Spent>,
    /// How many debits there were; counted only where their number is limited.
    pub debits: Option<u32>,
    /// When debits are due.
    pub schedule: Option<Schedule>,
    /// The day on which the next debit is due that can happen ([`Held::next_debit`]).
    pub next_due: Option<Date>,
    /// What will be debited then, if that is agreed.
    pub next_amount: Option<Amount>,
}

/// How an agreement stands.
pub fn overview(rows: &dyn Rows, agreement: &Agreement, policy: &Policy, now: Timestamp) -> Stored<Overview> {
    let held = hold(rows, agreement, policy)?;
    let control = &policy.control;
    let (today, anchor) = (control.day(now), control.day(agreement.created_at));
    let state = match agreement.stage {
        AgreementStage::Ended { .. } => State::Ended,
        _ if held.judge_validity(now).is_err() => State::Lapsed,
        AgreementStage::Consented if agreement.code_expired(policy, now) => State::Expired,
        AgreementStage::Consented => State::Consented,
        AgreementStage::Active => held.resting(rows, now)?.unwrap_or(State::Active),
    };
    let layers = held.layers();
    let references: Vec<&Limits> = layers.iter().collect();
    let from = limits::usage_needed_from(&references, today, anchor);
    let usage = from.map_or(Ok(Vec::new()), |from| rows.usage_since(&agreement.id, from))?;

    let mut spent: Vec<Spent> = Vec::new();
    for layer in layers {
        let Some(currency) = layer.currency else { continue };
        for (period, limit) in layer.periods() {
            let start = period.start(layer.alignment, today, anchor);
            let since = start_of(start, control.day_zone_offset_ms);
            let row =
                Spent { period, since, limit, spent: limits::spent_since(&usage, start, currency), currency };
            let same =
                |other: &Spent| (other.period, other.since, other.currency) == (period, since, currency);
            match spent.iter_mut().find(|other| same(other)) {
                Some(other) => other.limit = other.limit.min(limit),
                None => spent.push(row),
            }
        }
    }
    let [wallet, merchant, user] = layers;
    let counted = layers.iter().any(|limits| limits.max_count.is_some());
    let schedule = held.controls.as_ref().and_then(|controls| controls.schedule);
    Ok(Overview {
        state,
        paused_until: held
            .controls
            .as_ref()
            .filter(|controls| controls.paused(now))
            .and_then(|controls| controls.pause?.until),
        effective: wallet.tightest(&merchant).and_then(|both| both.tightest(&user)),
        merchant,
        user,
        spent,
        debits: counted.then(|| usage.iter().fold(0, |sum: u32, row| sum.saturating_add(row.count))),
        schedule,
        next_due: match state {
            State::Expired => None,
            _ => held.next_debit(rows, now)?.map(Date::of_day),
        },
        next_amount: held.controls.as_ref().and_then(Controls::agreed_amount),
    })
}

impl ControlPolicy {
    /// The day number of a time in the wallet's zone.
    pub fn day(&self, at: Timestamp) -> i64 {
        day_of(at, self.day_zone_offset_ms)
    }
}
