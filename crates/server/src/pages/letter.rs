//! A message as an e-mail: subject, plain text, and the same as simple HTML in the direction of its language.

use super::i18n::{Key, Texts};
use super::markup::{ISOLATE, Markup, POP_ISOLATE, clean_line};
use super::messages::{Words, render};
use accord_core::message::Message;
use std::fmt::Write as _;

/// What a letter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Plain text; a paragraph a line.
    pub text: String,
    /// The same for readers of HTML. Nothing in it is loaded from anywhere.
    pub html: String,
}

/// `message` as a letter in its language.
pub fn letter(message: &Message) -> Letter {
    let t = Texts(message.language);
    let Words { title, text } = render(message);
    let note = t.with(Key("mail-note"), &[]);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{}\" dir=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n<h1>{}</h1>\n",
        t.tag(),
        t.dir(),
        Markup::of(&without_marks(&clean_line(&title))),
        Markup::of(&title),
    );
    for paragraph in text.lines().filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(html, "<p>{}</p>", Markup::of(paragraph));
    }
    let _ = write!(html, "<hr>\n<p><small>{}</small></p>\n</body>\n</html>\n", Markup::of(&note));
    Letter { subject: one_way(&subject_of(&title)), text: one_way(&format!("{text}\n\n-- \n{note}\n")), html }
}

/// On one line, without control characters: a header.
fn subject_of(title: &str) -> String {
    title
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Text in which everything runs left to right needs no isolation marks: old readers show them as boxes.
pub(super) fn one_way(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{200f}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if text.chars().any(turns) { text.to_owned() } else { without_marks(text) }
}

fn without_marks(text: &str) -> String {
    text.replace([ISOLATE, POP_ISOLATE], "")
}
