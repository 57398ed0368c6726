//! The mail server of a test, and a place whose zoe is to send through it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::common::ports::Reserved;
use crate::place::{Place, until};

/// The address of whoever runs the tests.
pub const ADA: &str = "ada@example.org";
/// The password of the server's only user; in no output, argument or file but its own.
pub const PASSWORD: &str = "hunter2-\"'%$ü";

/// A mail as the server took it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// What the client said before the mail.
    pub to: Vec<String>,
    pub from: String,
    pub tls: bool,
    pub login: Option<String>,
    /// The headers, unfolded, by their name in small letters.
    pub headers: BTreeMap<String, String>,
    /// The plain and the HTML part, decoded.
    pub text: String,
    pub html: String,
    /// All of it.
    pub raw: String,
}

impl Mail {
    pub fn subject(&self) -> &str {
        &self.headers["subject"]
    }

    pub fn message_id(&self) -> &str {
        &self.headers["message-id"]
    }
}

/// How to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    pub security: &'static str,
    pub login: bool,
}

/// The usual way.
pub const USUAL: Manner = Manner {
    security: "starttls",
    login: true,
};

/// A place with a mail server; the server ends with it.
pub struct Post {
    pub place: Place,
    manner: Manner,
    server: Option<Child>,
    port: Reserved,
}

fn openssl(directory: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "openssl {arguments}: {said}");
}

impl Post {
    /// A server is there, and zoe knows of it and of the user's address.
    pub fn new(manner: Manner) -> Self {
        Self::of(manner, Place::memory("cores=8&memory=16g&images=all"))
    }

    /// The same, on the real Engine.
    pub fn engine(manner: Manner) -> Self {
        Self::of(manner, Place::engine())
    }

    fn of(manner: Manner, place: Place) -> Self {
        let mut post = Self {
            place,
            manner,
            server: None,
            port: Reserved::new(),
        };
        let directory = post.directory();
        std::fs::create_dir_all(directory.join("mails")).unwrap();
        openssl(
            &directory,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=authority -days 2 -keyout ca-key.pem -out ca.pem",
        );
        openssl(
            &directory,
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout key.pem -out request.pem",
        );
        std::fs::write(directory.join("san"), "subjectAltName=DNS:localhost").unwrap();
        openssl(
            &directory,
            "x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile san -out cert.pem",
        );
        post.start();
        std::fs::write(directory.join("password"), format!("{PASSWORD}\n")).unwrap();
        post.configure("");
        let user = Self::user();
        post.zoe(&["user", "add", &user, "--mail", ADA]);
        post
    }

    /// Whose executions the tests' are.
    pub fn user() -> String {
        let id = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8(id.stdout).unwrap().trim().to_owned()
    }

    fn directory(&self) -> PathBuf {
        self.place.path("smtp")
    }

    /// Writes zoe's configuration, with more lines under `[smtp]`.
    pub fn configure(&self, more: &str) {
        let directory = self.directory().display().to_string();
        let mut text = format!(
            "[smtp]\nserver = localhost\nport = {}\nsecurity = {}\nsender = zoe@example.org\nca_file = {directory}/ca.pem\n",
            self.port.port(),
            self.manner.security
        );
        if self.manner.login {
            let login = format!("user = zoe\npassword_file = {directory}/password\n");
            text.push_str(&login);
        }
        let config = self.place.path("config/zoe");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("zoe.conf"), text + more).unwrap();
    }

    /// Starts the server, at the port it had before.
    pub fn start(&mut self) {
        let listens = self.directory().join("port");
        let _ = std::fs::remove_file(&listens);
        let mut command = Command::new("/usr/bin/python3");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/server.py"))
            .arg(self.directory())
            .arg(self.port.port().to_string())
            .arg(self.manner.security);
        if self.manner.login {
            command.args(["zoe", PASSWORD]);
        }
        // It ends when nobody holds the other end of its input any more.
        let child = command.stdin(Stdio::piped()).spawn().unwrap();
        self.server = Some(child);
        until("the mail server listens", || {
            let ended = self.server.as_mut().unwrap().try_wait().unwrap();
            assert_eq!(ended, None, "the mail server has ended");
            listens.exists()
        });
    }

    /// Ends the server.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// What the server does with mails from now on.
    pub fn mode(&self, mode: &str) {
        std::fs::write(self.directory().join("mode"), mode).unwrap();
    }

    /// Runs zoe, which succeeds, and gives its output.
    #[track_caller]
    pub fn zoe(&self, arguments: &[&str]) -> String {
        self.place.run(arguments).expect(0)
    }

    /// Submits a job that ends so, and gives its id.
    #[track_caller]
    pub fn submit(&self, name: &str, code: i64, more: &[&str]) -> String {
        let file = self.place.job(name, code, Duration::ZERO);
        self.submit_file(name, &file, more)
    }

    /// Submits what this file describes, and gives its id.
    #[track_caller]
    pub fn submit_file(&self, name: &str, file: &str, more: &[&str]) -> String {
        let arguments = [&["run", "-d", "--name", name], more, &[file]].concat();
        self.zoe(&arguments).trim().to_owned()
    }

    /// One pass; whether all was as it should be.
    #[track_caller]
    pub fn pass(&self) -> bool {
        let ran = self.place.run(&["watch", "--once"]);
        assert!(matches!(ran.code, 0 | 1), "{}", ran.stderr);
        ran.code == 0
    }

    /// Passes until nothing is alive any more, and one after that.
    #[track_caller]
    pub fn until_over(&self) {
        until("all is over", || {
            self.pass();
            self.place.ps().is_empty()
        });
        self.pass();
    }

    /// All mails that the server took, in their order.
    pub fn mails(&self) -> Vec<Mail> {
        let mut names: Vec<PathBuf> = std::fs::read_dir(self.directory().join("mails"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        names.sort();
        let read = |path: &PathBuf| read(&std::fs::read(path).unwrap());
        names.iter().map(read).collect()
    }

    /// The mails about this execution.
    pub fn about(&self, id: &str) -> Vec<Mail> {
        let mut mails = self.mails();
        mails.retain(|mail| mail.message_id().starts_with(&format!("<{id}.")));
        mails
    }

    /// The only mail about this execution.
    #[track_caller]
    pub fn only(&self, id: &str) -> Mail {
        let mut mails = self.about(id);
        assert_eq!(mails.len(), 1, "{mails:#?}");
        mails.remove(0)
    }

    /// What `mail queue` shows.
    #[track_caller]
    pub fn queue(&self, more: &[&str]) -> Vec<Value> {
        let arguments = [&["mail", "queue", "-o", "json"], more].concat();
        serde_json::from_str(&self.zoe(&arguments)).unwrap()
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads a mail with Python's own parser, which is not the one that it was written with.
fn read(file: &[u8]) -> Mail {
    const PARSE: &str = "\
import base64, email, email.policy, json, sys
mail = json.load(sys.stdin)
content = base64.b64decode(mail['content'])
parsed = email.message_from_bytes(content, policy=email.policy.default)
mail['headers'] = [(name.lower(), str(value)) for name, value in parsed.items()]
mail['defects'] = [str(defect) for defect in parsed.defects]
mail['text'] = parsed.get_body(('plain',)).get_content().replace('\\r\\n', '\\n')
mail['html'] = parsed.get_body(('html',)).get_content().replace('\\r\\n', '\\n')
mail['content'] = content.decode('ascii')
json.dump(mail, sys.stdout)";
    use std::io::Write as _;
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", PARSE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(file).unwrap();
    let output = child.wait_with_output().unwrap();
    let mail: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(mail["defects"], Value::Array(Vec::new()), "{mail}");
    let text = |key: &str| mail[key].as_str().unwrap().to_owned();
    let headers: Vec<(String, String)> = serde_json::from_value(mail["headers"].clone()).unwrap();
    let count = headers.len();
    let headers: BTreeMap<String, String> = headers.into_iter().collect();
    assert_eq!(headers.len(), count, "a header is there twice: {mail}");
    Mail {
        to: serde_json::from_value(mail["to"].clone()).unwrap(),
        from: text("from"),
        tls: mail["tls"].as_bool().unwrap(),
        login: mail["login"].as_str().map(str::to_owned),
        headers,
        text: text("text"),
        html: text("html"),
        raw: text("content"),
    }
}
