//! Hand-over from a PC to a phone (decision 20), as people see it: the [`Panel`] beside the sign-in on the PC, and the
//! page that the phone opens by the QR code ([`render_scan`]).

use super::device;
use super::i18n::{Key, Texts};
use super::markup::{Markup, clean_line};
use accord_core::Timestamp;
use accord_core::user::Language;
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What the PC's page shows beside the sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// What the phone must type: two digits.
    pub number: String,
    /// Where the image of the QR code is.
    pub image: String,
    /// Where the page's script asks how far the phone is.
    pub state: String,
    /// The page itself: it leads on when the phone has decided.
    pub page: String,
}

impl Panel {
    /// The panel of that session's page.
    pub fn new(auth_id: &str, number: u32) -> Panel {
        let id = utf8_percent_encode(auth_id, NON_ALPHANUMERIC);
        Panel {
            number: number.to_string(),
            image: format!("/qr/{id}"),
            state: format!("/authorize/state?authId={id}"),
            page: format!("/authorize?authId={id}"),
        }
    }
}

/// The phone's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanView {
    /// The language to speak.
    pub language: Language,
    /// The handle that was scanned.
    pub handle: String,
    /// The form's token against requests forged by other sites.
    pub csrf: String,
    /// The merchant's trade name.
    pub merchant: String,
    /// What can be done.
    pub stage: ScanStage,
}

/// What a phone can do with what it scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanStage {
    /// Type the number that the PC shows.
    Number {
        /// When the PC's page was opened.
        opened_at: Timestamp,
        /// From which address.
        address: String,
        /// What the PC's browser says it is.
        user_agent: String,
        /// Why it is asked again.
        hint: Option<ScanHint>,
    },
    /// No page is open on a PC: the merchant showed the code. Go on here.
    Direct {
        /// When the merchant asked.
        asked_at: Timestamp,
        /// Was the form not this browser's?
        too_old: bool,
    },
    /// Too many wrong numbers.
    Dead,
}

/// Why the number is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanHint {
    /// It was another.
    Wrong {
        /// So many tries are left.
        left: u32,
    },
    /// It was no number.
    Unreadable,
    /// The form was not this browser's.
    TooOld,
}

#[derive(Template)]
#[template(path = "scan.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    heading: Markup,
    lines: Vec<Markup>,
    hint: Option<Markup>,
    asks_number: bool,
    goes_on: bool,
    view: &'a ScanView,
}

/// The phone's page, as HTML.
pub fn render_scan(view: &ScanView) -> String {
    let t = Texts(view.language);
    let merchant = clean_line(&view.merchant);
    let said = |key| t.html(key, &[("merchant", &merchant)]);
    let (heading, lines, hint) = match &view.stage {
        ScanStage::Number { opened_at, address, user_agent, hint } => {
            let opened = t.html(Key("scan-opened"), &[("time", &t.time(*opened_at))]);
            let from = from(&t, user_agent, address);
            let lines = vec![opened, from, said(Key("scan-not-you"))];
            (Key("scan-title"), lines, hint.map(|hint| hint.text(&t)))
        }
        ScanStage::Direct { asked_at, too_old } => {
            let time = t.time(*asked_at);
            let asked = t.html(Key("scan-asked"), &[("merchant", &merchant), ("time", &time)]);
            let hint = too_old.then(|| ScanHint::TooOld.text(&t));
            (Key("scan-title"), vec![asked, said(Key("scan-direct"))], hint)
        }
        ScanStage::Dead => (Key("scan-dead-title"), vec![said(Key("scan-dead-text"))], None),
    };
    let title = t.with(heading, &[("merchant", &merchant)]);
    super::write(&Page {
        t,
        heading: Markup::of(&title),
        title,
        switch: Some(format!("/q/{}?lang=", encoded(&view.handle))),
        lines,
        hint,
        asks_number: matches!(view.stage, ScanStage::Number { .. }),
        goes_on: !matches!(view.stage, ScanStage::Dead),
        view,
    })
}

impl ScanHint {
    fn text(self, t: &Texts) -> Markup {
        match self {
            ScanHint::Wrong { left } => t.html(Key("scan-wrong"), &[("left", &t.number(left))]),
            ScanHint::Unreadable => t.html(Key("scan-unreadable"), &[]),
            ScanHint::TooOld => t.html(Key("hint-form-too-old"), &[]),
        }
    }
}

/// From where the PC's page was opened.
fn from(t: &Texts, user_agent: &str, address: &str) -> Markup {
    match device::named(user_agent) {
        (Some(browser), Some(system)) => {
            let args = [("browser", browser), ("system", system), ("address", address)];
            t.html(Key("scan-from"), &args)
        }
        (Some(device), None) | (None, Some(device)) => {
            t.html(Key("scan-from-device"), &[("device", device), ("address", address)])
        }
        (None, None) => t.html(Key("scan-from-address"), &[("address", address)]),
    }
}

fn encoded(handle: &str) -> String {
    utf8_percent_encode(handle, NON_ALPHANUMERIC).to_string()
}
