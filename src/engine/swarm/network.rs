//! An execution's network and its secrets: made once, found again, removed when no member needs them any more.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::SwarmBackend;
use super::create::{self, SwarmSecret};
use crate::engine::client::parallel::{each, every};
use crate::engine::{EngineError, Result, names};
use crate::labels::{self, Decoded};
use crate::model::{ExecutionId, InstanceSpec, Secret};

/// How long members may take to leave a network or to let go of a secret.
const LEAVING: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

impl SwarmBackend {
    /// The id of the execution's network, made if it is not there. Swarm keeps its networks' names apart.
    pub(super) async fn ensure_network(&self, id: ExecutionId) -> Result<String> {
        let name = names::network_name(&self.deployment, id);
        let what = format!("making the network {name}");
        let wanted = create::network(&self.deployment, id, &name);
        if let Some(made) = self.make(&what, "/networks/create", &wanted, None).await? {
            return Ok(made);
        }
        let mut found = self.networks_of(id).await?.into_iter();
        found
            .find(|(_, own)| *own == name)
            .map(|(id, _)| id)
            .ok_or_else(|| EngineError::Conflict {
                what: format!("network {name}"),
                why: "a network of that name is there, and it is not this execution's".to_owned(),
            })
    }

    /// The ids and names of an execution's networks.
    async fn networks_of(&self, id: ExecutionId) -> Result<Vec<(String, String)>> {
        let listed = self
            .networks(&self.labels_of(id, labels::KIND_NETWORK))
            .await?;
        let own = listed.into_iter().filter(|network| {
            matches!(
                labels::decode(&network.labels),
                Some(Ok((deployment, Decoded::Network { .. }))) if deployment == self.deployment
            )
        });
        Ok(own.map(|network| (network.id, network.name)).collect())
    }

    /// The secrets of these members, made as far as they are not there.
    pub(super) async fn ensure_secrets(
        &self,
        id: ExecutionId,
        members: &[&InstanceSpec],
    ) -> Result<Vec<SwarmSecret>> {
        let wanted: BTreeMap<_, _> = members
            .iter()
            .flat_map(|spec| spec.secrets.iter().map(|(file, value)| (file, value)))
            .collect();
        each(wanted, |(file, value)| self.ensure_secret(id, file, value)).await
    }

    async fn ensure_secret(
        &self,
        id: ExecutionId,
        file: &str,
        value: &Secret,
    ) -> Result<SwarmSecret> {
        let name = names::secret_name(&self.deployment, id, file);
        let what = format!("making the secret {name}");
        let wanted = create::secret(&self.deployment, id, &name, value);
        let made = self.make(&what, "/secrets/create", &wanted, None).await?;
        let mut found = made;
        if found.is_none() {
            // What it holds is in the ticket and does not change.
            let mut listed = self.secrets_of(id).await?.into_iter();
            found = listed.find(|(_, own)| *own == name).map(|(id, _)| id);
        }
        found
            .map(|id| SwarmSecret {
                id,
                name: name.clone(),
                file: file.to_owned(),
            })
            .ok_or_else(|| EngineError::Conflict {
                what: format!("secret {name}"),
                why: "a secret of that name is there, and it is not this execution's".to_owned(),
            })
    }

    /// The ids and names of an execution's secrets.
    async fn secrets_of(&self, id: ExecutionId) -> Result<Vec<(String, String)>> {
        let listed = self
            .secrets(&self.labels_of(id, labels::KIND_SECRET))
            .await?;
        let own = listed.into_iter().filter(|secret| {
            matches!(
                labels::decode(&secret.spec.labels),
                Some(Ok((deployment, Decoded::Secret { .. }))) if deployment == self.deployment
            )
        });
        Ok(own.map(|secret| (secret.id, secret.spec.name)).collect())
    }

    /// Removes an execution's secrets and networks; its services are gone, and their tasks where their nodes answer.
    pub(super) async fn remove_connections(&self, id: ExecutionId) -> Result<()> {
        let (secrets, networks) =
            futures_util::try_join!(self.secrets_of(id), self.networks_of(id))?;
        every(secrets, |(id, _)| async move {
            self.remove_unused_object(&format!("/secrets/{id}")).await
        })
        .await?;
        every(networks, |(id, _)| async move {
            self.remove_unused_object(&format!("/networks/{id}")).await
        })
        .await
    }

    /// Tries to remove them at once: what members still use stays, and that is no error.
    pub(super) async fn try_to_remove_connections(&self, id: ExecutionId) -> Result<()> {
        let (secrets, networks) =
            futures_util::try_join!(self.secrets_of(id), self.networks_of(id))?;
        for (id, _) in secrets {
            self.delete(&format!("/secrets/{id}")).await.ok();
        }
        for (id, _) in networks {
            self.delete(&format!("/networks/{id}")).await.ok();
        }
        Ok(())
    }

    /// Removes a network or a secret, waiting for those who are still leaving it.
    pub(super) async fn remove_unused_object(&self, path: &str) -> Result<()> {
        let deadline = Instant::now() + LEAVING;
        loop {
            let Err(error) = self.delete(path).await else {
                return Ok(());
            };
            let leaving = error.to_string().contains("in use by");
            if !leaving || Instant::now() > deadline {
                return Err(self.api.error(&format!("removing {path}"), error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
