//! Qi applyToken: a code, or a refresh token, buys a pair of tokens.

use crate::dialect::{Act, Answer, Fault, Refused, result_only};
use crate::json::Json;
use crate::qi::common::{self, MAX_EXTEND_INFO, MAX_TOKEN, time_text};
use crate::qi::{Qi, codes};
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::payment::pay::Forced;
use accord_core::secret::{DerivationKeys, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::apply_token::{Granted, apply_token};
use accord_core::token::live::Bearer;
use accord_core::token::refresh::refresh;
use accord_core::voice::Context;
use accord_core::{Moment, Ruled};
use serde_json::json;
use std::sync::Arc;

/// Longest grantType. The paper prints 16 beside a value of 18 characters, so its limit is not enforced.
const MAX_GRANT_TYPE: usize = 64;

/// Longest authCode, in bytes. Ours have 32; the paper takes 64.
const MAX_CODE: usize = 64;

/// Longest referenceClientId (platform V1 applyToken).
const MAX_REFERENCE_CLIENT_ID: usize = 128;

/// What is presented.
enum Grant {
    Code(Secret),
    Refresh(Secret),
}

pub(super) struct ApplyTokenAct {
    qi: Arc<Qi>,
    bearer: Bearer,
    grant: Grant,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<ApplyTokenAct, Refused> {
    let fields = common::members(body)?;
    // The member that the grant does not use is not looked at.
    let grant = match fields.required_text("grantType", MAX_GRANT_TYPE)? {
        "AUTHORIZATION_CODE" => Grant::Code(Secret::new(fields.required_text_bytes("authCode", MAX_CODE)?)),
        "REFRESH_TOKEN" => Grant::Refresh(Secret::new(fields.required_text("refreshToken", MAX_TOKEN)?)),
        _ => {
            let meaning = codes::of_fault(Fault::GrantTypeUnknown).meaning;
            return Err(Refused::new(Fault::GrantTypeUnknown, meaning));
        }
    };
    // Of sibling wallets: taken and not looked at.
    fields.optional_text("referenceClientId", MAX_REFERENCE_CLIENT_ID)?;
    fields.optional_text("extendInfo", MAX_EXTEND_INFO)?;
    Ok(ApplyTokenAct { qi, bearer: common::bearer_of(client), grant })
}

impl Act for ApplyTokenAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let context = Context { keys, voice: &*self.qi };
        let granted = match &self.grant {
            Grant::Refresh(token) => refresh(tx, &self.bearer, token, context, at)?,
            Grant::Code(code) => match apply_token(tx, &self.bearer, code, context, at)? {
                Ok(granted) => granted,
                // Not an error: what the rule wrote of it is to be kept.
                Err(refusal) => {
                    let code = codes::of_refusal(refusal);
                    return Ok(result_only(&code, code.meaning));
                }
            },
        };
        Ok(answer(&granted, self.qi.config.utc_offset_seconds))
    }

    fn is_known(&self, _: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.bearer.owner
    }

    fn force(&mut self, _: Forced) -> bool {
        false
    }
}

fn answer(granted: &Granted, utc_offset_seconds: i32) -> Answer {
    let Granted { agreement, pair, .. } = granted;
    common::success(json!({
        "accessToken": pair.access.reveal(),
        "accessTokenExpiryTime": time_text(pair.set.access_expires_at, utc_offset_seconds),
        "refreshToken": pair.refresh.reveal(),
        "refreshTokenExpiryTime": time_text(pair.set.refresh_expires_at, utc_offset_seconds),
        "customerId": agreement.customer.as_str(),
    }))
}
