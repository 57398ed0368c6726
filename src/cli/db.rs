//! `zoe db`: the database, made, brought up to date, looked at and moved.

use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::args::list::{PlainForm, PlainFormat};
use super::error::CommandError;
use super::session::{Done, Session};
use crate::ops::history::database;
use crate::output::database as view;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe db status                          which database it is, and how it stands
zoe db init                            make it, and its tables (a file, and the tables on a server, make themselves)
zoe db export site.jsonl               everything in it, as lines of JSON (docs/database.md)
ZOE_DB_URL=mysql://zoe@db/zoe ZOE_DB_PASSWORD=… zoe db import site.jsonl
                                       … into another one, which is made if it is not there";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum DbCommand {
    /// Make the database where there is none, and its tables
    Init(PlainForm),
    /// Show which database it is, and how it stands; nothing is changed
    Status(PlainForm),
    /// Bring its tables to what this version needs; what was interrupted is gone on with
    Migrate(PlainForm),
    /// Write everything in it, of all deployments, as lines of JSON
    Export(ExportArgs),
    /// Take in what was exported: all of it, or nothing; makes the database where there is none
    Import(ImportArgs),
}

/// Arguments of `zoe db export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The file to write, readable for you only; one that is there is replaced; '-' for standard output
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    file: PathBuf,
}

/// Arguments of `zoe db import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// What `zoe db export` wrote; '-' for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    form: PlainForm,
}

/// Does it.
pub async fn run(command: DbCommand, session: &Session) -> Done {
    let db = session.config()?.db;
    let face = &session.face;
    let done = |form: &PlainForm, change| match form.output {
        PlainFormat::Table => {
            face.note(&view::change(&change));
            Ok(())
        }
        PlainFormat::Json => face.print(&view::change_json(&change)),
    };
    match command {
        DbCommand::Init(form) => done(&form, database::init(&db).await?)?,
        DbCommand::Migrate(form) => done(&form, database::migrate(&db).await?)?,
        DbCommand::Status(form) => {
            let standing = database::status(&db).await?;
            face.print(&match form.output {
                PlainFormat::Table => view::status(&standing),
                PlainFormat::Json => view::status_json(&standing),
            })?;
        }
        DbCommand::Export(args) => {
            let counts = if args.file == Path::new("-") {
                let mut out = BufWriter::new(Output::default());
                let exported = database::export(&db, &mut out).await;
                if out.get_ref().is_unread {
                    return Err(CommandError::from(io::Error::from(
                        io::ErrorKind::BrokenPipe,
                    )));
                }
                exported?
            } else {
                database::export_to(&db, &session.around.cwd.join(&args.file)).await?
            };
            face.note(&format!("exported {}", view::counts(&counts)));
        }
        DbCommand::Import(args) => {
            let imported = if args.file == Path::new("-") {
                database::import(&db, &mut BufReader::new(io::stdin())).await?
            } else {
                database::import_from(&db, &session.around.cwd.join(&args.file)).await?
            };
            match args.form.output {
                PlainFormat::Table => face.note(&view::imported(&imported)),
                PlainFormat::Json => face.print(&view::imported_json(&imported))?,
            }
        }
    }
    Ok(0)
}

/// Standard output, which remembers whether anybody reads it.
#[derive(Default)]
struct Output {
    is_unread: bool,
}

impl Output {
    fn seen<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done {
            self.is_unread |= error.kind() == io::ErrorKind::BrokenPipe;
        }
        done
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = io::stdout().write(bytes);
        self.seen(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = io::stdout().flush();
        self.seen(done)
    }
}
