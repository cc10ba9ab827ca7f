//! The merchant's logo on our own origin: `/logo/<authId>`.
//!
//! Where it comes from is in the terms of the authorization, never in the request. It is fetched by us ([`fetch`]), so
//! no browser of a user ever meets the merchant's server; judged by what it is, not by what it is called
//! ([`image`]); and kept in memory for a while ([`shelf`]). Whatever goes wrong, the page shows the default logo.

pub mod fetch;
pub mod image;
pub mod shelf;

use crate::app::App;
use crate::pages::assets;
use accord_core::ids::AuthId;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use std::sync::Arc;

/// The default logo, one of our own assets.
const DEFAULT: &str = "default-logo.svg";

/// `GET /logo/<authId>`. An id that names no authorization gets 404 and nothing is contacted.
pub async fn show(State(app): State<Arc<App>>, Path(auth_id): Path<String>) -> Response<Body> {
    let Some(auth_id) = AuthId::read(&auth_id) else { return StatusCode::NOT_FOUND.into_response() };
    let terms = match app.look(move |rows| rows.terms(&auth_id)).await {
        Ok(Some(terms)) => terms,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(fault) => {
            tracing::error!(%fault, "a logo met a fault of the store");
            return default();
        }
    };
    let url = app.dialect(&terms.dialect).and_then(|dialect| dialect.logo_url(&terms));
    let Some(url) = url else { return default() };
    match app.logos.get(&url, app.clock.now()).await {
        Some(picture) => reply(picture.kind.media_type(), picture.bytes.clone(), "private, max-age=3600"),
        None => default(),
    }
}

fn default() -> Response<Body> {
    match assets::find(DEFAULT) {
        // Shortly only: the merchant's server may answer next time.
        Some(asset) => {
            let body = asset.body.clone();
            reply(asset.content_type, body, "private, max-age=60")
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// An image and nothing else, whoever opens it and however.
fn reply(media_type: &'static str, body: Bytes, cache: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let lines: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in lines {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
