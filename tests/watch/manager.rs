//! What the service manager is told.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use crate::place::{PATIENCE, Place};

#[test]
fn ready_alive_and_stopping() {
    let place = Place::memory("cores=2&memory=4g&images=all");
    let path = place.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let env = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "400000"),
    ];
    let watch = place.watch_in(&["--interval", "1h"], &env);
    let heard = |wanted: &str| {
        let begun = Instant::now();
        let mut all = Vec::new();
        loop {
            let mut buffer = [0; 1000];
            let length = socket.recv(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            all.push(text.clone());
            if text.lines().any(|line| line.starts_with(wanted)) {
                return all;
            }
            assert!(begun.elapsed() < PATIENCE, "{wanted}: {all:?}");
        }
    };
    heard("READY=1");
    heard("STATUS=0 running, 0 queued");
    let begun = Instant::now();
    for _ in 0..4 {
        heard("WATCHDOG=1");
    }
    // Often enough, and not all the time.
    assert!(
        begun.elapsed() > Duration::from_millis(300),
        "{:?}",
        begun.elapsed()
    );
    watch.signal("TERM");
    heard("STOPPING=1");
}
