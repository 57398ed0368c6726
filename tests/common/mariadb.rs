//! A `MariaDB` of a test's own: a server in a temporary directory, on a port of its own of 127.0.0.1, which ends with the test.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::Reserved;

/// The password of the user that [`MariaDb::url`] names. It has what is special in URLs.
pub const PASSWORD: &str = "s3cret/#?@:%";
/// The same as a URL has it.
const IN_URL: &str = "s3cret%2F%23%3F%40%3A%25";

/// The longest a server may take to begin.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server.
pub struct MariaDb {
    directory: TempDir,
    child: Option<Child>,
    port: Reserved,
    options: Vec<String>,
    databases: AtomicU32,
}

impl MariaDb {
    /// Starts one.
    pub fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// Starts one with more options, made for its directory.
    pub fn start_with(options: impl FnOnce(&std::path::Path) -> Vec<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let data = directory.path().join("data");
        // A server that begins clears away what others of the same directory have there.
        std::fs::create_dir(directory.path().join("tmp")).unwrap();
        let tmp = format!("--tmpdir={}", directory.path().join("tmp").display());
        let small = [
            "--innodb-log-file-size=8M",
            "--innodb-data-file-path=ibdata1:5M:autoextend",
            "--innodb-buffer-pool-size=64M",
            // What was committed is there after a kill, if not after a power failure.
            "--innodb-flush-log-at-trx-commit=2",
        ];
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", &tmp])
            .arg(format!("--user={}", user.trim()))
            .arg(format!("--datadir={}", data.display()))
            .args(small)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut all = vec![
            "--no-defaults".to_owned(),
            format!("--user={}", user.trim()),
            format!("--datadir={}", data.display()),
            format!("--socket={}", directory.path().join("s").display()),
            format!("--pid-file={}", directory.path().join("pid").display()),
            format!("--log-error={}", directory.path().join("log").display()),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
        ];
        all.push(tmp);
        all.extend(small.map(str::to_owned));
        all.extend(options(directory.path()));
        let mut server = Self {
            directory,
            child: None,
            port: Reserved::new(),
            options: all,
            databases: AtomicU32::new(0),
        };
        server.again();
        server.sql(&format!("CREATE USER zoe@'%' IDENTIFIED BY '{PASSWORD}'"));
        server
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again, with what it had and at the same port.
    pub fn again(&mut self) {
        let begun = Instant::now();
        // It ends with the test, however that ends.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "mariadbd"])
            .args(&self.options)
            .arg(format!("--port={}", self.port()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while self.client("SELECT 1").is_err() {
            let ended = child.try_wait().unwrap();
            assert_eq!(ended, None, "it has ended: {}", self.log());
            assert!(begun.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child = Some(child);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// A file or directory of its own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.port()
    }

    fn client(&self, sql: &str) -> Result<String, String> {
        let socket = format!("--socket={}", self.path("s").display());
        let ran = Command::new("mariadb")
            .args([
                "--no-defaults",
                &socket,
                "-u",
                "root",
                "-N",
                "-B",
                "-e",
                sql,
            ])
            .output()
            .unwrap();
        if ran.status.success() {
            Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&ran.stderr).into_owned())
        }
    }

    /// Runs SQL as its administrator.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.client(sql).unwrap()
    }

    /// An empty database that the user may do everything in; its name.
    pub fn create(&self) -> String {
        let name = self.name();
        self.sql(&format!("CREATE DATABASE {name}"));
        name
    }

    /// The name of a database that is not there; the user may make it.
    pub fn name(&self) -> String {
        let name = format!("zoe{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("GRANT ALL ON {name}.* TO zoe@'%'"));
        name
    }

    /// The URL of one of its databases, with the password.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://zoe:{IN_URL}@127.0.0.1:{}/{database}", self.port())
    }

    /// Likewise without.
    pub fn url_without(&self, database: &str) -> String {
        format!("mysql://zoe@127.0.0.1:{}/{database}", self.port())
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
