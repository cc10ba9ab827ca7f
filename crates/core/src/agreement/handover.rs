//! Hand-over from a PC to a phone (decision 20): the page on the PC shows a QR code and a number, the phone scans the
//! one and types the other, and what the phone then decides leads the PC's browser back as well.
//!
//! The first browser that opens a session's page has it to hand over; a later one decides like anybody else. A number
//! is two digits, so three wrong ones end the hand-over of that session; deciding on the PC itself stays possible.

use crate::agreement::{Session, SessionStage};
use crate::ids::AuthId;
use crate::journal;
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::secret::Digest;
use crate::store::{Rows, Stored, Tx};

/// So many wrong numbers end a hand-over.
pub const MOST_WRONG: u32 = 3;

/// The browser that has a session's page to hand over, and the phone that took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The session.
    pub auth_id: AuthId,
    /// When that session ends. One that was opened again ends at another time, and its hand-over begins anew.
    pub session_ends_at: Timestamp,
    /// Digest of the cookie of the browser that first opened the page.
    pub opened_by: Digest,
    /// When it did.
    pub opened_at: Timestamp,
    /// From which address.
    pub address: String,
    /// What it says it is (User-Agent), at most 256 characters.
    pub device: String,
    /// What its page shows and the phone must type: 10 to 99.
    pub number: u32,
    /// Wrong numbers so far.
    pub wrong: u32,
    /// Digest of the cookie of the phone that typed the right number.
    pub taken_by: Option<Digest>,
    /// When it did.
    pub taken_at: Option<Timestamp>,
}

impl Handover {
    /// Were too many wrong numbers typed?
    pub fn dead(&self) -> bool {
        self.wrong >= MOST_WRONG
    }

    /// May the page of that browser still show the QR code?
    pub fn offered_to(&self, browser: Digest) -> bool {
        self.opened_by == browser && self.taken_by.is_none() && !self.dead()
    }
}

/// A browser that opens a page.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The session.
    pub auth_id: AuthId,
    /// Digest of its cookie.
    pub browser: Digest,
    /// Its address.
    pub address: String,
    /// Its User-Agent.
    pub device: String,
}

/// The hand-over of a session as it is open now; nothing when there is none.
pub fn current(rows: &dyn Rows, session: &Session) -> Stored<Option<Handover>> {
    let handover = rows.handover(&session.auth_id)?;
    Ok(handover.filter(|handover| handover.session_ends_at == session.expires_at))
}

/// A browser opens the page of a session: the first one has it to hand over. Nothing when it can no longer be decided.
pub fn open(tx: &mut dyn Tx, opening: &Opening, at: &Moment) -> Ruled<Option<Handover>> {
    begin(tx, opening, None, at)
}

fn begin(
    tx: &mut dyn Tx,
    opening: &Opening,
    taken_by: Option<Digest>,
    at: &Moment,
) -> Ruled<Option<Handover>> {
    let Some(session) = open_session(tx, &opening.auth_id, at)? else { return Ok(None) };
    if let Some(handover) = current(tx, &session)? {
        return Ok(Some(handover));
    }
    let handover = Handover {
        auth_id: opening.auth_id.clone(),
        session_ends_at: session.expires_at,
        opened_by: opening.browser,
        opened_at: at.now,
        address: opening.address.clone(),
        device: opening.device.chars().filter(|letter| !letter.is_control()).take(256).collect(),
        number: 10 + at.random("handover number").below(90),
        wrong: 0,
        taken_by,
        taken_at: taken_by.map(|_| at.now),
    };
    tx.put_handover(&handover)?;
    Ok(Some(handover))
}

/// What comes of a scanned code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// That phone may see the page.
    Taken,
    /// The number on the PC must be typed.
    AskNumber {
        /// Was one typed that was wrong?
        wrong: bool,
        /// So many tries are left.
        left: u32,
    },
    /// Too many wrong numbers: it can be decided on the PC only.
    Dead,
    /// The session is decided, expired or unknown.
    Closed,
}

/// A phone has scanned the code, and perhaps typed a number. While no browser has opened the page (the code was shown
/// by the merchant), there is no number: the phone opens it, and nobody else is ever led back.
pub fn scan(tx: &mut dyn Tx, phone: &Opening, number: Option<u32>, at: &Moment) -> Ruled<Scanned> {
    let Some(handover) = begin(tx, phone, Some(phone.browser), at)? else { return Ok(Scanned::Closed) };
    if handover.taken_by == Some(phone.browser) || handover.opened_by == phone.browser {
        return Ok(Scanned::Taken);
    }
    if handover.dead() {
        return Ok(Scanned::Dead);
    }
    let left = MOST_WRONG - handover.wrong;
    let (id, bucket) = (phone.auth_id.clone(), phone.auth_id.bucket());
    match number {
        None => Ok(Scanned::AskNumber { wrong: false, left }),
        Some(number) if number == handover.number => {
            take(tx, handover, phone.browser, at)?;
            Ok(Scanned::Taken)
        }
        Some(_) => {
            tx.put_handover(&Handover { wrong: handover.wrong + 1, ..handover })?;
            if left > 1 {
                return Ok(Scanned::AskNumber { wrong: true, left: left - 1 });
            }
            journal::append(tx, at, bucket, "authorization.handover_dead", id.as_str(), "anybody", "")?;
            Ok(Scanned::Dead)
        }
    }
}

/// The number is answered for a caller that has no screen to read it from (sandbox): as [`scan`] with the right one.
pub fn take_unasked(tx: &mut dyn Tx, auth_id: &AuthId, taker: Digest, at: &Moment) -> Ruled<()> {
    let Some(session) = open_session(tx, auth_id, at)? else { return Ok(()) };
    if let Some(handover) = current(tx, &session)?.filter(|handover| !handover.dead()) {
        take(tx, handover, taker, at)?;
    }
    Ok(())
}

fn take(tx: &mut dyn Tx, handover: Handover, taker: Digest, at: &Moment) -> Stored<()> {
    let id = handover.auth_id.clone();
    tx.put_handover(&Handover { taken_by: Some(taker), taken_at: Some(at.now), ..handover })?;
    journal::append(tx, at, id.bucket(), "authorization.handover", id.as_str(), "anybody", "")
}

/// Is that browser led back with what another one decided? Only the first that opened the page, and only when the
/// phone that typed its number decided.
pub fn follows(rows: &dyn Rows, session: &Session, browser: Digest) -> Stored<bool> {
    let Some(decided_by) = session.decided_by else { return Ok(false) };
    let handover = current(rows, session)?;
    Ok(handover
        .is_some_and(|handover| handover.opened_by == browser && handover.taken_by == Some(decided_by)))
}

fn open_session(rows: &dyn Rows, auth_id: &AuthId, at: &Moment) -> Stored<Option<Session>> {
    let session = rows.session(auth_id)?;
    Ok(session.filter(|session| session.stage == SessionStage::Open && at.now <= session.expires_at))
}
