//! prepare: the network asks for URLs where the user may agree.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{self, MAX_ID, MAX_NOTIFY_URL, Parties, Reply};
use crate::dialect::{Act, Answer, Fault, Refused};
use crate::fields::{FieldFault, Fields, UrlRule};
use crate::json::{self, Json};
use accord_core::agreement::prepare::{self, Idempotency, Prepare};
use accord_core::agreement::{Scope, Terminal, Terms};
use accord_core::client::Client;
use accord_core::ids::{AuthId, ClientId, DialectName, Owner};
use accord_core::payment::pay::Forced;
use accord_core::secret::{DerivationKeys, Digest};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::voice::Voice;
use accord_core::{Moment, Refusal, Ruled, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Alipay+ prepare, scopes: the valid values.
const SCOPES: [Scope; 5] =
    [Scope::AgreementPay, Scope::UserLoginId, Scope::BaseUserInfo, Scope::HashLoginId, Scope::SendOtp];

/// Alipay+ prepare: the merchant's logo.
const LOGO: &str = "authClientLogo";

/// The request, shaped like the paper.
#[derive(Debug, Clone)]
struct Request {
    parties: Parties,
    auth_client_id: String,
    auth_client_name: String,
    auth_client_display_name: String,
    auth_redirect_url: String,
    scopes: BTreeSet<Scope>,
    customer_belongs_to: String,
    auth_state: String,
    terminal: Terminal,
    os_type: Option<String>,
    os_version: Option<String>,
    auth_client_logo: Option<String>,
    user_agent: Option<String>,
    reference_agreement_id: String,
    auth_notify_url: Option<String>,
    reference_merchant_id: String,
    pass_through_info: Option<String>,
}

impl Request {
    /// Reads every field in the order of the paper; the first fault answers.
    fn read(dialect: &AlipayPlus, client: &Client, fields: &Fields<'_>) -> Result<Request, Refused> {
        let web = UrlRule::web(dialect.config.allow_http);
        let text = |name, max| -> Result<Option<String>, FieldFault> {
            Ok(fields.optional_text(name, max)?.map(str::to_owned))
        };
        Ok(Request {
            parties: Parties::read(fields)?,
            auth_client_id: fields.required_id("authClientId", MAX_ID)?.to_owned(),
            auth_client_name: fields.required_id("authClientName", 256)?.to_owned(),
            auth_client_display_name: fields.required_id("authClientDisplayName", 64)?.to_owned(),
            auth_redirect_url: redirect_url(dialect, client, fields)?,
            scopes: scopes(fields)?,
            customer_belongs_to: customer_belongs_to(dialect, fields)?,
            auth_state: fields.required_text("authState", 256)?.to_owned(),
            terminal: terminal(fields)?,
            os_type: fields.optional_one_of("osType", &["IOS", "ANDROID"])?.map(str::to_owned),
            os_version: text("osVersion", 16)?,
            auth_client_logo: fields.optional_url(LOGO, 2048, web)?.map(|url| url.text),
            user_agent: text("userAgent", 1024)?,
            reference_agreement_id: fields.required_id("referenceAgreementId", MAX_ID)?.to_owned(),
            auth_notify_url: fields.optional_url("authNotifyUrl", MAX_NOTIFY_URL, web)?.map(|url| url.text),
            reference_merchant_id: fields.required_id("referenceMerchantId", 32)?.to_owned(),
            pass_through_info: common::pass_through(fields)?,
        })
    }

    /// What makes two calls the same call (Alipay+ prepare, API idempotency; decision 17).
    fn idempotency(&self, owner: &Owner) -> Idempotency {
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.as_str()).collect();
        Idempotency {
            key: Digest::of_parts(&[owner.as_str(), &self.auth_client_id, &self.reference_agreement_id]),
            fingerprint: Digest::of_fields([
                &self.auth_client_name,
                &self.reference_merchant_id,
                &self.auth_redirect_url,
                &scopes.join(" "),
            ]),
        }
    }

    fn terms(&self, owner: &Owner, client: &ClientId, auth_id: AuthId, at: Timestamp) -> Terms {
        Terms {
            auth_id,
            owner: owner.clone(),
            client: client.clone(),
            dialect: DialectName::new(super::NAME),
            scopes: self.scopes.iter().copied().collect(),
            legal_name: self.auth_client_name.clone(),
            display_name: self.auth_client_display_name.clone(),
            contract_title: None,
            contract_text: None,
            language: None,
            redirect_url: Some(self.auth_redirect_url.clone()),
            auth_state: Some(self.auth_state.clone()),
            notify_url: self.auth_notify_url.clone(),
            auth_client_id: Some(self.auth_client_id.clone()),
            reference_merchant_id: Some(self.reference_merchant_id.clone()),
            reference_agreement_id: Some(self.reference_agreement_id.clone()),
            terminal: self.terminal,
            extras: self.extras(),
            created_at: at,
        }
    }

    /// The other members under the paper's names, for people and later pages.
    fn extras(&self) -> String {
        let members = [
            ("customerBelongsTo", Some(&self.customer_belongs_to)),
            ("osType", self.os_type.as_ref()),
            ("osVersion", self.os_version.as_ref()),
            (LOGO, self.auth_client_logo.as_ref()),
            ("userAgent", self.user_agent.as_ref()),
            ("passThroughInfo", self.pass_through_info.as_ref()),
        ];
        let present = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let member = |(name, value): (&str, &String)| (name.to_owned(), Json::String(value.clone()));
        json::to_text(&Json::Object(present.map(member).collect()))
    }
}

/// The logo's address in the other members that the terms keep.
pub(super) fn logo_url(terms: &Terms) -> Option<String> {
    let extras = json::parse(terms.extras.as_bytes()).ok()?;
    let Json::Object(members) = extras else { return None };
    members.into_iter().find_map(|(name, value)| match value {
        Json::String(url) if name == LOGO => Some(url),
        _ => None,
    })
}

/// Alipay+ prepare, authRedirectUrl: code and state will be appended (decision 22). A client's list of hosts binds
/// web addresses, and leaves of app schemes only those that the wallet configured.
fn redirect_url(dialect: &AlipayPlus, client: &Client, fields: &Fields<'_>) -> Result<String, FieldFault> {
    const NAME: &str = "authRedirectUrl";
    let config = &dialect.config;
    let url = fields.required_url(NAME, 1024, UrlRule::redirect(config.allow_http, &config.app_schemes))?;
    let listed = |host: &str| client.redirect_hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    let allowed = match url.scheme.as_str() {
        _ if client.redirect_hosts.is_empty() => true,
        "https" | "http" => url.host.as_deref().is_some_and(listed),
        scheme => config.app_schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)),
    };
    if allowed { Ok(url.text) } else { Err(fields.fault(NAME, "leads to a host that is not registered")) }
}

/// Duplicates are borne: the paper compares scopes, and a set has no order and no count.
fn scopes(fields: &Fields<'_>) -> Result<BTreeSet<Scope>, Refused> {
    let words = fields.required_text_array("scopes", 64)?;
    let mut scopes = BTreeSet::new();
    for (index, word) in words.into_iter().enumerate() {
        let Some(scope) = Scope::parse(word).filter(|scope| SCOPES.contains(scope)) else {
            let valid: Vec<&str> = SCOPES.iter().map(|scope| scope.as_str()).collect();
            let reason = format!("must be one of {}", valid.join(", "));
            let fault = fields.fault(&format!("scopes[{index}]"), reason);
            return Err(Refused::new(Fault::ScopeUnknown, fault.to_string()));
        };
        scopes.insert(scope);
    }
    Ok(scopes)
}

fn customer_belongs_to(dialect: &AlipayPlus, fields: &Fields<'_>) -> Result<String, FieldFault> {
    const NAME: &str = "customerBelongsTo";
    let name = fields.required_text(NAME, 32)?;
    if dialect.config.wallet_names.iter().any(|ours| ours == name) {
        Ok(name.to_owned())
    } else {
        Err(fields.fault(NAME, "not a wallet that is served here"))
    }
}

fn terminal(fields: &Fields<'_>) -> Result<Terminal, FieldFault> {
    Ok(match fields.required_one_of("terminalType", &["WEB", "WAP", "APP"])? {
        "WEB" => Terminal::Web,
        "WAP" => Terminal::Wap,
        _ => Terminal::App,
    })
}

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let request = Arc::new(Request::read(&dialect, client, fields)?);
    let owner = request.parties.admit(&dialect, client)?;
    let idempotency = request.idempotency(&owner);
    let allowed = client.agreement_pay || !request.scopes.contains(&Scope::AgreementPay);

    let terms = {
        let (request, owner, client) = (request.clone(), owner.clone(), client.id.clone());
        move |auth_id: AuthId, at: Timestamp| request.terms(&owner, &client, auth_id, at)
    };
    let answer = {
        let (dialect, terminal) = (dialect.clone(), request.terminal);
        move |auth_id: &AuthId, expires_at: Timestamp| answer(&dialect, auth_id, terminal, expires_at)
    };
    let command =
        Prepare { idempotency: Some(idempotency.clone()), terms: Box::new(terms), answer: Box::new(answer) };
    Ok(Box::new(PrepareAct { dialect, owner, idempotency, allowed, command }))
}

/// Alipay+ prepare, response: the URLs, and the QR code's content with the session's end.
fn answer(dialect: &AlipayPlus, auth_id: &AuthId, terminal: Terminal, expires_at: Timestamp) -> Vec<u8> {
    let urls = dialect.urls(auth_id, terminal);
    let expires = urls.code_value.is_some().then(|| dialect.time(expires_at));
    Reply::success()
        .with_some("codeValue", urls.code_value)
        .with_some("codeExpireTime", expires)
        .with("applinkUrl", urls.applink)
        .with("normalUrl", urls.normal)
        .with("schemeUrl", urls.scheme)
        .body()
}

struct PrepareAct {
    dialect: Arc<AlipayPlus>,
    owner: Owner,
    idempotency: Idempotency,
    /// May this client ask for these scopes at present?
    allowed: bool,
    command: Prepare,
}

/// What a repeat must share, in the order of its fingerprint.
const COMPARED: [&str; 4] = ["authClientName", "referenceMerchantId", "authRedirectUrl", "scopes"];

impl Act for PrepareAct {
    fn run(&mut self, tx: &mut dyn Tx, _keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        // A repeat gets its first answer, whatever the client may ask for by now.
        if !self.allowed && !self.is_known(tx)? {
            return Err(Refusal::ProductNotAllowed.into());
        }
        prepare::prepare(tx, &self.command, self.dialect.policy(), at).map(common::success)
    }

    fn explain(&self, rows: &dyn Rows, refusal: Refusal) -> Stored<Option<String>> {
        if refusal != Refusal::ReferenceReused {
            return Ok(None);
        }
        let claim = rows.prepare_claim(self.idempotency.bucket(), &self.idempotency.key)?;
        Ok(claim.map(|claim| {
            let names = claim.fingerprint.differing(&self.idempotency.fingerprint, COMPARED).join(", ");
            format!("{names}: not as in the first request of this referenceAgreementId")
        }))
    }

    fn is_known(&self, rows: &dyn Rows) -> Stored<bool> {
        Ok(rows.prepare_claim(self.idempotency.bucket(), &self.idempotency.key)?.is_some())
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn force(&mut self, _forced: Forced) -> bool {
        false
    }
}
