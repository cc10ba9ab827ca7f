//! Which language a browser wants.

use super::spoken;
use accord_core::user::Language;

/// The best of our languages for an `Accept-Language` header; English when it names none of them (decision 15).
/// A range is met by the language of that tag, else by the first one with its primary subtag.
pub fn best_language(accept_language: &str) -> Language {
    best_of(accept_language, &spoken())
}

fn best_of(accept_language: &str, spoken: &[Language]) -> Language {
    let mut best = (Language::English, 0);
    for item in accept_language.split(',').take(32) {
        let (range, parameters) = item.split_once(';').unwrap_or((item, ""));
        let range = range.trim();
        let primary = range.split('-').next().unwrap_or_default();
        let exact = spoken.iter().find(|language| range.eq_ignore_ascii_case(language.as_str()));
        let akin = || spoken.iter().find(|language| primary.eq_ignore_ascii_case(language.primary()));
        let language = match exact.or_else(akin) {
            Some(language) => *language,
            None if range == "*" => Language::English,
            None => continue,
        };
        let weight = weight(parameters);
        if weight > best.1 {
            best = (language, weight);
        }
    }
    best.0
}

/// Thousandths: `q=0.8` is 800, no weight is 1000, an unreadable one 0 (RFC 9110, 12.4.2).
fn weight(parameters: &str) -> u32 {
    let Some(value) = parameters.split(';').find_map(|p| p.trim().strip_prefix("q=")) else { return 1000 };
    let (whole, part) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    match (whole, part.len()) {
        ("1", _) if part.bytes().all(|b| b == b'0') => 1000,
        ("0", 0..=3) if part.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{part:0<3}").parse().unwrap_or(0)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_that_we_speak_wins() {
        for (header, language) in [
            ("", Language::English),
            ("ar", Language::Arabic),
            ("ar-IQ,ar;q=0.9,en;q=0.8", Language::Arabic),
            ("en-US,en;q=0.9,ar;q=0.8", Language::English),
            ("en;q=0.5, AR-iq;q=0.55", Language::Arabic),
            ("ku,ar;q=0.1", Language::Arabic),
            ("ku,*;q=0.5,ar;q=0.1", Language::English),
            ("ar;q=0", Language::English),
            ("ar;q=x,en;q=0.001", Language::English),
            ("fr-FR,de", Language::English),
            ("ar;q=1.000,en;q=0.999", Language::Arabic),
            ("argentinian", Language::English),
            (";;;,,q=", Language::English),
        ] {
            assert_eq!(best_language(header), language, "{header}");
        }
    }
    #[test]
    fn a_third_language_is_found_by_its_tag_and_by_its_first_part() {
        let [kurdish, egyptian] = ["ckb-IQ", "ar-EG"].map(|tag| Language::parse(tag).unwrap());
        let spoken = [Language::English, Language::Arabic, kurdish, egyptian];
        for (header, language) in [
            ("ckb", kurdish),
            ("ckb-IR,en;q=0.5", kurdish),
            ("ar-EG", egyptian),
            ("ar-MA", Language::Arabic),
            ("fr", Language::English),
        ] {
            assert_eq!(best_of(header, &spoken), language, "{header}");
        }
    }
}
