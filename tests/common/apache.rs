//! A real Apache for one test: a directory and a port of its own on 127.0.0.1, gone when this is dropped.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::Reserved;

/// Where Debian has the modules.
const MODULES: &str = "/usr/lib/apache2/modules";

/// An Apache, running or not.
pub struct Apache {
    root: TempDir,
    /// Where it listens.
    pub port: u16,
    _reserved: Reserved,
    child: Option<Child>,
}

/// What was answered.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Lines of the head, but for the first.
    pub head: Vec<String>,
    /// The rest, as it came.
    pub body: String,
}

impl Page {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl Apache {
    /// One that is not running yet.
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        // Apache's children are another user where the tests are root.
        std::fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(root.path().join("routes")).unwrap();
        let reserved = Reserved::new();
        Self {
            port: reserved.port(),
            _reserved: reserved,
            root,
            child: None,
        }
    }

    /// Where routes are to be written.
    pub fn routes(&self) -> PathBuf {
        self.root.path().join("routes/routes")
    }

    /// `localhost` with its port.
    pub fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    fn conf(&self) -> PathBuf {
        self.root.path().join("apache.conf")
    }

    /// What tests a fragment, for the configuration.
    pub fn configtest(&self) -> String {
        let conf = self.conf();
        format!(
            "apache2 -t -f {} -c \"Include $ZOE_FRAGMENT\"",
            conf.display()
        )
    }

    /// What reloads it, for the configuration.
    pub fn reload(&self) -> String {
        format!("apache2 -f {} -k graceful", self.conf().display())
    }

    /// Starts it with this virtual host, as `zoe proxy setup` prints it; returns when it listens.
    pub fn start(&mut self, virtual_host: &str) {
        let root = self.root.path();
        let mut conf = format!(
            "ServerRoot {0}\nPidFile {0}/pid\nDefaultRuntimeDir {0}\nErrorLog {0}/error.log\nServerName localhost\n\
             Listen 127.0.0.1:{1}\nStartServers 1\nThreadsPerChild 25\n\
             CustomLog {2} \"%h %l %u %t \\\"%r\\\" %>s %b\"\n",
            root.display(),
            self.port,
            self.access_log().display()
        );
        let own = Command::new("id").arg("-u").output().unwrap().stdout;
        if own == b"0\n" {
            conf.push_str("User www-data\nGroup www-data\n");
        }
        let modules = zoe::proxy::setup::MODULES.split(' ');
        // What Debian has by itself, a login included.
        let usual = [
            "mpm_event",
            "authz_core",
            "authz_user",
            "authn_core",
            "authn_file",
            "auth_basic",
        ];
        for module in usual.into_iter().chain(modules) {
            writeln!(conf, "LoadModule {module}_module {MODULES}/mod_{module}.so").unwrap();
        }
        // As Debian has it.
        conf.push_str("<Directory \"/\">\nRequire all denied\n</Directory>\n");
        conf.push_str(virtual_host);
        std::fs::write(self.conf(), conf).unwrap();
        let child = Command::new("apache2")
            .arg("-f")
            .arg(self.conf())
            .arg("-DFOREGROUND")
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("these tests need apache2 (apt-get install apache2): {e}"));
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let child = self.child.as_mut().unwrap();
            if child.try_wait().unwrap().is_some() {
                let mut said = String::new();
                let mut stderr = child.stderr.take().unwrap();
                stderr.read_to_string(&mut said).unwrap();
                panic!("Apache does not start: {said}{}", self.log());
            }
            assert!(Instant::now() < deadline, "Apache does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.root.path().join("error.log")).unwrap_or_default()
    }

    /// Where it notes each request, once it is answered.
    pub fn access_log(&self) -> PathBuf {
        self.root.path().join("access.log")
    }

    /// Asks it for a path.
    pub fn get(&self, path: &str) -> Page {
        self.get_as(&self.name(), path)
    }

    /// Asks it for a path under another name.
    pub fn get_as(&self, host: &str, path: &str) -> Page {
        get(self.port, host, path)
    }

    /// Asks it for a path under another name, with more lines in the head.
    pub fn get_with(&self, host: &str, path: &str, head: &[&str]) -> Page {
        ask(self.port, host, path, head)
    }
}

/// Asks a web server on this machine for a path.
pub fn get(port: u16, host: &str, path: &str) -> Page {
    ask(port, host, path, &[])
}

fn ask(port: u16, host: &str, path: &str, head: &[&str]) -> Page {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let first = [format!("GET {path} HTTP/1.0"), format!("Host: {host}")];
    let first = first.iter().map(String::as_str);
    let lines: Vec<&str> = first.chain(head.iter().copied()).chain(["", ""]).collect();
    stream.write_all(lines.join("\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut head = head.lines().map(str::to_owned);
    let first = head.next().unwrap();
    Page {
        status: first.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.collect(),
        body: body.to_owned(),
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Its own children go with it only if it is asked.
            let _ = Command::new("kill")
                .args(["-s", "TERM", &child.id().to_string()])
                .status();
            let _ = child.wait();
        }
    }
}
