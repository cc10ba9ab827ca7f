//! Qi cancelToken: the merchant ends the agreement behind an access token.

use crate::dialect::{Act, Answer, Refused};
use crate::json::Json;
use crate::qi::Qi;
use crate::qi::common::{self, MAX_EXTEND_INFO, MAX_TOKEN};
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::payment::pay::Forced;
use accord_core::secret::{DerivationKeys, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::cancel_token::cancel_token;
use accord_core::token::live::{self, Bearer};
use accord_core::voice::Context;
use accord_core::{Moment, Ruled};
use serde_json::Value;
use std::sync::Arc;

pub(super) struct CancelTokenAct {
    qi: Arc<Qi>,
    bearer: Bearer,
    token: Secret,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<CancelTokenAct, Refused> {
    let fields = common::members(body)?;
    let token = Secret::new(fields.required_text("accessToken", MAX_TOKEN)?);
    fields.optional_text("extendInfo", MAX_EXTEND_INFO)?;
    Ok(CancelTokenAct { qi, bearer: common::bearer_of(client), token })
}

impl Act for CancelTokenAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let context = Context { keys, voice: &*self.qi };
        cancel_token(tx, &self.bearer, &self.token, context, at)?;
        Ok(common::success(Value::Null))
    }

    /// A token is this call's key. Only a cancel that was done has an answer to repeat: a stale first one must
    /// not end a living agreement.
    fn is_known(&self, rows: &dyn Rows) -> Stored<bool> {
        let behind = common::seen(live::by_access(rows, &self.bearer, &self.token, &self.qi.policy))?;
        Ok(behind.is_some_and(|(_, agreement)| agreement.ended()))
    }

    fn owner(&self) -> &Owner {
        &self.bearer.owner
    }

    fn force(&mut self, _: Forced) -> bool {
        false
    }
}
