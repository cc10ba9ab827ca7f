//! inquiryUserInfo: what the network may know of the user behind a token, by the scopes that were granted.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{MAX_ID, MAX_TOKEN, Parties, Reply};
use crate::dialect::{Act, Answer, Refused};
use crate::fields::Fields;
use accord_core::Moment;
use accord_core::Ruled;
use accord_core::agreement::Scope;
use accord_core::client::Client;
use accord_core::ids::{LoginId, Owner};
use accord_core::payment::pay::Forced;
use accord_core::people::user_info::{UserInfo, user_info};
use accord_core::secret::{DerivationKeys, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::live::Bearer;
use accord_core::user::mask_login_id;
use accord_core::voice::Voice;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The scopes that open a member of userInfo. Without one of them the token is good for other things only.
const SCOPES: &[Scope] = &[Scope::BaseUserInfo, Scope::UserLoginId, Scope::HashLoginId];

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let parties = Parties::read(fields)?;
    let token = Secret::new(fields.required_text("accessToken", MAX_TOKEN)?);
    let auth_client_id = fields.optional_id("authClientId", MAX_ID)?.map(str::to_owned);
    let owner = parties.admit(&dialect, client)?;
    Ok(Box::new(InquiryUserInfoAct { dialect, token, bearer: Bearer { owner, auth_client_id } }))
}

struct InquiryUserInfoAct {
    dialect: Arc<AlipayPlus>,
    token: Secret,
    bearer: Bearer,
}

impl Act for InquiryUserInfoAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        self.look(tx, keys, at)
    }

    fn only_reads(&self) -> bool {
        true
    }

    fn look(&mut self, rows: &dyn Rows, _keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let info = user_info(rows, &self.bearer, &self.token, SCOPES, self.dialect.policy(), at.now)?;
        Ok(Reply::success().with("userInfo", members(&info)).answer())
    }

    fn is_known(&self, _rows: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.bearer.owner
    }

    fn force(&mut self, _forced: Forced) -> bool {
        false
    }
}

/// The twin product's inquiry names the members; a scope that was not granted leaves its member out.
fn members(info: &UserInfo) -> Value {
    let login = &info.user.login_id;
    let mut members = Map::new();
    for (scope, name, value) in [
        (Scope::BaseUserInfo, "userId", info.user.id.as_str().to_owned()),
        (Scope::UserLoginId, "userLoginId", mask_login_id(login)),
        (Scope::HashLoginId, "hashUserLoginId", hash_login_id(login)),
    ] {
        if info.may(&[scope]) {
            members.insert(name.to_owned(), Value::String(value));
        }
    }
    Value::Object(members)
}

/// MD5 of the login id, hex in lower case. The paper wants this hash; it hides nothing from who can guess numbers.
fn hash_login_id(login: &LoginId) -> String {
    Md5::digest(login.as_str().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_id_is_hashed_as_the_paper_wants_it() {
        for (login, hash) in
            [("", "d41d8cd98f00b204e9800998ecf8427e"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0")]
        {
            assert_eq!(hash_login_id(&LoginId::new(login)), hash);
        }
    }
}
