//! What a mail looks like on the line, and how long a server may take.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;

fn written(subject: &str, text: &str) -> String {
    let content = Content {
        subject: subject.to_owned(),
        text: text.to_owned(),
        html: "<p>é</p>".to_owned(),
    };
    let envelope = Envelope {
        recipient: "ada@example.org",
        message_id: "<a.end.1@example.org>",
        date: Timestamp::UNIX_EPOCH,
    };
    let message = message("zoe@example.org", &envelope, &content);
    String::from_utf8(message.unwrap()).unwrap()
}

#[test]
fn headers_are_what_they_should_be_and_nothing_else() {
    let message = written("naïve\r\nBcc: eve@example.org", "hello\n.\nBcc: x\n");
    let (headers, _) = message.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = headers
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(
        names,
        [
            "From",
            "To",
            "Date",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type"
        ]
    );
    assert!(headers.contains("=?utf-8?b?"), "{headers}");
    assert!(headers.contains("Message-ID: <a.end.1@example.org>"));
    assert!(message.is_ascii());
    assert!(message.lines().all(|line| line.len() <= 998));
}

#[test]
fn a_password_is_never_shown() {
    let server = Server {
        host: "mail.example.org".to_owned(),
        port: 587,
        security: MailSecurity::Starttls,
        trust: None,
        login: Some(Login {
            user: "zoe".to_owned(),
            password: Password::Given(Secret::new("hunter2")),
        }),
        sender: "zoe@example.org".to_owned(),
    };
    let credentials = credentials(&server).unwrap();
    let shown = format!("{server:?} {server} {credentials:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

fn letter() -> (Envelope<'static>, Content) {
    let envelope = Envelope {
        recipient: "ada@example.org",
        message_id: "<a.end.1@example.org>",
        date: Timestamp::UNIX_EPOCH,
    };
    let content = Content {
        subject: "over".to_owned(),
        text: "x".to_owned(),
        html: "<p>x</p>".to_owned(),
    };
    (envelope, content)
}

/// A server that takes one mail, and says so when it is told to.
async fn slow(listener: TcpListener, word: oneshot::Receiver<()>) {
    let (stream, _) = listener.accept().await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 mail.test\r\n").await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        let answer = if line.starts_with("DATA") {
            "354 go on\r\n"
        } else {
            "250 mail.test\r\n"
        };
        writer.write_all(answer.as_bytes()).await.unwrap();
        if answer.starts_with("354") {
            break;
        }
    }
    while lines
        .next_line()
        .await
        .unwrap()
        .is_some_and(|line| line != ".")
    {}
    // Whoever waits no longer has gone away.
    if word.await.is_ok() {
        writer.write_all(b"250 taken\r\n").await.unwrap();
    }
}

async fn connected(word: oneshot::Receiver<()>) -> Connection {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        security: MailSecurity::None,
        trust: None,
        login: None,
        sender: "zoe@example.org".to_owned(),
    };
    tokio::spawn(slow(listener, word));
    Connection::open(&server).await.unwrap()
}

#[tokio::test]
async fn a_server_is_waited_for_as_long_as_it_may_take() {
    assert!(SEND >= Duration::from_mins(10), "RFC 5321, 4.5.3.2.6");
    let (envelope, content) = letter();
    let (say, word) = oneshot::channel();
    let mut connection = connected(word).await;
    let said = async {
        tokio::task::yield_now().await;
        say.send(()).unwrap();
    };
    let (sent, ()) = tokio::join!(connection.send(&envelope, &content), said);
    assert_eq!(sent, Ok(()));
    // Who waits no longer does not know whether it was taken.
    let (_say, word) = oneshot::channel();
    let mut connection = connected(word).await;
    let soon = Duration::from_millis(50);
    let sent = connection.send_within(soon, &envelope, &content).await;
    assert!(matches!(sent, Err(SendError::NoServer(_))), "{sent:?}");
}

#[test]
fn addresses_are_those_that_any_server_takes() {
    for good in ["ada@example.org", "a.b+c@h", "ada@[127.0.0.1]"] {
        assert!(is_address(good), "{good}");
    }
    for bad in [
        "",
        "ada",
        "<a@b.c>",
        "\u{fc}@\u{f6}.org",
        "a b@c.d",
        "a@b@c",
        "a\n@b.c",
    ] {
        assert!(!is_address(bad), "{bad}");
    }
}
