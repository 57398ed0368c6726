//! What a Jupyter server says: whether a kernel is busy, and when kernels and terminals were used last.
//!
//! Not the server's own `last_activity`: the questions of a page that was left open count for it.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Said, Verdict};

/// What is asked, below the server's base; a question that does not count for the server's own idea of use.
pub const STATUS: &str = "/api/status?no_track_activity=1";
/// Likewise.
pub const KERNELS: &str = "/api/kernels?no_track_activity=1";
/// Likewise; a server may have no terminals.
pub const TERMINALS: &str = "/api/terminals?no_track_activity=1";

#[derive(Deserialize)]
struct Status {
    started: Timestamp,
}

#[derive(Deserialize)]
struct Kernel {
    last_activity: Timestamp,
    execution_state: Option<String>,
}

#[derive(Deserialize)]
struct Terminal {
    last_activity: Option<Timestamp>,
}

/// What the answers come to. `terminals` is `None` where the server has none.
pub fn read(status: &[u8], kernels: &[u8], terminals: Option<&[u8]>) -> Said {
    let wrong = |what: &str| Said::unreadable(format!("its answer to {what} is not Jupyter's"));
    let Ok(status) = serde_json::from_slice::<Status>(status) else {
        return wrong("/api/status");
    };
    let Ok(kernels) = serde_json::from_slice::<Vec<Kernel>>(kernels) else {
        return wrong("/api/kernels");
    };
    let terminals: Vec<Terminal> = match terminals.map(serde_json::from_slice) {
        None => Vec::new(),
        Some(Ok(terminals)) => terminals,
        Some(Err(_)) => return wrong("/api/terminals"),
    };
    let busy = kernels
        .iter()
        .filter(|kernel| kernel.execution_state.as_deref() == Some("busy"))
        .count();
    let used = kernels.iter().map(|kernel| kernel.last_activity);
    let typed = terminals.iter().filter_map(|one| one.last_activity);
    let count = |number: usize, what: &str| {
        let s = if number == 1 { "" } else { "s" };
        format!("{number} {what}{s}")
    };
    let mut text = format!("{}, {busy} busy", count(kernels.len(), "kernel"));
    if !terminals.is_empty() {
        text = format!("{text}; {}", count(terminals.len(), "terminal"));
    }
    Said {
        verdict: if busy > 0 {
            Verdict::Used
        } else {
            Verdict::Idle
        },
        at: used.chain(typed).chain([status.started]).max(),
        text,
        count: None,
    }
}
