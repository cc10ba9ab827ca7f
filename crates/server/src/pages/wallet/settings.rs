//! Language, messages and devices: what a user chooses of the wallet itself.

use super::{Drawn, Frame, switch};
use crate::pages::i18n::{Key, Texts, spoken};
use crate::pages::markup::{Markup, clean_line};
use accord_core::Timestamp;
use accord_core::message::Kind;
use accord_core::message::routes::Carrier;
use askama::Template;

/// What the page of preferences shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreferencesView {
    /// What stands around.
    pub frame: Frame,
    /// The token of the form.
    pub csrf: String,
    /// The chosen language's tag.
    pub language: String,
    /// The e-mail address that was typed or chosen.
    pub email: String,
    /// Carriers that this wallet has.
    pub carriers: Vec<Carrier>,
    /// Which kind takes which of them.
    pub carried: Vec<(Kind, Carrier)>,
}

struct Choice {
    id: &'static str,
    label: String,
    /// Name, id of the carrier's heading, whether it is ticked.
    boxes: Vec<(String, &'static str, bool)>,
}

#[derive(Template)]
#[template(path = "wallet_preferences.html")]
struct PreferencesPage<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    frame: Drawn,
    languages: Vec<(String, String, &'static str, bool)>,
    carriers: Vec<(&'static str, String)>,
    choices: Vec<Choice>,
    address_wrong: bool,
    view: &'a PreferencesView,
}

fn kind_key(kind: Kind) -> Key {
    match kind {
        Kind::Debit => Key("kind-debit"),
        Kind::Refund => Key("kind-refund"),
        Kind::Upcoming => Key("kind-upcoming"),
        Kind::Ended => Key("kind-ended"),
        Kind::OneTimeCode => Key("kind-one-time-code"),
        Kind::FromMerchant => Key("kind-from-merchant"),
    }
}

fn carrier_key(carrier: Carrier) -> Key {
    match carrier {
        Carrier::Email => Key("carrier-email"),
        Carrier::Sms => Key("carrier-sms"),
    }
}

/// The page of preferences, as HTML.
pub fn render_preferences(view: &PreferencesView) -> String {
    let t = Texts(view.frame.language);
    let choice = |kind: Kind| {
        let boxes = view.carriers.iter().map(|carrier| {
            let name = format!("{}.{}", kind.as_str(), carrier.as_str());
            (name, carrier.as_str(), view.carried.contains(&(kind, *carrier)))
        });
        Choice { id: kind.as_str(), label: t.with(kind_key(kind), &[]), boxes: boxes.collect() }
    };
    let languages = spoken().into_iter().map(|language| {
        let texts = Texts(language);
        let tag = language.as_str().to_owned();
        let chosen = tag == view.language;
        (tag, texts.text("language-name"), texts.dir(), chosen)
    });
    crate::pages::write(&PreferencesPage {
        t,
        title: t.text("preferences-title"),
        switch: switch(&view.frame),
        frame: Drawn::of(&t, &view.frame),
        languages: languages.collect(),
        carriers: view
            .carriers
            .iter()
            .map(|carrier| (carrier.as_str(), t.with(carrier_key(*carrier), &[])))
            .collect(),
        choices: accord_core::preference::kinds().map(choice).collect(),
        address_wrong: view.frame.hint == Some(super::Hint::NoAddress),
        view,
    })
}

/// One signed-in device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLine {
    /// Its id.
    pub id: String,
    /// Is it this one?
    pub here: bool,
    /// What the browser calls itself.
    pub user_agent: String,
    /// The sender's address.
    pub address: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// The token of the form that ends it.
    pub csrf: String,
}

/// What the page of devices shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicesView {
    /// What stands around.
    pub frame: Frame,
    /// The token of the form that ends all.
    pub csrf: String,
    /// Newest first.
    pub devices: Vec<DeviceLine>,
}

struct DrawnDevice {
    name: Markup,
    raw: Markup,
    here: bool,
    lines: Vec<Markup>,
    id: String,
    csrf: String,
}

#[derive(Template)]
#[template(path = "wallet_devices.html")]
struct DevicesPage<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    frame: Drawn,
    devices: Vec<DrawnDevice>,
    view: &'a DevicesView,
}

/// The browser and its system, as far as people know them by name.
fn browser_name(t: &Texts, user_agent: &str) -> Markup {
    let first =
        |of: &[(&str, &'static str)]| of.iter().find(|(mark, _)| user_agent.contains(mark)).map(|it| it.1);
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => {
            t.html(Key("device-name"), &[("browser", browser), ("system", system)])
        }
        (Some(one), None) | (None, Some(one)) => Markup::foreign(one),
        (None, None) => t.html(Key("device-unknown"), &[]),
    }
}

/// The page of devices, as HTML.
pub fn render_devices(view: &DevicesView) -> String {
    let t = Texts(view.frame.language);
    let drawn = |device: &DeviceLine| DrawnDevice {
        name: browser_name(&t, &device.user_agent),
        raw: Markup::foreign(&clean_line(&device.user_agent)),
        here: device.here,
        lines: vec![
            t.html(Key("device-signed-in"), &[("time", &t.time(device.created_at))]),
            t.html(
                Key("device-seen"),
                &[("time", &t.time(device.last_seen_at)), ("address", &device.address)],
            ),
        ],
        id: device.id.clone(),
        csrf: device.csrf.clone(),
    };
    crate::pages::write(&DevicesPage {
        t,
        title: t.text("devices-title"),
        switch: switch(&view.frame),
        frame: Drawn::of(&t, &view.frame),
        devices: view.devices.iter().map(drawn).collect(),
        view,
    })
}
