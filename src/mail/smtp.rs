//! The site's mail server: connecting, logging in, handing over a mail. The only place that knows SMTP.
//!
//! What is not here: trying again. An error says whether the server as a whole is out of reach, or this one mail was refused.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::address::Envelope as Route;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use thiserror::Error as ThisError;

use super::clean;
use super::page::Content;
use crate::config::MailSecurity;
use crate::config::files::{has_certificates, read_small};
use crate::model::Secret;

/// How long it may take to connect and log in.
pub const CONNECT: Duration = Duration::from_secs(15);
/// How long it may take to hand over a mail: a server may take ten minutes for its last word about it (RFC 5321, 4.5.3.2.6). Who
/// does not wait for that sends again what was taken.
pub const SEND: Duration = Duration::from_mins(11);
const GOODBYE: Duration = Duration::from_secs(2);
/// How much of what the server said is passed on.
const SAID: usize = 300;

/// Which server takes the mail, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// Certificates to trust in addition to the system's, in a PEM file.
    pub trust: Option<PathBuf>,
    /// With which login, if with one.
    pub login: Option<Login>,
    /// The address that mails come from.
    pub sender: String,
}

/// A name and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password, or where it is.
    pub password: Password,
}

/// A password, or where it is. Who may not read it may do everything but send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// This one.
    Given(Secret),
    /// The first line of this file.
    File(PathBuf),
}

/// A mail's addresses and what else is on its outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// To whom.
    pub recipient: &'a str,
    /// The header, with its angle brackets.
    pub message_id: &'a str,
    /// When it was written.
    pub date: Timestamp,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum SendError {
    /// Nothing can be sent now: the server is out of reach, does not let zoe in, or zoe does not know how to.
    #[error("{0}")]
    NoServer(String),
    /// It took this mail not.
    #[error("{why}")]
    Refused {
        /// What it said.
        why: String,
        /// Whether it will say so again.
        for_good: bool,
    },
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A connection that mails can be handed over on, one after the other.
pub struct Connection {
    inner: AsyncSmtpConnection,
    sender: Address,
}

impl Connection {
    /// Connects, protects the connection as is configured, and logs in.
    pub async fn open(server: &Server) -> Result<Self, SendError> {
        let failed = |why: String| {
            let why = if why.contains("CaUsedAsEndEntity") {
                "its certificate is marked as an authority's (CA:TRUE), which a server's must not be".to_owned()
            } else {
                clean::line(&why, SAID)
            };
            SendError::NoServer(format!("mail can't be sent through {server}: {why}"))
        };
        let sender: Address = server
            .sender
            .parse()
            .map_err(|error| failed(format!("[smtp] sender is no address: {error}")))?;
        let credentials = credentials(server).map_err(failed)?;
        let tls = match server.security {
            MailSecurity::None => None,
            MailSecurity::Starttls | MailSecurity::Tls => Some(tls(server).map_err(failed)?),
        };
        let opened = tokio::time::timeout(CONNECT, connect(server, tls, credentials));
        let inner = opened
            .await
            .map_err(|_| failed(format!("no answer for {} s", CONNECT.as_secs())))?
            .map_err(|error| failed(words(&error)))?;
        Ok(Self { inner, sender })
    }

    /// Hands over one mail. After [`SendError::NoServer`] the connection is worth nothing.
    pub async fn send(
        &mut self,
        envelope: &Envelope<'_>,
        content: &Content,
    ) -> Result<(), SendError> {
        self.send_within(SEND, envelope, content).await
    }

    async fn send_within(
        &mut self,
        patience: Duration,
        envelope: &Envelope<'_>,
        content: &Content,
    ) -> Result<(), SendError> {
        let (message, route) = written(&self.sender, envelope, content)?;
        let sent = tokio::time::timeout(patience, self.inner.send(&route, &message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judged(&error)),
            Err(_) => Err(SendError::NoServer(format!(
                "the mail server did not take a mail within {} s",
                patience.as_secs()
            ))),
        }
    }

    /// Whether nothing more can be handed over on it.
    pub fn is_broken(&self) -> bool {
        self.inner.has_broken()
    }

    /// Says goodbye. What was handed over is the server's already.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(GOODBYE, self.inner.quit()).await;
    }
}

fn refused(why: String, for_good: bool) -> SendError {
    SendError::Refused { why, for_good }
}

/// Refused connections are neither "transient" nor "permanent" here: only what the server said of this mail is.
fn judged(error: &Error) -> SendError {
    let why = words(error);
    let code = error.status().map(u16::from);
    match code {
        // It wants to be logged in to, or has had enough of this connection: no fault of the mail.
        Some(421 | 530 | 534 | 535 | 538) => SendError::NoServer(why),
        Some(_) => refused(why, error.is_permanent()),
        None if error.is_client() => refused(why, true),
        None => SendError::NoServer(why),
    }
}

fn words(error: &Error) -> String {
    let code = error.status().map(|code| format!("it said {code}"));
    let inner = std::error::Error::source(error).map(ToString::to_string);
    let text = match (code, inner) {
        (Some(code), Some(inner)) => format!("{code}: {inner}"),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => error.to_string(),
    };
    clean::line(&text, SAID)
}

async fn connect(
    server: &Server,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
) -> Result<AsyncSmtpConnection, Error> {
    let hello = ClientId::default();
    let (first, later) = match server.security {
        MailSecurity::Tls => (tls, None),
        MailSecurity::Starttls | MailSecurity::None => (None, tls),
    };
    let address = (server.host.as_str(), server.port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT), &hello, first, None).await?;
    if let Some(tls) = later {
        connection.starttls(tls, &hello).await?;
    }
    if let Some(credentials) = credentials {
        let ways = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&ways, &credentials).await?;
    }
    Ok(connection)
}

fn tls(server: &Server) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.trust {
        let pem = std::fs::read(path)
            .map_err(|error| format!("cannot read [smtp] ca_file {}: {error}", path.display()))?;
        has_certificates(path).map_err(|why| format!("[smtp] ca_file {} {why}", path.display()))?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| format!("[smtp] ca_file {}: {error}", path.display()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| error.to_string())
}

fn credentials(server: &Server) -> Result<Option<Credentials>, String> {
    let Some(login) = &server.login else {
        return Ok(None);
    };
    let password = match &login.password {
        Password::Given(secret) => secret.clone(),
        Password::File(path) => {
            let text = read_small(path).map_err(|error| {
                format!(
                    "cannot read [smtp] password_file {}: {error}",
                    path.display()
                )
            })?;
            Secret::new(text.lines().next().unwrap_or_default())
        }
    };
    let (user, password) = (login.user.clone(), password.reveal().to_owned());
    Ok(Some(Credentials::new(user, password)))
}

/// Tells others that nobody is to be answered automatically (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Whether mail can be sent to this address by any server: in ASCII, as few take another.
pub fn is_address(text: &str) -> bool {
    text.is_ascii() && text.len() <= 254 && text.parse::<Address>().is_ok()
}

/// The mail as it goes over the line, its headers and all.
pub fn message(
    sender: &str,
    envelope: &Envelope<'_>,
    content: &Content,
) -> Result<Vec<u8>, SendError> {
    let sender = sender
        .parse()
        .map_err(|_| refused("the sender is no mail address".to_owned(), true))?;
    written(&sender, envelope, content).map(|(message, _)| message)
}

fn written(
    sender: &Address,
    envelope: &Envelope<'_>,
    content: &Content,
) -> Result<(Vec<u8>, Route), SendError> {
    let recipient: Address = envelope.recipient.parse().map_err(|error| {
        let address = clean::line(envelope.recipient, 80);
        refused(format!("'{address}' is no mail address: {error}"), true)
    })?;
    let message =
        format(sender, &recipient, envelope, content).map_err(|why| refused(why, true))?;
    let route = Route::new(Some(sender.clone()), vec![recipient]);
    let route = route.map_err(|error| refused(error.to_string(), true))?;
    Ok((message, route))
}

fn format(
    sender: &Address,
    recipient: &Address,
    envelope: &Envelope<'_>,
    content: &Content,
) -> Result<Vec<u8>, String> {
    let name = Some("zoe".to_owned());
    let date = SystemTime::from(envelope.date);
    Message::builder()
        .from(Mailbox::new(name, sender.clone()))
        .to(Mailbox::new(None, recipient.clone()))
        .date(date)
        .subject(clean::line(&content.subject, SAID))
        .message_id(Some(clean::line(envelope.message_id, SAID)))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(
            content.text.clone(),
            content.html.clone(),
        ))
        .map(|message| message.formatted())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
