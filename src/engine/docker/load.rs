//! What everything on the Engine uses now, whoever it belongs to.
//!
//! Every running container is read twice, as processor use is a difference over time. What no container shows (the daemon,
//! the system, caches that the kernel would give back) is not in it.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use tokio::time::{Instant, sleep_until, timeout};

use super::DockerBackend;
use super::wire::{Info, ListedContainer};
use crate::engine::{EngineError, NodeUse, Result, Usage};
use crate::model::{Cores, Resources};

/// The time between the two readings.
const BETWEEN: Duration = Duration::from_millis(500);
/// How long it may take altogether.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many containers are asked side by side.
const WIDTH: usize = 32;

impl DockerBackend {
    /// What the Engine's node is called and what is used on it.
    pub(in crate::engine) async fn node_use(&self) -> Result<NodeUse> {
        let info: Info = self
            .api
            .get("asking the Engine about itself", "/info", &[])
            .await?;
        Ok(NodeUse {
            node: info.node().name,
            used: self.load().await.map_err(|error| error.to_string()),
        })
    }

    /// What all running containers use together.
    pub(in crate::engine) async fn load(&self) -> Result<Resources> {
        let running: Vec<ListedContainer> = self
            .api
            .get("listing containers", "/containers/json", &[])
            .await?;
        self.load_of(running).await
    }

    /// What these containers use together.
    pub(super) async fn load_of(&self, running: Vec<ListedContainer>) -> Result<Resources> {
        let late = || EngineError::Unreachable {
            endpoint: self.api.endpoint().to_owned(),
            why: format!(
                "not all containers told what they use within {} s",
                PATIENCE.as_secs()
            ),
        };
        timeout(PATIENCE, self.add_up(running))
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    async fn add_up(&self, running: Vec<ListedContainer>) -> Result<Resources> {
        let before: Vec<_> = stream::iter(running)
            .map(|container| self.reading(container.id))
            .buffer_unordered(WIDTH)
            .collect()
            .await;
        let mut between = Vec::new();
        for reading in before {
            between.extend(reading?);
        }
        let shares: Vec<_> = stream::iter(between)
            .map(|(id, at, before)| async move {
                sleep_until(at + BETWEEN).await;
                let after = self.reading(id).await?;
                Ok::<_, EngineError>(after.map_or(Resources::ZERO, |(_, now, after)| {
                    share(&before, &after, now.duration_since(at))
                }))
            })
            .buffer_unordered(WIDTH)
            .collect()
            .await;
        shares.into_iter().sum()
    }

    /// What a container uses; nothing of one that has ended since it was listed.
    async fn reading(&self, id: String) -> Result<Option<(String, Instant, Usage)>> {
        match self.usage_of(&id).await {
            Ok(usage) => Ok(Some((id, Instant::now(), usage))),
            Err(EngineError::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn share(before: &Usage, after: &Usage, passed: Duration) -> Resources {
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    let used = (after.cpu_time - before.cpu_time).as_nanos().max(0);
    let millis = used
        .saturating_mul(1000)
        .checked_div(passed.as_nanos())
        .unwrap_or_default();
    Resources {
        cores: Cores::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)),
        memory: after.memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bytes;

    #[test]
    fn processor_use_is_what_was_used_in_the_time_that_passed() {
        let at = |millis, memory| Usage {
            cpu_time: SignedDuration::from_millis(millis),
            cpu_before: None,
            memory: Bytes::new(memory),
            memory_limit: Bytes::ZERO,
            network: (0, 0),
            processes: 1,
        };
        let used = share(&at(100, 7), &at(850, 9), BETWEEN);
        assert_eq!((used.cores.millis(), used.memory.get()), (1500, 9));
        // A container that was started anew counts from zero.
        let anew = share(&at(900, 7), &at(10, 9), BETWEEN);
        assert_eq!(anew.cores, Cores::ZERO);
        assert_eq!(
            share(&at(0, 1), &at(1, 1), Duration::ZERO).cores,
            Cores::ZERO
        );
    }
}
