//! As much HTTP as a stand-in needs: one request a connection, its body read whole or passed on unread.

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

/// The head of a request, and what came of its body already.
pub struct Request {
    pub method: String,
    /// The path without an API version.
    pub path: String,
    pub query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    rest: Vec<u8>,
}

/// An answer, its body whole.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, value: &Value) -> Self {
        let body = value.to_string().into_bytes();
        Self { status, body }
    }

    /// As Go's `http.Error`.
    pub fn error(status: u16, text: &str) -> Self {
        let body = format!("{text}\n").into_bytes();
        Self { status, body }
    }

    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The words of an Engine that refuses.
    pub fn message(&self) -> String {
        let value = self.value();
        let text = value["message"].as_str().map(str::to_owned);
        text.unwrap_or_else(|| String::from_utf8_lossy(&self.body).trim().to_owned())
    }
}

impl Request {
    /// Reads the head of the next request.
    pub async fn read(stream: &mut TcpStream) -> Option<Self> {
        let (head, rest) = head(stream).await?;
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let versioned = path
            .strip_prefix("/v1.")
            .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
        Some(Self {
            method,
            path: versioned.unwrap_or(path).to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            headers: headers(lines),
            rest,
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The whole body.
    pub async fn body(&mut self, stream: &mut TcpStream) -> Vec<u8> {
        body(stream, std::mem::take(&mut self.rest), &self.headers, false).await
    }

    /// Passes the request on, for another path, and whatever both sides say from then on, until both are through.
    pub async fn pass(self, mut stream: TcpStream, address: &str, path: &str) {
        let Ok(mut engine) = TcpStream::connect(address).await else {
            return;
        };
        let hijacks = self.header("upgrade").is_some();
        let query = query(&self.query);
        let mut head = format!("{} {path}{query} HTTP/1.1\r\n", self.method);
        for (name, value) in &self.headers {
            if hijacks || !name.eq_ignore_ascii_case("connection") {
                head.extend([name.as_str(), ": ", value, "\r\n"]);
            }
        }
        if !hijacks {
            head += "Connection: close\r\n";
        }
        head += "\r\n";
        let _ = engine.write_all(head.as_bytes()).await;
        let _ = engine.write_all(&self.rest).await;
        let _ = copy_bidirectional(&mut stream, &mut engine).await;
    }
}

fn query(pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("?{}", query.extend_pairs(pairs).finish())
}

/// Asks an Engine.
pub async fn ask(
    address: &str,
    method: &str,
    target: &str,
    extra: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in extra {
        head.extend([name, ": ", value, "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    stream.write_all(body).await?;
    let broken = || std::io::Error::other("the Engine's answer broke off");
    let (head, rest) = self::head(&mut stream).await.ok_or_else(broken)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = headers(lines);
    Ok(Answer {
        status: status.ok_or_else(broken)?,
        body: self::body(&mut stream, rest, &headers, true).await,
    })
}

/// Answers and ends the connection.
pub async fn answer(mut stream: TcpStream, answer: &Answer) {
    let kind = match answer.body.first() {
        Some(b'{' | b'[') => "application/json",
        _ => "text/plain; charset=utf-8",
    };
    let head = format!(
        "HTTP/1.1 {} -\r\nApi-Version: 1.30\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&answer.body).await;
    let _ = stream.shutdown().await;
}

async fn head(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut data = Vec::new();
    loop {
        if let Some(end) = data.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = data.split_off(end + 4);
            data.truncate(end);
            return Some((String::from_utf8(data).ok()?, rest));
        }
        if stream.read_buf(&mut data).await.ok()? == 0 {
            return None;
        }
    }
}

fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.as_str())
}

/// A body; without a length it is over with the connection, or there is none.
async fn body(
    stream: &mut (impl AsyncRead + Unpin),
    mut data: Vec<u8>,
    headers: &[(String, String)],
    to_end: bool,
) -> Vec<u8> {
    if header(headers, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        let mut whole = Vec::new();
        loop {
            if let Some((chunk, rest)) = chunk(&data) {
                let last = chunk.is_empty();
                whole.extend_from_slice(chunk);
                data = data.split_off(rest);
                if last {
                    return whole;
                }
            } else if stream.read_buf(&mut data).await.unwrap_or(0) == 0 {
                return whole;
            }
        }
    }
    let length = header(headers, "content-length").and_then(|length| length.parse::<usize>().ok());
    let wanted = length.unwrap_or(if to_end { usize::MAX } else { 0 });
    while data.len() < wanted && stream.read_buf(&mut data).await.unwrap_or(0) > 0 {}
    data
}

/// The first whole chunk, and where what follows it begins.
fn chunk(data: &[u8]) -> Option<(&[u8], usize)> {
    let line = data.windows(2).position(|two| two == b"\r\n")?;
    let size = std::str::from_utf8(&data[..line]).ok()?;
    let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
    let from = line + 2;
    (data.len() >= from + size + 2).then(|| (&data[from..from + size], from + size + 2))
}
