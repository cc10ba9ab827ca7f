//! Who is let in, and to what.

use super::house::{House, told};
use super::stores::{Shelf, served_from_every_store};
use super::{System, code};
use accord_core::ids::CredentialId;
use accord_core::operator::{self, Role};
use accord_server::wallet_api::listen::Listen;
use accord_server::wallet_api::{CALLS, OPENAPI, Seams};
use serde_json::{Value, json};
use std::collections::BTreeSet;

served_from_every_store!(
    a_wrong_credential_opens_nothing,
    each_role_may_make_its_own_calls_and_no_other,
    the_document_names_every_call_and_no_other,
    the_listener_of_its_own_serves_this_api_alone,
);

async fn a_wrong_credential_opens_nothing(shelf: Shelf) {
    let house = House::open(shelf).await;
    let good = System::with(&house, Role::Operator).await;
    let other = System::with(&house, Role::Operator).await;
    let secret = good.token.split_once('.').unwrap().1;
    let url = format!("{}/wallet/v1/users?loginId=x", house.wallet);
    assert_eq!(code(&good.get("/users?loginId=x").await), (404, "USER_NOT_FOUND"));
    let wrong = [
        None,
        Some(String::new()),
        Some(good.token.clone()),
        Some("Bearer ".to_owned()),
        Some(format!("Basic {}", good.token)),
        Some(format!("Bearer {}", good.id)),
        Some(format!("Bearer {}.", good.id)),
        Some(format!("Bearer {}x", good.token)),
        Some(format!("Bearer {}.{secret}", other.id)),
        Some(format!("Bearer nobody.{secret}")),
    ];
    for line in wrong {
        let mut request = house.http.get(&url);
        if let Some(line) = &line {
            request = request.header("authorization", line);
        }
        let reply = request.send().await.unwrap();
        assert_eq!(reply.headers()["www-authenticate"], "Bearer");
        let answer = told(reply).await;
        assert_eq!(code(&answer), (401, "UNAUTHORIZED"), "{line:?}");
        assert!(!answer.1.to_string().contains(secret));
    }
    let twice = house.http.get(&url).header("authorization", format!("Bearer {}", good.token));
    let twice = twice.header("authorization", format!("Bearer {}", good.token));
    assert_eq!(code(&told(twice.send().await.unwrap()).await), (401, "UNAUTHORIZED"));

    let (id, app) = (CredentialId::read(&good.id).unwrap(), house.app());
    let at = app.clock.moment();
    app.transact(move |tx| operator::retire(tx, &id, &at)).await.unwrap().unwrap();
    assert_eq!(code(&good.get("/users?loginId=x").await), (401, "UNAUTHORIZED"));
    assert_eq!(code(&other.get("/users?loginId=x").await), (404, "USER_NOT_FOUND"));
    house.close().await;
}

async fn each_role_may_make_its_own_calls_and_no_other(shelf: Shelf) {
    let house = House::open(shelf).await;
    for role in Role::ALL {
        let system = System::with(&house, *role).await;
        for call in CALLS {
            let path = call.path.trim_start_matches("/wallet/v1");
            let path = path.replace("{customerId}", "nobody").replace("{agreementId}", "nothing");
            let body = if call.method == "GET" { Value::Null } else { json!({}) };
            let answer = system.call(call.method, &path, body).await;
            let allowed = *role == Role::Operator || call.roles.contains(role);
            assert_eq!(answer.0 == 403, !allowed, "{role} {} {path}: {answer:?}", call.method);
            assert!([400, 403, 404].contains(&answer.0), "{role} {} {path}: {answer:?}", call.method);
        }
    }
    let operator = System::with(&house, Role::Operator).await;
    assert_eq!(code(&operator.call("DELETE", "/users", Value::Null).await), (405, "METHOD_NOT_ALLOWED"));
    assert_eq!(code(&operator.get("/nothing").await), (404, "NOT_FOUND"));
    house.close().await;
}

async fn the_document_names_every_call_and_no_other(shelf: Shelf) {
    let house = House::open(shelf).await;
    let url = format!("{}/wallet/v1/openapi.json", house.wallet);
    let (status, served) = told(house.http.get(url).send().await.unwrap()).await;
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    assert_eq!(served, document);
    let copy: Value = serde_json::from_str(include_str!("../../../../docs/wallet-api.json")).unwrap();
    assert_eq!(copy, document, "docs/wallet-api.json is a copy of crates/server/assets/wallet-api.json");

    let mut named = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            named.insert((method.to_uppercase(), path.clone()));
            let call =
                CALLS.iter().find(|call| call.path == path && call.method.eq_ignore_ascii_case(method));
            let mut roles: Vec<&str> = call.unwrap().roles.iter().map(|role| role.as_str()).collect();
            roles.push("operator");
            assert_eq!(operation["description"], format!("Roles: {}.", roles.join(", ")), "{method} {path}");
        }
    }
    let served = CALLS.iter().map(|call| (call.method.to_owned(), call.path.to_owned())).collect();
    assert_eq!(named, served);
    house.close().await;
}

async fn the_listener_of_its_own_serves_this_api_alone(shelf: Shelf) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let wallet_api = Some(Listen { address: free, tls: None });
    let house = House::open_with(shelf, Seams { wallet_api, ..Seams::default() }).await;
    let system = System::with(&house, Role::Reader).await;
    let get = |path: &str| house.http.get(format!("http://{free}{path}")).bearer_auth(&system.token).send();
    assert_eq!(get("/wallet/v1/users?loginId=x").await.unwrap().status(), 404);
    assert_eq!(get("/wallet/v1/openapi.json").await.unwrap().status(), 200);
    assert_eq!(get("/authorize").await.unwrap().status(), 404);
    assert_eq!(get("/sandbox/clock").await.unwrap().status(), 404);
    house.close().await;
}
