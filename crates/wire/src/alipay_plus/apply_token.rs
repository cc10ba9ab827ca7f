//! applyToken: a pair of tokens for an authorization code, or the next pair for a refresh token.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{self, MAX_ID, MAX_TOKEN, Parties, Reply};
use crate::dialect::{Act, Answer, Fault, Refused};
use crate::fields::Fields;
use accord_core::agreement::Scope;
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::payment::pay::Forced;
use accord_core::secret::{DerivationKeys, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::apply_token::{Granted, apply_token};
use accord_core::token::live::Bearer;
use accord_core::token::refresh::refresh;
use accord_core::user::mask_login_id;
use accord_core::voice::Context;
use accord_core::{Moment, Ruled};
use std::sync::Arc;

/// Longest authCode, in bytes (Alipay+ prepare, authRedirectUrl).
pub const MAX_CODE_BYTES: usize = 32;

/// Alipay+ applyToken, grantType, with what it is applied by.
enum Grant {
    AuthorizationCode(Secret),
    RefreshToken(Secret),
}

impl Grant {
    fn read(fields: &Fields<'_>) -> Result<Grant, Refused> {
        match fields.required_text("grantType", 64)? {
            "AUTHORIZATION_CODE" => {
                let code = fields.required_text_bytes("authCode", MAX_CODE_BYTES)?;
                Ok(Grant::AuthorizationCode(Secret::new(code)))
            }
            "REFRESH_TOKEN" => {
                let token = fields.required_text("refreshToken", MAX_TOKEN)?;
                Ok(Grant::RefreshToken(Secret::new(token)))
            }
            _ => {
                let fault = fields.fault("grantType", "must be one of AUTHORIZATION_CODE, REFRESH_TOKEN");
                Err(Refused::new(Fault::GrantTypeUnknown, fault.to_string()))
            }
        }
    }
}

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let parties = Parties::read(fields)?;
    let grant = Grant::read(fields)?;
    let auth_client_id = fields.optional_id("authClientId", MAX_ID)?.map(str::to_owned);
    common::pass_through(fields)?;
    let owner = parties.admit(&dialect, client)?;
    Ok(Box::new(ApplyTokenAct { dialect, grant, bearer: Bearer { owner, auth_client_id } }))
}

struct ApplyTokenAct {
    dialect: Arc<AlipayPlus>,
    grant: Grant,
    bearer: Bearer,
}

impl Act for ApplyTokenAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let context = Context { keys, voice: &*self.dialect };
        let granted = match &self.grant {
            Grant::AuthorizationCode(code) => match apply_token(tx, &self.bearer, code, context, at)? {
                Ok(granted) => granted,
                Err(refusal) => return Ok(common::refused(refusal)),
            },
            Grant::RefreshToken(token) => refresh(tx, &self.bearer, token, context, at)?,
        };
        Ok(answer(&self.dialect, &granted))
    }

    /// Without an idempotency key of its own (Alipay+ API idempotency): a stale call is stale.
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

/// Alipay+ prepare, scopes: what may be told of the user is what was granted.
fn answer(dialect: &AlipayPlus, granted: &Granted) -> Answer {
    let set = &granted.pair.set;
    let may = |scope| granted.terms.scopes.contains(&scope);
    let login_id = may(Scope::UserLoginId).then(|| mask_login_id(&granted.user.login_id));
    let customer_id = may(Scope::BaseUserInfo).then(|| granted.user.id.as_str());
    Reply::success()
        .with("accessToken", granted.pair.access.reveal())
        .with("accessTokenExpiryTime", dialect.time(set.access_expires_at))
        .with("refreshToken", granted.pair.refresh.reveal())
        .with("refreshTokenExpiryTime", dialect.time(set.refresh_expires_at))
        .with_some("userLoginId", login_id)
        .with_some("customerId", customer_id)
        .answer()
}
