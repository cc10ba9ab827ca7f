//! Which port a sandbox gets, and what that does to its public URL.
//!
//! The public URL is fixed at the first start, because it is in URLs that merchants and users hold. A start that
//! cannot have the old port says so loudly and uses a new one.

use super::state::State;
use anyhow::{Context as _, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// A bound listener and the URL that leads to it.
#[derive(Debug)]
pub struct Bound {
    /// Not yet served.
    pub listener: TcpListener,
    /// How the wallet is reached.
    pub public_url: String,
    /// How the demo merchant is reached: another origin of the same port.
    pub demo_url: String,
    /// What must be said loudly.
    pub warning: Option<String>,
}

/// Binds as `listen` and the state of the last start say.
pub fn bind(listen: SocketAddr, state: &State) -> anyhow::Result<Bound> {
    let listener = match (listen.port(), state.port) {
        (0, Some(last)) => TcpListener::bind(SocketAddr::new(listen.ip(), last))
            .or_else(|_| TcpListener::bind(listen))
            .with_context(|| format!("no port of {} can be bound", listen.ip()))?,
        (0, None) => {
            TcpListener::bind(listen).with_context(|| format!("no port of {} can be bound", listen.ip()))?
        }
        (port, _) => match TcpListener::bind(listen) {
            Ok(listener) => listener,
            Err(fault) if fault.kind() == std::io::ErrorKind::AddrInUse => bail!(
                "port {port} of {} is taken: stop whoever has it, or start with --listen {}:0",
                listen.ip(),
                host(listen.ip())
            ),
            Err(fault) => return Err(fault).with_context(|| format!("{listen} cannot be bound")),
        },
    };
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let public_url = format!("http://{}:{port}", host(reachable(listen.ip())));
    let warning = state.public_url.as_ref().filter(|old| **old != public_url).map(|old| {
        format!(
            "the public URL of this sandbox was {old} and is now {public_url}: the old port was not to be had, or \
             another was asked for. New sessions use the new URL; links made before lead nowhere until the sandbox \
             has its old port again."
        )
    });
    Ok(Bound { listener, public_url, demo_url: format!("http://localhost:{port}"), warning })
}

/// The address that a browser on this machine can use.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// An address as it stands in a URL.
fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn port_zero_takes_the_port_used_last_time_if_it_is_free() {
        let first = bind(any(), &State::default()).unwrap();
        let port = first.listener.local_addr().unwrap().port();
        assert_eq!(first.demo_url, format!("http://localhost:{port}"));
        assert!(first.warning.is_none());
        let state =
            State { port: Some(port), public_url: Some(first.public_url.clone()), ..State::default() };

        let meanwhile = bind(any(), &state).unwrap();
        assert_ne!(meanwhile.listener.local_addr().unwrap().port(), port);
        assert!(meanwhile.warning.is_some_and(|warning| warning.contains(&first.public_url)));

        drop(first);
        let again = bind(any(), &state).unwrap();
        assert_eq!(again.listener.local_addr().unwrap().port(), port);
        assert!(again.warning.is_none());
    }

    #[test]
    fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
        let first = bind(any(), &State::default()).unwrap();
        let taken = first.listener.local_addr().unwrap();
        let fault = bind(taken, &State::default()).unwrap_err().to_string();
        assert!(fault.contains("is taken") && fault.contains("127.0.0.1:0"), "{fault}");
    }

    #[test]
    fn listening_everywhere_is_reached_by_loopback() {
        let bound = bind("0.0.0.0:0".parse().unwrap(), &State::default()).unwrap();
        assert!(bound.public_url.starts_with("http://127.0.0.1:"), "{}", bound.public_url);
    }
}
