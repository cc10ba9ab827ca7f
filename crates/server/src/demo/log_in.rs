//! `my.getAuthCode` in the demo mini program: a code without a page, redeemed, and what may be known of the user.
//!
//! In life the wallet's app gives the code to the mini program, which hands it to its merchant. Here the sandbox plays
//! the app; from the code on, the merchant calls the wallet as any other.

use super::Demo;
use super::merchant::Now;
use super::shop::Done;
use super::visit::Flow;
use crate::pages::demo::{DemoDialect, Said};
use serde_json::{Value, json};

/// What the mini program asks for; the last three are asked of the user in life.
const SCOPES: [&str; 6] =
    ["auth_base", "USER_ID", "USER_LOGIN_ID", "USER_NAME", "USER_CONTACTINFO", "NOTIFICATION_INBOX"];

/// getAuthCode, applyToken, inquiryUserInfo; what came of the last. With a script the mini program brings the code;
/// without, the sandbox is asked for one here.
pub(super) async fn log_in(
    demo: &Demo,
    flow: &mut Flow,
    (login_id, code): (&str, Option<String>),
    now: &Now,
) -> Done {
    flow.state.user_info = None;
    flow.shop.user_name = None;
    let merchant = demo.merchant().await?;
    let code = match code {
        Some(code) => code,
        None => {
            let asked = json!({ "loginId": login_id, "as": "qi", "scopes": SCOPES });
            let given = merchant.tell("/sandbox/getAuthCode", &asked).await?;
            let code = given.get("authCode").and_then(Value::as_str);
            code.ok_or_else(|| Said::Raw("getAuthCode gave no code".to_owned()))?.to_owned()
        }
    };

    let redeem = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code });
    let called = merchant.call(DemoDialect::Qi, ("applyToken", demo.next_number()), &redeem, now).await?;
    flow.log(called.shown);
    let granted = called.reply?;
    let Some(token) = granted.text("accessToken") else {
        return Ok((false, Said::Raw(format!("applyToken: {}", granted.summary))));
    };
    let asked = json!({ "accessToken": token });
    let called = merchant.call(DemoDialect::Qi, ("inquiryUserInfo", demo.next_number()), &asked, now).await?;
    flow.log(called.shown);
    let known = called.reply?;
    flow.state.user_info = known.pretty("userInfo");
    let names = [
        "/userInfo/userName/firstName",
        "/userInfo/userName/fullName",
        "/userInfo/userNameInArabic/fullName",
    ];
    flow.shop.user_name = names.into_iter().find_map(|name| known.at(name));
    Ok((known.status == "S", Said::Raw(format!("inquiryUserInfo: {}", known.summary))))
}
