//! The signed calls of the demo merchant: what it sends, and what it keeps of the answer.
//!
//! A call whose needs are not met, or whose answer cannot be relied on, leaves what was held before; only a debit is
//! written down before it is sent, so that its outcome can be asked for.

use super::Demo;
use super::merchant::{Merchant, Now, Reply};
use super::shop::{Done, close_bill, open_bill, stage_of};
use super::visit::{Flow, fresh_id};
use crate::pages::demo::{DemoDialect, Said};
use crate::pages::demo_shop::{
    Bill, BillKind, BillStage, Plan, contract_text, order_text, plan_name, shop_name,
};
use accord_core::user::Language;
use accord_wire::time::format_seconds;
use serde_json::{Value, json};

/// Qi agreement payment (Qi pay, productCode).
const AGREEMENT_PAYMENT: &str = "51051000101000100031";
/// What this merchant is called at its acquirer.
const AUTH_CLIENT_ID: &str = "demo-merchant-1";
const REFERENCE_MERCHANT_ID: &str = "demo-shop-1";
const MINUTE_MS: i64 = 60_000;
/// Baghdad, and the settlement days of Alipay+.
const QI_OFFSET: i32 = 3 * 3600;
const ALIPAY_PLUS_OFFSET: i32 = 8 * 3600;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// prepare on the terms of a plan.
    Subscribe(Plan, Language),
    /// prepare by itself. Qi: contract and language.
    Prepare { contract: String, language: String, terminal: String },
    /// applyToken with the code.
    ApplyToken,
    /// applyToken with the refresh token.
    Refresh,
    /// cancelToken.
    CancelToken,
    /// pay.
    Pay { kind: BillKind, value: String, currency: String },
    /// inquiryPayment of the last debit.
    InquiryPayment,
    /// refund of the newest debit that was paid, in full.
    Refund,
    /// Alipay+ cancelPayment of the last debit.
    CancelPayment,
}

/// Makes a call and keeps what it gave.
pub(super) async fn make(
    demo: &Demo,
    dialect: DemoDialect,
    operation: Operation,
    flow: &mut Flow,
    now: &Now,
) -> Done {
    let merchant = demo.merchant().await?;
    if let Operation::Pay { kind, value, currency } = &operation {
        needed(&flow.state.access_token, Said::NeedsToken)?;
        open_bill(flow, (*kind, value.clone(), currency.clone()), now);
    }
    let (name, body) = match dialect {
        DemoDialect::Qi => qi(demo, &operation, flow, now)?,
        DemoDialect::AlipayPlus => alipay_plus(demo, merchant, &operation, flow, now)?,
    };
    let called = merchant.call(dialect, (name, demo.next_number()), &body, now).await?;
    flow.log(called.shown);
    let reply = called.reply?;
    keep(&operation, flow, &reply);
    Ok((reply.status == "S", Said::Raw(format!("{name}: {}", reply.summary))))
}

/// What a merchant of Qi sends.
fn qi(demo: &Demo, operation: &Operation, flow: &Flow, now: &Now) -> Result<(&'static str, Value), Said> {
    let state = &flow.state;
    Ok(match operation {
        Operation::Subscribe(plan, language) => {
            let extend_info = json!({
                "language": language.as_str(),
                "contractTitle": plan_name(*language, *plan),
                "contractDesc": contract_text(*language, DemoDialect::Qi, *plan),
                "agreedAmount": { "currency": "IQD", "value": plan.price().to_string() },
                "schedule": plan.as_str().to_uppercase(),
                "contractStatusNotifyUrl": format!("{}/demo/notify/qi", demo.url),
            });
            ("prepare", json!({ "scopes": "AGREEMENT_PAY", "extendInfo": extend_info.to_string() }))
        }
        Operation::Prepare { contract, language, .. } => {
            let extend_info = json!({ "language": language, "contractDesc": contract });
            ("prepare", json!({ "scopes": "AGREEMENT_PAY", "extendInfo": extend_info.to_string() }))
        }
        Operation::ApplyToken => {
            let code = needed(&state.auth_code, Said::NeedsCode)?;
            ("applyToken", json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code }))
        }
        Operation::Refresh => {
            let token = needed(&state.refresh_token, Said::NeedsRefreshToken)?;
            ("applyToken", json!({ "grantType": "REFRESH_TOKEN", "refreshToken": token }))
        }
        Operation::CancelToken => {
            ("cancelToken", json!({ "accessToken": needed(&state.access_token, Said::NeedsToken)? }))
        }
        Operation::InquiryPayment => {
            let request = needed(&state.payment_request_id, Said::NeedsPayment)?;
            ("inquiryPayment", json!({ "paymentRequestId": request }))
        }
        Operation::Pay { kind, value, currency } => {
            let token = needed(&state.access_token, Said::NeedsToken)?;
            let request = needed(&state.payment_request_id, Said::NeedsPayment)?;
            let language = flow.shop.language.unwrap_or(Language::English);
            let amount = json!({ "currency": currency, "value": value });
            let body = json!({
                "productCode": AGREEMENT_PAYMENT,
                "paymentRequestId": request,
                "paymentAuthCode": token,
                "paymentAmount": amount,
                "order": {
                    "referenceOrderId": format!("order-{request}"),
                    "orderDescription": order_text(language, DemoDialect::Qi, *kind),
                    "orderAmount": amount,
                    "buyer": { "referenceBuyerId": state.customer_id },
                },
                "paymentExpiryTime": format_seconds(now.millis + 30 * MINUTE_MS, QI_OFFSET),
                "paymentNotifyUrl": format!("{}/demo/notify/qi", demo.url),
            });
            ("pay", body)
        }
        Operation::Refund => {
            let (bill, payment_id) = last_paid(flow)?;
            let body = json!({
                "refundRequestId": format!("refund-{}", fresh_id()),
                "paymentId": payment_id,
                "refundAmount": { "currency": bill.currency, "value": bill.value },
            });
            ("refund", body)
        }
        Operation::CancelPayment => return Err(Said::NoSuchStep),
    })
}

/// What the Alipay+ network sends for this merchant.
fn alipay_plus(
    demo: &Demo,
    merchant: &Merchant,
    operation: &Operation,
    flow: &mut Flow,
    now: &Now,
) -> Result<(&'static str, Value), Said> {
    let [psp_id, acquirer_id, wallet_name] = merchant.network();
    let (name, mut body) = match operation {
        Operation::Subscribe(..) | Operation::Prepare { .. } => {
            let auth_state = fresh_id();
            flow.auth_state = Some(auth_state.clone());
            let terminal = match operation {
                Operation::Prepare { terminal, .. } => terminal.as_str(),
                _ => "WAP",
            };
            let body = json!({
                "authClientId": AUTH_CLIENT_ID,
                "authClientName": "Baghdad Daily Press Ltd.",
                "authClientDisplayName": shop_name(DemoDialect::AlipayPlus),
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
        Operation::ApplyToken => {
            let code = needed(&flow.state.auth_code, Said::NeedsCode)?;
            let body = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code, "authClientId": AUTH_CLIENT_ID });
            ("applyToken", body)
        }
        Operation::Refresh => {
            let token = needed(&flow.state.refresh_token, Said::NeedsRefreshToken)?;
            let body = json!({ "grantType": "REFRESH_TOKEN", "refreshToken": token, "authClientId": AUTH_CLIENT_ID });
            ("applyToken", body)
        }
        Operation::CancelToken => {
            ("cancelToken", json!({ "accessToken": needed(&flow.state.access_token, Said::NeedsToken)? }))
        }
        Operation::InquiryPayment => {
            let request = needed(&flow.state.payment_request_id, Said::NeedsPayment)?;
            ("inquiryPayment", json!({ "paymentRequestId": request }))
        }
        Operation::CancelPayment => {
            let request = needed(&flow.state.payment_request_id, Said::NeedsPayment)?;
            ("cancelPayment", json!({ "paymentRequestId": request, "paymentId": flow.state.payment_id }))
        }
        Operation::Refund => {
            let (bill, payment_id) = last_paid(flow)?;
            let body = json!({
                "paymentRequestId": bill.request_id,
                "paymentId": payment_id,
                "refundRequestId": format!("refund-{}", fresh_id()),
                "refundAmount": { "currency": bill.currency, "value": bill.value },
            });
            ("refund", body)
        }
        Operation::Pay { kind, value, currency } => {
            let token = needed(&flow.state.access_token, Said::NeedsToken)?;
            let request = needed(&flow.state.payment_request_id, Said::NeedsPayment)?;
            let language = flow.shop.language.unwrap_or(Language::English);
            let amount = json!({ "currency": currency, "value": value });
            let shop = shop_name(DemoDialect::AlipayPlus);
            let body = json!({
                "paymentRequestId": request,
                "order": {
                    "referenceOrderId": format!("order-{request}"),
                    "orderDescription": order_text(language, DemoDialect::AlipayPlus, *kind),
                    "orderAmount": amount,
                    "merchant": { "referenceMerchantId": REFERENCE_MERCHANT_ID, "merchantName": shop },
                },
                "paymentAmount": amount,
                "payToAmount": amount,
                "paymentMethod": {
                    "paymentMethodType": "CONNECT_WALLET",
                    "paymentMethodId": token,
                    "customerId": flow.state.customer_id,
                },
                "paymentFactor": { "isAgreementPayment": "true" },
                "paymentExpiryTime": format_seconds(now.millis + MINUTE_MS, ALIPAY_PLUS_OFFSET),
                "paymentNotifyUrl": format!("{}/demo/notify/alipay-plus", demo.url),
            });
            ("pay", body)
        }
    };
    body["pspId"] = json!(psp_id);
    body["acquirerId"] = json!(acquirer_id);
    Ok((name, body))
}

/// The newest debit that was paid and not given back, with its paymentId.
fn last_paid(flow: &Flow) -> Result<(&Bill, &str), Said> {
    let bill = flow.shop.bills.iter().find(|bill| bill.stage == BillStage::Paid).ok_or(Said::NeedsPayment)?;
    Ok((bill, bill.payment_id.as_deref().ok_or(Said::NeedsPayment)?))
}

/// Keeps what the answer gave.
fn keep(operation: &Operation, flow: &mut Flow, reply: &Reply) {
    let succeeded = reply.status == "S";
    let last = flow.state.payment_request_id.clone().unwrap_or_default();
    let state = &mut flow.state;
    match operation {
        Operation::Subscribe(..) | Operation::Prepare { .. } if succeeded => {
            state.auth_url = reply.text("authUrl").or_else(|| reply.text("normalUrl"));
            state.other_urls = ["applinkUrl", "schemeUrl", "codeValue"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), reply.text(name)?)))
                .collect();
            (state.auth_code, state.auth_error) = (None, None);
        }
        Operation::ApplyToken | Operation::Refresh if succeeded => {
            state.access_token = reply.text("accessToken");
            state.access_until = reply.text("accessTokenExpiryTime");
            state.refresh_token = reply.text("refreshToken");
            state.cancelled = false;
            state.customer_id = reply.text("customerId").or(state.customer_id.take());
        }
        Operation::CancelToken if succeeded => state.cancelled = true,
        Operation::Pay { .. } => {
            state.payment_id = reply.text("paymentId");
            state.payment_result = Some(reply.summary.clone());
            close_bill(flow, &last, reply.text("paymentId"), stage_of(&reply.status, &reply.code));
        }
        Operation::InquiryPayment => {
            let inner = reply.inner_result("paymentResult");
            let outcome = inner.clone().map(|(status, code)| format!("{status} {code}"));
            let outcome = outcome.or_else(|| reply.text("paymentStatus"));
            state.payment_id = reply.text("paymentId").or(state.payment_id.take());
            state.payment_result = Some(outcome.unwrap_or_else(|| reply.summary.clone()));
            if let Some(stage) = inquired(reply, inner) {
                close_open_bill(flow, &last, reply.text("paymentId"), stage);
            }
        }
        Operation::Refund if succeeded => {
            let paid = flow.shop.bills.iter_mut().find(|bill| bill.stage == BillStage::Paid);
            if let Some(bill) = paid {
                bill.stage = BillStage::Refunded;
            }
        }
        Operation::CancelPayment if succeeded => close_bill(flow, &last, None, BillStage::Cancelled),
        _ => {}
    }
}

/// What an inquiry says of the debit, if it is final.
fn inquired(reply: &Reply, inner: Option<(String, String)>) -> Option<BillStage> {
    // Never accepted: nothing was taken, and the period is due again.
    if reply.status == "F" && reply.code == "ORDER_NOT_EXIST" {
        return Some(BillStage::Failed(reply.code.clone()));
    }
    if reply.status != "S" {
        return None;
    }
    let stage = match (inner, reply.text("paymentStatus").as_deref()) {
        (Some((status, code)), _) => stage_of(&status, &code),
        (None, Some("SUCCESS")) => BillStage::Paid,
        (None, Some("FAIL")) => {
            BillStage::Failed(reply.text("paymentFailReason").unwrap_or_else(|| "FAIL".to_owned()))
        }
        _ => BillStage::Open,
    };
    (stage != BillStage::Open).then_some(stage)
}

/// Closes a debit that is still open; one that was given back stays so.
fn close_open_bill(flow: &mut Flow, request_id: &str, payment_id: Option<String>, stage: BillStage) {
    let open =
        flow.shop.bills.iter().any(|bill| bill.request_id == request_id && bill.stage == BillStage::Open);
    if open {
        close_bill(flow, request_id, payment_id, stage);
    }
}

fn needed(held: &Option<String>, what: Said) -> Result<String, Said> {
    held.clone().ok_or(what)
}
