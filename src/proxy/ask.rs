//! Asking a web server: Apache, and what is behind it. Any answer is one; what it means is for who asks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::Request;
use hyper::header::{CONNECTION, HOST};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The header that a virtual host of `zoe proxy setup` answers with.
const MARK: &str = "x-zoe-proxy";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whether with TLS.
    pub secure: bool,
    /// `host` or `host:port`.
    pub authority: String,
    /// The path.
    pub path: String,
    /// The address to connect to, where it is not the one that `authority` stands for.
    pub at: Option<SocketAddr>,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Whether a virtual host of `zoe proxy setup` answered.
    pub is_zoe: bool,
}

/// Asks; without an answer in time, why.
pub async fn ask(question: &Question, patience: Duration) -> Result<Answer, String> {
    tokio::time::timeout(patience, connect_and_ask(question))
        .await
        .unwrap_or_else(|_| Err(no_answer(patience)))
}

/// What is said of one that has taken the question and does not answer.
pub fn no_answer(patience: Duration) -> String {
    format!("no answer within {} s", patience.as_secs())
}

async fn connect_and_ask(question: &Question) -> Result<Answer, String> {
    let (host, port) = match question.authority.rsplit_once(':') {
        Some((host, port)) => (
            host,
            port.parse().map_err(|_| "that is no port".to_owned())?,
        ),
        None => (
            question.authority.as_str(),
            if question.secure { 443 } else { 80 },
        ),
    };
    let connected = match question.at {
        Some(address) => TcpStream::connect(address).await,
        None => TcpStream::connect((host, port)).await,
    };
    let stream = connected.map_err(|error| error.to_string())?;
    if question.secure {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(Arc::new(tls()?)).connect(name, stream);
        talk(stream.await.map_err(|error| error.to_string())?, question).await
    } else {
        talk(stream, question).await
    }
}

fn tls() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    // Those that can't be read are missed when they are needed.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn talk<S>(stream: S, question: &Question) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let request = Request::get(&question.path)
        .header(HOST, &question.authority)
        .header(CONNECTION, "close")
        .body(Empty::<bytes::Bytes>::new())
        .map_err(|error| error.to_string())?;
    let asked = async move {
        let answer = sender.send_request(request).await;
        answer.map(|answer| Answer {
            status: answer.status().as_u16(),
            is_zoe: answer.headers().contains_key(MARK),
        })
    };
    // The body is of no interest: who has the head goes.
    let mut connection = std::pin::pin!(connection);
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        answer = &mut asked => answer.map_err(|error| error.to_string()),
        _ = &mut connection => match tokio::time::timeout(Duration::from_millis(100), asked).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("it ended the connection without an answer".to_owned()),
        },
    }
}
