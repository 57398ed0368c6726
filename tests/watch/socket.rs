//! The Engine goes and comes back: what happened meanwhile is seen at once, without waiting for the interval.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::flow::Flow;
use crate::place::{Place, until};

const ENGINE: &str = "/var/run/docker.sock";

/// A socket that leads to the Engine's, and can be cut.
struct Way {
    path: PathBuf,
    open: Vec<Arc<Passing>>,
}

struct Passing {
    is_cut: AtomicBool,
    streams: Mutex<Vec<UnixStream>>,
}

impl Way {
    fn new(path: PathBuf) -> Self {
        let mut way = Self {
            path,
            open: Vec::new(),
        };
        way.mend();
        way
    }

    fn mend(&mut self) {
        let listener = UnixListener::bind(&self.path).unwrap();
        let passing = Arc::new(Passing {
            is_cut: AtomicBool::new(false),
            streams: Mutex::default(),
        });
        self.open.push(Arc::clone(&passing));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if passing.is_cut.load(Ordering::SeqCst) {
                    return;
                }
                let (near, far) = (stream.unwrap(), UnixStream::connect(ENGINE).unwrap());
                let mut streams = passing.streams.lock().unwrap();
                for (mut from, mut to) in [(&near, &far), (&far, &near)]
                    .map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()))
                {
                    std::thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                streams.extend([near, far]);
            }
        });
    }

    fn cut(&mut self) {
        for passing in self.open.drain(..) {
            passing.is_cut.store(true, Ordering::SeqCst);
            // Whoever waits for the next connection is woken.
            drop(UnixStream::connect(&self.path));
            for stream in passing.streams.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        std::fs::remove_file(&self.path).unwrap();
    }
}

#[test]
fn on_the_engine_it_goes_on_when_docker_is_back() {
    let mut place = Place::engine();
    let socket = place.path("docker.sock");
    let mut way = Way::new(socket.clone());
    let host = format!("unix://{}", socket.display());
    place.host = Some(host.clone());
    // Nothing here is left to the interval.
    let watch = place.watch(&["--interval", "1h"]);
    // Everybody else has the Engine itself.
    place.host = None;
    until("it watches", || watch.said("watching", "") == 1);
    let flow = Flow::new(&place);
    let first = flow.submit(Duration::from_millis(100));
    until("an event has woken it", || {
        watch.said("started", &first) == 1
    });
    until("and its end", || watch.said("ended", &first) == 1);
    for _ in 0..3 {
        let running = flow.submit_open();
        until("it runs", || watch.said("started", &running) == 1);
        let before = watch.said("degraded", "docker");
        way.cut();
        until("it is missed", || watch.said("degraded", "docker") > before);
        flow.end(&running);
        let queued = flow.submit(Duration::from_millis(50));
        let before = watch.said("recovered", "docker");
        way.mend();
        until("it is back", || watch.said("recovered", "docker") > before);
        until("what was submitted is started", || {
            watch.said("started", &queued) == 1
        });
        until("what has ended is seen", || {
            watch.said("ended", &running) == 1
        });
        until("all of it", || watch.said("ended", &queued) == 1);
    }
    assert_eq!(watch.stop("TERM").0, 0);
    flow.assert_all_right();
}

#[test]
fn on_the_engine_it_may_come_up_before_docker_does() {
    let mut place = Place::engine();
    let socket = place.path("docker.sock");
    place.host = Some(format!("unix://{}", socket.display()));
    place.run(&["watch", "--once"]).expect(125);
    let watch = place.watch(&["--interval", "1h"]);
    until("it says so", || watch.said("degraded", "docker") == 1);
    let _way = Way::new(socket);
    until("it watches", || watch.said("watching", "") == 1);
    assert_eq!(watch.stop("TERM").0, 0);
}
