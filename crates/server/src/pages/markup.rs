//! Text of strangers, made safe to show: without direction controls, and in a `<bdi>` of its own.
//!
//! Two dangers are met here. Markup: everything is escaped, always. Direction: letters such as U+202E turn
//! what follows around, so that "refund" reads as "debit"; they are taken out of what strangers write, and what
//! is left stands in an element that keeps its direction to itself.

use askama::filters::HtmlSafe;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Begins an isolate whose direction is that of its first strong letter. The message files' formatter puts it
/// before every argument.
pub(super) const ISOLATE: char = '\u{2068}';
/// Ends an isolate.
pub(super) const POP_ISOLATE: char = '\u{2069}';

/// HTML that is safe to write as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Markup(String);

impl Markup {
    /// Escapes `text`; isolates within it become `<bdi>` elements.
    pub fn of(text: &str) -> Markup {
        let mut html = String::with_capacity(text.len() + 16);
        let mut open = 0_u32;
        for letter in text.chars() {
            match letter {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                ISOLATE => {
                    open += 1;
                    html.push_str("<bdi>");
                }
                POP_ISOLATE if open > 0 => {
                    open -= 1;
                    html.push_str("</bdi>");
                }
                POP_ISOLATE => {}
                other => html.push(other),
            }
        }
        (0..open).for_each(|_| html.push_str("</bdi>"));
        Markup(html)
    }

    /// Text of a stranger, alone: cleaned, escaped, isolated.
    pub fn foreign(text: &str) -> Markup {
        Markup::of(&format!("{ISOLATE}{}{POP_ISOLATE}", clean(text)))
    }

    /// HTML that our own code has drawn, every text in it made by [`Markup::of`].
    pub(crate) fn drawn(html: String) -> Markup {
        Markup(html)
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Markup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

/// Marks upon one letter that are shown; no language writes more, only mischief does.
const MOST_MARKS: usize = 4;

/// Is this a mark that stands above or below the letter before it, in whichever script?
fn is_mark(letter: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark};
    matches!(letter.general_category(), NonspacingMark | EnclosingMark)
}

/// Is this something unseen between letters, such as a joiner? It is no letter to begin a new heap of marks upon.
fn is_unseen(letter: char) -> bool {
    letter.general_category() == GeneralCategory::Format
}

/// Text of a stranger as it is shown: direction embeddings, overrides and isolates are gone, and so are control
/// characters other than line feed and tab, and marks upon a letter after its fourth. Line ends become line feeds;
/// everything else stays.
pub fn clean(text: &str) -> String {
    let mut marks = 0;
    let shown = |letter: char| {
        marks = if is_mark(letter) {
            marks + 1
        } else if is_unseen(letter) {
            marks
        } else {
            0
        };
        match letter {
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => None,
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\n' | '\t' => Some(letter),
            letter if letter.is_control() || marks > MOST_MARKS => None,
            letter => Some(letter),
        }
    };
    text.replace("\r\n", "\n").chars().filter_map(shown).collect()
}

/// Text that is read from left to right even where no letter of it says so, such as a phone number: it begins with a
/// mark (U+200E) by which its element knows.
pub fn left_to_right(text: &str) -> String {
    format!("\u{200E}{text}")
}

/// [`clean`], on one line: for names.
pub fn clean_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ").trim().to_owned()
}

/// `url` if a link may lead there: http, https or an app's scheme, and none that a browser runs or reads itself
/// (decision 22). prepare has judged the URL before; a page asks again before it offers a link.
pub fn link_target(url: &str) -> Option<String> {
    const NEVER: &[&str] = &[
        "javascript",
        "data",
        "file",
        "vbscript",
        "blob",
        "about",
        "intent",
        "content",
        "filesystem",
        "view-source",
    ];
    let (scheme, rest) = url.split_once(':')?;
    let plain = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let visible =
        !rest.is_empty() && !url.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    let allowed = !NEVER.iter().any(|never| scheme.eq_ignore_ascii_case(never));
    (plain && visible && allowed).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_stranger_is_escaped_and_keeps_its_direction_to_itself() {
        assert_eq!(
            Markup::foreign("<b onclick='x'>\"A&B\"\u{202E}kcab\u{2069}").as_str(),
            "<bdi>&lt;b onclick=&#39;x&#39;&gt;&quot;A&amp;B&quot;kcab</bdi>"
        );
    }

    #[test]
    fn elements_are_closed_whatever_the_text_says() {
        assert_eq!(Markup::of("a\u{2069}b\u{2068}c").as_str(), "ab<bdi>c</bdi>");
    }

    #[test]
    fn whitespace_of_a_contract_stays_and_a_name_has_one_line() {
        assert_eq!(clean("1.\tone\r\n\r\n  2. two\u{0}\u{1b}"), "1.\tone\n\n  2. two");
        assert_eq!(clean_line(" Shop\nof\u{202D} Baghdad "), "Shop of Baghdad");
        assert_eq!(clean("م\u{200C}ن\u{200F}"), "م\u{200C}ن\u{200F}");
    }

    #[test]
    fn letters_keep_the_marks_of_languages_and_lose_those_of_mischief() {
        let heaped = format!("S{}hop", "\u{301}\u{489}\u{35C}".repeat(40));
        assert_eq!(clean(&heaped).chars().count(), 4 + MOST_MARKS);
        let heaps =
            ["\u{301}\u{200D}", "\u{5B0}\u{591}", "\u{610}", "\u{6D6}", "\u{93C}", "\u{E47}", "\u{F71}"];
        for heap in heaps {
            let marks =
                clean(&format!("S{}", heap.repeat(40))).chars().filter(|letter| is_mark(*letter)).count();
            assert_eq!(marks, MOST_MARKS, "{heap:?}");
        }
        for written in [
            "مُحَمَّدٌ",
            "Việt",
            "e\u{301}a\u{308}\u{304}",
            "בְּרֵאשִׁית",
            "हिन्दी",
            "ผู้ที่",
            "👩‍❤️‍👩",
            "1\u{FE0F}\u{20E3}",
            "ٱلرَّحْمَٰنِ",
        ] {
            assert_eq!(clean(written), written);
        }
    }

    #[test]
    fn links_lead_to_the_web_or_to_an_app_and_nowhere_else() {
        for url in ["https://m.example/b?x=1", "http://localhost:1/", "myapp://back", "com.shop.app:/x"] {
            assert_eq!(link_target(url).as_deref(), Some(url));
        }
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "intent://x",
            "//m.example/",
            "/path",
            "",
            "https:",
            "java\nscript:alert(1)",
            " https://m.example",
            "1x:y",
            "blob:https://x",
            "https://m.example/ x",
        ] {
            assert_eq!(link_target(url), None, "{url}");
        }
    }
}
