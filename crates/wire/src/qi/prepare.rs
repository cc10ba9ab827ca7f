//! Qi prepare: an agreement payment is drafted; the answer names its page.
//!
//! No idempotency is documented: each call is a new draft (decision 18).

use crate::dialect::{Act, Answer, Fault, Refused, Status, result_only};
use crate::fields::{Fields, Strictness, UrlRule, is_blank};
use crate::json::Json;
use crate::qi::codes::{self, SUCCESS};
use crate::qi::common::{self, MAX_EXTEND_INFO};
use crate::qi::{NAME, Qi, limits, urls};
use accord_core::agreement::prepare::{Prepare, prepare};
use accord_core::agreement::{Scope, Terminal, Terms};
use accord_core::client::Client;
use accord_core::ids::{AuthId, ClientId, DialectName, Owner};
use accord_core::payment::pay::Forced;
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::user::Language;
use accord_core::{Moment, Refusal, Ruled, Timestamp};
use serde_json::json;
use std::sync::Arc;

/// Longest contractTitle: that of every other title in the paper's dictionary.
const MAX_TITLE: usize = 256;
/// Longest contractStatusNotifyUrl: where the merchant wants to be told of the contract's status.
const MAX_STATUS_URL: usize = 1024;

/// A member of extendInfo that a sibling wallet defines. Kept as received, not acted on.
const KEPT: &[&str] = &["contractStatusNotifyUrl"];

pub(super) struct PrepareAct {
    qi: Arc<Qi>,
    owner: Owner,
    agreement_pay: bool,
    over: Option<Over>,
    command: Prepare,
}

/// From when on the contract is over, and what is said then.
struct Over {
    from: Timestamp,
    refused: Refused,
}

/// What the body says, as the terms need it.
#[derive(Clone)]
struct Asked {
    client: ClientId,
    owner: Owner,
    legal_name: String,
    display_name: String,
    language: Language,
    contract_title: Option<String>,
    contract_text: String,
    notify_url: Option<String>,
    extras: String,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<PrepareAct, Refused> {
    let fields = common::members(body)?;
    let scopes = fields.required_text("scopes", 16)?;
    if scopes != Scope::AgreementPay.as_str() {
        let meaning = codes::of_fault(Fault::ScopeUnknown).meaning;
        return Err(Refused::new(Fault::ScopeUnknown, format!("scopes: {meaning}")));
    }
    let reference_client_id = fields.optional_id("referenceClientId", 16)?;
    let (_, info) = fields.required_json_text("extendInfo", MAX_EXTEND_INFO)?;
    let info = Fields::at(&info, "extendInfo", Strictness::QI)?;

    let languages: Vec<&str> = qi.config.languages.iter().map(Language::as_str).collect();
    let language = info.optional_one_of("language", &languages)?.and_then(Language::parse);
    let contract_text = info.required_text("contractDesc", MAX_EXTEND_INFO)?;
    if is_blank(contract_text) {
        return Err(info.fault("contractDesc", "must not be blank").into());
    }
    let limits = limits::read(&info, qi.config.control.day_zone_offset_ms)?.limits;
    let over = limits
        .valid_to
        .map(|from| Over { from, refused: info.fault("validTo", "must not be over already").into() });
    let mut kept = common::kept_members(&info, limits::MEMBERS);
    kept.extend(common::kept_members(&info, KEPT));
    if let Some(id) = reference_client_id {
        kept.push(("referenceClientId".to_owned(), Json::String(id.to_owned())));
    }
    let web = UrlRule::web(qi.config.allow_http);
    let notify_url = info.optional_url("contractStatusNotifyUrl", MAX_STATUS_URL, web)?;
    let owner = common::owner_of(client);
    let asked = Asked {
        client: client.id.clone(),
        owner: owner.clone(),
        legal_name: client.legal_name.clone(),
        display_name: client.display_name.clone(),
        language: language.unwrap_or(Language::English),
        contract_title: info.optional_text("contractTitle", MAX_TITLE)?.map(str::to_owned),
        contract_text: contract_text.to_owned(),
        notify_url: notify_url.map(|url| url.text),
        extras: common::extras(kept),
    };
    let public_url = qi.config.public_url.clone();
    let command = Prepare {
        idempotency: None,
        terms: Box::new(move |auth_id, at| terms(&asked, auth_id, at)),
        answer: Box::new(move |auth_id, _| {
            common::success(json!({ "authUrl": urls::auth_url(&public_url, auth_id) })).body
        }),
    };
    Ok(PrepareAct { qi, owner, agreement_pay: client.agreement_pay, over, command })
}

fn terms(asked: &Asked, auth_id: AuthId, at: Timestamp) -> Terms {
    let Asked {
        client,
        owner,
        legal_name,
        display_name,
        language,
        contract_title,
        contract_text,
        extras,
        ..
    } = asked.clone();
    Terms {
        auth_id,
        owner,
        client,
        dialect: DialectName::new(NAME),
        scopes: vec![Scope::AgreementPay],
        legal_name,
        display_name,
        contract_title,
        contract_text: Some(contract_text),
        language: Some(language),
        redirect_url: None,
        auth_state: None,
        notify_url: asked.notify_url.clone(),
        auth_client_id: None,
        reference_merchant_id: None,
        reference_agreement_id: None,
        terminal: Terminal::MiniApp,
        extras,
        created_at: at,
    }
}

impl Act for PrepareAct {
    fn run(&mut self, tx: &mut dyn Tx, _: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        // Nobody is asked to agree to what is over: only now is the time of the call known.
        if let Some(Over { refused, .. }) = self.over.as_ref().filter(|over| at.now >= over.from) {
            return Ok(result_only(&codes::of_fault(refused.fault), &refused.message));
        }
        // Qi opens agreement payment to merchants one by one.
        if !self.agreement_pay {
            return Err(Refusal::ProductNotAllowed.into());
        }
        let body = prepare(tx, &self.command, &self.qi.policy, at)?;
        Ok(Answer { body, status: Status::S, code: SUCCESS.code })
    }

    fn is_known(&self, _: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn force(&mut self, _: Forced) -> bool {
        false
    }
}
