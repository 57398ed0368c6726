//! `zoe top`: what executions use now.

use std::collections::BTreeMap;

use clap::Args;

use super::args::list::{PlainForm, PlainFormat};
use super::session::{Done, Session};
use crate::ops;
use crate::ops::top::Used;
use crate::output::usage::{self, Row};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe top           every container of the deployment
zoe top last      those of one execution";

/// Arguments of `zoe top`.
#[derive(Debug, Clone, Args)]
pub struct TopArgs {
    /// Only this execution: an id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: Option<String>,
    #[command(flatten)]
    form: PlainForm,
    /// Leave the table's header out
    #[arg(long)]
    no_header: bool,
}

/// Prints it, once.
pub async fn run(args: TopArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let used = ops::top::top(&context, args.execution.as_deref()).await?;
    let mut silent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in &used {
        if let Err(why) = &one.usage {
            let key = &one.instance.key;
            let member = format!("{}-{} of {}", key.component, key.index, one.execution);
            silent.entry(why.clone()).or_default().push(member);
        }
    }
    for (why, members) in silent {
        let members = members.join(", ");
        session.face.warn(&format!(
            "what {members} uses is not known, only what is reserved: {why}"
        ));
    }
    let rows: Vec<Row> = used.into_iter().map(row).collect();
    let text = match args.form.output {
        PlainFormat::Table => usage::table(&rows, &session.look(args.no_header)),
        PlainFormat::Json => usage::json(&rows),
    };
    session.face.print(&text)?;
    Ok(0)
}

fn row(used: Used) -> Row {
    let (instance, key) = (&used.instance, &used.instance.key);
    let (usage, note) = match used.usage {
        Ok(usage) => (Some(usage), None),
        Err(why) => (None, Some(why)),
    };
    let known = usage.as_ref();
    Row {
        execution: used.execution,
        name: used.name,
        component: key.component.to_string(),
        index: key.index,
        node: instance.node.clone(),
        cpu: known.and_then(|usage| {
            let (before, between) = usage.cpu_before?;
            Some(usage::percent(usage.cpu_time - before, between))
        }),
        cores: instance.reservation.cores,
        memory: known.map(|usage| usage.memory),
        memory_limit: known.map_or(instance.reservation.memory, |usage| usage.memory_limit),
        network: known.map(|usage| usage.network),
        processes: known.map(|usage| usage.processes),
        note,
    }
}
