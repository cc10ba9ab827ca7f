//! cancelToken: the merchant's side ends the agreement behind a token.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{self, MAX_ID, MAX_TOKEN, Parties, Reply};
use crate::dialect::{Act, Answer, Refused};
use crate::fields::Fields;
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::payment::pay::Forced;
use accord_core::secret::{DerivationKeys, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::cancel_token::cancel_token;
use accord_core::token::live::{self, Bearer};
use accord_core::voice::{Context, Voice};
use accord_core::{Moment, Ruled, Stop};
use std::sync::Arc;

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let parties = Parties::read(fields)?;
    let token = Secret::new(fields.required_text("accessToken", MAX_TOKEN)?);
    let auth_client_id = fields.optional_id("authClientId", MAX_ID)?.map(str::to_owned);
    common::pass_through(fields)?;
    let owner = parties.admit(&dialect, client)?;
    Ok(Box::new(CancelTokenAct { dialect, token, bearer: Bearer { owner, auth_client_id } }))
}

struct CancelTokenAct {
    dialect: Arc<AlipayPlus>,
    token: Secret,
    bearer: Bearer,
}

impl Act for CancelTokenAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let context = Context { keys, voice: &*self.dialect };
        cancel_token(tx, &self.bearer, &self.token, context, at)?;
        Ok(Reply::success().answer())
    }

    /// The key is the token, and it has been seen once its agreement is over. A stale call about a living agreement is
    /// no repeat: it must not end it.
    fn is_known(&self, rows: &dyn Rows) -> Stored<bool> {
        match live::by_access(rows, &self.bearer, &self.token, self.dialect.policy()) {
            Ok(behind) => Ok(behind.is_some_and(|(_, agreement)| agreement.ended())),
            Err(Stop::Refused(_)) => Ok(false),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    fn owner(&self) -> &Owner {
        &self.bearer.owner
    }

    fn force(&mut self, _forced: Forced) -> bool {
        false
    }
}
