//! Makes the ticket, and the instances with their network.

use std::collections::{BTreeMap, BTreeSet};

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::UploadToContainerOptionsBuilder;
use serde::Deserialize;

use super::api::status;
use super::create::{self, Connection};
use super::parallel::each;
use super::{DockerBackend, classic, observe};
use crate::engine::{EngineError, Result, Submitted, names};
use crate::labels::{self, Decoded};
use crate::model::{InstanceSpec, Launch, Private, Ticket};

/// What became of making a container.
pub(super) enum Made {
    /// It is new; its id.
    New(String),
    /// The name is taken.
    Taken,
}

/// The answer to making one. Not bollard's: a classic Swarm manager's has no warnings.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
}

impl DockerBackend {
    pub(super) async fn make_ticket(
        &self,
        ticket: &Ticket,
        private: &Private,
    ) -> Result<Submitted> {
        // The id of a keyed execution that is ending is still in use, though its name is free.
        if ticket.key.is_some() && !self.tickets(ticket.id).await?.is_empty() {
            return Ok(Submitted::Taken);
        }
        let name = names::ticket_name(ticket);
        let image = names::ticket_image(ticket).ok_or_else(|| EngineError::Refused {
            what: format!("submitting {}", ticket.id),
            why: "the application has no component".to_owned(),
        })?;
        let body = create::ticket(ticket, private, image);
        Ok(match self.make(&name, body).await? {
            Made::New(_) => Submitted::Created,
            Made::Taken => Submitted::Taken,
        })
    }

    /// The ids and names of the containers that are the ticket of this execution.
    pub(super) async fn tickets(
        &self,
        execution: crate::model::ExecutionId,
    ) -> Result<Vec<super::wire::ListedContainer>> {
        let filter = [
            self.label(),
            format!("{}={}", labels::KIND, labels::KIND_TICKET),
            format!("{}={execution}", labels::EXECUTION),
        ];
        let listed = observe::list(&self.api, &filter).await?;
        Ok(self.own(listed, |decoded| matches!(decoded, Decoded::Ticket(_))))
    }

    pub(super) async fn launch(&self, launch: &Launch) -> Result<()> {
        let (network, inits) = futures_util::join!(
            self.ensure_network(launch.execution),
            self.inits(&launch.instances)
        );
        let (network, inits) = (network?, inits?);
        let connection = Connection {
            network: &network,
            publish: self.publish,
        };
        // Nothing runs before everything exists: what can't be made must not have begun to work.
        let waiting = each(&launch.instances, |spec| {
            let init = inits.get(&spec.image).copied().unwrap_or(true);
            self.make_instance(spec, connection, init)
        })
        .await?;
        each(waiting.into_iter().flatten(), |(id, name)| {
            self.set_going(id, name)
        })
        .await?;
        Ok(())
    }

    /// Which of the images need an init.
    pub(super) async fn inits(&self, instances: &[InstanceSpec]) -> Result<BTreeMap<String, bool>> {
        let images: BTreeSet<_> = instances.iter().map(|spec| spec.image.clone()).collect();
        let found = each(images, |image| async move {
            let found = self.image(&image).await?.ok_or_else(|| missing(&image))?;
            let entrypoint = found.config.and_then(|config| config.entrypoint);
            Ok((image, create::needs_init(&entrypoint.unwrap_or_default())))
        })
        .await?;
        Ok(found.into_iter().collect())
    }

    /// Makes an instance. Gives its id and name if it is to be started; one that ran already is left as it is, since
    /// starting it again would do its work twice.
    async fn make_instance(
        &self,
        spec: &InstanceSpec,
        connection: Connection<'_>,
        init: bool,
    ) -> Result<Option<(String, String)>> {
        let name = names::instance_name(&self.deployment, &spec.key);
        let body = create::instance(&self.deployment, spec, connection, init);
        let id = match self.make(&name, body).await? {
            Made::New(id) => id,
            Made::Taken => match self.earlier(&name, spec).await? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        self.bring_secrets(&id, &name, spec).await?;
        Ok(Some((id, name)))
    }

    /// Puts an instance's secrets into its container.
    pub(super) async fn bring_secrets(
        &self,
        id: &str,
        name: &str,
        spec: &InstanceSpec,
    ) -> Result<()> {
        if spec.secrets.is_empty() {
            return Ok(());
        }
        let archive = create::secrets(&spec.secrets).map_err(|error| EngineError::Garbled {
            what: format!("packing the secrets of {name}"),
            why: error.to_string(),
        })?;
        self.upload(id, "/", archive.into()).await
    }

    /// The id of an instance that an earlier attempt made and did not start; `None` if it was started.
    async fn earlier(&self, name: &str, spec: &InstanceSpec) -> Result<Option<String>> {
        let what = format!("inspecting {name}");
        let found = self
            .api
            .quick
            .inspect_container(name, None)
            .await
            .map_err(|error| self.api.error(&what, error))?;
        let labels = found.config.and_then(|config| config.labels);
        let ours = matches!(
            labels::decode(&labels.unwrap_or_default()),
            Some(Ok((deployment, Decoded::Instance { key, .. })))
                if deployment == self.deployment && key == spec.key
        );
        if !ours {
            return Err(EngineError::Conflict {
                what: format!("container {name}"),
                why: "a container of that name is there, and it is not this instance".to_owned(),
            });
        }
        let created = found
            .state
            .and_then(|state| state.status)
            .is_some_and(|status| status.to_string() == "created");
        Ok(found.id.filter(|_| created))
    }

    pub(super) async fn set_going(&self, id: String, name: String) -> Result<()> {
        // An instance that somebody else has just started is 304, which is success.
        self.api
            .quick
            .start_container(&id, None)
            .await
            .map_err(|error| self.api.error(&format!("starting {name}"), error))
    }

    /// Makes a container.
    pub(super) async fn make(&self, name: &str, mut body: ContainerCreateBody) -> Result<Made> {
        let image = body.image.clone().unwrap_or_default();
        if self.placed {
            classic::beside_image(&mut body);
        }
        let path = format!("/containers/create?name={name}");
        match self.api.post::<Created>(&path, &body).await {
            Ok(made) => Ok(Made::New(made.id)),
            Err(error) => match status(&error) {
                Some(409) => Ok(Made::Taken),
                Some(404) if error.to_string().contains("No such image") => Err(missing(&image)),
                Some(_) if classic::nowhere(&error) => Err(missing(&image)),
                _ => Err(self
                    .api
                    .error(&format!("making the container {name}"), error)),
            },
        }
    }

    /// Unpacks an archive in a container.
    pub(super) async fn upload(&self, id: &str, path: &str, archive: bytes::Bytes) -> Result<()> {
        let options = UploadToContainerOptionsBuilder::default()
            .path(path)
            .build();
        self.api
            .slow
            .upload_to_container(id, Some(options), bollard::body_full(archive))
            .await
            .map_err(|error| match status(&error) {
                Some(404) => EngineError::Gone {
                    what: format!("container {id}, or {path} in it,"),
                },
                _ => self.api.error(&format!("copying files into {id}"), error),
            })
    }
}

/// The error for an image that is not there.
pub(super) fn missing(image: &str) -> EngineError {
    EngineError::NoImage {
        image: image.to_owned(),
        why: "Docker does not have it".to_owned(),
    }
}
