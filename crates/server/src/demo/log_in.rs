//! `my.getAuthCode` in the demo mini program: a code without a page, redeemed, and what may be known of the user.
//!
//! In life the wallet's app gives the code to the mini program, which hands it to its merchant. Here the sandbox plays
//! the app; from the code on, the merchant calls the wallet as any other.

use super::Demo;
use super::visit::Flow;
use crate::pages::demo::DemoDialect;
use serde_json::{Value, json};

/// What the mini program asks for; the last three are asked of the user in life.
const SCOPES: [&str; 6] =
    ["auth_base", "USER_ID", "USER_LOGIN_ID", "USER_NAME", "USER_CONTACTINFO", "NOTIFICATION_INBOX"];

/// getAuthCode, applyToken, inquiryUserInfo; what came of the last.
pub(super) async fn log_in(demo: &Demo, flow: &mut Flow, login_id: &str) -> Result<(bool, String), String> {
    flow.state.user_info = None;
    let merchant = demo.merchant().await?;
    let now = merchant.now().await?;
    let asked = json!({ "loginId": login_id, "as": "qi", "scopes": SCOPES });
    let given = merchant.tell("/sandbox/getAuthCode", &asked).await?;
    let code = given.get("authCode").and_then(Value::as_str).ok_or("getAuthCode gave no code")?;

    let redeem = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code });
    let called = merchant.call(DemoDialect::Qi, "applyToken", &redeem, &now).await?;
    flow.log(called.shown);
    let granted = called.reply?;
    let Some(token) = granted.text("accessToken") else {
        return Ok((false, format!("applyToken: {}", granted.summary)));
    };
    let called =
        merchant.call(DemoDialect::Qi, "inquiryUserInfo", &json!({ "accessToken": token }), &now).await?;
    flow.log(called.shown);
    let known = called.reply?;
    flow.state.user_info = known.pretty("userInfo");
    Ok((known.status == "S", format!("inquiryUserInfo: {}", known.summary)))
}
