//! Fetches a logo, or gives up: never from a private address (decision 38), never by a redirect, never for longer than
//! five seconds, never more than half a megabyte.

use super::image::{self, Kind, MOST_BYTES};
use crate::outbound::{GuardedResolver, OutboundPolicy, Permit};
use axum::body::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// From the first look-up to the last byte.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// An image that was judged.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    /// What it is.
    pub kind: Kind,
    /// Its bytes, as they came.
    pub bytes: Bytes,
}

/// Fetches logos.
pub struct Fetcher {
    policy: OutboundPolicy,
    http: reqwest::Client,
}

impl Fetcher {
    /// One that goes only where that policy lets it.
    pub fn new(policy: &OutboundPolicy) -> Result<Fetcher, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .dns_resolver(Arc::new(GuardedResolver(Arc::new(policy.clone()))))
            .pool_max_idle_per_host(0)
            .user_agent("accord")
            .build()?;
        Ok(Fetcher { policy: policy.clone(), http })
    }

    /// The image at that address, or why there is none.
    pub async fn fetch(&self, url: &str) -> Result<Picture, String> {
        match self.policy.judge(url) {
            Permit::Go => {}
            Permit::Hold => return Err("this server contacts nobody but itself".to_owned()),
            Permit::Never(why) => return Err(why),
        }
        let patience = tokio::time::timeout(PATIENCE, self.read(url));
        let bytes = patience.await.unwrap_or_else(|_| Err("took too long".to_owned()))?;
        let kind = image::judge(&bytes)?;
        Ok(Picture { kind, bytes: bytes.into() })
    }

    async fn read(&self, url: &str) -> Result<Vec<u8>, String> {
        let mut reply = self.http.get(url).send().await.map_err(said)?;
        if reply.status() != reqwest::StatusCode::OK {
            return Err(format!("HTTP status {}", reply.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(part) = reply.chunk().await.map_err(said)? {
            if bytes.len() + part.len() > MOST_BYTES {
                return Err("more bytes than a logo may have".to_owned());
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}

/// What went wrong, without the address.
fn said(fault: reqwest::Error) -> String {
    fault.without_url().to_string()
}
