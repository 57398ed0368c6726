//! Flags of everything that starts an execution.

use clap::Args;

use super::terms::QueueArgs;
use super::values;
use crate::model::{Bytes, Cores, ExecutionName};

/// Flags of any application.
#[derive(Debug, Clone, Default, Args)]
pub struct LaunchArgs {
    /// What to call it; unique among the executions that are alive [default: made from what is run]
    #[arg(long, value_name = "NAME", value_parser = values::name, allow_hyphen_values = true)]
    pub name: Option<ExecutionName>,
    /// Print the id and return at once
    #[arg(short, long)]
    pub detach: bool,
    #[command(flatten)]
    pub queue: QueueArgs,
    /// Set a variable in every container; without =VALUE it has the caller's value. Not visible in `ps`, `show` or labels
    #[arg(short, long, value_name = "KEY[=VALUE]", value_parser = values::variable, help_heading = "Environment")]
    pub env: Vec<(String, Option<String>)>,
    /// Let every container see a directory of the Docker host, or a volume
    #[arg(long, value_name = "SRC:DST[:ro]", value_parser = values::volume, help_heading = "Environment")]
    pub volume: Vec<String>,
    /// Set any field of the application: worker.core=3, master.memory=1g, driver.env.TZ=UTC,
    /// worker.placement.labels.disk=ssd
    #[arg(long, value_name = "COMPONENT.FIELD=VALUE", value_parser = values::pair, help_heading = "Resources")]
    pub set: Vec<(String, String)>,
}

/// Flags of everything that has a Spark cluster.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Resources")]
pub struct ClusterArgs {
    /// Number of workers
    #[arg(long, value_name = "N", value_parser = values::members)]
    pub workers: Option<u32>,
    /// The most workers it may have: more than --workers as there is room when it starts, and as `zoe resize` says later
    #[arg(long, value_name = "N", value_parser = values::members)]
    pub max_workers: Option<u32>,
    /// CPU limit of each worker: 2, 0.5
    #[arg(long, value_name = "CORES", value_parser = values::cores)]
    pub worker_cores: Option<Cores>,
    /// Memory of each worker that Spark may use; the container gets 10 % more, at least 384 MiB
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub worker_memory: Option<Bytes>,
    /// CPU limit of the master
    #[arg(long, value_name = "CORES", value_parser = values::cores)]
    pub master_cores: Option<Cores>,
    /// Memory of the master
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub master_memory: Option<Bytes>,
    /// A Spark setting
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair, help_heading = "Spark")]
    pub conf: Vec<(String, String)>,
}

/// A setting of an application: `component.field` and its value.
pub type Setting = (String, String);

impl ClusterArgs {
    /// What the flags mean in the application's own words.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        if let Some(workers) = self.workers {
            settings.push(("worker.core".to_owned(), workers.to_string()));
        }
        if let Some(most) = self.max_workers {
            settings.push(("worker.most".to_owned(), most.to_string()));
        }
        settings.extend(sizes("worker", self.worker_cores, self.worker_memory));
        settings.extend(sizes("master", self.master_cores, self.master_memory));
        settings
    }
}

/// Cores and memory of one component.
pub fn sizes(component: &str, cores: Option<Cores>, memory: Option<Bytes>) -> Vec<Setting> {
    let cores = cores.map(|c| (format!("{component}.cores"), c.to_string()));
    let memory = memory.map(|m| (format!("{component}.memory"), m.get().to_string()));
    cores.into_iter().chain(memory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_sugar_for_settings() {
        let args = ClusterArgs {
            workers: Some(3),
            max_workers: Some(8),
            worker_cores: Some(Cores::from_millis(1500)),
            worker_memory: Some(Bytes::from_mib(1)),
            ..ClusterArgs::default()
        };
        let settings: Vec<String> = args
            .settings()
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        assert_eq!(
            settings,
            [
                "worker.core=3",
                "worker.most=8",
                "worker.cores=1.5",
                "worker.memory=1048576"
            ]
        );
    }
}
