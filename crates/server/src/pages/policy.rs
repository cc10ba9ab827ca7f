//! What the browser may do with a page: the value of `Content-Security-Policy`.
//!
//! The pages need one style sheet, our images, and a form that posts to us. Chrome holds `form-action` against
//! the redirect that answers the form as well, so the merchant's origin is named there, and nothing of the
//! merchant's URL but that.

/// The policy of a page. `form_action_target` is the URL to which the answer to the page's form may redirect.
pub fn content_security_policy(form_action_target: Option<&str>) -> String {
    policy(form_action_target, "")
}

/// The policy of a page with one of our own scripts: the hand-over page and the demo merchant.
pub fn content_security_policy_with_script(form_action_target: Option<&str>) -> String {
    policy(form_action_target, "script-src 'self'; ")
}

/// The policy of a page with one of our own scripts that asks us how things are: the page that is handed over.
pub fn content_security_policy_with_live_script(form_action_target: Option<&str>) -> String {
    policy(form_action_target, "script-src 'self'; connect-src 'self'; ")
}

fn policy(form_action_target: Option<&str>, script: &str) -> String {
    let target = form_action_target.and_then(source).map(|source| format!(" {source}")).unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; {script}form-action 'self'{target}; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// Where `url` leads, as a source expression: an origin on the web, `scheme:` for an app. Nothing when it has
/// neither, or would not be one plain word of the policy.
fn source(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let scheme = url.scheme();
    if !matches!(scheme, "http" | "https") {
        // A scheme is letters, digits, `+`, `-` and `.`: nothing that ends a source or a directive.
        return super::markup::link_target(url.as_str()).map(|_| format!("{scheme}:"));
    }
    let host = url.host_str()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    if host.starts_with('[') {
        // The grammar of sources knows no IPv6 address.
        return Some(format!("{scheme}:"));
    }
    host.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        .then(|| format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_action(url: &str) -> String {
        let policy = content_security_policy(Some(url));
        let directives: Vec<_> = policy.split("; ").collect();
        assert_eq!(directives.len(), 6, "{policy}");
        directives[3].strip_prefix("form-action 'self'").unwrap().trim().to_owned()
    }

    #[test]
    fn the_policy_names_the_origin_and_no_more() {
        for (url, source) in [
            ("https://www.merchant.com/authorizationResult?x=1#y", "https://www.merchant.com"),
            ("https://WWW.Merchant.com:443/", "https://www.merchant.com"),
            ("http://localhost:8080/demo/alipayPlus/return", "http://localhost:8080"),
            ("https://متجر.example/", "https://xn--pgbep1f.example"),
            ("http://[::1]:80/", "http:"),
            ("myapp://back?x=1", "myapp:"),
            ("com.shop.app:/x", "com.shop.app:"),
            ("https://a;script-src/", ""),
            ("https://a.example,b/", ""),
            ("https://'unsafe-inline'/", ""),
            ("https://*/", ""),
            ("javascript:alert(1)", ""),
            ("data:text/html,x", ""),
            ("x y; default-src *", ""),
            ("/relative", ""),
            ("", ""),
        ] {
            assert_eq!(form_action(url), source, "{url}");
        }
    }

    #[test]
    fn scripts_run_only_where_asked_for_and_only_ours() {
        assert_eq!(
            content_security_policy(None),
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        assert!(content_security_policy_with_script(None).contains("; script-src 'self'; "));
    }
}
