//! `zoe app`: application descriptions.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::list::{PlainForm, PlainFormat};
use super::session::{Done, Session};
use crate::apps;
use crate::ops::submit::launch;
use crate::output::applications;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe app ls
zoe app show spark-submit > mine.toml    begin with a built-in one
zoe app validate mine.toml               all that is wrong, at once
zoe run mine.toml";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum AppCommand {
    /// List the built-in applications
    Ls(LsArgs),
    /// Print a description
    Show(ShowArgs),
    /// Say whether descriptions are right
    Validate {
        /// Files with descriptions (.toml or .json)
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// Arguments of `zoe app ls`.
#[derive(Debug, Clone, Args)]
pub struct LsArgs {
    #[command(flatten)]
    form: PlainForm,
    /// Leave the table's header out
    #[arg(long)]
    no_header: bool,
}

/// Arguments of `zoe app show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// A built-in application's name, or a file
    #[arg(value_name = "APP")]
    application: String,
    /// In JSON, as one line, instead of TOML
    #[arg(long)]
    json: bool,
}

/// Does it.
pub fn run(command: &AppCommand, session: &Session) -> Done {
    match command {
        AppCommand::Ls(args) => {
            let all: Result<Vec<_>, _> = apps::builtins()
                .iter()
                .map(|(name, _)| launch::built_in(name))
                .collect();
            session.face.print(&match args.form.output {
                PlainFormat::Table => applications::table(&all?, &session.look(args.no_header)),
                PlainFormat::Json => applications::json(&all?),
            })?;
        }
        AppCommand::Show(args) => {
            let built_in = apps::builtins()
                .iter()
                .find(|(name, _)| *name == args.application);
            let text = match (built_in, args.json) {
                // As it was written, comments and all.
                (Some((_, text)), false) => (*text).to_owned(),
                (_, false) => apps::to_toml(&launch::find(&args.application)?),
                (_, true) => apps::to_json(&launch::find(&args.application)?) + "\n",
            };
            session.face.print(&text)?;
        }
        AppCommand::Validate { files } => return Ok(validate(files, session)),
    }
    Ok(0)
}

/// Looks at every file, whatever is wrong with those before it.
fn validate(files: &[PathBuf], session: &Session) -> u8 {
    let mut code = 0;
    for file in files {
        // A path that is written as one is never a built-in application's name.
        let path = session.around.cwd.join(file);
        match launch::find(&path.to_string_lossy()) {
            Ok(application) => session.face.note(&format!(
                "{}: right, '{}'",
                file.display(),
                application.name
            )),
            Err(error) => {
                let error = super::error::CommandError::from(error);
                code = error.kind.code();
                session.face.fail(&error);
            }
        }
    }
    code
}
