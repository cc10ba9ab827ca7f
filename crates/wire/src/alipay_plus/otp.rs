//! sendOTP and verifyOTP: the wallet sends its user a one-time code, and says whether what was typed is it.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{self, MAX_ID, MAX_TOKEN, Parties, Reply};
use crate::dialect::{Act, Answer, Refused};
use crate::fields::Fields;
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::payment::pay::Forced;
use accord_core::people::ContactKind;
use accord_core::people::one_time_code::{self, Asker};
use accord_core::secret::{DerivationKeys, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::live::Bearer;
use accord_core::voice::Voice;
use accord_core::{Moment, Ruled};
use std::sync::Arc;

/// Longest verifyRequestId, in characters (sendOTP).
const MAX_REQUEST_ID: usize = 64;
/// Longest otpCode that is read; ours have six digits.
const MAX_CODE: usize = 32;

/// What is asked for.
enum Wish {
    Send(ContactKind),
    Verify { request: String, code: Secret },
}

/// acquirerId, pspId, accessToken; then come the operation's own.
fn asker(fields: &Fields<'_>) -> Result<(Parties, Secret), Refused> {
    let parties = Parties::read_acquirer_first(fields)?;
    Ok((parties, Secret::new(fields.required_text("accessToken", MAX_TOKEN)?)))
}

pub(super) fn read_send(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let (parties, token) = asker(fields)?;
    let channel = match fields.optional_one_of("verifyType", &["MOBILE", "EMAIL"])? {
        Some("EMAIL") => ContactKind::Email,
        _ => ContactKind::MobilePhone,
    };
    act(dialect, client, fields, parties, token, Wish::Send(channel))
}

pub(super) fn read_verify(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let (parties, token) = asker(fields)?;
    let request = fields.required_id("verifyRequestId", MAX_REQUEST_ID)?.to_owned();
    let code = Secret::new(fields.required_id("otpCode", MAX_CODE)?);
    act(dialect, client, fields, parties, token, Wish::Verify { request, code })
}

fn act(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
    parties: Parties,
    token: Secret,
    wish: Wish,
) -> Result<Box<dyn Act>, Refused> {
    let auth_client_id = fields.optional_id("authClientId", MAX_ID)?.map(str::to_owned);
    let owner = parties.admit(&dialect, client)?;
    let asker = Asker { bearer: Bearer { owner, auth_client_id }, token };
    Ok(Box::new(OtpAct { dialect, asker, wish }))
}

struct OtpAct {
    dialect: Arc<AlipayPlus>,
    asker: Asker,
    wish: Wish,
}

impl Act for OtpAct {
    fn run(&mut self, tx: &mut dyn Tx, _keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let (limits, policy) = (&self.dialect.config.one_time_codes, self.dialect.policy());
        match &self.wish {
            Wish::Send(channel) => {
                let id = one_time_code::send(tx, &self.asker, *channel, limits, policy, at)?;
                Ok(Reply::success().with("verifyRequestId", id.as_str()).answer())
            }
            Wish::Verify { request, code } => {
                Ok(match one_time_code::verify(tx, &self.asker, request, code, limits, policy, at)? {
                    Ok(()) => Reply::success().answer(),
                    // Not an error: the counted try is to be kept.
                    Err(refusal) => common::refused(refusal),
                })
            }
        }
    }

    /// Neither has an idempotency key (Alipay+ API idempotency): a stale call is stale.
    fn is_known(&self, _rows: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.asker.bearer.owner
    }

    fn force(&mut self, _forced: Forced) -> bool {
        false
    }
}
