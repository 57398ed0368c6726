//! Runs commands inside members, through the Engines of their nodes: a manager can't.

use super::SwarmBackend;
use super::nodes::NodeEngine;
use crate::engine::{EngineError, ExecRequest, ExecSession, Result};
use crate::model::InstanceKey;

impl SwarmBackend {
    pub(super) async fn run_inside(
        &self,
        key: &InstanceKey,
        request: &ExecRequest,
    ) -> Result<ExecSession> {
        let place = self.directory.place_of(key).await?;
        let engine = self.engine_at(&place).await?;
        let session = engine.run_in(&place.container, request).await?;
        Ok(ExecSession {
            id: format!("{}/{}", place.node.id, session.id),
            ..session
        })
    }

    pub(super) async fn exit_code_of(&self, session: &str) -> Result<i64> {
        let (engine, id) = self.engine_with(session).await?;
        engine.exit_code_of(id).await
    }

    pub(super) async fn resize(&self, session: &str, columns: u16, rows: u16) -> Result<()> {
        let (engine, id) = self.engine_with(session).await?;
        engine.resize(id, columns, rows).await
    }

    /// The Engine that a session is on, and what that calls it.
    async fn engine_with<'a>(&self, session: &'a str) -> Result<(NodeEngine<'_>, &'a str)> {
        let gone = || EngineError::Gone {
            what: format!("command {session}"),
        };
        let (node, id) = session.split_once('/').ok_or_else(gone)?;
        let nodes = self.directory.nodes().await?;
        let node = nodes.iter().find(|seen| seen.id == node).ok_or_else(gone)?;
        let engine = self.engine_of(node).await;
        let engine = engine.map_err(|why| EngineError::OutOfReach {
            node: node.name.clone(),
            container: String::new(),
            why,
        })?;
        Ok((engine, id))
    }
}
