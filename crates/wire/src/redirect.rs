//! The way back: the merchant's URL with the code and the state in it (decision 22; Alipay+ prepare,
//! authRedirectUrl; our reading in section 4.3 of the Alipay+ specification).
//!
//! [`fill`] works on bytes: what the merchant wrote stays as it was written, apart from the two values. It does
//! *not* judge the URL; schemes, user info and hosts are checked when prepare receives it.
//!
//! Readings that the papers leave open:
//! - A placeholder is also known by its percent-encoded form (`%24%7BauthCode%7D`, `$%7BauthCode%7D`, hex in any
//!   case), because URL libraries encode `{` and `}` on their own. It is filled anywhere after the host,
//!   the fragment included, but never in the scheme, user info, host or port: a code must not end up in the DNS.
//! - A query parameter is `authCode` if its name decodes to that, so `auth%43ode=x` is one; its name stays as
//!   written. Of several, the first is replaced and the others go: no foreign value survives.
//! - A parameter whose value holds its own placeholder is filled like any placeholder.
//! - Values are never read again after they were filled in: a state of `${authCode}` stays harmless.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What the user's browser brings back to the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return<'a> {
    /// The user agreed.
    Approved {
        /// The authorization code.
        code: &'a str,
    },
    /// The user refused, or it failed: the state goes back, and no code at all.
    Refused,
}

/// RFC 3986, 2.3: letters, digits, `-`, `.`, `_` and `~` stay; everything else is percent-encoded.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `url` with the outcome and `state` filled in.
pub fn fill(url: &str, outcome: Return<'_>, state: &str) -> String {
    let code = match outcome {
        Return::Approved { code } => Some(encode(code)),
        Return::Refused => None,
    };
    let mut values = Values { code, state: encode(state), code_found: false, state_found: false };

    let (url, fragment) = cut(url, '#');
    let (path, query) = cut(url, '?');
    let (authority, path) = path.split_at(path_start(path));

    let path = values.fill_placeholders(path);
    let given = query.is_some_and(|query| !query.is_empty());
    let mut query = query.map(|query| values.fill_query(query));
    // A query that held nothing but a refused code goes with its question mark.
    if given && query.as_deref() == Some("") {
        query = None;
    }
    let fragment = fragment.map(|fragment| values.fill_placeholders(fragment));

    if let Some(code) = values.code.as_deref().filter(|_| !values.code_found) {
        append(&mut query, "authCode", code);
    }
    if !values.state_found {
        append(&mut query, "authState", &values.state);
    }

    let mut filled = format!("{authority}{path}");
    for (mark, part) in [('?', query), ('#', fragment)] {
        if let Some(part) = part {
            filled.push(mark);
            filled.push_str(&part);
        }
    }
    filled
}

struct Values {
    /// Percent-encoded; nothing on refusal.
    code: Option<String>,
    /// Percent-encoded.
    state: String,
    code_found: bool,
    state_found: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Code,
    State,
}

impl Name {
    fn parse(name: &str) -> Option<Name> {
        match name {
            "authCode" => Some(Name::Code),
            "authState" => Some(Name::State),
            _ => None,
        }
    }
}

impl Values {
    /// The value of `name`, empty for a refused code, and a note that it has its place.
    fn take(&mut self, name: Name) -> &str {
        match name {
            Name::Code => {
                self.code_found = true;
                self.code.as_deref().unwrap_or_default()
            }
            Name::State => {
                self.state_found = true;
                &self.state
            }
        }
    }

    fn fill_query(&mut self, query: &str) -> String {
        let mut seen: Vec<Name> = Vec::new();
        let mut parts: Vec<String> = Vec::new();
        for part in query.split('&') {
            let (raw_name, value) = cut(part, '=');
            let Some(name) = Name::parse(&percent_decode_str(raw_name).decode_utf8_lossy()) else {
                parts.push(self.fill_placeholders(part));
                continue;
            };
            if seen.contains(&name) || (name == Name::Code && self.code.is_none()) {
                continue;
            }
            seen.push(name);
            let value = value.unwrap_or_default();
            let value = match holds_placeholder(value, name) {
                true => self.fill_placeholders(value),
                false => self.take(name).to_owned(),
            };
            parts.push(format!("{raw_name}={value}"));
        }
        parts.join("&")
    }

    fn fill_placeholders(&mut self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            match placeholder(rest) {
                Some((name, length)) => {
                    filled.push_str(self.take(name));
                    rest = rest.get(length..).unwrap_or_default();
                }
                None => {
                    filled.push(letter);
                    rest = rest.get(letter.len_utf8()..).unwrap_or_default();
                }
            }
        }
        filled
    }
}

fn encode(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Where the path begins: after scheme and authority.
fn path_start(url: &str) -> usize {
    let Some(colon) = url.find(':') else { return 0 };
    let after = colon + 1;
    match url.get(after..).and_then(|rest| rest.strip_prefix("//")) {
        Some(rest) => after + 2 + rest.find('/').unwrap_or(rest.len()),
        None => after,
    }
}

fn append(query: &mut Option<String>, name: &str, value: &str) {
    let query = query.get_or_insert_default();
    if !query.is_empty() && !query.ends_with('&') {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.push_str(value);
}

fn holds_placeholder(text: &str, name: Name) -> bool {
    text.char_indices().filter_map(|(at, _)| placeholder(text.get(at..)?)).any(|(found, _)| found == name)
}

/// The placeholder that `text` begins with, and its length in bytes.
fn placeholder(text: &str) -> Option<(Name, usize)> {
    let rest = strip(strip(text, '$', "%24")?, '{', "%7B")?;
    let letters = rest.find(|letter: char| !letter.is_ascii_alphabetic())?;
    let (name, rest) = rest.split_at(letters);
    let rest = strip(rest, '}', "%7D")?;
    Some((Name::parse(name)?, text.len() - rest.len()))
}

fn strip<'a>(text: &'a str, plain: char, encoded: &str) -> Option<&'a str> {
    text.strip_prefix(plain).or_else(|| {
        let head = text.get(..encoded.len())?;
        head.eq_ignore_ascii_case(encoded).then(|| text.get(encoded.len()..))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "281010133AB2F588D14B432312345678";

    /// Rows of (URL as given, when approved, when refused); `C` stands for the code and `S` for the state.
    fn check(rows: &[(&str, &str, &str)]) {
        for (url, approved, refused) in rows {
            let filled = fill(url, Return::Approved { code: "C" }, "S");
            assert_eq!(&filled, approved, "{url} approved");
            assert_eq!(&fill(url, Return::Refused, "S"), refused, "{url} refused");
        }
    }

    #[test]
    fn the_papers_example_comes_out_byte_for_byte() {
        assert_eq!(
            fill(
                "https://www.merchant.com/authorizationResult",
                Return::Approved { code: CODE },
                "663A8FA9-D836-48EE-8AA1-1FF682989DC7"
            ),
            "https://www.merchant.com/authorizationResult?authCode=281010133AB2F588D14B432312345678\
             &authState=663A8FA9-D836-48EE-8AA1-1FF682989DC7"
        );
    }

    #[test]
    fn code_and_state_are_appended_in_that_order_and_the_rest_keeps_its_bytes() {
        check(&[
            (
                "https://m.example",
                "https://m.example?authCode=C&authState=S",
                "https://m.example?authState=S",
            ),
            (
                "https://m.example/",
                "https://m.example/?authCode=C&authState=S",
                "https://m.example/?authState=S",
            ),
            (
                "https://m.example/b?",
                "https://m.example/b?authCode=C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/b?a=1",
                "https://m.example/b?a=1&authCode=C&authState=S",
                "https://m.example/b?a=1&authState=S",
            ),
            (
                "https://m.example/b?a=1&",
                "https://m.example/b?a=1&authCode=C&authState=S",
                "https://m.example/b?a=1&authState=S",
            ),
            (
                "https://m.example/b?&",
                "https://m.example/b?&authCode=C&authState=S",
                "https://m.example/b?&authState=S",
            ),
            (
                "HTTPS://M.Example:443/a%2fb//c/../d?x=%C3%a9+y&&z#Frag",
                "HTTPS://M.Example:443/a%2fb//c/../d?x=%C3%a9+y&&z&authCode=C&authState=S#Frag",
                "HTTPS://M.Example:443/a%2fb//c/../d?x=%C3%a9+y&&z&authState=S#Frag",
            ),
            (
                "https://m.example/متجر?س=ع",
                "https://m.example/متجر?س=ع&authCode=C&authState=S",
                "https://m.example/متجر?س=ع&authState=S",
            ),
            (
                "https://m.example/b?u=http://x?y",
                "https://m.example/b?u=http://x?y&authCode=C&authState=S",
                "https://m.example/b?u=http://x?y&authState=S",
            ),
        ]);
    }

    #[test]
    fn the_fragment_stays_at_the_end() {
        check(&[
            (
                "https://m.example/b#top",
                "https://m.example/b?authCode=C&authState=S#top",
                "https://m.example/b?authState=S#top",
            ),
            (
                "https://m.example/b#/r?x=1&authCode=old",
                "https://m.example/b?authCode=C&authState=S#/r?x=1&authCode=old",
                "https://m.example/b?authState=S#/r?x=1&authCode=old",
            ),
            (
                "https://m.example/b?a=1#x#y",
                "https://m.example/b?a=1&authCode=C&authState=S#x#y",
                "https://m.example/b?a=1&authState=S#x#y",
            ),
            (
                "https://m.example/b?#",
                "https://m.example/b?authCode=C&authState=S#",
                "https://m.example/b?authState=S#",
            ),
        ]);
    }

    #[test]
    fn app_schemes_are_led_back_too() {
        check(&[
            ("myapp://back", "myapp://back?authCode=C&authState=S", "myapp://back?authState=S"),
            (
                "com.shop.app:/done?x=1",
                "com.shop.app:/done?x=1&authCode=C&authState=S",
                "com.shop.app:/done?x=1&authState=S",
            ),
            ("com.shop.app:${authCode}/${authState}", "com.shop.app:C/S", "com.shop.app:/S"),
        ]);
    }

    #[test]
    fn parameters_that_exist_are_replaced_in_place() {
        check(&[
            (
                "https://m.example/b?authCode=old&x=1&authState=old",
                "https://m.example/b?authCode=C&x=1&authState=S",
                "https://m.example/b?x=1&authState=S",
            ),
            (
                "https://m.example/b?authState=old&x=1",
                "https://m.example/b?authState=S&x=1&authCode=C",
                "https://m.example/b?authState=S&x=1",
            ),
            (
                "https://m.example/b?x=1&authCode=old",
                "https://m.example/b?x=1&authCode=C&authState=S",
                "https://m.example/b?x=1&authState=S",
            ),
            (
                "https://m.example/b?authCode",
                "https://m.example/b?authCode=C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/b?authCode=",
                "https://m.example/b?authCode=C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/b?authCode=a=b&",
                "https://m.example/b?authCode=C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/b?authcode=1&AuthCode=2&xauthCode=3",
                "https://m.example/b?authcode=1&AuthCode=2&xauthCode=3&authCode=C&authState=S",
                "https://m.example/b?authcode=1&AuthCode=2&xauthCode=3&authState=S",
            ),
        ]);
    }

    #[test]
    fn of_several_the_first_is_replaced_and_the_others_go() {
        check(&[
            (
                "https://m.example/b?authCode=1&x=1&authCode=2&authState=a&authState=b",
                "https://m.example/b?authCode=C&x=1&authState=S",
                "https://m.example/b?x=1&authState=S",
            ),
            (
                "https://m.example/b?auth%43ode=1&authCode=2",
                "https://m.example/b?auth%43ode=C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/b?%61uthState=1&y",
                "https://m.example/b?%61uthState=S&y&authCode=C",
                "https://m.example/b?%61uthState=S&y",
            ),
        ]);
    }

    #[test]
    fn placeholders_are_filled_where_they_stand() {
        check(&[
            (
                "https://m.example/${authCode}/x?s=${authState}",
                "https://m.example/C/x?s=S",
                "https://m.example//x?s=S",
            ),
            (
                "https://m.example/b?c=${authCode}",
                "https://m.example/b?c=C&authState=S",
                "https://m.example/b?c=&authState=S",
            ),
            (
                "https://m.example/b?c=%24%7BauthCode%7D&s=%24%7bauthState%7d",
                "https://m.example/b?c=C&s=S",
                "https://m.example/b?c=&s=S",
            ),
            (
                "https://m.example/b?c=$%7BauthCode%7D&s=S",
                "https://m.example/b?c=C&s=S&authState=S",
                "https://m.example/b?c=&s=S&authState=S",
            ),
            (
                "https://m.example/#/cb/${authCode}",
                "https://m.example/?authState=S#/cb/C",
                "https://m.example/?authState=S#/cb/",
            ),
            (
                "https://m.example/b?authCode=${authCode}&authState=${authState}",
                "https://m.example/b?authCode=C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/b?authCode=v1.${authCode}",
                "https://m.example/b?authCode=v1.C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/b?c=${authCode}&authCode=old",
                "https://m.example/b?c=C&authCode=C&authState=S",
                "https://m.example/b?c=&authState=S",
            ),
            (
                "https://m.example/b?authCode=${authState}",
                "https://m.example/b?authCode=C&authState=S",
                "https://m.example/b?authState=S",
            ),
            (
                "https://m.example/${authState}?authCode=old",
                "https://m.example/S?authCode=C",
                "https://m.example/S",
            ),
            (
                "https://m.example/b?x=${authcode}&y=${other}&z=${authCode&w=$",
                "https://m.example/b?x=${authcode}&y=${other}&z=${authCode&w=$&authCode=C&authState=S",
                "https://m.example/b?x=${authcode}&y=${other}&z=${authCode&w=$&authState=S",
            ),
        ]);
    }

    #[test]
    fn a_code_never_becomes_part_of_a_host() {
        check(&[
            (
                "https://${authCode}.evil.example/",
                "https://${authCode}.evil.example/?authCode=C&authState=S",
                "https://${authCode}.evil.example/?authState=S",
            ),
            (
                "myapp://${authState}/x",
                "myapp://${authState}/x?authCode=C&authState=S",
                "myapp://${authState}/x?authState=S",
            ),
        ]);
    }

    #[test]
    fn values_are_percent_encoded_and_only_unreserved_letters_stay() {
        for (state, encoded) in [
            ("AZaz09-._~", "AZaz09-._~"),
            ("a b+c", "a%20b%2Bc"),
            ("x&authCode=y#z?", "x%26authCode%3Dy%23z%3F"),
            ("100%/\"'<>", "100%25%2F%22%27%3C%3E"),
            ("سلام", "%D8%B3%D9%84%D8%A7%D9%85"),
            ("\r\nLocation: x", "%0D%0ALocation%3A%20x"),
        ] {
            assert_eq!(
                fill("https://m.example/", Return::Refused, state),
                format!("https://m.example/?authState={encoded}")
            );
        }
    }

    #[test]
    fn a_state_that_looks_like_a_placeholder_is_not_filled_again() {
        for state in ["${authCode}", "${authState}"] {
            let encoded = encode(state);
            assert_eq!(
                fill(
                    "https://m.example/${authState}?s=${authState}&authState=x",
                    Return::Approved { code: "C" },
                    state
                ),
                format!("https://m.example/{encoded}?s={encoded}&authState={encoded}&authCode=C")
            );
        }
    }
}
