//! Which URLs of merchants are taken, and for what (decisions 22 and 38).
//!
//! Only syntax and scheme are judged. Hosts listed per client are checked by the caller; addresses are judged when a
//! connection is made. The text is kept byte for byte, because merchants compare it and codes are appended to it.

use std::borrow::Cow;

/// Schemes that a browser runs or reads locally instead of visiting; refused even when configured.
pub const FORBIDDEN_SCHEMES: [&str; 10] = [
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

/// What kinds of URL a field takes.
#[derive(Debug, Clone, Copy)]
pub struct UrlRule<'r> {
    allow_http: bool,
    app_schemes: Option<&'r [String]>,
}

impl<'r> UrlRule<'r> {
    /// For URLs that we call or show as a picture: `https`, and `http` if allowed.
    pub fn web(allow_http: bool) -> Self {
        Self { allow_http, app_schemes: None }
    }

    /// For redirects: as [`web`](Self::web), and schemes of apps: reverse-domain (`com.shop.app`) or configured.
    pub fn redirect(allow_http: bool, app_schemes: &'r [String]) -> Self {
        Self { allow_http, app_schemes: Some(app_schemes) }
    }
}

/// A URL that was found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedUrl {
    /// The bytes as received; percent-decoded once if the whole URL came encoded (`https%3A…`).
    pub text: String,
    /// In lower case.
    pub scheme: String,
    /// Normalised as a browser does (lower case, numbers to an address); always there for http and https.
    pub host: Option<String>,
}

/// Judges `value`; the reason fits behind the field's path.
pub fn check_url(value: &str, rule: UrlRule<'_>) -> Result<CheckedUrl, &'static str> {
    let text = decoded(value)?;
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\' || is_invisible(c)) {
        return Err("holds a space, a control character or a backslash");
    }
    let (scheme, rest) = text.split_once(':').ok_or("not an absolute URL")?;
    if !is_scheme(scheme) {
        return Err("not an absolute URL");
    }
    let scheme = scheme.to_ascii_lowercase();
    let web = match scheme.as_str() {
        "https" => true,
        "http" if rule.allow_http => true,
        "http" => return Err("must be https"),
        other if FORBIDDEN_SCHEMES.contains(&other) => return Err("scheme not allowed"),
        other => match rule.app_schemes {
            None => return Err("must be https"),
            Some(known)
                if is_reverse_domain(other) || known.iter().any(|k| k.eq_ignore_ascii_case(other)) =>
            {
                false
            }
            Some(_) => return Err("scheme not allowed"),
        },
    };
    let authority =
        rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err("must not hold user information");
    }
    // Parsers disagree about other characters here, and about `https:host` and `https:///host`.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    match authority {
        Some("") | None if web => return Err("has no host"),
        Some(authority) if web && !authority.chars().all(plain) => return Err("host must be plain ASCII"),
        None if rest.is_empty() => return Err("not an absolute URL"),
        _ => {}
    }
    let parsed = url::Url::parse(&text).map_err(|_| "not a URL")?;
    let host = parsed.host_str().filter(|host| !host.is_empty()).map(str::to_owned);
    if web && host.is_none() {
        return Err("has no host");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("must not hold user information");
    }
    Ok(CheckedUrl { text: text.into_owned(), scheme, host })
}

/// Alipay+ 2: a value that begins `http%3A` or `https%3A` is percent-decoded once.
fn decoded(value: &str) -> Result<Cow<'_, str>, &'static str> {
    let begins = |prefix: &str| {
        value.as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    if begins("http%3A") || begins("https%3A") {
        percent_encoding::percent_decode_str(value).decode_utf8().map_err(|_| "not a URL")
    } else {
        Ok(Cow::Borrowed(value))
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn is_reverse_domain(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty())
}

/// Characters that change how the neighbours look: soft hyphen, zero width, direction marks, byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(value: &str) -> Result<CheckedUrl, &'static str> {
        check_url(value, UrlRule::redirect(false, &["demoshop".to_owned(), "javascript".to_owned()]))
    }

    #[test]
    fn merchants_urls_keep_their_bytes() {
        for (value, scheme, host) in [
            (
                "https://www.merchant.com/authenticationResult?param1=123&param2=234",
                "https",
                Some("www.merchant.com"),
            ),
            ("HTTPS://Shop.Example:8443/a/../b?x=%41#f", "https", Some("shop.example")),
            ("https://shop.example?code=${authCode}&state=${authState}", "https", Some("shop.example")),
            ("https://shop.example/عودة?q=é&quote=\"", "https", Some("shop.example")),
            ("https://[::1]:8443/", "https", Some("[::1]")),
            ("com.shop.app://back?x=1", "com.shop.app", Some("back")),
            ("com.shop.app:/back", "com.shop.app", None),
            ("DemoShop://?x=1", "demoshop", None),
        ] {
            let expected = CheckedUrl {
                text: value.to_owned(),
                scheme: scheme.to_owned(),
                host: host.map(str::to_owned),
            };
            assert_eq!(redirect(value), Ok(expected));
        }
    }

    #[test]
    fn a_url_sent_encoded_is_decoded_once() {
        let read = |value| redirect(value).map(|url| url.text);
        assert_eq!(
            read("https%3A%2F%2Fshop.example%2Fb%3Fx%3D%2541"),
            Ok("https://shop.example/b?x=%41".into())
        );
        assert_eq!(read("HTTPS%3a//shop.example/"), Ok("HTTPS://shop.example/".into()));
        assert_eq!(read("http%3A%2F%2Fshop.example"), Err("must be https"));
        assert_eq!(read("https%253A%252F%252Fshop.example"), Err("not an absolute URL"));
        assert_eq!(
            read("https%3A%2F%2Fshop.example%2F%0d%0a"),
            Err("holds a space, a control character or a backslash")
        );
        assert_eq!(read("https%3A%2F%2Fshop.example%2F%ff"), Err("not a URL"));
    }

    #[test]
    fn other_urls_are_refused_with_a_reason() {
        const SPACE: &str = "holds a space, a control character or a backslash";
        for (value, reason) in [
            ("/relative", "not an absolute URL"),
            ("shop.example/back", "not an absolute URL"),
            ("//shop.example", "not an absolute URL"),
            ("com.shop.app:", "not an absolute URL"),
            ("1com.shop:x", "not an absolute URL"),
            ("http://shop.example", "must be https"),
            ("javascript:alert(1)", "scheme not allowed"),
            ("JavaScript://x/%0aalert(1)", "scheme not allowed"),
            ("data:text/html,x", "scheme not allowed"),
            ("file:///etc/passwd", "scheme not allowed"),
            ("blob:https://shop.example/1", "scheme not allowed"),
            ("about:blank", "scheme not allowed"),
            ("intent://x#Intent;end", "scheme not allowed"),
            ("content://x", "scheme not allowed"),
            ("filesystem:https://x", "scheme not allowed"),
            ("view-source:https://x", "scheme not allowed"),
            ("vbscript:x", "scheme not allowed"),
            ("otherapp://x", "scheme not allowed"),
            (".app://x", "not an absolute URL"),
            ("app.://x", "scheme not allowed"),
            ("ftp://shop.example", "scheme not allowed"),
            ("https://user@shop.example", "must not hold user information"),
            ("https://a:b@shop.example", "must not hold user information"),
            ("https://@shop.example", "must not hold user information"),
            ("com.shop.app://u@x", "must not hold user information"),
            ("https:shop.example", "has no host"),
            ("https:/shop.example", "has no host"),
            ("https:///shop.example", "has no host"),
            ("https://?x", "has no host"),
            ("https://", "has no host"),
            ("https://ex%61mple.com", "host must be plain ASCII"),
            ("https://b\u{fc}cher.example", "host must be plain ASCII"),
            ("https://${host}/", "host must be plain ASCII"),
            ("https://shop.example:99999/", "not a URL"),
            ("https://:443/", "not a URL"),
            ("https://shop.example\\@evil.example", SPACE),
            ("https://shop.example/a b", SPACE),
            (" https://shop.example", SPACE),
            ("https://shop.example/\n", SPACE),
            ("https://shop.example/\u{85}", SPACE),
            ("https://shop.example/\u{202e}", SPACE),
            ("java\tscript:alert(1)", SPACE),
        ] {
            assert_eq!(redirect(value), Err(reason), "{value}");
        }
    }

    #[test]
    fn what_we_call_is_a_web_address() {
        let web = |value, http| check_url(value, UrlRule::web(http)).map(|url| url.scheme);
        assert_eq!(web("https://shop.example/n", false), Ok("https".into()));
        assert_eq!(web("http://127.0.0.1:8080/n", true), Ok("http".into()));
        assert_eq!(web("http://127.0.0.1:8080/n", false), Err("must be https"));
        assert_eq!(web("com.shop.app://n", true), Err("must be https"));
        assert_eq!(web("javascript:x", true), Err("scheme not allowed"));
    }
}
