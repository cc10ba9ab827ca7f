//! The wallet API's listener with TLS: who has no certificate of the configured authority does not get as far as HTTP.

use super::house::House;
use super::stores::{Shelf, served_from_every_store};
use super::{System, code};
use accord_core::operator::Role;
use accord_server::wallet_api::Seams;
use accord_server::wallet_api::listen::{Listen, MutualTls};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use reqwest::{Certificate, Client, Identity};
use std::path::{Path, PathBuf};

served_from_every_store!(only_a_certificate_of_the_configured_authority_opens_a_connection,);

/// An authority of somebody.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate and its key, PEM.
    fn sign(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn client(&self) -> Identity {
        let (certificate, key) = self.sign("mobile-backend", ExtendedKeyUsagePurpose::ClientAuth);
        Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap()
    }
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A caller that trusts `ours`, with that certificate.
fn caller(ours: &Authority, identity: Option<Identity>) -> Client {
    let root = Certificate::from_pem(ours.pem.as_bytes()).unwrap();
    let builder = Client::builder().no_proxy().tls_certs_only([root]);
    match identity {
        Some(identity) => builder.identity(identity).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

async fn only_a_certificate_of_the_configured_authority_opens_a_connection(shelf: Shelf) {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path();
    let (certificate, key) = ours.sign("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
    let tls = Some(MutualTls {
        cert: write(dir, "cert.pem", &certificate),
        key: write(dir, "key.pem", &key),
        client_ca: write(dir, "ca.pem", &ours.pem),
    });
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house =
        House::open_with(shelf, Seams { wallet_api: Some(Listen { address, tls }), ..Seams::default() })
            .await;
    let system = System::with(&house, Role::Reader).await;
    let url = format!("https://{address}/wallet/v1/users?loginId=x");

    // With the right certificate it is the API as ever: a credential is needed as well.
    let right = caller(&ours, Some(ours.client()));
    let reply = right.get(&url).bearer_auth(&system.token).send().await.unwrap();
    assert_eq!(code(&super::house::told(reply).await), (404, "USER_NOT_FOUND"));
    let reply = right.get(&url).send().await.unwrap();
    assert_eq!(code(&super::house::told(reply).await), (401, "UNAUTHORIZED"));

    for (who, identity) in [
        ("nobody", None),
        ("a client of another authority", Some(theirs.client())),
        ("the server's own certificate", {
            let (certificate, key) = ours.sign("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
            Some(Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap())
        }),
    ] {
        let refused = caller(&ours, identity).get(&url).bearer_auth(&system.token).send().await;
        assert!(refused.is_err(), "{who} got {refused:?}");
    }
    // Plain HTTP gets no word.
    let plain = house.http.get(url.replace("https:", "http:")).bearer_auth(&system.token).send().await;
    assert!(plain.is_err(), "{plain:?}");
    // And the callers of ours find out about a server that is not.
    let foreign = caller(&theirs, Some(ours.client())).get(&url).bearer_auth(&system.token).send().await;
    assert!(foreign.is_err(), "{foreign:?}");
    // The connections that were refused have harmed nobody.
    assert_eq!(right.get(&url).bearer_auth(&system.token).send().await.unwrap().status(), 404);
    house.close().await;
}
