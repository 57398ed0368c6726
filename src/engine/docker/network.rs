//! An execution's network: made once, found again, removed when nobody is connected any more.
//!
//! Docker before 25 takes two networks of one name; the older counts then, for everybody alike, and the others go.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::DockerBackend;
use super::api::status;
use super::parallel::every;
use super::wire::ListedNetwork;
use crate::engine::{EngineError, Result, names};
use crate::labels::{self, Decoded, Labels};
use crate::model::ExecutionId;

/// How long containers may take to leave a network.
const LEAVING: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    name: String,
    driver: &'static str,
    /// Asks old Engines to refuse a taken name; new ones always do.
    check_duplicate: bool,
    labels: Labels,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    id: String,
}

impl DockerBackend {
    /// The id of the execution's network, made if it is not there.
    pub(super) async fn ensure_network(&self, execution: ExecutionId) -> Result<String> {
        let name = names::network_name(&self.deployment, execution);
        let what = format!("making the network {name}");
        let wanted = Wanted {
            name: name.clone(),
            driver: "bridge",
            check_duplicate: true,
            labels: labels::network(&self.deployment, execution),
        };
        let made = match self.api.post::<Made>("/networks/create", &wanted).await {
            Ok(made) => Some(made.id),
            Err(error) if status(&error) == Some(409) => None,
            Err(error) => return Err(self.api.error(&what, error)),
        };
        let mut ours = self.networks_of(execution).await?;
        ours.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
        let mut ours = ours.into_iter().map(|network| network.id);
        match ours.next() {
            Some(first) => {
                // Whoever else made one has just come to the same conclusion; an own one is empty yet.
                if let Some(own) = made.filter(|own| *own != first) {
                    self.remove_network(&own).await?;
                }
                Ok(first)
            }
            None => Err(EngineError::Conflict {
                what: format!("network {name}"),
                why: "a network of that name is there, and it is not this execution's".to_owned(),
            }),
        }
    }

    /// Removes the execution's networks; its containers are gone.
    pub(super) async fn remove_networks(&self, execution: ExecutionId) -> Result<()> {
        let networks = self.networks_of(execution).await?;
        every(networks, |network| async move {
            self.remove_network(&network.id).await
        })
        .await
    }

    /// Removes a network, waiting for those who are still leaving it.
    pub(super) async fn remove_network(&self, id: &str) -> Result<()> {
        let deadline = Instant::now() + LEAVING;
        loop {
            let Err(error) = self.api.quick.remove_network(id).await else {
                return Ok(());
            };
            if status(&error) == Some(404) {
                return Ok(());
            }
            let leaving = error.to_string().contains("has active endpoints");
            if !leaving || Instant::now() > deadline {
                return Err(self.api.error(&format!("removing the network {id}"), error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn networks_of(&self, execution: ExecutionId) -> Result<Vec<ListedNetwork>> {
        let labels = [
            self.label(),
            format!("{}={}", labels::KIND, labels::KIND_NETWORK),
            format!("{}={execution}", labels::EXECUTION),
        ];
        let mut listed = self.networks(&labels).await?;
        listed.retain(|network| {
            self.is_own(&network.labels, |decoded| {
                matches!(decoded, Decoded::Network { .. })
            })
        });
        Ok(listed)
    }
}
