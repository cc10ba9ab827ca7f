//! Users and their agreements.

use super::house::{House, PIN, RICH};
use super::stores::{Shelf, served_from_every_store};
use super::{System, agree, code, customer, pay};
use accord_core::ids::CustomerId;
use accord_core::operator::Role;
use serde_json::{Value, json};

served_from_every_store!(
    a_user_is_created_once_and_changed,
    an_external_user_has_no_pin_to_guess,
    a_frozen_user_is_not_debited,
    agreements_are_limited_paused_and_revoked,
    a_user_ends_an_agreement_in_the_app,
);

async fn a_user_is_created_once_and_changed(shelf: Shelf) {
    let house = House::open(shelf).await;
    let operator = System::with(&house, Role::Operator).await;
    let (status, sara) = operator
        .post("/users", json!({ "loginId": "+9647711111111", "pin": "2468", "language": "ar-IQ" }))
        .await;
    assert_eq!(
        (status, &sara["status"], &sara["external"]),
        (200, &json!("active"), &json!(false)),
        "{sara}"
    );
    let again = operator.post("/users", json!({ "loginId": "+9647711111111", "external": true })).await;
    assert_eq!(code(&again), (409, "LOGIN_ID_TAKEN"));
    let id = sara["customerId"].as_str().unwrap();
    assert_eq!(operator.get("/users?loginId=%2B9647711111111").await.1, sara);
    assert_eq!(operator.get(&format!("/users/{id}")).await.1, sara);

    let path = format!("/users/{id}");
    let (status, changed) =
        operator.call("PATCH", &path, json!({ "qualified": false, "external": true })).await;
    assert_eq!((status, &changed["qualified"], &changed["external"]), (200, &json!(false), &json!(true)));
    // Who is external has no PIN to go back to.
    let refused = operator.call("PATCH", &path, json!({ "external": false })).await;
    assert_eq!(code(&refused), (400, "BAD_REQUEST"));
    assert!(refused.1["error"]["message"].as_str().unwrap().starts_with("pin: "), "{}", refused.1);
    let (status, changed) = operator.call("PATCH", &path, json!({ "external": false, "pin": "1357" })).await;
    assert_eq!((status, &changed["external"]), (200, &json!(false)));
    let (status, changed) = operator.call("PATCH", &path, json!({ "external": false, "pin": "1358" })).await;
    assert_eq!((status, &changed["external"]), (200, &json!(false)));
    let subject = CustomerId::read(id).unwrap();
    let lines = house.app().look(move |rows| rows.journal_of(subject.bucket(), subject.as_str())).await;
    let lines = lines.unwrap();
    let acts: Vec<&str> =
        lines.iter().map(|line| &*line.act).filter(|act| act.starts_with("user.")).collect();
    let wanted = ["user.added", "user.qualified", "user.made_external", "user.pin_set", "user.pin_changed"];
    assert_eq!(acts, wanted);
    let (_, closed) = operator.call("PATCH", &path, json!({ "status": "closed" })).await;
    assert_eq!(closed["status"], "closed");
    assert_eq!(code(&operator.post(&format!("{path}/unfreeze"), Value::Null).await), (409, "USER_CLOSED"));

    // However the letters of an address are written, it is one.
    let mail = operator.post("/users", json!({ "loginId": "Huda.K@Post.example", "pin": "2468" })).await.1;
    assert_eq!(mail["loginId"], "huda.k@post.example");
    assert_eq!(operator.get("/users?loginId=huda.k@POST.example").await.1, mail);
    let twice = r#"{"loginId":"b@c.example","pin":"1234","pin":"4321"}"#;
    let refused = operator.send("POST", "/users", twice.to_owned()).await;
    assert_eq!(code(&refused), (400, "BAD_REQUEST"));
    assert!(
        refused.1["error"]["message"].as_str().unwrap().contains("duplicate member pin"),
        "{}",
        refused.1
    );

    for (status, body) in [
        (400, json!({ "loginId": "a@b.example" })),
        (400, json!({ "pin": "1234" })),
        (400, json!({ "loginId": "a@b.example", "external": "yes" })),
        (422, json!({ "loginId": "sara", "pin": "1234" })),
        (409, json!({ "loginId": "huda.k@post.EXAMPLE", "pin": "1234" })),
        (422, json!({ "loginId": "a@b.example", "pin": "123" })),
        (422, json!({ "loginId": "a@b.example", "pin": "1234", "external": true })),
        (422, json!({ "loginId": "a@b.example", "pin": "1234", "language": "fr" })),
        (422, json!({ "loginId": "a@b.example", "pin": "1234", "status": "dead" })),
    ] {
        assert_eq!(operator.post("/users", body.clone()).await.0, status, "{body}");
    }
    house.close().await;
}

async fn an_external_user_has_no_pin_to_guess(shelf: Shelf) {
    let house = House::open(shelf).await;
    let operator = System::with(&house, Role::Operator).await;
    let login = "+9647722222222";
    operator.post("/users", json!({ "loginId": login, "external": true })).await;
    let contract = json!({ "language": "en-US", "contractDesc": "x" }).to_string();
    let body = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": contract });
    let url = house.call("qi", "prepare", body).await["authUrl"].clone();
    for pin in [PIN, "external", "0000"] {
        let body = json!({ "url": url, "loginId": login, "pin": pin, "decision": "approve" });
        let (status, answer) = house.post("/sandbox/decide", body).await;
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("WRONG_SIGN_IN")), "{pin}");
    }
    house.close().await;
}

async fn a_frozen_user_is_not_debited(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (operator, app) = (System::with(&house, Role::Operator).await, System::with(&house, Role::App).await);
    let rich = customer(&house, RICH).await;
    let token = agree(&house, &app, &rich).await;
    assert_eq!(pay(&house, &token, "p-1").await["result"]["resultStatus"], "S");
    let (status, frozen) = operator.post(&format!("/users/{rich}/freeze"), Value::Null).await;
    assert_eq!((status, &frozen["status"]), (200, &json!("frozen")));
    let refused = pay(&house, &token, "p-2").await;
    assert_eq!(refused["result"]["resultStatus"], "F", "{refused}");
    operator.post(&format!("/users/{rich}/unfreeze"), Value::Null).await;
    assert_eq!(pay(&house, &token, "p-3").await["result"]["resultStatus"], "S");

    let (_, inbox) = operator.get(&format!("/users/{rich}/inbox")).await;
    let kinds: Vec<&str> =
        inbox["messages"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["debit", "debit", "debit"]);
    house.close().await;
}

async fn agreements_are_limited_paused_and_revoked(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (operator, app) = (System::with(&house, Role::Operator).await, System::with(&house, Role::App).await);
    let rich = customer(&house, RICH).await;
    let token = agree(&house, &app, &rich).await;
    let (_, listed) = app.get(&format!("/users/{rich}/agreements")).await;
    let id = listed["agreements"][0]["agreementId"].as_str().unwrap().to_owned();
    let path = |act: &str| format!("/agreements/{id}/{act}");
    let mine = json!({ "customerId": rich });
    let status = async |request: &str| pay(&house, &token, request).await["result"]["resultStatus"].clone();

    assert_eq!(app.post(&path("pause"), mine.clone()).await.0, 200);
    assert_eq!(status("paused").await, "F");
    assert_eq!(app.post(&path("resume"), mine.clone()).await.0, 200);
    assert_eq!(status("resumed").await, "S");
    let tight = json!({ "customerId": rich, "currency": "IQD", "perDebit": "999999" });
    assert_eq!(app.post(&path("limits"), tight).await.0, 200);
    assert_eq!(status("limited").await, "F");
    assert_eq!(app.post(&path("limits"), mine.clone()).await.0, 200);
    assert_eq!(status("free").await, "S");
    assert_eq!(code(&app.post(&path("skip"), mine.clone()).await), (422, "INVALID"), "no schedule is known");
    let until = json!({ "customerId": rich, "until": "2999-01-01T00:00:00+03:00" });
    assert_eq!(app.post(&path("skip"), until).await.0, 200);
    assert_eq!(status("skipped").await, "F");

    let someone = operator.post("/users", json!({ "loginId": "x@y.example", "external": true })).await.1;
    let theirs = json!({ "customerId": someone["customerId"] });
    for act in ["limits", "pause", "resume", "skip", "end", "revoke"] {
        let answer = operator.post(&path(act), theirs.clone()).await;
        assert_eq!(code(&answer), (404, "AGREEMENT_NOT_FOUND"), "{act}");
    }
    let bad = json!({ "customerId": rich, "perDebit": "-5", "currency": "IQD" });
    assert_eq!(code(&app.post(&path("limits"), bad).await), (422, "INVALID"));

    let end = json!({ "customerId": rich, "reason": "fraud" });
    let (told, revoked) = operator.post(&path("revoke"), end.clone()).await;
    assert_eq!((told, &revoked["ended"]), (200, &json!(true)), "{revoked}");
    assert!(revoked["receipt"].is_object(), "{revoked}");
    assert_eq!(operator.post(&path("revoke"), end).await.0, 200);
    assert_eq!(code(&app.post(&path("pause"), mine).await), (409, "AGREEMENT_ENDED"));
    assert_eq!(status("ended").await, "F");
    house.close().await;
}

async fn a_user_ends_an_agreement_in_the_app(shelf: Shelf) {
    let house = House::open(shelf).await;
    let app = System::with(&house, Role::App).await;
    let rich = customer(&house, RICH).await;
    let token = agree(&house, &app, &rich).await;
    let (_, listed) = app.get(&format!("/users/{rich}/agreements")).await;
    let id = listed["agreements"][0]["agreementId"].as_str().unwrap();
    let (path, mine) = (format!("/agreements/{id}/end"), json!({ "customerId": rich }));
    let (status, ended) = app.post(&path, mine.clone()).await;
    assert_eq!((status, &ended["ended"]), (200, &json!(true)), "{ended}");
    assert!(ended["receipt"].is_object(), "{ended}");
    let again = app.post(&path, mine).await.1;
    assert_eq!(again["receipt"]["content"], ended["receipt"]["content"], "the same paper, sealed again");
    assert_eq!(pay(&house, &token, "p-1").await["result"]["resultStatus"], "F");
    let (_, inbox) = app.get(&format!("/users/{rich}/inbox")).await;
    assert_eq!(inbox["messages"][0]["kind"], "ended");
    let id = accord_core::ids::AgreementId::read(id).unwrap();
    let lines = house.app().look(move |rows| rows.journal_of(id.bucket(), id.as_str())).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.actor == app.id).count(), 1, "{lines:?}");
    house.close().await;
}
