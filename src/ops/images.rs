//! Zoe's own images: building them over the Docker API; `registry` has them listed and pushed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use include_dir::{Dir, DirEntry, include_dir};
use tokio::process::Command;

use super::context::Context;
use super::error::OpsError;
use super::report::{News, Report};
use crate::apps;
use crate::engine::{BuildRequest, EngineError, Progress};

mod registry;

pub use registry::{Held, Listing, list, push};

/// What the images are built from, as it was when this program was.
static CONTEXT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/images");

/// The images zoe can build: targets of the Dockerfile, and names under `zoe/`.
pub const TARGETS: [&str; 6] = [
    "spark-master",
    "spark-worker",
    "spark-submit",
    "spark-notebook",
    "jupyter",
    "dask",
];
/// The Spark version that is built unless another is asked for: the newest with a Scala kernel for notebooks.
pub const SPARK_VERSION: &str = "3.5.9";
/// The public image underneath.
const PUBLIC_BASE: &str = "debian:bookworm-slim";
/// The one that is made where no registry has the public one.
const OWN_BASE: &str = "zoe/base:bookworm";
const SUITE: &str = "bookworm";
/// The bundle of certificates that Debian's programs trust.
const HOST_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What to build, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOptions {
    /// Which images; empty for all.
    pub targets: Vec<String>,
    /// The registry they are named for; empty for none.
    pub registry: String,
    /// The version of Spark, as on `PyPI`.
    pub spark_version: String,
    /// The Debian image underneath; `None` for the public one, or one made here.
    pub base: Option<String>,
    /// Certificates that the build is to trust; `None` for the host's own.
    pub extra_ca: Option<PathBuf>,
    /// More Python packages for the Spark images.
    pub pip_packages: Vec<String>,
}

/// Builds images and returns their names.
pub async fn build(
    context: &Context,
    options: &BuildOptions,
    report: &dyn Report,
) -> Result<Vec<String>, OpsError> {
    let targets = targets(&options.targets)?;
    let certificates = certificates(options.extra_ca.as_deref())?;
    let base = base(context, options.base.as_deref(), report).await?;
    let tar = archive(&certificates)
        .map_err(|error| OpsError::failed(format!("cannot pack the build context: {error}")))?;
    let mut built = Vec::new();
    for target in targets {
        let names = names(target, options);
        let request = BuildRequest {
            context: tar.clone().into(),
            target: target.to_owned(),
            tags: names.clone(),
            args: vec![
                ("BASE".to_owned(), base.clone()),
                ("SPARK_VERSION".to_owned(), options.spark_version.clone()),
                ("PIP_PACKAGES".to_owned(), options.pip_packages.join(" ")),
            ],
        };
        let image = names.first().cloned().unwrap_or_default();
        let tell = |progress| {
            report.tell(News::Image {
                image: image.clone(),
                progress,
            });
        };
        context.backend.build(&request, &tell).await?;
        built.extend(names);
    }
    Ok(built)
}

fn targets(asked: &[String]) -> Result<Vec<&'static str>, OpsError> {
    if asked.is_empty() {
        return Ok(TARGETS.to_vec());
    }
    let find = |name: &String| {
        let plain = name.trim_start_matches("zoe/");
        TARGETS
            .into_iter()
            .find(|target| *target == plain)
            .ok_or_else(|| {
                OpsError::usage(format!(
                    "zoe has no image '{}'",
                    crate::model::ids::shorten(name)
                ))
                .hint(format!("it has: {}", TARGETS.join(", ")))
            })
    };
    asked.iter().map(find).collect()
}

fn names(target: &str, options: &BuildOptions) -> Vec<String> {
    let mut tags = vec!["latest".to_owned()];
    if target.starts_with("spark-") {
        tags.push(options.spark_version.clone());
    }
    tags.into_iter()
        .map(|tag| apps::image_reference(&options.registry, &format!("zoe/{target}:{tag}")))
        .collect()
}

fn certificates(extra: Option<&Path>) -> Result<Vec<u8>, OpsError> {
    match extra {
        Some(path) => fs::read(path).map_err(|error| {
            OpsError::usage(format!(
                "cannot read the CA file {}: {error}",
                path.display()
            ))
        }),
        // A machine without the bundle trusts what the base image trusts.
        None => Ok(fs::read(HOST_BUNDLE).unwrap_or_default()),
    }
}

fn archive(certificates: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, &CONTEXT, certificates)?;
    builder.into_inner()
}

fn append(
    builder: &mut tar::Builder<Vec<u8>>,
    directory: &Dir<'_>,
    certificates: &[u8],
) -> std::io::Result<()> {
    for entry in directory.entries() {
        match entry {
            DirEntry::Dir(inner) => append(builder, inner, certificates)?,
            DirEntry::File(file) => {
                let is_ca = file.path() == Path::new("extra-ca.crt");
                let content = if is_ca { certificates } else { file.contents() };
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                header.set_mode(0o755);
                // Always the same, so that an unchanged file is found in the build cache.
                header.set_mtime(0);
                builder.append_data(&mut header, file.path(), content)?;
            }
        }
    }
    Ok(())
}

/// The image underneath: the one asked for, or the public one, or where no registry has it one made with debootstrap.
async fn base(
    context: &Context,
    asked: Option<&str>,
    report: &dyn Report,
) -> Result<String, OpsError> {
    let tell = |image: &str, progress| {
        report.tell(News::Image {
            image: image.to_owned(),
            progress,
        });
    };
    if let Some(image) = asked {
        context
            .backend
            .ensure(image, &|progress| tell(image, progress))
            .await?;
        return Ok(image.to_owned());
    }
    let there = context.backend.list_images(&[OWN_BASE]).await?;
    if !there.is_empty() {
        return Ok(OWN_BASE.to_owned());
    }
    match context
        .backend
        .ensure(PUBLIC_BASE, &|progress| tell(PUBLIC_BASE, progress))
        .await
    {
        Ok(_) => return Ok(PUBLIC_BASE.to_owned()),
        Err(EngineError::NoImage { why, .. }) => {
            let message =
                format!("{PUBLIC_BASE} cannot be had ({why}); making one with debootstrap");
            tell(
                OWN_BASE,
                Progress {
                    part: String::new(),
                    message,
                    bytes: None,
                },
            );
        }
        Err(error) => return Err(error.into()),
    }
    let directory = tempfile::tempdir()
        .map_err(|error| OpsError::failed(format!("no temporary directory: {error}")))?;
    let (root, archive) = (
        directory.path().join("root"),
        directory.path().join("root.tar"),
    );
    run(
        "debootstrap",
        &["--variant=minbase".into(), SUITE.into(), root.clone()],
    )
    .await?;
    run(
        "tar",
        &[
            "-C".into(),
            root,
            // What apt keeps for the next time is of no use in an image.
            "--exclude=./var/cache/apt/archives/*.deb".into(),
            "--exclude=./var/cache/apt/*.bin".into(),
            "--exclude=./var/lib/apt/lists/*_*".into(),
            "-cf".into(),
            archive.clone(),
            ".".into(),
        ],
    )
    .await?;
    context.backend.import(archive, OWN_BASE).await?;
    Ok(OWN_BASE.to_owned())
}

/// Runs a program to its end; what it says is shown only if it fails.
async fn run(program: &str, arguments: &[PathBuf]) -> Result<(), OpsError> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            OpsError::failed(format!("cannot run {program}: {error}")).hint(format!(
                "install it (apt-get install {program}), or name an image with --base"
            ))
        })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it said nothing")
        .to_owned();
    Err(
        OpsError::failed(format!("{program} failed ({}): {last}", output.status))
            .hint("it has to be run as root; or name an image with --base"),
    )
}
