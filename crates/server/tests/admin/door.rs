//! Who is let in, and to what.

use super::house::House;
use super::stores::{Shelf, served_from_every_store};
use super::{Browser, PASSWORD, journal, open, operator};
use accord_core::console::{self, ConsoleRole, read_name};
use accord_server::admin::ROUTES;
use serde_json::json;

served_from_every_store!(
    there_is_no_console_unless_it_is_configured,
    each_role_takes_its_own_routes_and_no_other,
    a_sign_in_is_a_strict_cookie_and_ends_when_it_is_signed_out,
    a_form_of_another_browser_path_or_site_is_refused,
    a_sign_in_ends_unused_after_a_quarter_of_an_hour_and_used_after_twelve_hours,
    a_disabled_operator_is_out_at_once_and_cannot_come_back,
    wrong_passwords_block_the_name_for_a_while,
);

fn name_of(role: ConsoleRole) -> &'static str {
    match role {
        ConsoleRole::Viewer => "vera",
        ConsoleRole::Operator => "omar",
        ConsoleRole::KeyOfficer => "kamal",
    }
}

async fn there_is_no_console_unless_it_is_configured(shelf: Shelf) {
    let house = House::open(shelf).await;
    let browser = Browser::new(&house);
    for path in ["/admin", "/admin/sign-in", "/admin/journal"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    house.close().await;
}

async fn each_role_takes_its_own_routes_and_no_other(shelf: Shelf) {
    let house = open(shelf).await;
    let stranger = Browser::new(&house);
    for route in ROUTES.iter().filter(|route| route.roles.is_some()) {
        let path = route.path.replace("{id}", "nothing");
        let seen = stranger.send(route.method, &path, Some(&[]), None).await;
        assert_eq!((seen.status, seen.location.as_str()), (303, "/admin/sign-in"), "{} {path}", route.method);
    }
    for role in ConsoleRole::ALL {
        let name = name_of(*role);
        operator(&house, name, *role).await;
        let browser = Browser::signed_in(&house, name).await;
        let mut refused = 0;
        for route in ROUTES.iter().filter(|route| route.roles.is_some() && route.path != "/admin/sign-out") {
            let path = route.path.replace("{id}", "nothing");
            let allowed = route.roles.unwrap().contains(role);
            for method in ["GET", "POST", "PUT", "DELETE"] {
                // A forged form: without a token.
                let fields: Option<&[(&str, &str)]> = (method != "GET").then_some(&[("confirm", "yes")]);
                let seen = browser.send(method, &path, fields, None).await;
                let here = method == route.method;
                let also = ROUTES.iter().any(|other| other.method == method && other.path == route.path);
                match method {
                    "GET" if here => {
                        assert!([200, 404].contains(&seen.status), "{role} {path}: {}", seen.status)
                    }
                    "GET" if !also => {
                        assert!([404, 405].contains(&seen.status), "{role} {path}: {}", seen.status)
                    }
                    "GET" => {}
                    _ => {
                        assert_eq!(seen.status, 403, "{role} {method} {path}");
                        refused += 1;
                        let newest = journal(&house, name).await.remove(0);
                        let why = if here && allowed { "form" } else { "role" };
                        assert!(
                            newest.0 == "console.refused" && newest.2.ends_with(why),
                            "{role} {method} {path}: {newest:?}"
                        );
                    }
                }
            }
        }
        let lines = journal(&house, name).await;
        assert_eq!(lines.iter().filter(|line| line.0 == "console.refused").count(), refused);
        assert_eq!(browser.get("/admin/nowhere").await.status, 404);
    }
    house.close().await;
}

async fn a_sign_in_is_a_strict_cookie_and_ends_when_it_is_signed_out(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    let browser = Browser::new(&house);
    let seen = browser.sign_in("vera", PASSWORD).await;
    let cookie = seen.cookies.iter().find(|line| line.starts_with("accord_admin=")).unwrap();
    for part in ["Path=/admin", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let page = browser.get("/admin/users").await;
    assert_eq!(page.status, 200);
    assert!(!page.policy.contains("script-src") && !page.policy.contains("unsafe"), "{}", page.policy);
    assert!(page.policy.starts_with("default-src 'none'"), "{}", page.policy);
    // The same token kept by somebody else is worth nothing after the sign-out.
    let thief = Browser::new(&house);
    *thief.cookies.lock().unwrap() = browser.cookies.lock().unwrap().clone();
    let token = page.token("/admin/sign-out");
    assert_eq!(browser.post("/admin/sign-out", &[("csrf", "wrong")]).await.status, 403);
    assert_eq!(browser.post("/admin/sign-out", &[("csrf", &token)]).await.location, "/admin/sign-in");
    assert_eq!(thief.get("/admin").await.status, 303);
    let acts: Vec<String> = journal(&house, "vera").await.into_iter().map(|line| line.0).collect();
    let expected = ["console.signed_out", "console.refused", "console.signed_in", "operator.added"];
    assert_eq!(acts, expected);
    house.close().await;
}

async fn a_form_of_another_browser_path_or_site_is_refused(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    let (one, other) = (Browser::new(&house), Browser::new(&house));
    let token = one.get("/admin/sign-in").await.token("/admin/sign-in");
    let fields = [("csrf", token.as_str()), ("name", "vera"), ("password", PASSWORD)];
    assert_eq!(other.post("/admin/sign-in", &fields).await.status, 403);
    other.get("/admin/sign-in").await;
    assert_eq!(other.post("/admin/sign-in", &fields).await.status, 403);
    let foreign = one.send("POST", "/admin/sign-in", Some(&fields), Some("https://evil.example")).await;
    assert_eq!(foreign.status, 403);
    assert_eq!(one.send("POST", "/admin/sign-in", Some(&fields), Some(&house.wallet)).await.status, 303);

    let two = Browser::signed_in(&house, "vera").await;
    let hers = two.get("/admin").await.token("/admin/sign-out");
    assert_eq!(one.post("/admin/sign-out", &[("csrf", &hers)]).await.status, 403);
    let ours = one.get("/admin").await.token("/admin/sign-out");
    let foreign = one.send("POST", "/admin/sign-out", Some(&[("csrf", &ours)]), Some("null")).await;
    assert_eq!(foreign.status, 403);
    assert_eq!(one.get("/admin").await.status, 200);
    house.close().await;
}

async fn a_sign_in_ends_unused_after_a_quarter_of_an_hour_and_used_after_twelve_hours(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    let advance = async |seconds: u64| {
        assert_eq!(house.post("/sandbox/clock", json!({ "advanceSeconds": seconds })).await.0, 200);
    };
    let browser = Browser::signed_in(&house, "vera").await;
    advance(14 * 60).await;
    assert_eq!(browser.get("/admin").await.status, 200);
    advance(14 * 60).await;
    // A page that refreshes itself keeps nobody signed in.
    assert_eq!(browser.get("/admin?live=1").await.status, 200);
    advance(60).await;
    assert_eq!(browser.get("/admin?live=1").await.location, "/admin/sign-in");

    let browser = Browser::signed_in(&house, "vera").await;
    for _ in 0..71 {
        advance(10 * 60).await;
        assert_eq!(browser.get("/admin/clients").await.status, 200);
    }
    advance(10 * 60).await;
    assert_eq!(browser.get("/admin/clients").await.location, "/admin/sign-in");
    house.close().await;
}

async fn a_disabled_operator_is_out_at_once_and_cannot_come_back(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    let browser = Browser::signed_in(&house, "vera").await;
    let (app, name) = (house.app(), read_name("vera").unwrap());
    let at = app.clock.moment();
    app.transact(move |tx| console::disable(tx, &name, "test", &at)).await.unwrap().unwrap();
    assert_eq!(browser.get("/admin").await.location, "/admin/sign-in");
    let seen = Browser::new(&house).sign_in("vera", PASSWORD).await;
    assert_eq!(seen.status, 403);
    let unknown = Browser::new(&house).sign_in("nobody", PASSWORD).await;
    let plain = |html: &str, name: &str| {
        let token =
            html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        html.replace(&token, "").replace(name, "")
    };
    assert_eq!(plain(&seen.html, "vera"), plain(&unknown.html, "nobody"), "they look the same");
    house.close().await;
}

async fn wrong_passwords_block_the_name_for_a_while(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    operator(&house, "omar", ConsoleRole::Operator).await;
    for _ in 0..5 {
        assert_eq!(Browser::new(&house).sign_in("vera", "wrong").await.status, 403);
    }
    assert_eq!(Browser::new(&house).sign_in("vera", PASSWORD).await.status, 429);
    Browser::signed_in(&house, "omar").await;
    let lines = journal(&house, "vera").await;
    assert_eq!(lines.iter().filter(|line| line.0 == "console.sign_in_failed").count(), 5, "{lines:?}");
    house.post("/sandbox/clock", json!({ "advanceSeconds": 15 * 60 })).await;
    Browser::signed_in(&house, "vera").await;
    house.close().await;
}
