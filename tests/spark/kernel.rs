//! A Jupyter server as a browser sees it: its REST interface, and a kernel behind its websocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use url::Url;

use crate::spark::http::{Answer, ask};
use crate::spark::site::PATIENCE;

/// A server, reached as the URL says that `zoe notebook` prints.
pub struct Jupyter {
    base: Url,
    token: String,
}

impl Jupyter {
    /// Reads such a URL.
    pub fn at(printed: &str) -> Self {
        let base = Url::parse(printed.trim()).unwrap();
        let token = base.query_pairs().find(|(key, _)| key == "token");
        let token = token
            .unwrap_or_else(|| panic!("no token: {printed}"))
            .1
            .into_owned();
        Self { base, token }
    }

    /// The token in the URL.
    pub fn token(&self) -> &str {
        &self.token
    }

    fn url(&self, path: &str, token: &str) -> Url {
        let mut url = self.base.clone();
        // Behind a web server all of it is below a path.
        let below = self.base.path().trim_end_matches("/lab");
        url.set_path(&format!("{below}{path}"));
        url.set_query(
            (!token.is_empty())
                .then(|| format!("token={token}"))
                .as_deref(),
        );
        url
    }

    /// Asks with the token.
    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        ask(method, &self.url(path, &self.token), body).await
    }

    /// Asks for a page with this token instead, or none.
    pub async fn get_with(&self, path: &str, token: &str) -> Answer {
        ask("GET", &self.url(path, token), None).await
    }

    /// Starts a kernel and connects to it.
    pub async fn kernel(&self, name: &str) -> Kernel {
        let (status, kernel) = self
            .ask("POST", "/api/kernels", Some(json!({ "name": name })))
            .await;
        assert_eq!(status, 201, "{kernel}");
        let id = kernel["id"].as_str().unwrap();
        let mut url = self.url(&format!("/api/kernels/{id}/channels"), &self.token);
        url.set_scheme("ws").unwrap();
        let connected = tokio::time::timeout(PATIENCE, connect_async(url.as_str()))
            .await
            .unwrap();
        Kernel {
            id: id.to_owned(),
            socket: connected.unwrap().0,
            sent: 0,
        }
    }

    /// Ends a kernel.
    pub async fn end(&self, kernel: Kernel) {
        let (status, _) = self
            .ask("DELETE", &format!("/api/kernels/{}", kernel.id), None)
            .await;
        assert_eq!(status, 204);
    }
}

/// A kernel that runs.
pub struct Kernel {
    id: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    sent: usize,
}

impl Kernel {
    /// Runs a cell; what it printed on standard output and what its last expression shows.
    pub async fn run(&mut self, code: &str) -> String {
        tokio::time::timeout(PATIENCE, self.execute(code))
            .await
            .unwrap_or_else(|_| panic!("no answer to {code:?}"))
    }

    /// Runs a cell and does not wait for it.
    pub async fn begin(&mut self, code: &str) {
        self.send(code).await;
    }

    async fn execute(&mut self, code: &str) -> String {
        let id = self.send(code).await;
        let mut shown = String::new();
        // The answer comes on one channel and what it shows on another: either may be the last.
        let (mut answered, mut idle) = (false, false);
        while !(answered && idle) {
            let message = self.next().await;
            if message["parent_header"]["msg_id"] != id.as_str() {
                continue;
            }
            let content = &message["content"];
            match message["header"]["msg_type"].as_str().unwrap_or_default() {
                // What Spark says of its progress is on the other one.
                "stream" if content["name"] == "stdout" => {
                    shown += content["text"].as_str().unwrap();
                }
                "execute_result" => shown += content["data"]["text/plain"].as_str().unwrap(),
                "status" => idle |= content["execution_state"] == "idle",
                "execute_reply" => {
                    assert_eq!(content["status"], "ok", "{code}: {content}");
                    answered = true;
                }
                _ => {}
            }
        }
        shown
    }

    /// Sends a cell, and gives the id of the message.
    async fn send(&mut self, code: &str) -> String {
        self.sent += 1;
        let id = format!("{}-{}", self.id, self.sent);
        let request = json!({
            "channel": "shell",
            "header": {
                "msg_id": id, "msg_type": "execute_request", "username": "test", "session": self.id,
                "date": "2026-01-01T00:00:00Z", "version": "5.3",
            },
            "parent_header": {}, "metadata": {}, "buffers": [],
            "content": {
                "code": code, "silent": false, "store_history": true, "user_expressions": {},
                "allow_stdin": false, "stop_on_error": true,
            },
        });
        self.socket
            .send(Message::text(request.to_string()))
            .await
            .unwrap();
        id
    }

    async fn next(&mut self) -> Value {
        loop {
            // Asked regularly, so that a connection that nobody serves is noticed.
            let next = tokio::time::timeout(Duration::from_secs(30), self.socket.next()).await;
            match next {
                Err(_) => self
                    .socket
                    .send(Message::Ping(Vec::new().into()))
                    .await
                    .unwrap(),
                Ok(Some(Ok(Message::Text(text)))) => return serde_json::from_str(&text).unwrap(),
                Ok(Some(Ok(_))) => {}
                Ok(other) => panic!("the kernel's connection ended: {other:?}"),
            }
        }
    }
}
