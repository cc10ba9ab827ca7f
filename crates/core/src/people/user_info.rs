//! inquiryUserInfo: what an owner may know of the user behind a token.

use crate::agreement::Scope;
use crate::moment::Timestamp;
use crate::outcome::Ruled;
use crate::people::{Profile, holder};
use crate::policy::Policy;
use crate::secret::Secret;
use crate::store::Rows;
use crate::token::live::Bearer;
use crate::user::User;

/// A user as the wallet knows one, and what of it may be told.
#[derive(Debug, Clone)]
pub struct UserInfo {
    /// The user.
    pub user: User,
    /// The profile; one that says nothing if there is none.
    pub profile: Profile,
    /// What was granted.
    pub granted: Vec<Scope>,
}

impl UserInfo {
    /// Was one of these granted?
    pub fn may(&self, scopes: &[Scope]) -> bool {
        scopes.iter().any(|scope| self.granted.contains(scope))
    }
}

/// Looks the user up. `scopes` are all those that open anything in this dialect; without one of them there is no answer.
pub fn user_info(
    rows: &dyn Rows,
    bearer: &Bearer,
    token: &Secret,
    scopes: &[Scope],
    policy: &Policy,
    now: Timestamp,
) -> Ruled<UserInfo> {
    let holder = holder(rows, bearer, token, scopes, policy, now)?;
    let profile = rows.profile(&holder.user.id)?.unwrap_or_else(|| Profile::empty(holder.user.id.clone()));
    Ok(UserInfo { user: holder.user, profile, granted: holder.terms.scopes })
}
