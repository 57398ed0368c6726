//! A `zoe` that runs: what it has printed so far, Ctrl-C, its end.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use crate::spark::site::until;

/// What one stream has brought so far.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Collected {
    fn new(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(read @ 1..) = stream.read(&mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn all(self) -> Vec<u8> {
        self.reader.join().unwrap();
        std::mem::take(&mut self.bytes.lock().unwrap())
    }
}

/// A child that does not outlive the test.
struct Mortal(Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        // One that has ended is no matter.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process of the binary.
pub struct Running {
    child: Mortal,
    stdout: Collected,
    stderr: Collected,
}

/// What came of one.
pub struct Done {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output, as it is.
    pub bytes: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Running {
    /// Starts the command.
    pub fn new(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Collected::new(child.stdout.take().unwrap());
        let stderr = Collected::new(child.stderr.take().unwrap());
        Self {
            child: Mortal(child),
            stdout,
            stderr,
        }
    }

    /// Waits until standard output contains these words.
    #[track_caller]
    pub fn wait_for_output(&mut self, words: &str) -> String {
        self.wait_for(words, |this| this.stdout.so_far())
    }

    /// Waits until standard error contains these words.
    #[track_caller]
    pub fn wait_for_error(&mut self, words: &str) -> String {
        self.wait_for(words, |this| this.stderr.so_far())
    }

    #[track_caller]
    fn wait_for(&mut self, words: &str, text: impl Fn(&Self) -> String) -> String {
        until(words, || {
            // Asked before reading, so that the last words of a process that has ended are seen.
            let over = self.child.0.try_wait().unwrap();
            let text = text(self);
            if text.contains(words) {
                return Some(text);
            }
            assert!(
                over.is_none(),
                "ended without {words:?}: {}",
                self.stderr.so_far()
            );
            None
        })
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child.0), Signal::INT).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Done {
        let status: ExitStatus = until("the end of zoe", || self.child.0.try_wait().unwrap());
        Done {
            code: status.code().unwrap_or(-1),
            bytes: self.stdout.all(),
            stderr: String::from_utf8_lossy(&self.stderr.all()).into_owned(),
        }
    }
}

impl Done {
    /// Standard output as text.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Asserts the exit code and gives what was printed.
    #[track_caller]
    pub fn expect(&self, code: i32) -> String {
        let stdout = self.stdout();
        assert_eq!(
            self.code, code,
            "stdout:\n{stdout}\nstderr:\n{}",
            self.stderr
        );
        stdout
    }

    /// Asserts that all went well and gives both streams.
    #[track_caller]
    pub fn both(&self) -> String {
        self.expect(0) + &self.stderr
    }
}
