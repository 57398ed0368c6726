//! A web server behind the proxy that says what it was asked, redirects in every way there is, and echoes on a websocket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use tokio_tungstenite::tungstenite;

use crate::common::ports::Reserved;

/// Serves until the process ends; `name` is in every page.
pub fn serve(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(stream.unwrap(), name));
        }
    });
    address
}

/// An address where nobody listens until the process ends.
pub fn nobody() -> SocketAddr {
    let reserved: &'static Reserved = Box::leak(Box::new(Reserved::new()));
    reserved.address()
}

fn answer(mut stream: TcpStream, name: &str) {
    let mut peeked = [0; 4096];
    let head = loop {
        let n = stream.peek(&mut peeked).unwrap_or(0);
        let text = String::from_utf8_lossy(&peeked[..n]).into_owned();
        if n == 0 || text.contains("\r\n\r\n") {
            break text;
        }
    };
    let lower = head.to_lowercase();
    if lower.contains("upgrade: websocket") {
        return echo(stream);
    }
    let mut taken = vec![0; head.len()];
    if stream.read_exact(&mut taken).is_err() {
        return;
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    let host = lower
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    let own = stream.local_addr().unwrap();
    let below = path.rsplit_once('/').map_or("", |(below, _)| below);
    let location = match path.rsplit('/').next().unwrap_or_default() {
        "to-host" => Some(format!("http://{host}/there?a=1")),
        "to-https" => Some(format!("https://{host}/there")),
        "to-self" => Some(format!("http://{own}/there")),
        "to-root" => Some("/there".to_owned()),
        "to-below" => Some(format!("http://{host}{below}/there")),
        "to-right" => Some(format!("{below}/there")),
        "to-same-scheme" => Some("//elsewhere.example/x".to_owned()),
        "to-other" => Some("https://elsewhere.example/x".to_owned()),
        _ => None,
    };
    let head = match location {
        Some(location) => format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path={below}/\r\n"
        ),
        None if path.ends_with("/missing") => "HTTP/1.1 404 Not Found\r\n".to_owned(),
        None => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    let body = format!("{name} was asked for {path} at {host}\n{lower}");
    let _ = write!(
        stream,
        "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// Sends back what comes, until the other side ends.
fn echo(stream: TcpStream) {
    let Ok(mut socket) = tungstenite::accept(stream) else {
        return;
    };
    while let Ok(message) = socket.read() {
        if message.is_text() && socket.send(message).is_err() {
            return;
        }
    }
}
