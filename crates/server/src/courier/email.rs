//! E-mail: one letter for each message, by SMTP with TLS.
//!
//! A letter is made from its message alone: each try makes the same bytes, under the same Message-ID, by which a mail
//! server drops a second copy. Plain connections are made to this machine only.

use super::Said;
use crate::pages::letter::{Letter, letter};
use accord_core::message::Message;
use accord_core::message::delivery::Delivery;
pub use lettre::message::Mailbox as Sender;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// One step of the conversation may take so long.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// So many connections to the mail server at a time.
const CONNECTIONS: u32 = 8;

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS after STARTTLS, and nothing without it (port 587).
    StartTls,
    /// None: to this machine only.
    Plain,
}

/// The mail server of a deployment.
#[derive(Clone)]
pub struct EmailOptions {
    /// Name or address of the server; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: Security,
    /// Who signs its certificate, PEM; nothing: whom this machine trusts.
    pub ca: Option<PathBuf>,
    /// User and password.
    pub credentials: Option<(String, Zeroizing<String>)>,
    /// From whom letters are, as `Name <address>`.
    pub from: String,
}

impl std::fmt::Debug for EmailOptions {
    /// Everything that a log may know: not the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmailOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// A mail server that can be spoken to.
pub struct Email {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Email {
    /// Makes ready to speak; connects to nobody. The fault is a sentence.
    pub fn new(options: &EmailOptions) -> Result<Email, String> {
        let from: Mailbox =
            options.from.parse().map_err(|fault| format!("`{}` is no sender: {fault}", options.from))?;
        let tls = match options.security {
            Security::Plain if !is_this_machine(&options.host) => {
                return Err(format!("{}: a plain connection is made to this machine only", options.host));
            }
            Security::Plain => Tls::None,
            Security::Tls => Tls::Wrapper(tls_of(options)?),
            Security::StartTls => Tls::Required(tls_of(options)?),
        };
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.host)
            .port(options.port)
            .tls(tls)
            .timeout(Some(STEP_TIMEOUT))
            .hello_name(hello)
            .pool_config(PoolConfig::new().max_size(CONNECTIONS));
        if let Some((user, password)) = &options.credentials {
            builder = builder
                .credentials(Credentials::new(user.clone(), password.to_string()))
                .authentication(vec![Mechanism::Plain, Mechanism::Login]);
        }
        Ok(Email { from, transport: builder.build() })
    }

    /// Connects and signs in, and sends nothing.
    pub async fn probe(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the server does not answer NOOP".to_owned()),
            Err(fault) => Err(words_of(&fault)),
        }
    }

    /// One try.
    pub async fn send(&self, delivery: &Delivery, message: &Message) -> Said {
        let mail = match compose(&self.from, delivery, message) {
            Ok(mail) => mail,
            Err(why) => return Said::refused(why),
        };
        match self.transport.send(mail).await {
            Ok(response) => Said::sent(response.code().to_string()),
            Err(fault) => {
                let code = fault.status().map(|code| code.to_string());
                match code.as_deref() {
                    // The mailbox is wrong, gone or full, or the letter is not to its taste. Other refusals are about
                    // us (signing in, relaying now) and may be cured by our operator.
                    Some("501" | "550" | "551" | "552" | "553" | "555" | "556") => {
                        Said::refused(words_of(&fault))
                    }
                    _ => Said::failed(words_of(&fault)),
                }
            }
        }
    }
}

fn tls_of(options: &EmailOptions) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(options.host.clone());
    if let Some(file) = &options.ca {
        let fault = |why: String| format!("{}: {why}", file.display());
        let pem = std::fs::read(file).map_err(|why| fault(why.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|why| fault(why.to_string()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|fault| format!("tls: {fault}"))
}

/// Is that name or address this machine?
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The letter as it is sent. The fault says why there can be none.
fn compose(from: &Mailbox, delivery: &Delivery, message: &Message) -> Result<lettre::Message, String> {
    let to: Address = delivery.to.parse().map_err(|fault| format!("no e-mail address: {fault}"))?;
    let Letter { subject, text, html } = letter(message);
    let id = format!("{}.{}", delivery.message, delivery.carrier);
    let millis = u64::try_from(message.at.0).unwrap_or(0);
    let header = |name: &'static str, value: &str| {
        HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
    };
    let part = |kind: ContentType, body: String| SinglePart::builder().header(kind).body(body);
    lettre::Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", message.language.as_str()))
        .multipart(
            MultiPart::alternative()
                .boundary(format!("={id}="))
                .singlepart(part(ContentType::TEXT_PLAIN, text))
                .singlepart(part(ContentType::TEXT_HTML, html)),
        )
        .map_err(|fault| format!("not a letter: {fault}"))
}

/// A fault with its reason: lettre tells the layers one by one.
fn words_of(fault: &lettre::transport::smtp::Error) -> String {
    let mut words = fault.to_string();
    let mut reason: &dyn std::error::Error = fault;
    while let Some(source) = reason.source() {
        let more = source.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        reason = source;
    }
    words
}
