//! The steps of both flows: what the merchant sends, and what it keeps of the answer.
//!
//! A step whose needs are not met, or whose answer cannot be relied on, leaves what was held before.

use super::log_in::log_in;
use super::merchant::{Merchant, Now, Reply};
use super::visit::{Flow, fresh_id};
use super::{ConsentAnswer, Demo};
use crate::pages::demo::{DemoDialect, Notice};
use accord_wire::time::format_seconds;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Longest contract text sent on; the wallet refuses an extendInfo over 4096 characters, escapes included.
const LONGEST_FIELD: usize = 5_000;
/// Qi agreement payment (Qi pay, productCode).
const AGREEMENT_PAYMENT: &str = "51051000101000100031";
/// What this merchant is called at its acquirer.
const AUTH_CLIENT_ID: &str = "demo-merchant-1";
const REFERENCE_MERCHANT_ID: &str = "demo-shop-1";
const MINUTE_MS: i64 = 60_000;
/// Baghdad, and the settlement days of Alipay+.
const QI_OFFSET: i32 = 3 * 3600;
const ALIPAY_PLUS_OFFSET: i32 = 8 * 3600;

accord_core::words! {
    /// A step, as its form's path names it.
    Step {
        /// Ask for the page.
        Prepare = "prepare",
        /// Qi: what the callback of `qicardSignContract` was given.
        Code = "code",
        /// Redeem the code.
        ApplyToken = "applyToken",
        /// Debit.
        Pay = "pay",
        /// Ask for the debit.
        InquiryPayment = "inquiryPayment",
        /// Renew the tokens.
        Refresh = "refresh",
        /// End the agreement.
        CancelToken = "cancelToken",
        /// Qi: my.getAuthCode, and what may be known of the user by it.
        LogIn = "logIn",
        /// Alipay+: what to answer when the wallet asks whether a user may end the agreement.
        Consult = "consult",
        /// Forget everything.
        Reset = "reset",
    }
}

/// Does a step and gives back what is held after it.
pub(super) async fn run(
    demo: &Demo,
    dialect: DemoDialect,
    step: Step,
    mut flow: Flow,
    fields: &HashMap<String, String>,
) -> Flow {
    flow.notice = None;
    let done = match step {
        Step::Reset => return Flow::default(),
        Step::Code => {
            take_code(&mut flow, fields);
            return flow;
        }
        Step::LogIn if dialect == DemoDialect::Qi => {
            let login_id = field(fields, "loginId").unwrap_or_default();
            log_in(demo, &mut flow, &login_id).await
        }
        Step::Consult if dialect == DemoDialect::AlipayPlus => set_answer(demo, fields),
        _ => call(demo, dialect, step, &mut flow, fields).await,
    };
    let (good, text) = match done {
        Ok(notice) => notice,
        Err(fault) => (false, fault),
    };
    flow.notice = Some(Notice { good, text });
    flow
}

async fn call(
    demo: &Demo,
    dialect: DemoDialect,
    step: Step,
    flow: &mut Flow,
    fields: &HashMap<String, String>,
) -> Result<(bool, String), String> {
    let merchant = demo.merchant().await?;
    let now = merchant.now().await?;
    let paper = match dialect {
        DemoDialect::Qi => qi,
        DemoDialect::AlipayPlus => alipay_plus,
    };
    let (operation, body) = paper(demo, merchant, step, flow, fields, &now)?;
    let called = merchant.call(dialect, operation, &body, &now).await?;
    flow.log(called.shown);
    let reply = called.reply?;
    keep(step, flow, &reply);
    Ok((reply.status == "S", format!("{operation}: {}", reply.summary)))
}

/// What a merchant of Qi sends.
fn qi(
    demo: &Demo,
    _: &Merchant,
    step: Step,
    flow: &mut Flow,
    fields: &HashMap<String, String>,
    now: &Now,
) -> Result<(&'static str, Value), String> {
    Ok(match step {
        Step::Prepare => {
            flow.state.contract_desc = field(fields, "contractDesc").unwrap_or_default();
            let language = field(fields, "contractLanguage").unwrap_or_else(|| "en-US".to_owned());
            let extend_info = json!({ "language": language, "contractDesc": flow.state.contract_desc });
            ("prepare", json!({ "scopes": "AGREEMENT_PAY", "extendInfo": extend_info.to_string() }))
        }
        Step::ApplyToken => {
            let code = needed(&flow.state.auth_code, "a code")?;
            ("applyToken", json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code }))
        }
        Step::Refresh => {
            let token = needed(&flow.state.refresh_token, "a refresh token")?;
            ("applyToken", json!({ "grantType": "REFRESH_TOKEN", "refreshToken": token }))
        }
        Step::CancelToken => {
            ("cancelToken", json!({ "accessToken": needed(&flow.state.access_token, "an access token")? }))
        }
        Step::InquiryPayment => {
            let request = needed(&flow.state.payment_request_id, "a payment")?;
            ("inquiryPayment", json!({ "paymentRequestId": request }))
        }
        Step::Pay => {
            let token = needed(&flow.state.access_token, "an access token")?;
            let (amount, request) = begin_payment(flow, fields);
            let body = json!({
                "productCode": AGREEMENT_PAYMENT,
                "paymentRequestId": request,
                "paymentAuthCode": token,
                "paymentAmount": amount,
                "order": {
                    "referenceOrderId": format!("order-{request}"),
                    "orderDescription": "Baghdad Daily, one month",
                    "orderAmount": amount,
                    "buyer": { "referenceBuyerId": flow.customer_id },
                },
                "paymentExpiryTime": format_seconds(now.millis + 30 * MINUTE_MS, QI_OFFSET),
                "paymentNotifyUrl": format!("{}/demo/notify/qi", demo.url),
            });
            ("pay", body)
        }
        Step::Code | Step::LogIn | Step::Consult | Step::Reset => {
            return Err("this step makes no call".to_owned());
        }
    })
}

/// What the Alipay+ network sends for this merchant.
fn alipay_plus(
    demo: &Demo,
    merchant: &Merchant,
    step: Step,
    flow: &mut Flow,
    fields: &HashMap<String, String>,
    now: &Now,
) -> Result<(&'static str, Value), String> {
    let [psp_id, acquirer_id, wallet_name] = merchant.network();
    let (operation, mut body) = match step {
        Step::Prepare => {
            let auth_state = fresh_id();
            flow.auth_state = Some(auth_state.clone());
            let terminal = field(fields, "terminalType").unwrap_or_else(|| "WAP".to_owned());
            let body = json!({
                "authClientId": AUTH_CLIENT_ID,
                "authClientName": "Baghdad Daily Press Ltd.",
                "authClientDisplayName": "Baghdad Daily",
                "authRedirectUrl": format!("{}/demo/alipayPlus/return", demo.url),
                "scopes": ["AGREEMENT_PAY", "USER_LOGIN_ID", "BASE_USER_INFO"],
                "customerBelongsTo": wallet_name,
                "authState": auth_state,
                "terminalType": terminal,
                "osType": (terminal != "WEB").then_some("ANDROID"),
                "referenceAgreementId": format!("agreement-{}", fresh_id()),
                "authNotifyUrl": format!("{}/demo/notify/alipay-plus", demo.url),
                "referenceMerchantId": REFERENCE_MERCHANT_ID,
            });
            ("prepare", body)
        }
        Step::ApplyToken => {
            let code = needed(&flow.state.auth_code, "a code")?;
            let body = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code, "authClientId": AUTH_CLIENT_ID });
            ("applyToken", body)
        }
        Step::Refresh => {
            let token = needed(&flow.state.refresh_token, "a refresh token")?;
            let body = json!({ "grantType": "REFRESH_TOKEN", "refreshToken": token, "authClientId": AUTH_CLIENT_ID });
            ("applyToken", body)
        }
        Step::CancelToken => {
            ("cancelToken", json!({ "accessToken": needed(&flow.state.access_token, "an access token")? }))
        }
        Step::InquiryPayment => {
            let request = needed(&flow.state.payment_request_id, "a payment")?;
            ("inquiryPayment", json!({ "paymentRequestId": request }))
        }
        Step::Pay => {
            let token = needed(&flow.state.access_token, "an access token")?;
            let (amount, request) = begin_payment(flow, fields);
            let body = json!({
                "paymentRequestId": request,
                "order": {
                    "referenceOrderId": format!("order-{request}"),
                    "orderDescription": "Baghdad Daily, one month",
                    "orderAmount": amount,
                    "merchant": { "referenceMerchantId": REFERENCE_MERCHANT_ID, "merchantName": "Baghdad Daily" },
                },
                "paymentAmount": amount,
                "payToAmount": amount,
                "paymentMethod": {
                    "paymentMethodType": "CONNECT_WALLET",
                    "paymentMethodId": token,
                    "customerId": flow.customer_id,
                },
                "paymentFactor": { "isAgreementPayment": "true" },
                "paymentExpiryTime": format_seconds(now.millis + MINUTE_MS, ALIPAY_PLUS_OFFSET),
                "paymentNotifyUrl": format!("{}/demo/notify/alipay-plus", demo.url),
            });
            ("pay", body)
        }
        Step::Code | Step::LogIn | Step::Consult | Step::Reset => {
            return Err("this step makes no call".to_owned());
        }
    };
    body["pspId"] = json!(psp_id);
    body["acquirerId"] = json!(acquirer_id);
    Ok((operation, body))
}

/// A new payment: the amount as the form says, judged by the wallet alone, and an id that was never used.
fn begin_payment(flow: &mut Flow, fields: &HashMap<String, String>) -> (Value, String) {
    if let Some(amount) = field(fields, "amount") {
        flow.state.amount = amount;
    }
    if let Some(currency) = field(fields, "currency") {
        flow.state.currency = currency;
    }
    let request = format!("demo-{}", fresh_id());
    flow.state.payment_request_id = Some(request.clone());
    flow.state.payment_id = None;
    flow.state.payment_result = None;
    (json!({ "currency": flow.state.currency, "value": flow.state.amount }), request)
}

/// Keeps what the answer gave.
fn keep(step: Step, flow: &mut Flow, reply: &Reply) {
    let succeeded = reply.status == "S";
    let state = &mut flow.state;
    match step {
        Step::Prepare if succeeded => {
            state.auth_url = reply.text("authUrl").or_else(|| reply.text("normalUrl"));
            state.other_urls = ["applinkUrl", "schemeUrl", "codeValue"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), reply.text(name)?)))
                .collect();
            (state.auth_code, state.auth_error) = (None, None);
        }
        Step::ApplyToken | Step::Refresh if succeeded => {
            state.access_token = reply.text("accessToken");
            state.refresh_token = reply.text("refreshToken");
            state.cancelled = false;
            flow.customer_id = reply.text("customerId").or(flow.customer_id.take());
        }
        Step::CancelToken if succeeded => state.cancelled = true,
        Step::Pay => {
            state.payment_id = reply.text("paymentId");
            state.payment_result = Some(reply.summary.clone());
        }
        Step::InquiryPayment => {
            let inner = reply.inner_result("paymentResult").or_else(|| reply.text("paymentStatus"));
            state.payment_id = reply.text("paymentId").or(state.payment_id.take());
            state.payment_result = Some(inner.unwrap_or_else(|| reply.summary.clone()));
        }
        Step::Prepare | Step::ApplyToken | Step::Refresh | Step::CancelToken => {}
        Step::Code | Step::LogIn | Step::Consult | Step::Reset => {}
    }
}

/// Alipay+ consultUnbinding: what this merchant says from now on, to every question.
fn set_answer(demo: &Demo, fields: &HashMap<String, String>) -> Result<(bool, String), String> {
    let answer = field(fields, "answer").unwrap_or_default();
    let answer = ConsentAnswer::parse(&answer).ok_or("answer: none of true, false, timeout")?;
    demo.consent.set(answer);
    Ok((true, format!("consultUnbinding will be answered: {answer}")))
}

/// Qi: what the callback was given, passed on by the mini program.
fn take_code(flow: &mut Flow, fields: &HashMap<String, String>) {
    let code = field(fields, "authCode");
    let error = field(fields, "error").map(|error| match field(fields, "errorMessage") {
        Some(message) => format!("{error}: {message}"),
        None => error,
    });
    flow.notice = Some(match (&code, &error) {
        (Some(_), _) => Notice { good: true, text: "the callback got a code".to_owned() },
        (None, Some(error)) => Notice { good: false, text: format!("the callback got an error, {error}") },
        (None, None) => Notice { good: false, text: "there is neither a code nor an error".to_owned() },
    });
    flow.state.auth_error = if code.is_some() { None } else { error };
    flow.state.auth_code = code;
}

/// Alipay+: the browser is back. Without all three parts it did not succeed, and a foreign state is nobody's.
pub(super) fn come_back(flow: &mut Flow, given: &HashMap<String, String>) {
    let state = given.get("authState").filter(|state| !state.is_empty());
    let code = given.get("authCode").filter(|code| !code.is_empty() && code.len() <= 64);
    let ours = state.is_some() && state == flow.auth_state.as_ref();
    let (code, error) = match (ours, code) {
        (true, Some(code)) => (Some(code.clone()), None),
        (true, None) => (None, Some("the wallet gave no code: the user refused, or it failed")),
        (false, _) => (None, Some("authState is not the one of this browser's request; nothing was taken")),
    };
    flow.notice = Some(match error {
        None => Notice { good: true, text: "the browser came back with a code and our authState".to_owned() },
        Some(error) => Notice { good: false, text: error.to_owned() },
    });
    if ours {
        flow.state.auth_code = code;
        flow.state.auth_error = error.map(str::to_owned);
    }
}

fn field(fields: &HashMap<String, String>, name: &str) -> Option<String> {
    let value = fields.get(name)?.trim();
    (!value.is_empty()).then(|| value.chars().take(LONGEST_FIELD).collect())
}

fn needed(held: &Option<String>, what: &str) -> Result<String, String> {
    held.clone().ok_or_else(|| format!("this step needs {what}; do the steps before it first"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_code_is_taken_only_with_the_state_of_this_browser() {
        for (given, code) in [
            (vec![("authCode", "C"), ("authState", "S")], Some("C")),
            (vec![("authCode", "C"), ("authState", "T")], None),
            (vec![("authCode", "C"), ("authState", "")], None),
            (vec![("authCode", "C")], None),
            (vec![("authState", "S")], None),
            (vec![("authCode", ""), ("authState", "S")], None),
            (vec![], None),
        ] {
            let mut flow = Flow { auth_state: Some("S".into()), ..Flow::default() };
            come_back(&mut flow, &fields(&given));
            assert_eq!(flow.state.auth_code.as_deref(), code, "{given:?}");
            assert_eq!(flow.notice.map(|notice| notice.good), Some(code.is_some()));
        }
        let mut stranger = Flow::default();
        come_back(&mut stranger, &fields(&[("authCode", "C"), ("authState", "")]));
        assert_eq!(stranger.state.auth_code, None);
    }

    #[test]
    fn the_callback_gives_a_code_or_an_error() {
        let mut flow = Flow::default();
        take_code(&mut flow, &fields(&[("authCode", ""), ("error", "6001"), ("errorMessage", "refused")]));
        assert_eq!(flow.state.auth_error.as_deref(), Some("6001: refused"));
        take_code(&mut flow, &fields(&[("authCode", " C "), ("error", ""), ("errorMessage", "")]));
        assert_eq!((flow.state.auth_code.as_deref(), flow.state.auth_error.as_deref()), (Some("C"), None));
    }

    #[test]
    fn every_payment_has_an_id_of_its_own() {
        let mut flow = Flow::default();
        let (amount, first) = begin_payment(&mut flow, &fields(&[("amount", "7"), ("currency", "USD")]));
        let (_, second) = begin_payment(&mut flow, &fields(&[]));
        assert_eq!(amount, json!({ "currency": "USD", "value": "7" }));
        assert_ne!(first, second);
        assert_eq!(flow.state.payment_request_id, Some(second));
    }
}
