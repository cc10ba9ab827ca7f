//! Which language a browser wants.

use accord_core::user::Language;

/// The best of our languages for an `Accept-Language` header; English when it names none of them (decision 15).
pub fn best_language(accept_language: &str) -> Language {
    let mut best = (Language::English, 0);
    for item in accept_language.split(',').take(32) {
        let (range, parameters) = item.split_once(';').unwrap_or((item, ""));
        let primary = range.trim().split('-').next().unwrap_or_default();
        let language = match primary.to_ascii_lowercase().as_str() {
            "ar" => Language::Arabic,
            "en" | "*" => Language::English,
            _ => continue,
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
}
