//! Devices: the browsers in which a user is signed in to the wallet's own pages.
//!
//! A device is a row, so that every node knows it and its user can see and end it. The browser holds a token, the row
//! its digest. How long a sign-in lives after it was last used, and in all, is a [`Lives`]; each sign-in is a new device
//! with a new token, so a token that somebody planted before is worth nothing after. That the PIN was right is not
//! judged here ([`crate::agreement::sign_in`]); approving an agreement asks for it all the same (decision 21).

use crate::ids::{CustomerId, DeviceId};
use crate::journal;
use crate::moment::{Moment, Timestamp};
use crate::outcome::{Refusal, Ruled};
use crate::policy::MINUTE;
use crate::secret::{Digest, Secret};
use crate::store::{Rows, Stored, Tx};
use crate::user::{User, UserStatus};

/// How long sign-ins live: the deployment's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lives {
    /// One that is not used for so long is over, in milliseconds.
    pub idle_ms: i64,
    /// One is over after so long, however much it is used, in milliseconds. Longer than any authorization can be decided:
    /// that tells a sign-in to the wallet from one at an authorization page.
    pub life_ms: i64,
}

impl Default for Lives {
    /// A quarter of an hour, and half a day.
    fn default() -> Lives {
        Lives { idle_ms: 15 * MINUTE, life_ms: 12 * 60 * MINUTE }
    }
}

/// "Last seen" is written at most so often.
pub const SEEN_STEP_MS: i64 = MINUTE;
/// So many devices of one user at most; the one that was seen longest ago gives way.
pub const MOST: usize = 20;

/// A browser in which a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id; the bucket is the user's.
    pub id: DeviceId,
    /// Who is signed in.
    pub customer: CustomerId,
    /// Digest of the token that the browser holds.
    pub digest: Digest,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When it was last used, to [`SEEN_STEP_MS`].
    pub last_seen_at: Timestamp,
    /// Over from this time on, whatever happens.
    pub expires_at: Timestamp,
    /// The sender's address at the sign-in.
    pub address: String,
    /// What the browser calls itself (`User-Agent`), at most 256 characters; empty if it says nothing.
    pub user_agent: String,
}

impl Device {
    /// Is the sign-in still good?
    pub fn lives(&self, lives: &Lives, now: Timestamp) -> bool {
        now < self.expires_at && now.since(self.last_seen_at) < lives.idle_ms
    }

    /// Does it open the wallet's own pages? A sign-in at an authorization page ends with that session, before its whole
    /// life is over, and says there who is known, nothing more: whoever agrees on a borrowed PC leaves no open wallet.
    pub fn opens_wallet(&self, lives: &Lives) -> bool {
        self.expires_at.since(self.created_at) >= lives.life_ms
    }
}

/// From where a user signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The sender's address.
    pub address: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Until when an authorization can be decided, for a sign-in at its page; nothing: a sign-in to the wallet.
    pub until: Option<Timestamp>,
}

/// Signs a user in whose PIN was right. Gives the device and the token for its browser. `before` is what the same
/// browser was until now: it ends.
pub fn sign_in(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    origin: &Origin,
    before: Option<&DeviceId>,
    lives: &Lives,
    at: &Moment,
) -> Ruled<(Device, Secret)> {
    let user = tx.user(customer)?.filter(|user| user.status == UserStatus::Active);
    let user = user.ok_or(Refusal::UserFrozen)?;
    if let Some(before) = before
        && let Some(device) = tx.device(before)?
    {
        close(tx, &device, device.customer.as_str(), at)?;
    }
    let mut known = tx.devices_of(&user.id, usize::MAX)?;
    known.sort_by_key(|device| (device.lives(lives, at.now), device.last_seen_at));
    let surplus = (known.len() + 1).saturating_sub(MOST);
    for device in known.iter().take(surplus) {
        close(tx, device, "wallet", at)?;
    }

    let random = &mut at.random("device");
    let id = DeviceId::mint(user.id.bucket(), random);
    let secret: String = random.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    let token = Secret::new(format!("{id}.{secret}"));
    let device = Device {
        id,
        customer: user.id.clone(),
        digest: token.digest(),
        created_at: at.now,
        last_seen_at: at.now,
        expires_at: match origin.until {
            Some(until) => until.min(at.now.plus_millis(lives.life_ms - 1)),
            None => at.now.plus_millis(lives.life_ms),
        },
        address: origin.address.clone(),
        user_agent: origin.user_agent.chars().filter(|letter| !letter.is_control()).take(256).collect(),
    };
    tx.insert_device(&device)?;
    let subject = user.id.as_str();
    journal::append(tx, at, user.id.bucket(), "device.signed_in", subject, subject, device.id.as_str())?;
    Ok((device, token))
}

/// The device of a token and its user, if the sign-in is good and the user may act.
pub fn find(
    rows: &dyn Rows,
    token: &Secret,
    lives: &Lives,
    now: Timestamp,
) -> Stored<Option<(Device, User)>> {
    let id = token.reveal().split_once('.').and_then(|(id, _)| DeviceId::read(id));
    let Some(id) = id else { return Ok(None) };
    let device =
        rows.device(&id)?.filter(|device| device.digest == token.digest() && device.lives(lives, now));
    let Some(device) = device else { return Ok(None) };
    let user = rows.user(&device.customer)?.filter(|user| user.status == UserStatus::Active);
    Ok(user.map(|user| (device, user)))
}

/// Notes that a device was used. Changes nothing if it has ended meanwhile, or was noted a moment ago.
pub fn touch(tx: &mut dyn Tx, id: &DeviceId, lives: &Lives, at: &Moment) -> Ruled<()> {
    let stale =
        |device: &Device| device.lives(lives, at.now) && at.now.since(device.last_seen_at) >= SEEN_STEP_MS;
    if let Some(device) = tx.device(id)?.filter(stale) {
        tx.update_device(&Device { last_seen_at: at.now, ..device })?;
    }
    Ok(())
}

/// Signs one device of that user out; says whether there was one.
pub fn sign_out(tx: &mut dyn Tx, customer: &CustomerId, id: &DeviceId, at: &Moment) -> Ruled<bool> {
    let device = tx.device(id)?.filter(|device| device.customer == *customer);
    match device {
        Some(device) => close(tx, &device, customer.as_str(), at).map(|()| true),
        None => Ok(false),
    }
}

/// Signs every device of that user out but `keep`; says how many there were. `actor` goes to the journal.
pub fn sign_out_all(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    keep: Option<&DeviceId>,
    actor: &str,
    at: &Moment,
) -> Ruled<usize> {
    let mut devices = tx.devices_of(customer, usize::MAX)?;
    devices.retain(|device| Some(&device.id) != keep);
    devices.iter().try_for_each(|device| close(tx, device, actor, at))?;
    Ok(devices.len())
}

fn close(tx: &mut dyn Tx, device: &Device, actor: &str, at: &Moment) -> Ruled<()> {
    tx.remove_device(&device.id)?;
    let (subject, bucket) = (device.customer.as_str(), device.customer.bucket());
    journal::append(tx, at, bucket, "device.signed_out", subject, actor, device.id.as_str())?;
    Ok(())
}
