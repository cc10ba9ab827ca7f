//! Where the wallet API listens: on this machine alone, or with TLS that asks for a client's certificate.

use crate::serve::StartFault;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// TLS; nothing: plain HTTP, on this machine only.
    pub tls: Option<MutualTls>,
}

/// TLS with certificates on both sides, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutualTls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Who signs the certificates of callers.
    pub client_ca: PathBuf,
}

impl Listen {
    /// Why this listener must not be opened: a credential sent in the clear is anybody's.
    pub fn fault(&self) -> Option<String> {
        let open = self.tls.is_none() && !self.address.ip().is_loopback();
        open.then(|| {
            format!(
                "{} can be reached from other machines: listen on 127.0.0.1, or configure wallet_api.tls with cert, \
                 key and client_ca",
                self.address
            )
        })
    }
}

/// Reads the files.
pub fn acceptor(files: &MutualTls) -> Result<TlsAcceptor, StartFault> {
    let fault = |file: &Path, why: String| StartFault::Tls(format!("{}: {why}", file.display()));
    let certificates = |file: &Path| {
        CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|why| fault(file, why.to_string()))
    };
    let chain = certificates(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|why| fault(&files.key, why.to_string()))?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(&files.client_ca)? {
        roots.add(certificate).map_err(|why| fault(&files.client_ca, why.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|why| fault(&files.client_ca, why.to_string()))?;
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| StartFault::Tls(why.to_string()))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|why| fault(&files.cert, why.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let listen = |address: &str| Listen { address: address.parse().unwrap(), tls: None };
        for address in ["127.0.0.1:9091", "[::1]:9091"] {
            assert_eq!(listen(address).fault(), None, "{address}");
        }
        for address in ["0.0.0.0:9091", "[::]:9091", "10.0.0.1:9091"] {
            assert!(listen(address).fault().is_some_and(|why| why.contains("client_ca")), "{address}");
            let file = || PathBuf::from("x.pem");
            let tls = Some(MutualTls { cert: file(), key: file(), client_ca: file() });
            assert_eq!(Listen { tls, ..listen(address) }.fault(), None, "{address}");
        }
    }
}
