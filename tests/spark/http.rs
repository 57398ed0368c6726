//! Just enough HTTP to ask Spark and Jupyter.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

/// The status of an answer and its body as JSON; null if it is none.
pub type Answer = (u16, Value);

/// Asks, and fails the test when nobody answers.
pub async fn ask(method: &str, url: &Url, body: Option<Value>) -> Answer {
    let asked = tokio::time::timeout(Duration::from_mins(2), send(method, url, body)).await;
    asked.unwrap_or_else(|_| panic!("{url} does not answer"))
}

async fn send(method: &str, url: &Url, body: Option<Value>) -> Answer {
    let address = (
        url.host_str().unwrap(),
        url.port_or_known_default().unwrap(),
    );
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let body = body.map(|value| value.to_string()).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", format!("{}:{}", address.0, address.1))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// `GET`, from code that is not asynchronous.
pub fn get(url: &str) -> Answer {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(ask("GET", &Url::parse(url).unwrap(), None))
}
