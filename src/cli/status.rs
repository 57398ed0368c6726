//! `zoe status`: the cluster and what it holds.

use clap::Args;

use super::args::list::{PlainForm, PlainFormat};
use super::session::{Done, Session};
use crate::ops;
use crate::output::cluster::{self, Cluster, NodeRow};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe status                               nodes, and what is free on each
zoe status -o json | jq '.nodes[].free'  for scripts (docs/json.md)";

/// Arguments of `zoe status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    form: PlainForm,
}

/// Prints it.
pub async fn run(args: StatusArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let status = ops::list::status(&context).await?;
    session.tell_oddities(&status.anomalies, &status.gaps);
    let nodes = status.nodes.into_iter().map(|status| NodeRow {
        name: status.node.name,
        address: status.node.address,
        availability: status.node.availability,
        capacity: status.node.capacity,
        held: status.held,
        others: status.node.others,
        used: status.used,
    });
    let cluster = Cluster {
        backend: status.backend,
        deployment: status.deployment,
        nodes: nodes.collect(),
        states: status
            .states
            .into_iter()
            .map(|(state, count)| (state.word(), count))
            .collect(),
        orphans: status.orphans,
        anomalies: status
            .anomalies
            .into_iter()
            .map(|a| (a.object, a.problem))
            .collect(),
        gaps: status
            .gaps
            .into_iter()
            .map(|g| (g.what, g.error, g.node))
            .collect(),
    };
    let text = match args.form.output {
        PlainFormat::Table => cluster::text(&cluster, &session.face.look),
        PlainFormat::Json => cluster::json(&cluster),
    };
    session.face.print(&text)?;
    Ok(0)
}
