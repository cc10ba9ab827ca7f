//! consultUnbinding: may the user end the binding in the wallet? Asked by the wallet, before anything is ended.
//!
//! Only address, words and answer: what an answer means is `accord_core::agreement::unbind`'s business.

use crate::alipay_plus::AlipayPlus;
use crate::dialect::Consultation;
use crate::json::{Json, text_of};
use accord_core::agreement::Terms;
use accord_core::client::Client;
use accord_core::secret::Secret;
use serde_json::json;

/// Path of consultUnbinding at the network.
pub const CONSULT_UNBINDING: &str = "/aps/api/v1/authorizations/consultUnbinding";

/// The question; nothing where nobody is to be asked.
pub(super) fn consult(
    dialect: &AlipayPlus,
    client: &Client,
    terms: &Terms,
    access: &Secret,
) -> Option<Consultation> {
    let body = json!({
        "authClientId": terms.auth_client_id.as_deref()?,
        "referenceMerchantId": terms.reference_merchant_id.as_deref()?,
        "accessToken": access.reveal(),
    });
    Some(Consultation {
        url: address(dialect, client)?,
        body: text_of(body),
        silence_frees: dialect.config.unbind_after_failed_consults,
    })
}

/// The configured URL, else the network's. `{auth_notify_url}` stands for the client's registered one; a client
/// without one is then not asked.
fn address(dialect: &AlipayPlus, client: &Client) -> Option<String> {
    const NOTIFY_URL: &str = "{auth_notify_url}";
    match &dialect.config.consult_unbinding_url {
        Some(template) if template.contains(NOTIFY_URL) => {
            Some(template.replace(NOTIFY_URL, client.auth_notify_url.as_deref()?))
        }
        Some(url) => Some(url.clone()),
        None => {
            let base = dialect.config.network_base_url.as_ref()?;
            Some(format!("{}{CONSULT_UNBINDING}", base.trim_end_matches('/')))
        }
    }
}

/// Alipay+ consultUnbinding, allowUnbinding: a boolean as a string; a JSON boolean is borne.
pub(super) fn consulted(body: &Json) -> Option<bool> {
    match body.get("allowUnbinding")? {
        Json::Bool(allowed) => Some(*allowed),
        Json::String(text) if text == "true" => Some(true),
        Json::String(text) if text == "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn only_true_and_false_are_answers() {
        for (body, said) in [
            (r#"{"allowUnbinding":"true"}"#, Some(true)),
            (r#"{"allowUnbinding":"false"}"#, Some(false)),
            (r#"{"allowUnbinding":true}"#, Some(true)),
            (r#"{"allowUnbinding":false}"#, Some(false)),
            (r#"{"allowUnbinding":"TRUE"}"#, None),
            (r#"{"allowUnbinding":1}"#, None),
            (r#"{"allowUnbinding":null}"#, None),
            ("{}", None),
            ("[]", None),
        ] {
            assert_eq!(consulted(&json::parse(body.as_bytes()).unwrap()), said, "{body}");
        }
    }
}
