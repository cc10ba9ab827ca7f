//! Users: created, changed, frozen by the wallet around accord.

use crate::agreement::unbind;
use crate::device;
use crate::handle::Bucket;
use crate::ids::{CustomerId, DialectName, LoginId};
use crate::journal;
use crate::moment::Moment;
use crate::outcome::Ruled;
use crate::store::Tx;
use crate::user::{EXTERNAL_PIN, Language, User, UserStatus};
use crate::voice::Context;

/// Longest login id, in characters: both papers print 64 (userLoginId, loginId).
pub const MAX_LOGIN_ID: usize = 64;

/// A login id: a phone number in E.164 form, or an e-mail address; nothing for any other text.
pub fn read_login_id(text: &str) -> Option<LoginId> {
    let phone = text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    });
    let mail = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && text.len() <= MAX_LOGIN_ID
    }) && text.bytes().all(|byte| byte.is_ascii_graphic());
    (phone || mail).then(|| LoginId::new(text))
}

/// A user to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What the user signs in with.
    pub login_id: LoginId,
    /// Argon2id hash of the PIN, or [`crate::user::EXTERNAL_PIN`].
    pub pin_hash: String,
    /// What the user may do.
    pub status: UserStatus,
    /// Identified well enough to be debited?
    pub qualified: bool,
    /// The language of messages.
    pub language: Language,
    /// The credential that asks.
    pub actor: String,
}

/// What came of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The user exists now.
    Now(User),
    /// Somebody signs in by that login id already. Nothing was changed.
    Taken,
}

/// Creates a user.
pub fn create(tx: &mut dyn Tx, new: &NewUser, at: &Moment) -> Ruled<Created> {
    if tx.customer_of(&new.login_id)?.is_some() {
        return Ok(Created::Taken);
    }
    let mut random = at.random(&format!("user/{}", new.login_id));
    let user = User {
        id: CustomerId::mint(Bucket::random(&mut random), &mut random),
        login_id: new.login_id.clone(),
        pin_hash: new.pin_hash.clone(),
        status: new.status,
        qualified: new.qualified,
        language: new.language,
        created_at: at.now,
    };
    tx.insert_user(&user)?;
    journal::append(tx, at, user.id.bucket(), "user.added", user.id.as_str(), &new.actor, "")?;
    Ok(Created::Now(user))
}

/// What to change of a user; what is nothing stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What the user may do.
    pub status: Option<UserStatus>,
    /// Identified well enough?
    pub qualified: Option<bool>,
    /// The language of messages.
    pub language: Option<Language>,
    /// Argon2id hash of another PIN, or [`crate::user::EXTERNAL_PIN`].
    pub pin_hash: Option<String>,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// How the user stands now.
    Now(User),
    /// There is no such user.
    Unknown,
    /// The user was closed: for good.
    Closed,
}

/// Changes a user. Who may not act any more, or has another PIN, is signed out everywhere. Closing one ends every
/// agreement, each in the words of its dialect.
pub fn change<'c>(
    tx: &mut dyn Tx,
    id: &CustomerId,
    change: &Change,
    actor: &str,
    context_of: &dyn Fn(&DialectName) -> Option<Context<'c>>,
    at: &Moment,
) -> Ruled<Changed> {
    let Some(user) = tx.user(id)? else { return Ok(Changed::Unknown) };
    if user.status == UserStatus::Closed {
        return Ok(Changed::Closed);
    }
    let new = User {
        status: change.status.unwrap_or(user.status),
        qualified: change.qualified.unwrap_or(user.qualified),
        language: change.language.unwrap_or(user.language),
        pin_hash: change.pin_hash.clone().unwrap_or_else(|| user.pin_hash.clone()),
        ..user.clone()
    };
    if new == user {
        return Ok(Changed::Now(user));
    }
    tx.update_user(&new)?;
    for (changed, act, detail) in [
        (new.status != user.status, status_act(new.status), ""),
        (new.qualified != user.qualified, "user.qualified", if new.qualified { "yes" } else { "no" }),
        (new.language != user.language, "user.language_changed", new.language.as_str()),
        (new.pin_hash != user.pin_hash, pin_act(&user, &new), ""),
    ] {
        if changed {
            journal::append(tx, at, id.bucket(), act, id.as_str(), actor, detail)?;
        }
    }
    if new.status != UserStatus::Active || new.pin_hash != user.pin_hash {
        device::sign_out_all(tx, id, None, actor, at)?;
    }
    if new.status == UserStatus::Closed {
        unbind::all_by_wallet(tx, id, actor, "the user was closed", context_of, at)?;
    }
    Ok(Changed::Now(new))
}

fn pin_act(before: &User, now: &User) -> &'static str {
    match (before.pin_hash == EXTERNAL_PIN, now.pin_hash == EXTERNAL_PIN) {
        (_, true) => "user.made_external",
        (true, false) => "user.pin_set",
        (false, false) => "user.pin_changed",
    }
}

fn status_act(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "user.thawed",
        UserStatus::Frozen => "user.frozen",
        UserStatus::Closed => "user.closed",
    }
}
