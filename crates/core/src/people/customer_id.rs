//! inquiryCustomerId: which user signs in by a login id. It tells strangers who has an account, so a deployment must
//! switch it on.

use crate::ids::{CustomerId, LoginId};
use crate::outcome::{Refusal, Ruled};
use crate::store::Rows;
use crate::user::UserStatus;

/// The id of an active user. A frozen or closed one is answered as if there were none.
pub fn customer_id(rows: &dyn Rows, login: &LoginId) -> Ruled<CustomerId> {
    let user = match rows.customer_of(login)? {
        Some(id) => rows.user(&id)?,
        None => None,
    };
    let user = user.filter(|user| user.status == UserStatus::Active);
    Ok(user.ok_or(Refusal::UserNotFound)?.id)
}
