//! What a member uses, and what a node does: their own Engines know.

use futures_util::future::join_all;
use tokio::time::timeout;

use super::SwarmBackend;
use super::nodes::out_of_reach;
use crate::engine::{EngineError, NodeUse, Result, Usage};
use crate::model::InstanceKey;

/// How long an Engine may take to say what a container uses.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl SwarmBackend {
    pub(super) async fn read_usage(&self, key: &InstanceKey) -> Result<Usage> {
        let place = self.directory.place_of(key).await?;
        let engine = self.engine_at(&place).await?;
        match timeout(PATIENCE, engine.usage_of(&place.container)).await {
            Ok(Err(EngineError::Unreachable { endpoint, why })) => Err(out_of_reach(
                &place,
                format!("cannot reach Docker at {endpoint}: {why}"),
            )),
            Ok(usage) => usage,
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Err(out_of_reach(
                    &place,
                    format!("it did not answer within {seconds} s"),
                ))
            }
        }
    }

    pub(super) async fn read_nodes_use(&self) -> Result<Vec<NodeUse>> {
        let nodes = self.directory.nodes().await?;
        let asked = nodes.iter().map(|node| async {
            let used = match self.engine_of(node).await {
                Ok(engine) => engine.load().await.map_err(|error| error.to_string()),
                Err(why) => Err(why),
            };
            NodeUse {
                node: node.name.clone(),
                used,
            }
        });
        Ok(join_all(asked).await)
    }
}
