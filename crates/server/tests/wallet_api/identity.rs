//! A wallet that keeps its users' PINs elsewhere says itself whether one is right.

use super::house::House;
use super::stores::{Shelf, served_from_every_store};
use super::{System, code};
use accord_core::identity::{Claim, Identity, Said};
use accord_core::operator::Role;
use accord_server::wallet_api::Seams;
use serde_json::{Value, json};
use std::sync::Arc;

served_from_every_store!(the_wallet_s_own_system_says_who_is_who,);

/// Knows one PIN for everybody; says nothing when asked about silence.
#[derive(Debug)]
struct Elsewhere;

impl Identity for Elsewhere {
    fn prove(&self, claim: Claim, said: Said) {
        assert!(
            claim.kept.is_none_or(|kept| kept == accord_core::user::EXTERNAL_PIN),
            "there is no PIN here"
        );
        said((claim.typed != "silence").then(|| claim.customer.is_some() && claim.typed == "kept elsewhere"));
    }
}

async fn the_wallet_s_own_system_says_who_is_who(shelf: Shelf) {
    let house =
        House::open_with(shelf, Seams { identity: Some(Arc::new(Elsewhere)), ..Seams::default() }).await;
    let operator = System::with(&house, Role::Operator).await;
    let made = operator.post("/users", json!({ "loginId": "+9647711111119", "external": true })).await;
    assert_eq!(made.0, 200, "{}", made.1);
    let decide = async |url: &Value, login: &str, pin: &str| {
        let body = json!({ "url": url, "loginId": login, "pin": pin, "decision": "approve" });
        house.post("/sandbox/decide", body).await
    };
    let body =
        json!({ "scopes": "AGREEMENT_PAY", "extendInfo": json!({ "contractDesc": "Monthly" }).to_string() });
    let url = house.call("qi", "prepare", body).await["authUrl"].clone();

    let silent = decide(&url, "+9647711111119", "silence").await;
    assert_eq!(silent.0, 503, "no answer is no wrong PIN: {}", silent.1);
    let wrong = decide(&url, "+9647711111119", "guessed").await;
    assert_eq!(code(&wrong), code(&decide(&url, "+9647799999999", "kept elsewhere").await), "{}", wrong.1);
    assert!(wrong.0 >= 400 && wrong.0 < 500, "{}", wrong.1);
    let right = decide(&url, "+9647711111119", "kept elsewhere").await;
    assert_eq!(right.0, 200, "{}", right.1);
    assert!(right.1["authCode"].is_string());
    house.close().await;
}
