//! The page at `/`: what this is, and where to go on.

use super::i18n::Texts;
use accord_core::user::Language;
use askama::Template;

/// What the page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeView {
    /// The language to speak.
    pub language: Language,
    /// The demo merchant's page; nothing outside of the sandbox.
    pub demo_url: Option<String>,
    /// Are the figures of the server on this listener?
    pub metrics: bool,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    view: &'a HomeView,
}

/// The page, as HTML.
pub fn render(view: &HomeView) -> String {
    let t = Texts(view.language);
    let switch = Some("/?lang=".to_owned());
    super::write(&Page { t, title: t.text("home-title"), switch, view })
}

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFound {
    t: Texts,
    title: String,
    text: String,
    switch: Option<String>,
}

/// The page for a path that is none of ours. It repeats nothing of the request.
pub fn render_not_found(language: Language) -> String {
    let t = Texts(language);
    let text = t.text("not-found-text");
    super::write(&NotFound { t, title: t.text("not-found-title"), text, switch: None })
}

/// The page for a request that no browser makes from our forms. It repeats nothing of it.
pub fn render_unreadable(language: Language) -> String {
    let t = Texts(language);
    let text = t.text("unreadable-text");
    super::write(&NotFound { t, title: t.text("unreadable-title"), text, switch: None })
}
