//! What holds for every page in every language, tried with a merchant who wants to break it.

use super::authorize::{AuthorizeView, Hint, Offer, TypedLimits, render, shown_text};
use super::confirm::{CodeField, CodeHint, ConfirmView, TextView};
use super::demo::{DemoDialect, DemoIndexView};
use super::demo_samples::demo_pages;
use super::handover::{Panel, ScanHint, ScanStage, ScanView, render_scan};
use super::home::HomeView;
use super::i18n::{ARABIC, ENGLISH};
use super::result::{Handover, HandoverView, Outcome, ResultView};
use super::{assets, confirm, demo, home, result};
use accord_core::Timestamp;
use accord_core::agreement::control::Asked;
use accord_core::agreement::limits::Limits;
use accord_core::agreement::schedule::Every;
use accord_core::agreement::{Decision, Scope};
use accord_core::money::Currency;
use accord_core::user::Language;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const HOSTILE: &str = "</title></bdi><script>alert(1)</script><img src=x onerror=alert(2)>\"' style='x' \u{202E}kcab\u{2069}\u{2066}{{ 7 }} &lt; متجر";
pub(super) const AT: Timestamp = Timestamp(1_795_300_080_000);

fn offer(contract: bool) -> Offer {
    Offer {
        display_name: HOSTILE.to_owned(),
        legal_name: format!("Legal {HOSTILE}"),
        contract_title: contract.then(|| format!("Title {HOSTILE}")),
        contract_text: contract.then(|| format!("  1. first\n\n\t2. {HOSTILE}\r\nend")),
        scopes: if contract { vec![Scope::AgreementPay] } else { Scope::ALL.to_vec() },
        asked: if contract { asked() } else { Asked::NOTHING },
        limit_currency: Currency::parse("IQD"),
        network: (!contract).then_some("Alipay+"),
    }
}

fn asked() -> Asked {
    let limits = Limits {
        currency: Currency::parse("IQD"),
        per_debit: Some(25_000_000),
        max_count: Some(12),
        valid_from: Some(AT),
        valid_to: Some(AT),
        ..Limits::NONE
    };
    Asked { limits, every: Some(Every::Quarter), first_due: None }
}

fn authorize(language: Language, contract: bool, hint: Option<Hint>) -> AuthorizeView {
    AuthorizeView {
        language,
        auth_id: HOSTILE.to_owned(),
        csrf: HOSTILE.to_owned(),
        offer: offer(contract),
        expires_at: AT,
        signed_in_as: contract.then(|| "+964*******01".to_owned()),
        typed_login_id: (!contract).then(|| HOSTILE.to_owned()),
        typed_limits: TypedLimits {
            per_debit: (!contract).then(|| HOSTILE.to_owned()),
            per_month: contract.then(|| "50,000".to_owned()),
        },
        hint,
        app_link: Some("accordwallet://authorize?authId=x".into()),
        panel: contract.then(|| Panel::new(HOSTILE, 42)),
    }
}

fn second_step(language: Language, decision: Decision, contract: bool) -> ConfirmView {
    ConfirmView {
        language,
        auth_id: HOSTILE.to_owned(),
        csrf: HOSTILE.to_owned(),
        decision,
        offer: offer(contract),
        limits: TypedLimits { per_debit: None, per_month: Some("50000".to_owned()) },
        masked_login_id: contract.then(|| "+964*******01".to_owned()),
        expires_at: AT,
        code: contract.then_some(CodeField { good_until: Some(AT), hint: None }),
    }
}

/// Every kind of page in `language`, by a name for the message of a failing test.
fn pages(language: Language) -> Vec<(String, String)> {
    let name = || HOSTILE.to_owned();
    let mut pages = Vec::new();
    let hints = [
        Hint::TickTheBox,
        Hint::SignIn,
        Hint::WrongSignIn,
        Hint::TooManyTries { until: AT },
        Hint::SessionBlocked,
        Hint::FormTooOld,
        Hint::CookieMissing,
        Hint::AgreeAgain,
        Hint::LimitUnreadable,
        Hint::Unavailable,
    ];
    for hint in std::iter::once(None).chain(hints.map(Some)) {
        for contract in [true, false] {
            pages.push((
                format!("authorize {contract} {hint:?}"),
                render(&authorize(language, contract, hint)),
            ));
        }
    }
    for decision in [Decision::Approve, Decision::Refuse] {
        for contract in [true, false] {
            let view = second_step(language, decision, contract);
            pages.push((format!("confirm {decision} {contract}"), confirm::render(&view)));
        }
    }
    let code_hints =
        [CodeHint::Sent, CodeHint::NotBefore { time: AT }, CodeHint::Wrong { left: 2 }, CodeHint::Over];
    for hint in code_hints {
        let code = Some(CodeField { good_until: None, hint: Some(hint) });
        let view = ConfirmView { code, ..second_step(language, Decision::Approve, true) };
        pages.push((format!("confirm {hint:?}"), confirm::render(&view)));
    }
    let text = TextView { language, auth_id: name(), merchant: name(), text: format!("a\n{HOSTILE}") };
    pages.push(("text".into(), confirm::render_text(&text)));
    let return_url = Some(format!("https://m.example/?x=\"><script>&authState={}", "y".repeat(256)));
    for outcome in [
        Outcome::Approved { merchant: name(), masked_login_id: name(), return_url: return_url.clone() },
        Outcome::Approved {
            merchant: name(),
            masked_login_id: name(),
            return_url: Some("javascript:alert(1)".into()),
        },
        Outcome::Refused { merchant: name(), return_url: return_url.clone() },
        Outcome::Expired { merchant: name(), return_url },
        Outcome::HandedOver { merchant: name(), approved: true, return_url: None },
        Outcome::HandedOver {
            merchant: name(),
            approved: false,
            return_url: Some("https://m.example/".into()),
        },
        Outcome::AlreadyDecided { merchant: name(), approved: true },
        Outcome::AlreadyDecided { merchant: name(), approved: false },
        Outcome::Unknown,
        Outcome::Unavailable,
    ] {
        let title = format!("result {outcome:?}");
        pages.push((title, result::render(&ResultView { language, auth_id: Some(name()), outcome })));
    }
    for handover in [
        Handover::Approved { auth_code: "Ab0".repeat(10), masked_login_id: name() },
        Handover::Refused,
        Handover::NetworkFailed,
        Handover::NotSigned,
        Handover::OutcomeUnknown,
    ] {
        let title = format!("handover {handover:?}");
        let return_url = Some("http://localhost:8080/demo/qi/return#old".to_owned());
        let view = HandoverView { language, auth_id: name(), merchant: name(), handover, return_url };
        pages.push((title, result::render_handover(&view)));
    }
    let opened = |user_agent: &str, hint| ScanStage::Number {
        opened_at: AT,
        address: HOSTILE.to_owned(),
        user_agent: user_agent.to_owned(),
        hint,
    };
    for stage in [
        opened(HOSTILE, None),
        opened("Firefox/1", Some(ScanHint::Unreadable)),
        opened("Windows Chrome/1", Some(ScanHint::Wrong { left: 2 })),
        opened("", Some(ScanHint::TooOld)),
        ScanStage::Direct { asked_at: AT, too_old: false },
        ScanStage::Direct { asked_at: AT, too_old: true },
        ScanStage::Dead,
    ] {
        let title = format!("scan {stage:?}");
        let view = ScanView { language, handle: name(), csrf: name(), merchant: name(), stage };
        pages.push((title, render_scan(&view)));
    }
    for dialect in [DemoDialect::Qi, DemoDialect::AlipayPlus] {
        pages.extend(demo_pages(language, dialect));
    }
    pages.push(("demo index".into(), demo::render_index(&DemoIndexView { language, wallet_url: name() })));
    pages.push(("home".into(), home::render(&HomeView { language, demo_url: Some(name()), metrics: true })));
    pages.extend(super::wallet::samples::pages(language, HOSTILE));
    pages.extend(super::admin::samples::pages(language, HOSTILE));
    pages.push(("not found".into(), home::render_not_found(language)));
    pages.push(("unreadable".into(), home::render_unreadable(language)));
    pages
}

fn every_page(mut look: impl FnMut(Language, &str, &str)) {
    for language in [Language::English, Language::Arabic] {
        for (name, html) in pages(language) {
            look(language, &format!("{language} {name}"), &html);
        }
    }
}

/// The tags of a page: what stands between `<` and `>`. Values are escaped, so no tag holds a `>` of its own.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|part| part.split('>').next().unwrap()).collect()
}

/// A page's text without tags, entities resolved.
fn words(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
    }
    for (entity, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#34;", "\""),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, letter);
    }
    text
}

#[test]
fn every_page_is_whole_and_speaks_its_language_in_its_direction() {
    every_page(|language, name, html| {
        let dir = if language == Language::Arabic { "rtl" } else { "ltr" };
        let start = format!("<!doctype html>\n<html lang=\"{language}\" dir=\"{dir}\">");
        assert!(html.starts_with(&start), "{name}");
        assert!(html.trim_end().ends_with("</html>"), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<bdi>").count(), html.matches("</bdi>").count(), "{name}");
    });
}

#[test]
fn no_page_runs_or_styles_anything_inline_and_no_merchant_text_becomes_markup() {
    every_page(|_, name, html| {
        for tag in tags(html) {
            let lower = tag.to_ascii_lowercase();
            assert!(!lower.starts_with("style") && !lower.starts_with("iframe"), "{name}: {tag}");
            if lower.starts_with("script") {
                assert!(
                    ["admin", "bridge", "demo", "emulator", "handover"]
                        .map(|name| format!("script src=\"/assets/{name}.js\" defer"))
                        .contains(&lower),
                    "{name}: {tag}"
                );
            }
            if lower.starts_with("img") {
                assert!(
                    lower.starts_with("img src=\"/assets/")
                        || lower.starts_with("img class=\"logo\" src=\"/logo/")
                        || lower.starts_with("img class=\"qr\" src=\"/qr/"),
                    "{name}: {tag}"
                );
            }
            // Attribute names: what stands before `="`, or the last bare word.
            for attribute in lower.split(' ').skip(1).filter(|word| word.contains("=\"")) {
                assert!(!attribute.starts_with("on") && !attribute.starts_with("style="), "{name}: {tag}");
            }
            assert!(!lower.contains("href=\"javascript"), "{name}: {tag}");
        }
        assert!(!html.contains("<script>") && !html.contains("onerror=alert(2)>"), "{name}");
    });
}

#[test]
fn direction_overrides_of_merchants_never_reach_a_page_they_are_shown_on() {
    for language in [Language::English, Language::Arabic] {
        for contract in [true, false] {
            let mut view = authorize(language, contract, None);
            (view.auth_id, view.csrf, view.typed_login_id) = ("id".into(), "csrf".into(), None);
            view.typed_limits = TypedLimits::default();
            let html = render(&view);
            // The title knows no elements: there, isolation marks of ours stand around the name.
            let (head, body) = html.split_once("</title>").unwrap();
            assert!(!head.contains('\u{202E}') && head.matches('\u{2069}').count() == 1);
            for letter in ['\u{202E}', '\u{202D}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'] {
                assert!(!body.contains(letter), "{letter:?}");
            }
        }
    }
}

#[test]
fn merchant_names_and_contract_stand_in_elements_of_their_own() {
    let html = render(&authorize(Language::English, true, None));
    assert!(html.contains(">Let <bdi>&lt;/title&gt;"));
    assert!(html.contains("<div class=\"contract-text\"><bdi>  1. first\n\n\t2. &lt;/title"));
    assert!(html.contains("<dt>Your partner in law</dt><dd><bdi>Legal &lt;/title"));
}

#[test]
fn a_long_contract_is_folded_and_whole_and_a_short_one_is_open() {
    let fold = "<details class=\"fold contract\">";
    let mut view = authorize(Language::English, true, None);
    assert!(!render(&view).contains(fold));
    let text = "A sentence of the contract. ".repeat(60);
    view.offer.contract_text = Some(text.clone());
    let html = render(&view);
    assert!(html.contains(fold) && html.contains(&text));
}

#[test]
fn the_second_step_holds_no_pin_and_one_button_of_the_decision() {
    for decision in [Decision::Approve, Decision::Refuse] {
        let html = confirm::render(&second_step(Language::English, decision, true));
        assert!(!html.contains("name=\"pin\"") && !html.contains("name=\"loginId\""));
        assert_eq!(html.matches("name=\"decision\"").count(), 1);
        assert!(html.contains(&format!("name=\"decision\" value=\"{decision}\"")));
        assert_eq!(html.contains("+964*******01"), decision == Decision::Approve);
        assert_eq!(html.contains("50,000"), decision == Decision::Approve, "the limits are said once more");
    }
}

#[test]
fn what_no_merchant_promised_is_said_not_left_out() {
    let mut view = authorize(Language::English, true, None);
    view.offer.asked = Asked::NOTHING;
    let text = shown_text(&view);
    for line in ["no rhythm is agreed", "No maximum is agreed.", "Until you end it."] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn what_is_counted_is_written_in_the_digits_of_the_language() {
    for (page, said) in [
        ("confirm Wrong", "المتبقية: ٢."),
        ("hint: Some(Wrong", "المتبقية: ٢."),
        ("demo", "٢٥٬٠٠٠ دينار عراقي"),
    ] {
        let found: Vec<String> = pages(Language::Arabic)
            .into_iter()
            .filter(|(name, _)| name.contains(page))
            .map(|(_, html)| words(&html))
            .collect();
        assert!(found.iter().any(|words| words.contains(said)), "{page}: {said} in {found:?}");
    }
}

#[test]
fn a_latin_name_that_ends_in_a_sign_keeps_it_in_arabic() {
    // A plus sign has no direction: at the end of a Latin name in Arabic text it would go to the other side.
    let names: Vec<&str> = ARABIC.split("Alipay+").skip(1).collect();
    assert!(names.len() > 2);
    for after in names {
        assert!(after.starts_with('\u{200E}'), "Alipay+{}", after.lines().next().unwrap_or_default());
    }
}

#[test]
fn what_is_recorded_is_what_was_shown() {
    for language in [Language::English, Language::Arabic] {
        for contract in [true, false] {
            let view = authorize(language, contract, None);
            let (text, page) = (shown_text(&view), words(&render(&view)));
            for line in text.lines() {
                assert!(page.contains(line), "{line}\nin\n{page}");
            }
            // Title, partner, rhythm, how much, how long, the end, the sentence; of the contract, besides: a second
            // limit, a first day, one scope, its title and four lines, one limit of the user's own.
            let expected = if contract { 7 + 2 + 1 + 5 + 1 } else { 7 + Scope::ALL.len() };
            assert_eq!(text.lines().count(), expected, "{text}");
            let other = AuthorizeView {
                csrf: "other".into(),
                hint: Some(Hint::SignIn),
                signed_in_as: None,
                ..view.clone()
            };
            assert_eq!(shown_text(&other), text, "the record tells of the offer alone");
        }
    }
    let english = shown_text(&authorize(Language::English, true, None));
    assert_ne!(english, shown_text(&authorize(Language::Arabic, true, None)));
}

#[test]
fn the_form_posts_to_us_and_its_controls_have_their_names() {
    let html = render(&authorize(Language::Arabic, false, None));
    for part in [
        "<form class=\"card\" method=\"post\" action=\"/authorize\"",
        "<input type=\"checkbox\" name=\"agree\" value=\"yes\">",
        "name=\"loginId\"",
        "name=\"pin\" type=\"password\"",
        "name=\"csrf\"",
        "name=\"authId\"",
        "<button class=\"primary\" type=\"submit\" name=\"decision\" value=\"approve\">",
        "<button type=\"submit\" name=\"decision\" value=\"refuse\" formnovalidate>",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for word in [" checked", " required", "value=\"\" name=\"pin\""] {
        assert!(!html.contains(word), "{word}");
    }
}

#[test]
fn a_page_that_anybody_may_see_tells_nothing_of_users_and_codes() {
    for outcome in [Outcome::AlreadyDecided { merchant: "Shop".into(), approved: true }, Outcome::Unknown] {
        let view = ResultView { language: Language::English, auth_id: None, outcome };
        let html = result::render(&view);
        assert!(!html.contains("+964") && !html.contains("authCode") && !html.contains("authId"));
    }
}

#[test]
fn the_handover_page_gives_the_code_to_the_script_the_refresh_and_the_link_alike() {
    let code = "Ab0Ab0Ab0Ab0Ab0Ab0Ab0Ab0Ab0Ab0Ab";
    let view = HandoverView {
        language: Language::English,
        auth_id: "id".into(),
        merchant: "Shop".into(),
        handover: Handover::Approved { auth_code: code.into(), masked_login_id: "+964***01".into() },
        return_url: Some("http://localhost:8080/demo/qi/return".into()),
    };
    let html = result::render_handover(&view);
    let url = format!("http://localhost:8080/demo/qi/return#authCode={code}");
    assert!(html.contains(&format!("data-auth-code=\"{code}\" data-error=\"\"")));
    for around in [
        ["<noscript><meta http-equiv=\"refresh\" content=\"6; url=", "\"></noscript>"],
        ["href=\"", "\" rel=\"noreferrer\""],
        ["data-return-url=\"", "\""],
    ] {
        assert!(html.contains(&around.join(&url)), "{around:?} in {html}");
    }
    let refused = result::render_handover(&HandoverView { handover: Handover::Refused, ..view });
    assert!(refused.contains("#error=6001&#38;errorMessage=The%20user%20refused."), "{refused}");
    assert!(refused.contains("data-auth-code=\"\" data-error=\"6001\""));
    assert!(!refused.contains(code));
}

/// Words that are the same in every language: values and calls, which the demo shows as they are on the wire. So are names
/// of fields, which are known by a capital letter within.
const NOT_WORDS: &[&str] = &[
    "PIN", "PRE", "WAP", "WEB", "APP", "callback", "en-US", "ar-IQ", "language", "my", "call", "pay",
    "prepare",
];

fn is_field(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_lowercase())
        && word.contains(|l: char| l.is_ascii_uppercase())
}

#[test]
fn no_template_has_a_word_of_its_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut text = std::fs::read_to_string(&path).unwrap();
        while let Some((before, class)) = text.split_once("{% block body_class %}") {
            text = format!("{before} {}", class.split_once("{% endblock %}").unwrap().1);
        }
        // What askama fills in, and tags with all but the attributes that people read or hear.
        // A command to type is the same in every language.
        for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<code>", "</code>")] {
            while let Some((before, rest)) = text.split_once(open) {
                text = format!("{before} {}", rest.split_once(close).unwrap().1);
            }
        }
        let mut said = String::new();
        for part in text.split('<') {
            let (tag, after) = part.split_once('>').unwrap_or(("", part));
            for attribute in ["alt=\"", "title=\"", "placeholder=\"", "aria-label=\"", "aria-description=\""]
            {
                said.extend(tag.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
            }
            said.push(' ');
            said.push_str(after);
        }
        let words = said.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
        let own: Vec<_> = words
            .filter(|word| {
                word.chars().any(char::is_alphabetic) && !NOT_WORDS.contains(word) && !is_field(word)
            })
            .collect();
        assert!(own.is_empty(), "{}: {own:?}", path.display());
    }
}

/// Keys and the variables of their messages.
fn keys(file: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let lines = file.lines().filter(|line| line.starts_with(|letter: char| letter.is_ascii_lowercase()));
    let mut keys = BTreeMap::new();
    for line in lines {
        let (key, value) = line.split_once(" = ").expect(line);
        let variables = value.split("{ $").skip(1).map(|part| part.split(' ').next().unwrap()).collect();
        assert_eq!(keys.insert(key, variables), None, "{key} stands twice");
    }
    keys
}

#[test]
fn both_languages_say_the_same_things() {
    let (mut english, arabic) = (keys(ENGLISH), keys(ARABIC));
    // English says an amount with its code, Arabic with the currency's name.
    english.insert("money-named", BTreeSet::from(["number", "name"]));
    assert_eq!(english, arabic);
}

#[test]
fn every_key_in_use_exists_and_every_key_that_exists_is_in_use() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["src/admin", "src/pages", "src/pages/i18n", "src/pages/wallet", "templates"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut used = BTreeSet::new();
    for opening in [concat!("Key", "(\""), concat!(".text", "(\"")] {
        used.extend(sources.split(opening).skip(1).map(|part| part.split('"').next().unwrap()));
    }
    assert_eq!(used, keys(ENGLISH).into_keys().collect());
}

#[test]
fn every_asset_that_a_page_names_is_there_and_loads_nothing_from_elsewhere() {
    every_page(|_, name, html| {
        for path in html.split("\"/assets/").skip(1).map(|part| part.split('"').next().unwrap()) {
            assert!(assets::find(path).is_some(), "{name}: {path}");
        }
    });
    for asset in assets::all() {
        let body = String::from_utf8(asset.body.to_vec()).unwrap();
        let known = body.replace("http://www.w3.org/2000/svg", "");
        assert!(!known.contains("http://") && !known.contains("https://"), "{}", asset.name);
        assert!(!known.contains("@import") && !known.contains("url("), "{}", asset.name);
    }
    assert!(assets::find("../Cargo.toml").is_none());
}
