//! `zoe images`: the images that zoe's applications are made of.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::list::{PlainForm, PlainFormat};
use super::session::{Done, Session};
use crate::engine::ImageInfo;
use crate::ops::images::{self, BuildOptions, Held, Listing, SPARK_VERSION};
use crate::output::pictures::{self, Row};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe images build                                  all of them; a few minutes the first time
zoe images build --base debian:bookworm-slim --extra-ca /etc/ssl/company.crt spark-worker
zoe images push --registry registry.example.org:5000";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum ImagesCommand {
    /// Build images and print their names
    Build(BuildArgs),
    /// List those that are there, and what the site's registry has of them
    Ls(LsArgs),
    /// Push images to the site's registry and print their names there
    Push(PushArgs),
}

/// Arguments of `zoe images build`.
#[derive(Debug, Clone, Args)]
pub struct BuildArgs {
    /// Which (spark-worker, jupyter …) [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Name them for this registry [default: that of the configuration]
    #[arg(long, value_name = "HOST[:PORT]")]
    registry: Option<String>,
    /// The version of Spark
    #[arg(long, value_name = "VERSION", default_value = SPARK_VERSION)]
    spark_version: String,
    /// The Debian image underneath [default: a public slim one, or where no registry has it one made with debootstrap]
    #[arg(long, value_name = "IMAGE")]
    base: Option<String>,
    /// Certificates that the build trusts, in PEM [default: the host's own]
    #[arg(long, value_name = "FILE")]
    extra_ca: Option<PathBuf>,
    /// One more Python package in the Spark images; may be given several times
    #[arg(long = "pip", value_name = "PACKAGE")]
    packages: Vec<String>,
}

/// Arguments of `zoe images ls`.
#[derive(Debug, Clone, Args)]
pub struct LsArgs {
    #[command(flatten)]
    form: PlainForm,
    /// Leave the table's header out
    #[arg(long)]
    no_header: bool,
}

/// Arguments of `zoe images push`.
#[derive(Debug, Clone, Args)]
pub struct PushArgs {
    /// Which (spark-worker, jupyter …) [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// The registry [default: that of the configuration]
    #[arg(long, value_name = "HOST[:PORT]")]
    registry: Option<String>,
}

/// Does it.
pub async fn run(command: ImagesCommand, session: &Session) -> Done {
    match command {
        ImagesCommand::Build(args) => {
            let context = session.context_for(args.registry.as_deref()).await?;
            let options = BuildOptions {
                targets: args.images,
                registry: context.settings.registry.clone(),
                spark_version: args.spark_version,
                base: args.base,
                extra_ca: args.extra_ca.map(|path| session.around.cwd.join(path)),
                pip_packages: args.packages,
            };
            let reporter = session.face.reporter();
            let names = images::build(&context, &options, &reporter).await?;
            reporter.step_aside();
            session.face.print(&(names.join("\n") + "\n"))?;
        }
        ImagesCommand::Ls(args) => {
            let context = session.context().await?;
            let listing = images::list(&context).await?;
            if let Some(trouble) = &listing.trouble {
                session.face.warn(trouble);
            }
            let rows = rows(listing);
            session.face.print(&match args.form.output {
                PlainFormat::Table => pictures::table(&rows, &session.look(args.no_header)),
                PlainFormat::Json => pictures::json(&rows),
            })?;
        }
        ImagesCommand::Push(args) => {
            let context = session.context_for(args.registry.as_deref()).await?;
            let reporter = session.face.reporter();
            let names = images::push(&context, &args.images, &reporter).await?;
            reporter.step_aside();
            session.face.print(&(names.join("\n") + "\n"))?;
        }
    }
    Ok(0)
}

fn rows(listing: Listing) -> Vec<Row> {
    let held = listing.held.unwrap_or_default();
    let row = |image: ImageInfo| Row {
        registry: image
            .tags
            .iter()
            .filter_map(|name| Some((name.clone(), word(*held.get(name)?))))
            .collect(),
        id: image.id,
        names: image.tags,
        size: image.size,
        made_at: image.created_at,
    };
    listing.images.into_iter().map(row).collect()
}

fn word(held: Held) -> &'static str {
    match held {
        Held::Same => "same",
        Held::Other => "other",
        Held::Missing => "missing",
        Held::Unknown => "unknown",
    }
}
