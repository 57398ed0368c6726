//! `zoe config`: the settings, and where they come from.

use clap::{Args, Subcommand};

use super::args::list::{PlainForm, PlainFormat};
use super::error::CommandError;
use super::session::{Done, Session};
use crate::config;
use crate::output::settings::{self, Setting};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe config show --origin      each value and the file, variable or flag it comes from
zoe config check              all that is wrong, at once";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting
    Show(ShowArgs),
    /// Say whether the configuration is right
    Check,
}

/// Arguments of `zoe config show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// Say where each value comes from
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    form: PlainForm,
}

/// Does it.
pub fn run(command: &ConfigCommand, session: &Session) -> Done {
    let config = session.config()?;
    match command {
        ConfigCommand::Check => {
            let troubles = config::files::troubles(&config);
            if !troubles.is_empty() {
                return Err(CommandError::usage(troubles.join("\n")));
            }
            let file = config.file.as_ref().map_or_else(
                || "no file, defaults".to_owned(),
                |f| f.display().to_string(),
            );
            session
                .face
                .note(&format!("the configuration is right ({file})"));
        }
        ConfigCommand::Show(args) => {
            let rows = config::show(&config);
            let rows: Vec<Setting<'_>> = rows
                .iter()
                .map(|row| Setting {
                    section: row.section,
                    key: row.key,
                    value: &row.value,
                    origin: row.origin.to_string(),
                })
                .collect();
            session.face.print(&match args.form.output {
                PlainFormat::Table => settings::text(&rows, args.origin),
                PlainFormat::Json => settings::json(&rows),
            })?;
        }
    }
    Ok(0)
}
