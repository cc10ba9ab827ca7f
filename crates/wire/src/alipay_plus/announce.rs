//! What is told unasked: authNotify and notifyPayment.
//!
//! Only words and addresses: when something is told is decided by the core's rules, when it is sent by the dispatcher.
//! Secrets are placeholders here.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::amount;
use crate::alipay_plus::inquiry_payment::payment_result;
use crate::alipay_plus::pay::pay_to_amount;
use crate::json::text_of;
use accord_core::agreement::{EndedBy, Scope, Terms};
use accord_core::client::Client;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::user::{User, mask_login_id};
use accord_core::voice::{Announcement, Event};
use serde_json::{Map, Value};

/// Path of authNotify at the network.
pub const AUTH_NOTIFY: &str = "/aps/api/v1/authorizations/authNotify";
/// Path of notifyPayment at the network.
pub const NOTIFY_PAYMENT: &str = "/aps/api/v1/payments/notifyPayment";

/// The notice of that event; nothing when the paper has none or there is nowhere to send it.
pub(super) fn announce(dialect: &AlipayPlus, client: &Client, event: &Event<'_>) -> Option<Announcement> {
    match event {
        Event::CodeCreated { terms, user, code, .. } => {
            let body = auth_notify("AUTHCODE_CREATED", terms)
                .with("authCode", code)
                .with_some("authState", terms.auth_state.as_deref())
                .with_some("customerId", customer_id(terms, user));
            to_authorizations(dialect, client, terms, "AUTHCODE_CREATED", body)
        }
        Event::TokenCreated { terms, user, set, access, refresh, .. } => {
            let login_id = terms.scopes.contains(&Scope::UserLoginId).then(|| mask_login_id(&user.login_id));
            let body = auth_notify("TOKEN_CREATED", terms)
                .with_some("authState", terms.auth_state.as_deref())
                .with("accessToken", access)
                .with("accessTokenExpiryTime", &dialect.time(set.access_expires_at))
                .with("refreshToken", refresh)
                .with("refreshTokenExpiryTime", &dialect.time(set.refresh_expires_at))
                .with_some("userLoginId", login_id.as_deref())
                .with_some("customerId", customer_id(terms, user));
            to_authorizations(dialect, client, terms, "TOKEN_CREATED", body)
        }
        // An agreement that ended before any token was made has no token to cancel.
        Event::TokenCanceled { terms, access, by, .. } => {
            let body = auth_notify("TOKEN_CANCELED", terms)
                .with("accessToken", (*access)?)
                .with("reason", reason(*by));
            to_authorizations(dialect, client, terms, "TOKEN_CANCELED", body)
        }
        Event::PaymentSettled { payment } => notify_payment(dialect, client, payment),
    }
}

/// What every authNotify begins with (document 3.5).
fn auth_notify(kind: &str, terms: &Terms) -> Body {
    Body(Map::new())
        .with("authorizationNotifyType", kind)
        .with_some("authClientId", terms.auth_client_id.as_deref())
        .with_some("referenceMerchantId", terms.reference_merchant_id.as_deref())
        .with_some("referenceAgreementId", terms.reference_agreement_id.as_deref())
}

/// Alipay+ prepare, authNotifyUrl: the notice must be sent there if it was given.
fn to_authorizations(
    dialect: &AlipayPlus,
    client: &Client,
    terms: &Terms,
    kind: &'static str,
    body: Body,
) -> Option<Announcement> {
    let named = terms.notify_url.as_ref().or(client.auth_notify_url.as_ref());
    Some(Announcement { kind, url: address(dialect, named, AUTH_NOTIFY)?, body: body.text() })
}

/// Alipay+ notifyPayment; told when the answer was U, when a URL was given, or always (decision 36).
fn notify_payment(dialect: &AlipayPlus, client: &Client, payment: &Payment) -> Option<Announcement> {
    let wanted =
        payment.answered_unknown || payment.notify_url.is_some() || dialect.config.notify_payment_always;
    if payment.evaluation || !wanted {
        return None;
    }
    let mut body = Body(Map::new());
    body.0.insert("paymentResult".to_owned(), payment_result(payment));
    let mut body = body.with("paymentRequestId", payment.request_id.as_str());
    match payment.stage {
        PaymentStage::InProcess => return None,
        PaymentStage::Failed { .. } => {}
        PaymentStage::Succeeded { at } => {
            body = body.with("paymentId", payment.id.as_str());
            body.0.insert("paymentAmount".to_owned(), amount(&payment.amount));
            body.0.extend(pay_to_amount(payment).map(|value| ("payToAmount".to_owned(), value)));
            body = body.with("paymentTime", &dialect.time(at)).with("customerId", payment.customer.as_str());
        }
    }
    let named = payment.notify_url.as_ref().or(client.payment_notify_url.as_ref());
    Some(Announcement {
        kind: "notifyPayment",
        url: address(dialect, named, NOTIFY_PAYMENT)?,
        body: body.text(),
    })
}

fn address(dialect: &AlipayPlus, named: Option<&String>, path: &str) -> Option<String> {
    let base = dialect.config.network_base_url.as_ref();
    named.cloned().or_else(|| base.map(|base| format!("{}{path}", base.trim_end_matches('/'))))
}

/// The user's id is told to whom it was granted.
fn customer_id<'u>(terms: &Terms, user: &'u User) -> Option<&'u str> {
    terms.scopes.contains(&Scope::BaseUserInfo).then(|| user.id.as_str())
}

fn reason(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Merchant => "Canceled by the merchant.",
        EndedBy::User => "Canceled by the user in the wallet.",
        EndedBy::Wallet => "Canceled by the wallet.",
    }
}

/// A body being written: only strings, absent rather than empty.
struct Body(Map<String, Value>);

impl Body {
    fn with(mut self, name: &str, value: &str) -> Body {
        self.0.insert(name.to_owned(), Value::from(value));
        self
    }

    fn with_some(self, name: &str, value: Option<&str>) -> Body {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn text(self) -> String {
        text_of(self.0)
    }
}
