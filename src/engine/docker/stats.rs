//! What a container uses now: one reading, which takes Docker a few milliseconds (two would take it two seconds).

use std::collections::HashMap;

use hyper::Method;
use jiff::SignedDuration;
use serde::Deserialize;

use super::DockerBackend;
use super::api::{request, status};
use crate::engine::{EngineError, Result, Usage};
use crate::model::Bytes;

#[derive(Debug, Default, Deserialize)]
struct Stats {
    #[serde(default, rename = "cpu_stats")]
    cpu: Cpu,
    #[serde(default, rename = "memory_stats")]
    memory: Memory,
    #[serde(default)]
    networks: Option<HashMap<String, Network>>,
    #[serde(default, rename = "pids_stats")]
    processes: Processes,
}

#[derive(Debug, Default, Deserialize)]
struct Cpu {
    #[serde(default)]
    cpu_usage: CpuUsage,
}

#[derive(Debug, Default, Deserialize)]
struct CpuUsage {
    /// Nanoseconds.
    #[serde(default)]
    total_usage: u64,
}

#[derive(Debug, Default, Deserialize)]
struct Memory {
    #[serde(default)]
    usage: u64,
    #[serde(default)]
    limit: u64,
    #[serde(default)]
    stats: Option<HashMap<String, u64>>,
}

#[derive(Debug, Deserialize)]
struct Network {
    #[serde(default)]
    rx_bytes: u64,
    #[serde(default)]
    tx_bytes: u64,
}

#[derive(Debug, Default, Deserialize)]
struct Processes {
    #[serde(default)]
    current: Option<u64>,
}

impl DockerBackend {
    /// What a container uses, by its name or id.
    pub(in crate::engine) async fn usage_of(&self, container: &str) -> Result<Usage> {
        let what = format!("asking about {container}");
        let gone = || EngineError::Gone {
            what: format!("container {container}"),
        };
        let path = format!("/containers/{container}/stats");
        let query = [("stream", "false"), ("one-shot", "true")];
        let answer = self
            .api
            .ask(request(Method::GET, &path, &query, None::<&()>))
            .await
            .map_err(|error| match status(&error) {
                Some(404) => gone(),
                _ => self.api.error(&what, error),
            })?;
        // Of one that ends while it is asked nothing is said.
        if answer.is_empty() {
            return Err(gone());
        }
        let stats: Stats =
            serde_json::from_slice(&answer).map_err(|error| EngineError::Garbled {
                what,
                why: error.to_string(),
            })?;
        Ok(usage(&stats))
    }
}

fn usage(stats: &Stats) -> Usage {
    let networks = || stats.networks.iter().flatten();
    Usage {
        cpu_time: nanoseconds(stats.cpu.cpu_usage.total_usage),
        // One reading has none before it; who wants a rate reads twice.
        cpu_before: None,
        memory: Bytes::new(used(&stats.memory)),
        memory_limit: Bytes::new(stats.memory.limit),
        network: (
            networks().map(|(_, network)| network.rx_bytes).sum(),
            networks().map(|(_, network)| network.tx_bytes).sum(),
        ),
        processes: stats.processes.current.unwrap_or_default(),
    }
}

/// Without the page cache that the kernel would give back first: `total_inactive_file` of cgroup v1, `inactive_file`
/// of v2.
fn used(memory: &Memory) -> u64 {
    let cache = memory.stats.as_ref().and_then(|stats| {
        stats
            .get("total_inactive_file")
            .or_else(|| stats.get("inactive_file"))
    });
    memory
        .usage
        .saturating_sub(cache.copied().unwrap_or_default())
}

fn nanoseconds(count: u64) -> SignedDuration {
    SignedDuration::from_nanos(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Usage {
        usage(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_page_cache_is_not_counted() {
        let v1 = of(
            r#"{"memory_stats":{"usage":100,"limit":1000,"stats":{"total_inactive_file":30,"inactive_file":10}},
            "cpu_stats":{"cpu_usage":{"total_usage":1500000000}},"pids_stats":{"current":3},
            "networks":{"eth0":{"rx_bytes":5,"tx_bytes":6},"eth1":{"rx_bytes":1,"tx_bytes":1}}}"#,
        );
        assert_eq!((v1.memory.get(), v1.memory_limit.get()), (70, 1000));
        assert_eq!(v1.cpu_time, SignedDuration::from_millis(1500));
        assert_eq!((v1.network, v1.processes), ((6, 7), 3));
        let v2 = of(r#"{"memory_stats":{"usage":100,"stats":{"inactive_file":40}}}"#);
        assert_eq!(v2.memory.get(), 60);
    }

    #[test]
    fn a_container_that_does_not_run_uses_nothing() {
        let none = of(
            r#"{"read":"0001-01-01T00:00:00Z","pids_stats":{},"cpu_stats":{"cpu_usage":{"total_usage":0}},
            "memory_stats":{},"name":"/x"}"#,
        );
        assert_eq!((none.memory, none.processes), (Bytes::ZERO, 0));
    }
}
