//! Flags that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::config::Overrides;

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Read this configuration file instead of the first zoe.conf found
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where Docker is [default: as the docker command finds it]
    #[arg(long, global = true, value_name = "URL")]
    pub host: Option<String>,
    /// Which deployment: executions of others are not seen [default: the user's name]
    #[arg(long, global = true, value_name = "NAME")]
    pub deployment: Option<String>,
    /// When to colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: ColorWhen,
    /// No progress on standard error: warnings and errors only
    #[arg(long = "quiet", short = 'q', global = true)]
    pub quiet: bool,
    /// Say on standard error what is done; twice for every call to Docker
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

impl GlobalArgs {
    /// What they say of the configuration.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            config: self.config.clone(),
            host: self.host.clone(),
            deployment: self.deployment.clone(),
            registry: None,
        }
    }
}
