//! Which configuration file counts; the only part of loading that reads a file.

use std::io;
use std::path::{Path, PathBuf};

use super::Config;
use super::error::{ConfigError, ConfigErrors};
use super::files::read_small;
use super::layers::{Overrides, assemble};
use super::surroundings::Surroundings;

/// Finds the file, reads it, and puts all layers together.
///
/// # Errors
/// All that is wrong, at once. No file at all is no error.
pub fn load(around: &Surroundings, overrides: &Overrides) -> Result<Config, ConfigErrors> {
    let Some((path, text)) = find_file(around, overrides)? else {
        return assemble(None, around, overrides);
    };
    assemble(Some((&path, &text)), around, overrides)
}

/// The configuration file and its text. One that was named must exist; of the usual places the first counts.
///
/// # Errors
/// [`ConfigError::Unreadable`]: a file that exists but can't be read is not passed over in silence.
pub fn find_file(
    around: &Surroundings,
    overrides: &Overrides,
) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let of_env = || {
        around
            .env
            .get("ZOE_CONFIG")
            .map(|path| around.resolve(path, &around.cwd))
    };
    let named = overrides
        .config
        .as_ref()
        .map(|path| around.cwd.join(path))
        .or_else(of_env);
    if let Some(path) = named {
        let text = read_small(&path).map_err(|error| {
            unreadable(
                &path,
                &error,
                "correct --config or ZOE_CONFIG, or make one with `zoe write-config FILE`",
            )
        })?;
        return Ok(Some((path, text)));
    }
    let usual = [
        Some(around.cwd.join("zoe.conf")),
        around.config_home().map(|home| home.join("zoe/zoe.conf")),
        Some(around.system_dir.join("zoe.conf")),
    ];
    for path in usual.into_iter().flatten() {
        match read_small(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(error) => {
                return Err(unreadable(
                    &path,
                    &error,
                    "make it readable, or name another file with --config",
                ));
            }
        }
    }
    Ok(None)
}

fn unreadable(path: &Path, error: &io::Error, todo: &'static str) -> ConfigError {
    ConfigError::Unreadable {
        path: path.into(),
        why: error.to_string(),
        todo,
    }
}
