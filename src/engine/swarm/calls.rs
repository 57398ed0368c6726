//! The calls that several tasks need: lists, and removing by id.

use bollard::errors::Error;
use bytes::Bytes;
use hyper::Method;
use hyper::header::HeaderValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::SwarmBackend;
use super::cluster::Cluster;
use super::wire::{
    ListedConfig, ListedNetwork, ListedNode, ListedSecret, ListedService, ListedTask, Made,
};
use crate::engine::client::api::{label_filter, request, status};
use crate::engine::{EngineError, Result};
use crate::labels::{self, Decoded};
use crate::model::{ExecutionId, InstanceKey};

/// What asks for nodes, in messages.
pub(super) const NODES: &str = "listing the Swarm's nodes";

impl SwarmBackend {
    /// The label that all our deployment's objects carry.
    pub(super) fn label(&self) -> String {
        format!("{}={}", labels::DEPLOYMENT, self.deployment)
    }

    /// The labels that an execution's objects of one kind carry.
    pub(super) fn labels_of(&self, execution: ExecutionId, kind: &str) -> [String; 3] {
        [
            self.label(),
            format!("{}={kind}", labels::KIND),
            format!("{}={execution}", labels::EXECUTION),
        ]
    }

    async fn list<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        labels: &[String],
    ) -> Result<Vec<T>> {
        let filter = label_filter(labels);
        self.api.get(what, path, &[("filters", &filter)]).await
    }

    /// The nodes, as they are now.
    pub(super) async fn cluster(&self) -> Result<Cluster> {
        let listed: Vec<ListedNode> = self.api.get(NODES, "/nodes", &[]).await?;
        Ok(Cluster::new(&listed))
    }

    /// Tasks whose service has all of these labels; Swarm looks at the service as it was when the task was made, so those
    /// of services that were removed are among them.
    pub(super) async fn tasks(&self, labels: &[String]) -> Result<Vec<ListedTask>> {
        self.list("listing tasks", "/tasks", labels).await
    }

    /// Services with all of these labels.
    pub(super) async fn services(&self, labels: &[String]) -> Result<Vec<ListedService>> {
        self.list("listing services", "/services", labels).await
    }

    /// Networks of the Swarm with all of these labels.
    pub(super) async fn networks(&self, labels: &[String]) -> Result<Vec<ListedNetwork>> {
        let filter = json!({ "label": labels, "scope": ["swarm"] }).to_string();
        self.api
            .get("listing networks", "/networks", &[("filters", &filter)])
            .await
    }

    /// Secrets with all of these labels.
    pub(super) async fn secrets(&self, labels: &[String]) -> Result<Vec<ListedSecret>> {
        self.list("listing secrets", "/secrets", labels).await
    }

    /// Configs with all of these labels.
    pub(super) async fn configs(&self, labels: &[String]) -> Result<Vec<ListedConfig>> {
        self.list("listing configs", "/configs", labels).await
    }

    /// The services of an execution whose labels can be read: what only looks like ours is not touched.
    pub(super) async fn services_of(
        &self,
        execution: ExecutionId,
    ) -> Result<Vec<(InstanceKey, ListedService)>> {
        let labels = self.labels_of(execution, labels::KIND_INSTANCE);
        let listed = self.services(&labels).await?;
        let keyed = listed.into_iter().filter_map(|service| {
            let Some(Ok((own, Decoded::Instance { key, .. }))) =
                labels::decode(&service.spec.labels)
            else {
                return None;
            };
            (own == self.deployment).then_some((key, service))
        });
        Ok(keyed.collect())
    }

    /// The tasks of an execution's members.
    pub(super) async fn tasks_of(&self, execution: ExecutionId) -> Result<Vec<ListedTask>> {
        self.tasks(&self.labels_of(execution, labels::KIND_INSTANCE))
            .await
    }

    /// The tasks of the service of that name; [`EngineError::Gone`] where there is no such service.
    pub(super) async fn tasks_called(&self, name: &str) -> Result<Vec<ListedTask>> {
        let filter = json!({ "service": [name] }).to_string();
        let asked = request(Method::GET, "/tasks", &[("filters", &filter)], None::<&()>);
        let what = format!("asking for the tasks of {name}");
        match self.api.ask(asked).await {
            Ok(body) => read(&what, &body),
            Err(error) if status(&error) == Some(404) => Err(EngineError::Gone {
                what: format!("service {name}"),
            }),
            Err(error) => Err(self.api.error(&what, error)),
        }
    }

    /// Makes an object. Gives its id; `None` where the name is taken.
    pub(super) async fn make(
        &self,
        what: &str,
        path: &str,
        body: &impl Serialize,
        login: Option<HeaderValue>,
    ) -> Result<Option<String>> {
        let mut asked = request(Method::POST, path, &[], Some(body));
        if let (Ok(request), Some(login)) = (&mut asked, login) {
            request.headers_mut().insert("X-Registry-Auth", login);
        }
        match self.api.ask(asked).await {
            Ok(body) => read::<Made>(what, &body).map(|made| Some(made.id)),
            Err(error) if status(&error) == Some(409) => Ok(None),
            Err(error) => Err(self.api.error(what, error)),
        }
    }

    /// Writes an object back whose version is `version`. `Ok(false)` where somebody else has written since, or has
    /// removed it.
    pub(super) async fn update(
        &self,
        what: &str,
        path: &str,
        version: u64,
        spec: &impl Serialize,
    ) -> Result<bool> {
        let version = version.to_string();
        let asked = request(
            Method::POST,
            &format!("{path}/update"),
            &[("version", &version)],
            Some(spec),
        );
        match self.api.ask(asked).await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            // No status tells these apart from other refusals.
            Err(error) if error.to_string().contains("update out of sequence") => Ok(false),
            Err(error) => Err(self.api.error(what, error)),
        }
    }

    /// Removes an object; what is not there is removed.
    pub(super) async fn delete(&self, path: &str) -> std::result::Result<(), Error> {
        match self
            .api
            .ask(request(Method::DELETE, path, &[], None::<&()>))
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Reads a JSON answer.
pub(super) fn read<T: DeserializeOwned>(what: &str, body: &Bytes) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| EngineError::Garbled {
        what: what.to_owned(),
        why: error.to_string(),
    })
}
