//! What ties the wallet's apps to its web address: the two files that Android and iOS fetch before a link to the
//! wallet opens in its app. Without configured apps there are none, and every link opens the page.

use crate::app::App;
use crate::pages::markup::link_target;
use accord_core::agreement::{Terminal, Terms};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use serde_json::{Value, json};
use std::sync::Arc;

/// The wallet's apps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apps {
    /// On Android.
    pub android: Vec<AndroidApp>,
    /// On iOS: team and bundle, `ABCDE12345.iq.example.wallet`.
    pub ios: Vec<String>,
    /// Paths that iOS opens in the app, each perhaps with members of the query. Android's app says so itself.
    pub paths: Vec<AppPath>,
}

/// An app on Android.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AndroidApp {
    /// Its package.
    pub package: String,
    /// SHA-256 of its signing certificates, `14:6D:…`.
    pub fingerprints: Vec<String>,
}

/// A path with the members that its query must have; `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPath {
    path: String,
    query: Vec<(String, String)>,
}

impl AppPath {
    /// Reads `/authorize?via=app` or `/q/*`.
    pub fn parse(text: &str) -> Option<AppPath> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let plain = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_graphic());
        if !path.starts_with('/') || path.starts_with("//") || !plain(text) || text.contains('#') {
            return None;
        }
        let members = query.split('&').filter(|member| !member.is_empty());
        let members = members.map(|member| match member.split_once('=') {
            Some((name, value)) if !name.is_empty() => Some((name.to_owned(), value.to_owned())),
            _ => None,
        });
        Some(AppPath { path: path.to_owned(), query: members.collect::<Option<_>>()? })
    }

    fn component(&self) -> Value {
        let query: serde_json::Map<String, Value> =
            self.query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        match query.is_empty() {
            true => json!({ "/": self.path }),
            false => json!({ "/": self.path, "?": query }),
        }
    }
}

impl Apps {
    /// Is there an app?
    pub fn any(&self) -> bool {
        !self.android.is_empty() || !self.ios.is_empty()
    }

    fn asset_links(&self) -> Option<Value> {
        let statement = |app: &AndroidApp| {
            json!({
                "relation": ["delegate_permission/common.handle_all_urls"],
                "target": {
                    "namespace": "android_app",
                    "package_name": app.package,
                    "sha256_cert_fingerprints": app.fingerprints,
                },
            })
        };
        (!self.android.is_empty()).then(|| self.android.iter().map(statement).collect())
    }

    fn site_association(&self) -> Option<Value> {
        let components: Vec<Value> = self.paths.iter().map(AppPath::component).collect();
        let details = json!([{ "appIDs": self.ios, "components": components }]);
        (!self.ios.is_empty()).then(|| json!({ "applinks": { "details": details } }))
    }
}

/// Where the wallet's app opens that authorization, for somebody who came to the page in the browser of a phone; nothing
/// where there is no app. Without the app the link leads nowhere and the page stays: it is the fallback.
pub(crate) fn to_app(app: &App, headers: &HeaderMap, terms: &Terms) -> Option<String> {
    let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let phone = ["Mobile", "Android", "iPhone", "iPad"].iter().any(|mark| browser.contains(mark));
    let leaves_browser = matches!(terms.terminal, Terminal::Wap | Terminal::Web);
    if !phone || !leaves_browser || !app.options.screens.apps.any() {
        return None;
    }
    link_target(&app.dialect(&terms.dialect)?.app_url(&terms.auth_id, terms.terminal)?)
}

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/assetlinks.json", get(asset_links))
        .route("/.well-known/apple-app-site-association", get(site_association))
}

async fn asset_links(State(app): State<Arc<App>>) -> Response<Body> {
    told(app.options.screens.apps.asset_links())
}

async fn site_association(State(app): State<Arc<App>>) -> Response<Body> {
    told(app.options.screens.apps.site_association())
}

/// Both are JSON whatever their names end with, and neither may redirect.
fn told(file: Option<Value>) -> Response<Body> {
    let Some(file) = file else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::new(Body::from(file.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps() -> Apps {
        Apps {
            android: vec![AndroidApp {
                package: "iq.example.wallet".into(),
                fingerprints: vec!["14:6D".into()],
            }],
            ios: vec!["ABCDE12345.iq.example.wallet".into()],
            paths: ["/authorize?via=app", "/q/*"].map(|path| AppPath::parse(path).unwrap()).into(),
        }
    }

    #[test]
    fn the_files_are_those_that_the_systems_ask_for() {
        assert_eq!(
            apps().asset_links().unwrap(),
            json!([{
                "relation": ["delegate_permission/common.handle_all_urls"],
                "target": {
                    "namespace": "android_app",
                    "package_name": "iq.example.wallet",
                    "sha256_cert_fingerprints": ["14:6D"],
                },
            }])
        );
        assert_eq!(
            apps().site_association().unwrap(),
            json!({ "applinks": { "details": [{
                "appIDs": ["ABCDE12345.iq.example.wallet"],
                "components": [{ "/": "/authorize", "?": { "via": "app" } }, { "/": "/q/*" }],
            }] } })
        );
    }

    #[test]
    fn without_an_app_there_is_no_file() {
        assert_eq!(Apps::default().asset_links(), None);
        assert_eq!(Apps::default().site_association(), None);
        assert!(!Apps::default().any() && apps().any());
    }

    #[test]
    fn a_path_begins_with_one_slash() {
        for text in ["", "q", "//evil.example", "/a b", "/a#b", "/a?=x", "/a?x", "https://x/"] {
            assert_eq!(AppPath::parse(text), None, "{text}");
        }
    }
}
