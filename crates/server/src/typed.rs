//! What people type, as it was meant: digits of both Arabic kinds become Western ones, and marks of direction, which come
//! along unseen when a number is copied, are gone.

/// The text with Western digits and without marks of direction.
pub fn plain(typed: &str) -> String {
    typed.chars().filter(|letter| !turns(*letter)).map(western).collect()
}

fn western(letter: char) -> char {
    match letter {
        '\u{660}'..='\u{669}' => char::from_digit(u32::from(letter) - 0x660, 10).unwrap_or(letter),
        '\u{6F0}'..='\u{6F9}' => char::from_digit(u32::from(letter) - 0x6F0, 10).unwrap_or(letter),
        letter => letter,
    }
}

/// Marks, embeddings, overrides and isolates of direction.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A whole number of units, as people write it: groups of three may stand apart by a comma or a space. A comma anywhere
/// else may mean a fraction, so it is not read over.
pub fn units(typed: &str) -> Option<i64> {
    let typed = plain(typed);
    let mut groups = typed.trim().split([',', '\u{66C}', ' ', '\u{A0}', '\u{202F}']);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = rest.is_empty() || (1..=3).contains(&first.len());
    if first.is_empty()
        || !digits(first)
        || !grouped
        || rest.iter().any(|group| group.len() != 3 || !digits(group))
    {
        return None;
    }
    format!("{first}{}", rest.concat()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_kind_are_digits_and_marks_of_direction_are_nothing() {
        for typed in [
            "+9647701",
            "+٩٦٤٧٧٠١",
            "+۹۶۴۷۷۰۱",
            "\u{202A}+964\u{200E}7701\u{202C}",
            "\u{2066}+9647701\u{2069}",
        ] {
            assert_eq!(plain(typed), "+9647701", "{typed}");
        }
        assert_eq!(plain("sara@example.iq"), "sara@example.iq");
        assert_eq!(plain("سارة ٧"), "سارة 7");
    }

    #[test]
    fn a_number_is_read_as_it_was_meant_or_not_at_all() {
        for (typed, read) in [
            ("50", Some(50)),
            ("٥٠", Some(50)),
            ("\u{200F}٥٠\u{200F}", Some(50)),
            ("50,000", Some(50_000)),
            ("1 000 000", Some(1_000_000)),
            ("٥٠٬٠٠٠", Some(50_000)),
            ("050", Some(50)),
            ("5,0", None),
            ("5,00", None),
            ("1,5", None),
            ("1000,000", None),
            (",500", None),
            ("1,,000", None),
            ("1,000,", None),
            ("٬5", None),
            ("5.5", None),
            ("-5", None),
            ("9223372036854775808", None),
            ("", None),
        ] {
            assert_eq!(units(typed), read, "{typed}");
        }
    }
}
