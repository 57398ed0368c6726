//! Asking a web server in an execution for something: what it answers, or why nothing came.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::model::Secret;

/// The longest answer that is read, in bytes: those of hundreds of kernels or executors are shorter, and many are read at once.
const LONGEST: usize = 1 << 20;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whom.
    pub address: SocketAddr,
    /// For what: path and query.
    pub path: String,
    /// What Jupyter wants to see.
    pub token: Option<Secret>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of an answer that has what was asked for.
    pub fn body(self) -> Result<Vec<u8>, String> {
        if self.status == 200 {
            Ok(self.body)
        } else {
            Err(format!("it answered {}", self.status))
        }
    }
}

/// Asks, for so long at the most.
pub(super) async fn fetch(question: Question, patience: Duration) -> Result<Answer, String> {
    tokio::time::timeout(patience, talk(question))
        .await
        .unwrap_or_else(|_| Err(format!("it did not answer within {} s", patience.as_secs())))
}

async fn talk(question: Question) -> Result<Answer, String> {
    let stream = TcpStream::connect(question.address)
        .await
        .map_err(|error| format!("it can't be reached: {error}"))?;
    exchange(stream, &question).await
}

/// Asks over a connection that is there, and reads the answer.
pub(super) async fn exchange(stream: TcpStream, question: &Question) -> Result<Answer, String> {
    let broken = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut request = Request::get(&question.path)
        .header(HOST, question.address.to_string())
        .header(ACCEPT, "application/json, */*;q=0.5")
        .header(CONNECTION, "close");
    if let Some(token) = &question.token {
        request = request.header(AUTHORIZATION, format!("token {}", token.reveal()));
    }
    let request = request
        .body(Empty::<bytes::Bytes>::new())
        .map_err(|_| "it can't be asked for that".to_owned())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| format!("its answer broke off: {error}"))?;
        Ok(Answer {
            status,
            body: body.to_bytes().to_vec(),
        })
    };
    let (answer, _) = tokio::join!(answer, connection);
    answer
}
