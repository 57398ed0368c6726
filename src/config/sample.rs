//! What is written from the table of keys: the sample file and the README's table.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::keys::{KEYS, Key};

/// Why the sample was not written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The file is there already and was left alone.
    #[error("{} exists already and was left as it is; use --force to replace it, or write to another file", .0.display())]
    Exists(PathBuf),
    /// The file can't be written.
    #[error("{}: can't be written: {source}; write to a directory that is there and that you may write to", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

const HEAD: &str = "\
# Configuration of zoe. Every key is shown with its default, behind a `;`: remove the `;` to set it.
#
# Of ./zoe.conf, $XDG_CONFIG_HOME/zoe/zoe.conf (~/.config/zoe/zoe.conf) and /etc/zoe/zoe.conf the first that exists
# is read, and only that one; `--config FILE` or ZOE_CONFIG names another. A variable ZOE_<SECTION>_<KEY>, such as
# ZOE_DB_URL, overrides the file, and a flag overrides the variable. An empty value is the default. Values are
# taken as they stand: quotes, `\\`, `;` and `#` are part of them; a comment has a line of its own. Relative paths
# start from this file's directory, `~/` from your home.
";

const WIDTH: usize = 110;

/// The sample: every section and key with its meaning, each key commented out with its default.
pub fn render_sample() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            let _ = write!(text, "\n[{section}]\n");
        }
        text.push('\n');
        comment(&mut text, &format!("{}{}", key.doc, later(key)));
        let _ = writeln!(
            text,
            "{}",
            format!(";{} = {}", key.name, key.default).trim_end()
        );
    }
    text
}

fn later(key: &Key) -> String {
    key.later
        .map(|feature| format!(" (For {feature}, which this version does not have yet.)"))
        .unwrap_or_default()
}

fn comment(text: &mut String, sentence: &str) {
    let mut column = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().count() + 1;
        if column == 0 || column + length > WIDTH {
            text.push_str(if column == 0 { "#" } else { "\n#" });
            column = 1;
        }
        let _ = write!(text, " {word}");
        column += length;
    }
    text.push('\n');
}

/// The table of all settings for the README, in Markdown.
pub fn markdown_table() -> String {
    let mut text = "| key | default | variable | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for key in KEYS {
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!("`{}`", key.default)
        };
        let meaning = format!("{}{}", key.doc, later(key)).replace('|', "\\|");
        let _ = writeln!(
            text,
            "| `[{}] {}` | {default} | `{}` | {meaning} |",
            key.section,
            key.name,
            key.variable()
        );
    }
    text
}

/// Writes the sample to `path`, whole or not at all. An existing file is replaced only with `force`.
pub fn write_sample(path: &Path, force: bool) -> Result<(), SampleError> {
    let io_error = |source| SampleError::Io {
        path: path.into(),
        source,
    };
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".zoe-conf-")
        // The usual mode of a new file, narrowed by the umask: a site's /etc/zoe/zoe.conf is for everybody.
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(directory)
        .map_err(io_error)?;
    file.write_all(render_sample().as_bytes())
        .map_err(io_error)?;
    file.as_file().sync_all().map_err(io_error)?;
    let persisted = if force {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(SampleError::Exists(path.into()))
        }
        Err(error) => Err(io_error(error.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_once_then_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zoe.conf");
        write_sample(&path, false).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), render_sample());
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(
            write_sample(&path, false),
            Err(SampleError::Exists(_))
        ));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        write_sample(&path, true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), render_sample());
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no temporary file stays"
        );
        assert!(matches!(
            write_sample(&dir.path().join("no/zoe.conf"), false),
            Err(SampleError::Io { .. })
        ));
    }

    #[test]
    fn lines_are_short_and_complete() {
        let text = render_sample();
        assert!(
            text.lines().all(|line| line.chars().count() <= 120),
            "{text}"
        );
        for key in KEYS {
            assert!(text.contains(&format!("\n;{} =", key.name)), "{}", key.name);
            assert!(markdown_table().contains(&format!("`{}`", key.variable())));
        }
    }
}
