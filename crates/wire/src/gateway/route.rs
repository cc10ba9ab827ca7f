//! Which dialect and which operation a request target belongs to (decisions 5 and 11). Raw bytes, no normalisation:
//! the path that is routed is the path that was signed.

use super::{Gateway, Mount};
use crate::dialect::Operation;

/// Where a target leads.
pub(super) struct Route<'g> {
    /// The mount that answers, if only to say that there is no such interface.
    pub(super) mount: &'g Mount,
    /// The operation, if the path is exactly one.
    pub(super) operation: Option<Operation>,
}

/// Checks the prefixes and puts the longest first.
pub(super) fn sorted(mut mounts: Vec<Mount>) -> Result<(Vec<Mount>, Mount), String> {
    for (index, mount) in mounts.iter().enumerate() {
        let prefix = &mount.prefix;
        let visible = prefix.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
        if !visible || (!prefix.is_empty() && (!prefix.starts_with('/') || prefix.ends_with('/'))) {
            return Err(format!("mount `{prefix}`: must be empty, or begin with / and not end with one"));
        }
        if mounts.iter().take(index).any(|other| other.prefix == *prefix) {
            return Err(format!("mount `{prefix}`: used twice"));
        }
    }
    mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
    let shortest = mounts.last().ok_or("no dialect is mounted")?.clone();
    Ok((mounts, shortest))
}

/// Path and query of a request target: an absolute form loses scheme and authority, anything else stays as it is.
pub fn origin_form(target: &str) -> String {
    let scheme = |name: &str| {
        target.get(..name.len()).filter(|found| found.eq_ignore_ascii_case(name)).map(|found| found.len())
    };
    let Some(rest) = scheme("http://").or_else(|| scheme("https://")).and_then(|end| target.get(end..))
    else {
        return target.to_owned();
    };
    match rest.find(['/', '?']).and_then(|start| rest.get(start..)) {
        Some(path) if path.starts_with('/') => path.to_owned(),
        Some(query) => format!("/{query}"),
        None => "/".to_owned(),
    }
}

/// The target without its query.
fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// Is `path` under `<prefix>/v<digits>/`?
fn claimed_by(prefix: &str, path: &str) -> bool {
    let Some(version) = path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix("/v")) else {
        return false;
    };
    let rest = version.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < version.len() && rest.starts_with('/')
}

/// Is `path` the prefix itself or below it?
fn below(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Gateway {
    /// Does this request belong to a dialect (decision 11)? Every one under a claimed `<mount>/v<digits>/`, and
    /// every POST below a mount. The server asks for its own pages first.
    pub fn claims(&self, method: &str, target: &str) -> bool {
        let path = path_of(target);
        self.mounts
            .iter()
            .any(|mount| claimed_by(&mount.prefix, path) || (method == "POST" && below(&mount.prefix, path)))
    }

    /// The longest mount that claims the path; else the longest it is below; else the shortest of all, so that even
    /// a target like `*` gets an answer.
    pub(super) fn route(&self, target: &str) -> Route<'_> {
        let path = path_of(target);
        let mount = (self.mounts.iter().find(|mount| claimed_by(&mount.prefix, path)))
            .or_else(|| self.mounts.iter().find(|mount| below(&mount.prefix, path)))
            .unwrap_or(&self.shortest);
        let operation = path.strip_prefix(mount.prefix.as_str()).and_then(|rest| {
            mount.dialect.operations().iter().find(|operation| operation.path == rest).copied()
        });
        Route { mount, operation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_form_loses_scheme_and_authority_and_nothing_else() {
        for (target, reduced) in [
            ("/v1/a?b=c%2F", "/v1/a?b=c%2F"),
            ("http://127.0.0.1:8080/v1/a?b=http://x/y", "/v1/a?b=http://x/y"),
            ("HTTPS://wallet.example//v1/./a", "//v1/./a"),
            ("http://wallet.example", "/"),
            ("http://wallet.example?x=/y", "/?x=/y"),
            ("*", "*"),
            ("//v1/a", "//v1/a"),
            ("ftp://x/y", "ftp://x/y"),
        ] {
            assert_eq!(origin_form(target), reduced);
        }
    }

    #[test]
    fn a_mount_claims_versions_and_nothing_like_them() {
        for (prefix, path, claimed) in [
            ("", "/v1/payments/pay", true),
            ("", "/v12/x", true),
            ("", "/v1/", true),
            ("", "/v1", false),
            ("", "/v/x", false),
            ("", "/v1x/x", false),
            ("", "//v1/x", false),
            ("", "/%761/x", false),
            ("", "/api/v1/x", false),
            ("/api", "/api/v1/x", true),
            ("/api", "/apiv1/x", false),
        ] {
            assert_eq!(claimed_by(prefix, path), claimed, "{prefix} {path}");
        }
        assert!(below("/api", "/api") && below("/api", "/api/x") && !below("/api", "/apis"));
        assert!(below("", "/") && !below("", "*"));
    }
}
