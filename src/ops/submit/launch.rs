//! From what a user asks for to a submission: which application, its sizes, its files, its arguments.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::SignedDuration;

use super::files::{self, Kind};
use super::{Asked, Submission};
use crate::apps::{self, Format};
use crate::config::files::read_small;
use crate::model::{Application, ExecutionName, Secret, ids};
use crate::ops::error::OpsError;

/// The environment variable in which Spark properties travel, one `key value` a line: they may hold credentials, which belong
/// neither in an argument nor in a label.
pub(super) const SPARK_CONF: &str = "SPARK_CONF";

/// What every kind of submission can be told.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// Settings of components: `worker.core=3`.
    pub settings: Vec<String>,
    /// The name.
    pub name: Option<ExecutionName>,
    /// Makes it idempotent.
    pub key: Option<String>,
    /// How long it may run.
    pub timeout: Option<SignedDuration>,
    /// How it stands to others.
    pub terms: Asked,
    /// Environment of every component.
    pub env: BTreeMap<String, Secret>,
    /// Spark properties.
    pub conf: Vec<(String, String)>,
    /// Directories that every component sees: `SRC:DST[:ro]`.
    pub volumes: Vec<String>,
    /// Arguments for the program.
    pub arguments: Vec<String>,
}

/// A batch job: `file` on a Spark cluster of its own.
pub fn job(
    file: &Path,
    main: Option<&str>,
    class: Option<&str>,
    common: Common,
) -> Result<Submission, OpsError> {
    let packed = files::pack(file, main)?;
    let mut application = built_in("spark-submit")?;
    let directory = application
        .components
        .iter()
        .find_map(|component| component.files.clone())
        .unwrap_or_default();
    let mut arguments = Vec::new();
    match (packed.kind, class) {
        (Kind::Jar, Some(class)) => arguments.extend(["--class".to_owned(), class.to_owned()]),
        (Kind::Jar | Kind::Python, None) => {}
        (Kind::Python, Some(_)) => {
            return Err(OpsError::usage(
                "--class names the main class of a .jar, but this is a Python program",
            )
            .hint("leave --class out"));
        }
    }
    arguments.push(format!(
        "{}/{}",
        directory.trim_end_matches('/'),
        packed.main
    ));
    arguments.extend(common.arguments.clone());
    append(&mut application, &arguments)?;
    let stem = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("job")
        .to_owned();
    let mut submission = submission(application, stem, common)?;
    submission.files = Some(packed);
    Ok(submission)
}

/// An application as it is: a built-in one by name, or a description that was read from a file.
pub fn application(mut application: Application, common: Common) -> Result<Submission, OpsError> {
    let stem = application.name.clone();
    append(&mut application, &common.arguments)?;
    submission(application, stem, common)
}

fn append(application: &mut Application, arguments: &[String]) -> Result<(), OpsError> {
    apps::append_args(application, arguments).map_err(|error| OpsError::usage(error.to_string()))
}

/// The built-in application of that name.
pub fn built_in(name: &str) -> Result<Application, OpsError> {
    apps::builtin(name).ok_or_else(|| {
        let names: Vec<&str> = apps::builtins().iter().map(|(name, _)| *name).collect();
        OpsError::usage(format!(
            "there is no built-in application '{}'",
            ids::shorten(name)
        ))
        .hint(format!(
            "there are: {}; a file's name ends in .toml or .json",
            names.join(", ")
        ))
    })
}

/// The application that `text` names: a file if it looks like one or is one, otherwise a built-in one.
pub fn find(text: &str) -> Result<Application, OpsError> {
    let path = Path::new(text);
    let extension = path.extension().and_then(|extension| extension.to_str());
    let format = match extension {
        Some("json") => Format::Json,
        Some("toml") => Format::Toml,
        _ if text.contains('/') || path.is_file() => Format::Toml,
        _ => return built_in(text),
    };
    let source = read_small(path).map_err(|error| {
        OpsError::usage(format!(
            "cannot read the application {}: {error}",
            path.display()
        ))
    })?;
    apps::parse(&source, format)
        .map_err(|errors| OpsError::usage(format!("{}: {errors}", path.display())))
}

/// The variable in which Spark properties travel, if there are any.
pub fn spark_conf(properties: &[(String, String)]) -> Option<(String, Secret)> {
    let lines = properties.iter();
    let lines: Vec<String> = lines.map(|(key, value)| format!("{key} {value}")).collect();
    (!lines.is_empty()).then(|| (SPARK_CONF.to_owned(), Secret::new(lines.join("\n"))))
}

fn submission(
    mut application: Application,
    stem: String,
    common: Common,
) -> Result<Submission, OpsError> {
    for setting in &common.settings {
        apps::set(&mut application, setting).map_err(|error| OpsError::usage(error.to_string()))?;
    }
    for volume in &common.volumes {
        apps::add_volume_everywhere(&mut application, volume)
            .map_err(|error| OpsError::usage(error.to_string()))?;
    }
    let mut env = common.env;
    env.extend(spark_conf(&common.conf));
    Ok(Submission {
        application,
        files: None,
        job_image: None,
        name: common.name,
        stem,
        key: common.key,
        timeout: common.timeout,
        terms: common.terms,
        env,
    })
}
