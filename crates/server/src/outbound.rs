//! Where outgoing calls may go (decision 38): judged on the address that is actually connected to.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// What outgoing calls are allowed.
#[derive(Debug, Clone, Default)]
pub struct OutboundPolicy {
    /// Plain http too (sandbox).
    pub allow_http: bool,
    /// Loopback addresses too (sandbox).
    pub allow_loopback: bool,
    /// Nothing but loopback: the rest waits as `held` (sandbox without `--outbound`).
    pub only_loopback: bool,
    /// Addresses that are allowed although they are private.
    pub allowed: Vec<IpAddr>,
}

/// What is to be done with a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// It may be called; the address is judged when connecting.
    Go,
    /// It waits: this server contacts nobody but loopback.
    Hold,
    /// It may never be called.
    Never(String),
}

impl OutboundPolicy {
    /// Judges a URL before a connection is tried.
    pub fn judge(&self, url: &str) -> Permit {
        let Ok(url) = Url::parse(url) else { return Permit::Never("not a URL".into()) };
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            other => return Permit::Never(format!("scheme {other} is not allowed")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Permit::Never("user info is not allowed".into());
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Permit::Never("no host".into()),
        };
        let local = address.is_some_and(|address| plain(address).is_loopback())
            || matches!(url.host(), Some(Host::Domain("localhost")));
        if self.only_loopback && !local {
            return Permit::Hold;
        }
        match address {
            Some(address) if !self.permits(address) => {
                Permit::Never(format!("address {address} is not allowed"))
            }
            _ => Permit::Go,
        }
    }

    /// Judges an address that a connection would be made to.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = plain(address);
        if self.allowed.contains(&address) {
            return true;
        }
        if address.is_loopback() {
            return self.allow_loopback;
        }
        !self.only_loopback && is_public(address)
    }
}

/// The IPv4 address inside a mapped IPv6 one: `::ffff:10.0.0.1` is 10.0.0.1.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let protocol = a == 192 && b == 0 && c == 0;
            let benchmark = a == 198 && (18..20).contains(&b);
            !(a == 0
                || a >= 240
                || v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
                || shared
                || protocol
                || benchmark)
        }
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Only global unicast (2000::/3), without the ranges that hide an IPv4 address or lead nowhere.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    let global = first & 0xe000 == 0x2000;
    let documentation = (first == 0x2001 && second == 0x0db8) || first & 0xfff0 == 0x3ff0;
    let translating = first == 0x2002 || (first == 0x2001 && second == 0);
    global && !documentation && !translating
}

/// Resolves names and keeps only the addresses that are allowed: there is no second look-up to be fooled by.
pub struct GuardedResolver(pub Arc<OutboundPolicy>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| policy.permits(address.ip())).collect();
            if allowed.is_empty() {
                return Err("no address of this host may be contacted".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_metadata_addresses_are_never_called() {
        let policy = OutboundPolicy::default();
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2002:a00:1::",
            "2001:db8::1",
            "64:ff9b::a00:1",
            "::",
        ] {
            assert!(!policy.permits(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "2600::1", "93.184.215.14"] {
            assert!(policy.permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_url_is_judged_before_it_is_called() {
        let wallet = OutboundPolicy::default();
        assert_eq!(wallet.judge("https://shop.example/notify"), Permit::Go);
        for url in [
            "http://shop.example/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://u:p@shop.example/",
            "ftp://x/",
            "https://2130706433/",
            "nonsense",
        ] {
            assert!(matches!(wallet.judge(url), Permit::Never(_)), "{url}");
        }
        let sandbox = OutboundPolicy {
            allow_http: true,
            allow_loopback: true,
            only_loopback: true,
            allowed: Vec::new(),
        };
        assert_eq!(sandbox.judge("http://127.0.0.1:8080/x"), Permit::Go);
        assert_eq!(sandbox.judge("http://localhost:8080/x"), Permit::Go);
        assert_eq!(sandbox.judge("https://shop.example/notify"), Permit::Hold);
    }
}
