//! Preferences, and the devices that a user is signed in on.

use super::sign_in::Bare;
use super::{Asked, Visit, either};
use crate::app::App;
use crate::pages::i18n::catalogue;
use crate::pages::wallet::Hint;
use crate::pages::wallet::settings::{
    DeviceLine, DevicesView, PreferencesView, render_devices, render_preferences,
};
use accord_core::device;
use accord_core::ids::DeviceId;
use accord_core::message::Kind;
use accord_core::message::routes::{Carrier, MessagePolicy, Service};
use accord_core::preference::{self, Choice, Chosen};
use axum::Form;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response};
use std::collections::BTreeMap;
use std::sync::Arc;

const PREFERENCES: &str = "/wallet/preferences";
const DEVICES: &str = "/wallet/devices";

/// Which carriers this wallet has, and the deployment's choice for them. Every dialect has the same.
fn policy(app: &App) -> MessagePolicy {
    let dialects = app.options.gateway.dialects();
    dialects.first().map(|dialect| dialect.policy().messages.clone()).unwrap_or_default()
}

/// `GET /wallet/preferences`
pub(super) async fn preferences(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    either(
        async {
            let visit = Visit::enter(&app, &headers, &asked, PREFERENCES.to_owned()).await?;
            draw(&visit, None).await
        }
        .await,
    )
}

async fn draw(visit: &Visit, typed_email: Option<String>) -> Result<Response<Body>, Response<Body>> {
    let customer = visit.account.user.id.clone();
    let chosen = visit.look(move |rows| preference::of(rows, &customer)).await?;
    let policy = policy(&visit.app);
    let there = |carrier: &Carrier| policy.route(*carrier).service != Service::Off;
    let carriers: Vec<Carrier> = Carrier::ALL.iter().copied().filter(there).collect();
    let mut carried = Vec::new();
    for kind in preference::kinds() {
        for carrier in &carriers {
            let usual = policy.route(*carrier).kinds.contains(&kind);
            if chosen.wants(kind, *carrier).unwrap_or(usual) {
                carried.push((kind, *carrier));
            }
        }
    }
    let view = PreferencesView {
        frame: visit.frame(),
        csrf: visit.token("preferences"),
        language: visit.account.user.language.as_str().to_owned(),
        email: typed_email.or(chosen.email).unwrap_or_default(),
        carriers,
        carried,
    };
    Ok(visit.page(render_preferences(&view)))
}

/// `POST /wallet/preferences`
pub(super) async fn choose(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(posted): Form<BTreeMap<String, String>>,
) -> Response<Body> {
    either(
        async {
            let visit = Visit::enter(&app, &headers, &Asked::default(), PREFERENCES.to_owned()).await?;
            let text = |name: &str| posted.get(name).map(String::as_str).unwrap_or_default();
            if !visit.owns("preferences", text("csrf")) {
                return draw(&visit.saying(Hint::FormTooOld), None).await;
            }
            let language = catalogue::find(text("language")).unwrap_or(visit.account.user.language);
            let email = text("email").trim();
            let email: Option<String> = (!email.is_empty()).then(|| email.chars().take(300).collect());
            let pairs = preference::kinds().flat_map(|kind| Carrier::ALL.iter().map(move |one| (kind, *one)));
            let ticked =
                |(kind, carrier): &(Kind, Carrier)| posted.contains_key(&format!("{kind}.{carrier}"));
            let carried = posted.contains_key("carried").then(|| pairs.filter(ticked).collect());
            let choice = Choice { language, email: email.clone(), carried };
            let (customer, at) = (visit.account.user.id.clone(), app.clock.moment());
            let chosen = app.transact(move |tx| preference::choose(tx, &customer, &choice, &at)).await;
            match visit.ruled(chosen)? {
                Chosen::NoAddress => draw(&visit.saying(Hint::NoAddress), email).await,
                Chosen::Done => {
                    let browser = visit.browser.speaking(&app, language);
                    Ok(crate::http::redirect("/wallet/preferences?done=1", &browser))
                }
            }
        }
        .await,
    )
}

/// `GET /wallet/devices`
pub(super) async fn devices(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    either(
        async {
            let visit = Visit::enter(&app, &headers, &asked, DEVICES.to_owned()).await?;
            let customer = visit.account.user.id.clone();
            let found = visit.look(move |rows| rows.devices_of(&customer, device::MOST)).await?;
            let (now, here) = (app.clock.now(), &visit.account.device.id);
            let lives = &app.options.screens.sign_in;
            let living =
                found.into_iter().filter(|device| device.lives(lives, now) && device.opens_wallet(lives));
            let devices = living.map(|device| DeviceLine {
                here: device.id == *here,
                csrf: visit.token(&format!("device/{}", device.id)),
                id: device.id.to_string(),
                user_agent: device.user_agent,
                address: device.address,
                created_at: device.created_at,
                last_seen_at: device.last_seen_at,
            });
            let devices = devices.collect();
            let view = DevicesView { frame: visit.frame(), csrf: visit.token("devices"), devices };
            Ok(visit.page(render_devices(&view)))
        }
        .await,
    )
}

/// `POST /wallet/devices/{id}/end`
pub(super) async fn end_device(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(posted): Form<Bare>,
) -> Response<Body> {
    either(
        async {
            let visit = Visit::enter(&app, &headers, &Asked::default(), DEVICES.to_owned()).await?;
            let id = DeviceId::read(&id).ok_or_else(|| visit.nothing())?;
            if !visit.owns(&format!("device/{id}"), &posted.csrf) {
                return Ok(visit.go(DEVICES));
            }
            let (customer, at) = (visit.account.user.id.clone(), app.clock.moment());
            let ended = app.transact(move |tx| device::sign_out(tx, &customer, &id, &at)).await;
            visit.ruled(ended)?;
            Ok(visit.go("/wallet/devices?done=1"))
        }
        .await,
    )
}

/// `POST /wallet/devices/end-all`: this one too.
pub(super) async fn end_all(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(posted): Form<Bare>,
) -> Response<Body> {
    either(
        async {
            let visit = Visit::enter(&app, &headers, &Asked::default(), DEVICES.to_owned()).await?;
            if !visit.owns("devices", &posted.csrf) {
                return Ok(visit.go(DEVICES));
            }
            let (customer, at) = (visit.account.user.id.clone(), app.clock.moment());
            let ended =
                app.transact(move |tx| device::sign_out_all(tx, &customer, None, customer.as_str(), &at));
            visit.ruled(ended.await)?;
            let browser = visit.browser.signed_out(&app);
            let hint = Some(Hint::SignedOut);
            Ok(super::sign_in::ask(&app, &browser, visit.language, "/wallet", hint, None))
        }
        .await,
    )
}
