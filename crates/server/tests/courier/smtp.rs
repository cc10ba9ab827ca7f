//! A small mail server: STARTTLS, TLS, AUTH, and whatever end the test wants for a letter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub const USER: &str = "wallet";
pub const PASSWORD: &str = "a secret";

/// What becomes of a letter.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// A reply to its last line.
    Say(&'static str),
    /// It is kept, and the connection breaks before a word.
    KeepAndDrop,
    /// Nothing more is ever said.
    Hang,
}

/// How the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    Plain,
    StartTls,
    Tls,
    /// Offers no STARTTLS, as an attacker on the way would have it.
    Stripped,
}

/// A letter as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    pub encrypted: bool,
    pub signed_in: bool,
}

pub struct MailServer {
    pub port: u16,
    /// Its certificate, in a file that goes with it.
    pub ca: tempfile::TempPath,
    letters: Arc<Mutex<Vec<Received>>>,
    ends: Arc<Mutex<VecDeque<End>>>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
type Line = BufReader<Box<dyn Stream>>;

impl MailServer {
    pub async fn open(speech: Speech) -> MailServer {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let ca = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&ca, made.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = MailServer { port, ca, letters: Arc::default(), ends: Arc::default() };
        let (letters, ends) = (server.letters.clone(), server.ends.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, letters, ends) = (acceptor.clone(), letters.clone(), ends.clone());
                tokio::spawn(async move {
                    let _ = converse(socket, speech, acceptor, letters, ends).await;
                });
            }
        });
        server
    }

    /// The next letters end so, in order; after them each is taken.
    pub fn then(&self, ends: &[End]) {
        self.ends.lock().unwrap().extend(ends);
    }

    pub fn letters(&self) -> Vec<Received> {
        self.letters.lock().unwrap().clone()
    }

    /// Waits until there are so many letters, and gives them.
    pub async fn wait(&self, count: usize) -> Vec<Received> {
        for _ in 0..300 {
            if self.letters().len() >= count {
                return self.letters();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{count} letters in vain: {:?}", self.letters());
    }
}

async fn say(line: &mut Line, text: &str) -> std::io::Result<()> {
    line.get_mut().write_all(format!("{text}\r\n").as_bytes()).await?;
    line.get_mut().flush().await
}

async fn converse(
    socket: TcpStream,
    speech: Speech,
    acceptor: TlsAcceptor,
    letters: Arc<Mutex<Vec<Received>>>,
    ends: Arc<Mutex<VecDeque<End>>>,
) -> std::io::Result<()> {
    let mut encrypted = speech == Speech::Tls;
    let first: Box<dyn Stream> =
        if encrypted { Box::new(acceptor.accept(socket).await?) } else { Box::new(socket) };
    let mut line = BufReader::new(first);
    let (mut signed_in, mut from, mut to) = (false, String::new(), Vec::new());
    say(&mut line, "220 mail.test ESMTP").await?;
    loop {
        let mut text = String::new();
        if line.read_line(&mut text).await? == 0 {
            return Ok(());
        }
        let text = text.trim_end().to_owned();
        let verb = text.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                say(&mut line, "250-mail.test").await?;
                if speech == Speech::StartTls && !encrypted {
                    say(&mut line, "250-STARTTLS").await?;
                }
                say(&mut line, "250-8BITMIME").await?;
                say(&mut line, "250 AUTH PLAIN LOGIN").await?;
            }
            "STARTTLS" => {
                say(&mut line, "220 go on").await?;
                assert!(line.buffer().is_empty(), "nothing may be said before the handshake");
                line = BufReader::new(Box::new(acceptor.accept(line.into_inner()).await?));
                (encrypted, signed_in) = (true, false);
            }
            "AUTH" => {
                let said = text.split(' ').nth(2).and_then(|text| STANDARD.decode(text).ok());
                signed_in = said == Some(format!("\0{USER}\0{PASSWORD}").into_bytes());
                say(&mut line, if signed_in { "235 welcome" } else { "535 5.7.8 who are you?" }).await?;
            }
            "MAIL" => {
                from = text;
                to.clear();
                say(&mut line, "250 ok").await?;
            }
            "RCPT" => {
                to.push(text);
                say(&mut line, "250 ok").await?;
            }
            "DATA" => {
                say(&mut line, "354 go on").await?;
                let mut data = String::new();
                while !data.ends_with("\r\n.\r\n") {
                    if line.read_line(&mut data).await? == 0 {
                        return Ok(());
                    }
                }
                let end = ends.lock().unwrap().pop_front().unwrap_or(End::Say("250 taken"));
                let letter = Received { from: from.clone(), to: to.clone(), data, encrypted, signed_in };
                match end {
                    End::Say(reply) => {
                        if reply.starts_with('2') {
                            letters.lock().unwrap().push(letter);
                        }
                        say(&mut line, reply).await?;
                    }
                    End::KeepAndDrop => {
                        letters.lock().unwrap().push(letter);
                        return Ok(());
                    }
                    End::Hang => std::future::pending::<()>().await,
                }
            }
            "QUIT" => {
                say(&mut line, "221 bye").await?;
                return Ok(());
            }
            _ => say(&mut line, "250 ok").await?,
        }
    }
}

impl Received {
    /// The lines of the header, unfolded.
    pub fn header(&self) -> Vec<String> {
        let (header, _) = self.data.split_once("\r\n\r\n").unwrap();
        header.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    /// The fields of that name, decoded.
    pub fn fields(&self, name: &str) -> Vec<String> {
        let prefix = format!("{}: ", name.to_ascii_lowercase());
        let of = |line: &String| {
            line.to_ascii_lowercase().starts_with(&prefix).then(|| decode_words(&line[prefix.len()..]))
        };
        self.header().iter().filter_map(of).collect()
    }

    /// The parts of the body: type and decoded text.
    pub fn parts(&self) -> Vec<(String, String)> {
        let kind = self.fields("content-type").remove(0);
        let boundary = kind.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let line = format!("--{boundary}");
        let pieces = self.data.split(&line).skip(1);
        pieces
            .filter(|piece| !piece.starts_with("--"))
            .map(|piece| {
                let (header, body) = piece.trim_start().split_once("\r\n\r\n").unwrap();
                let lower = header.to_ascii_lowercase();
                let text = if lower.contains("base64") {
                    let bytes = STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap();
                    String::from_utf8(bytes).unwrap()
                } else if lower.contains("quoted-printable") {
                    quoted(&body.replace("=\r\n", ""))
                } else {
                    body.to_owned()
                };
                (lower, text)
            })
            .collect()
    }
}

fn quoted(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] == b'=' && at + 2 < bytes.len() {
            out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// RFC 2047: encoded words in base64, one after the other.
fn decode_words(text: &str) -> String {
    let mut out = Vec::new();
    for (number, word) in text.split(' ').enumerate() {
        let inner = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        match inner {
            Some(inner) => out.extend(STANDARD.decode(inner).unwrap()),
            None => {
                if number > 0 {
                    out.push(b' ');
                }
                out.extend(word.as_bytes());
            }
        }
    }
    String::from_utf8(out).unwrap()
}
