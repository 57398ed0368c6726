//! `zoe proxy`: the web server before the applications.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use super::args::list::{PlainForm, PlainFormat};
use super::error::DEGRADED;
use super::session::{Done, Session};
use crate::ops::proxy::{self, routes};
use crate::output::routes as view;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe proxy setup >/etc/apache2/sites-available/zoe.conf
zoe proxy sync                        publish the routes now; every command that starts or ends something does
zoe proxy show -o json | jq '.[].url'
zoe proxy check                       ask the web server, and everything behind it (docs/proxy.md)";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum ProxyCommand {
    /// Print the virtual host to install in Apache
    Setup,
    /// List the routes
    Show(PlainForm),
    /// Publish the routes that there are
    Sync,
    /// Ask the web server, and everything behind it
    Check(CheckArgs),
}

/// Arguments of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Where the web server is, if its name does not lead there yet: ADDRESS:PORT
    #[arg(long, value_name = "ADDRESS")]
    at: Option<SocketAddr>,
    #[command(flatten)]
    form: PlainForm,
}

/// Does it.
pub async fn run(command: ProxyCommand, session: &Session) -> Done {
    match command {
        ProxyCommand::Setup => {
            let text = routes::virtual_host(&session.history()?)?;
            session.face.print(&text)?;
        }
        ProxyCommand::Show(form) => {
            let all = routes::show(&session.context().await?).await?;
            session.face.print(&match form.output {
                PlainFormat::Table => view::table(&all, &session.face.look),
                PlainFormat::Json => view::json(&all),
            })?;
        }
        ProxyCommand::Sync => {
            let synced = proxy::sync(&session.context().await?).await?;
            let routes = match synced.routes {
                1 => "one route".to_owned(),
                n => format!("{n} routes"),
            };
            session.face.note(&if synced.were_there {
                format!("{routes}, published already")
            } else {
                format!("{routes} published")
            });
            if let Some(left_out) = &synced.left_out {
                session.face.warn(left_out);
                return Ok(DEGRADED);
            }
        }
        ProxyCommand::Check(args) => {
            let checked = routes::check(&session.context().await?, args.at).await?;
            session.face.print(&match args.form.output {
                PlainFormat::Table => view::checked_table(&checked, &session.face.look),
                PlainFormat::Json => view::checked_json(&checked),
            })?;
            match &checked.problem {
                Some(problem) => session.face.warn(&format!("{}: {problem}", checked.url)),
                None => session.face.note(&format!("{} answers", checked.url)),
            }
            if !checked.is_well() {
                return Ok(DEGRADED);
            }
        }
    }
    Ok(0)
}
