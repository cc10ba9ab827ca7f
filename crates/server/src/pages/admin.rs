//! Pages of the operator console. A page is a frame with blocks: facts, tables, searches, acts, charts. Which blocks, is
//! said by the handlers in [`crate::admin`]; here they become HTML, and every text of a stranger is cleaned and isolated.

use super::i18n::Texts;
use super::markup::Markup;
use crate::admin::chart::Chart;
use accord_core::Timestamp;
use accord_core::user::Language;
use accord_wire::time::format_millis;
use askama::Template;

/// A page of the console.
#[derive(Debug, Clone)]
pub struct AdminView {
    /// The language to speak.
    pub language: Language,
    /// The page's heading.
    pub title: String,
    /// The part of the console it belongs to: the beginning of its path after `/admin`.
    pub section: &'static str,
    /// Who is signed in, in which role.
    pub operator: (String, String),
    /// Token of the form that signs out.
    pub sign_out: String,
    /// What came of the act before.
    pub notice: Option<Notice>,
    /// Everything else.
    pub blocks: Vec<Block>,
    /// Address of this page in another language, up to and including `lang=`.
    pub switch: String,
    /// Address of this page for a refresh by itself; nothing: it stays as it is.
    pub live: Option<String>,
}

/// What came of an act.
#[derive(Debug, Clone)]
pub struct Notice {
    /// `good`, `warn` or nothing for bad.
    pub tone: &'static str,
    /// In words.
    pub text: String,
}

/// A part of a page.
#[derive(Debug, Clone)]
pub enum Block {
    /// Names and values.
    Facts(String, Vec<(String, Cell)>),
    /// Rows under columns.
    Table(Table),
    /// A form that asks.
    Search(Search),
    /// A form that acts.
    Act(Box<Act>),
    /// A text as it is.
    Source(String, String),
    /// Links: address, words, is it here?
    Tabs(String, Vec<(String, String, bool)>),
    /// Words.
    Words(String),
    /// Charts with their numbers.
    Charts(Vec<Chart>),
}

/// Rows under columns.
#[derive(Debug, Clone)]
pub struct Table {
    /// Heading.
    pub heading: String,
    /// Heads of columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
    /// What is said where there are none.
    pub empty: String,
    /// Address of older rows.
    pub older: Option<String>,
}

impl Table {
    /// Does that column hold numbers? Its head then stands over them, at the end.
    fn counts(&self, column: &usize) -> bool {
        self.rows.first().and_then(|row| row.get(*column)).is_some_and(|cell| cell.number)
    }
}

/// A form that asks.
#[derive(Debug, Clone)]
pub struct Search {
    /// Its path.
    pub action: &'static str,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A form that acts.
#[derive(Debug, Clone)]
pub struct Act {
    /// Heading.
    pub heading: String,
    /// What it does.
    pub words: String,
    /// Its path.
    pub action: String,
    /// Its token.
    pub csrf: String,
    /// What it says beside what is typed.
    pub hidden: Vec<(&'static str, String)>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The box to be ticked.
    pub confirm: String,
    /// The button.
    pub button: String,
    /// Does it stop something?
    pub danger: bool,
}

/// A field of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: String,
    /// What stands in it.
    pub value: String,
    /// Values to choose from, with their words; none: it is typed.
    pub choices: Vec<(String, String)>,
    /// Several lines?
    pub long: bool,
}

impl Field {
    /// A field to type into.
    pub fn typed(name: &'static str, label: String, value: &str) -> Field {
        Field { name, label, value: super::markup::clean(value), choices: Vec::new(), long: false }
    }
}

/// A value on a page.
#[derive(Debug, Clone)]
pub struct Cell {
    text: Markup,
    href: Option<String>,
    badge: Option<&'static str>,
    code: bool,
    number: bool,
    long: bool,
}

/// From so many letters on, what has no space in it is broken over lines.
const LONG: usize = 24;

impl Cell {
    /// Words, whosesoever.
    pub fn text(text: &str) -> Cell {
        let text = if text.is_empty() { "–" } else { text };
        let long = text.split_whitespace().any(|word| word.chars().count() >= LONG);
        Cell { text: Markup::foreign(text), href: None, badge: None, code: false, number: false, long }
    }

    /// An id, or something else that machines read.
    pub fn code(text: &str) -> Cell {
        Cell { code: true, long: false, ..Cell::text(text) }
    }

    /// An amount or a count.
    pub fn number(text: &str) -> Cell {
        Cell { number: true, ..Cell::text(text) }
    }

    /// A state: `good`, `bad`, `warn`, `info` or nothing.
    pub fn badge(text: &str, tone: &'static str) -> Cell {
        Cell { badge: Some(tone), ..Cell::text(text) }
    }

    /// A time to the second, as ISO 8601: what logs and the journal's export say.
    pub fn time(at: Timestamp) -> Cell {
        Cell::code(&format_millis(at.0, 0))
    }

    /// A time that there may be.
    pub fn maybe_time(at: Option<Timestamp>) -> Cell {
        at.map_or_else(|| Cell::text(""), Cell::time)
    }

    /// The same, leading somewhere.
    pub fn to(self, href: impl Into<String>) -> Cell {
        Cell { href: Some(href.into()), ..self }
    }
}

/// What a part of the console is called.
type Name = fn(&Texts) -> String;

/// The parts of the console: path and name.
const SECTIONS: [(&str, Name); 8] = [
    ("", |t| t.text("admin-overview")),
    ("/agreements", |t| t.text("admin-agreements")),
    ("/payments", |t| t.text("admin-payments")),
    ("/unresolved", |t| t.text("admin-unresolved")),
    ("/notifications", |t| t.text("admin-notifications")),
    ("/users", |t| t.text("admin-users")),
    ("/clients", |t| t.text("admin-clients")),
    ("/journal", |t| t.text("admin-journal")),
];

#[derive(Template)]
#[template(path = "admin.html")]
struct Page<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    nav: Vec<(String, String, bool)>,
    view: &'a AdminView,
}

/// The page, as HTML.
pub fn render(view: &AdminView) -> String {
    let t = Texts(view.language);
    let nav = SECTIONS.map(|(path, name)| (format!("/admin{path}"), name(&t), path == view.section));
    let (title, switch) = (super::markup::clean_line(&view.title), Some(view.switch.clone()));
    super::write(&Page { t, title, switch, nav: nav.to_vec(), view })
}

/// The page that asks for name and password.
#[derive(Debug, Clone)]
pub struct SignInView {
    /// The language to speak.
    pub language: Language,
    /// Token of the form.
    pub csrf: String,
    /// The name that was typed.
    pub name: String,
    /// Why it is shown again.
    pub hint: Option<SignInHint>,
}

/// Why the sign-in page is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInHint {
    /// Unknown, disabled or wrong: they look the same.
    Wrong,
    /// Too many wrong ones, until that time.
    TooMany(Timestamp),
    /// The form was too old, or not ours.
    FormTooOld,
    /// The store cannot be asked.
    Unavailable,
}

#[derive(Template)]
#[template(path = "admin_sign_in.html")]
struct SignIn<'a> {
    t: Texts,
    title: String,
    switch: Option<String>,
    hint: Option<String>,
    view: &'a SignInView,
}

/// The page, as HTML.
pub fn render_sign_in(view: &SignInView) -> String {
    let t = Texts(view.language);
    let hint = view.hint.map(|hint| match hint {
        SignInHint::Wrong => t.text("admin-wrong"),
        SignInHint::TooMany(until) => {
            let until = t.time(until);
            t.with(super::i18n::Key("admin-too-many"), &[("time", until.as_str())])
        }
        SignInHint::FormTooOld => t.text("admin-form-too-old"),
        SignInHint::Unavailable => t.text("admin-unavailable"),
    });
    let switch = Some("/admin/sign-in?lang=".to_owned());
    super::write(&SignIn { t, title: t.text("admin-sign-in-title"), switch, hint, view })
}

/// Pages for the laws of all pages: every kind of block, filled with whatever text.
#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::admin::chart::Series;

    /// By a name for the message of a failing test.
    pub(in crate::pages) fn pages(language: Language, text: &str) -> Vec<(String, String)> {
        let text = || text.to_owned();
        let cells =
            || vec![Cell::text(&text()), Cell::code(&text()).to("/admin"), Cell::badge(&text(), "good")];
        let field = |choices, long| Field { choices, long, ..Field::typed("x", text(), &text()) };
        let table = |rows| {
            let columns = vec![text(), text(), text()];
            Table { heading: text(), columns, rows, empty: text(), older: Some("/admin".into()) }
        };
        let act = Act {
            heading: text(),
            words: text(),
            action: "/admin/x".into(),
            csrf: text(),
            hidden: vec![("y", text())],
            fields: vec![field(vec![(text(), text())], false), field(vec![], true), field(vec![], false)],
            confirm: text(),
            button: text(),
            danger: true,
        };
        let line =
            Series { name: text(), class: "series-1", values: vec![Some(1), None, Some(3)], scale: 10 };
        let chart = Chart {
            id: "calls",
            title: text(),
            description: text(),
            scale: 10,
            times: vec![Timestamp(1), Timestamp(2), Timestamp(3)],
            series: vec![line],
            clock: |at| at.0.to_string(),
        };
        let view = AdminView {
            language,
            title: text(),
            section: "/users",
            operator: (text(), text()),
            sign_out: text(),
            notice: Some(Notice { tone: "good", text: text() }),
            blocks: vec![
                Block::Facts(text(), vec![(text(), Cell::number(&text()))]),
                Block::Table(table(vec![cells(), cells()])),
                Block::Table(table(Vec::new())),
                Block::Search(Search { action: "/admin/users", fields: vec![field(vec![], false)] }),
                Block::Act(Box::new(act)),
                Block::Source(text(), text()),
                Block::Tabs(text(), vec![("/admin".into(), text(), true)]),
                Block::Words(text()),
                Block::Charts(vec![chart]),
            ],
            switch: "/admin?lang=".into(),
            live: Some("/admin?live=1".into()),
        };
        let mut pages = vec![("console".to_owned(), render(&view))];
        for hint in [
            None,
            Some(SignInHint::Wrong),
            Some(SignInHint::TooMany(Timestamp(1_795_300_080_000))),
            Some(SignInHint::FormTooOld),
            Some(SignInHint::Unavailable),
        ] {
            let view = SignInView { language, csrf: text(), name: text(), hint };
            pages.push((format!("console sign-in {hint:?}"), render_sign_in(&view)));
        }
        pages
    }
}
