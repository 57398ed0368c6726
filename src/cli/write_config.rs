//! `zoe write-config`: a commented sample of the configuration.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CommandError;
use super::session::{Done, Session};
use crate::config;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe write-config zoe.conf     every key with its meaning and its default
zoe write-config -            the same on standard output";

/// Arguments of `zoe write-config`.
#[derive(Debug, Clone, Args)]
pub struct WriteConfigArgs {
    /// The file to write; '-' for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(short, long)]
    force: bool,
}

/// Writes it.
pub fn run(args: &WriteConfigArgs, session: &Session) -> Done {
    if args.file == Path::new("-") {
        session.face.print(&config::render_sample())?;
        return Ok(0);
    }
    let path = session.around.cwd.join(&args.file);
    config::write_sample(&path, args.force)
        .map_err(|error| CommandError::usage(error.to_string()))?;
    session.face.note(&format!("wrote {}", path.display()));
    Ok(0)
}
