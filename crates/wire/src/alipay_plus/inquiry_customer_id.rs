//! inquiryCustomerId: the user who signs in by a login id. Off by default: it tells strangers who has an account.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{Parties, Reply};
use crate::dialect::{Act, Answer, Fault, Refused};
use crate::fields::Fields;
use accord_core::client::Client;
use accord_core::ids::{LoginId, Owner};
use accord_core::payment::pay::Forced;
use accord_core::people::customer_id::customer_id;
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::{Moment, Ruled};
use std::sync::Arc;

/// Longest plaintextUserLoginId, in characters: as userLoginId.
const MAX_LOGIN_ID: usize = 64;

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let parties = Parties::read_acquirer_first(fields)?;
    let by_login =
        fields.required_one_of("inquiryType", &["BY_PAYMENT_CODE", "BY_LOGIN_ID"])? == "BY_LOGIN_ID";
    let login = match by_login {
        true => fields.required_id("plaintextUserLoginId", MAX_LOGIN_ID)?,
        false => "",
    };
    let owner = parties.admit(&dialect, client)?;
    if !dialect.config.inquiry_customer_id {
        return Err(Refused::new(Fault::NotAllowed, "inquiryCustomerId: not offered by this wallet"));
    }
    if !by_login {
        return Err(Refused::new(Fault::NotAllowed, "inquiryType: only BY_LOGIN_ID is offered"));
    }
    Ok(Box::new(InquiryCustomerIdAct { owner, login: LoginId::new(login) }))
}

struct InquiryCustomerIdAct {
    owner: Owner,
    login: LoginId,
}

impl Act for InquiryCustomerIdAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        self.look(tx, keys, at)
    }

    fn only_reads(&self) -> bool {
        true
    }

    fn look(&mut self, rows: &dyn Rows, _keys: &DerivationKeys, _at: &Moment) -> Ruled<Answer> {
        let id = customer_id(rows, &self.login)?;
        Ok(Reply::success().with("customerId", id.as_str()).answer())
    }

    fn is_known(&self, _rows: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn force(&mut self, _forced: Forced) -> bool {
        false
    }
}
