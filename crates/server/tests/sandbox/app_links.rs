//! The files under `/.well-known` that tie the wallet's apps to its address.

use super::house::House;
use super::stores::{Shelf, served_from_every_store};
use accord_server::app::Screens;
use accord_server::app_links::{AndroidApp, AppPath, Apps};
use accord_server::wallet_api::Seams;
use serde_json::Value;

served_from_every_store!(
    configured_apps_are_told_as_json_without_a_redirect,
    without_apps_there_are_no_files,
);

const FILES: [&str; 2] = ["assetlinks.json", "apple-app-site-association"];

async fn file(house: &House, name: &str) -> (u16, String, Value) {
    let reply = house.http.get(format!("{}/.well-known/{name}", house.wallet)).send().await.unwrap();
    let media = reply.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let status = reply.status().as_u16();
    let body = reply.text().await.unwrap();
    (status, media.unwrap_or_default(), serde_json::from_str(&body).unwrap_or_default())
}

async fn configured_apps_are_told_as_json_without_a_redirect(shelf: Shelf) {
    let apps = Apps {
        android: vec![AndroidApp { package: "iq.example.wallet".into(), fingerprints: vec!["14:6D".into()] }],
        ios: vec!["ABCDE12345.iq.example.wallet".into()],
        paths: vec![AppPath::parse("/q/*").unwrap()],
    };
    let house = House::open_as(shelf, Seams::default(), Screens { apps, ..Screens::default() }).await;
    let [android, ios] = FILES;
    let (status, media, links) = file(&house, android).await;
    assert_eq!((status, media.as_str()), (200, "application/json"));
    assert_eq!(links[0]["target"]["package_name"], "iq.example.wallet");
    let (status, media, association) = file(&house, ios).await;
    assert_eq!((status, media.as_str()), (200, "application/json"));
    assert_eq!(association["applinks"]["details"][0]["components"][0]["/"], "/q/*");
    house.close().await;
}

async fn without_apps_there_are_no_files(shelf: Shelf) {
    let house = House::open(shelf).await;
    for name in FILES {
        assert_eq!(file(&house, name).await.0, 404, "{name}");
    }
    house.close().await;
}
