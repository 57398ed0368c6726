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
    let begun = Instant::now();
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
    let mut signs = 0;
    while signs < 8 {
        signs += heard("WATCHDOG=1").len();
    }
    // Often enough, and not all the time: five a second are due, and one after each look.
    let most = 30 + begun.elapsed().as_millis() / 100;
    assert!(signs as u128 <= most, "{signs}, not {most}");
    watch.signal("TERM");
    heard("STOPPING=1");
}
