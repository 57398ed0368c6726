//! Whether the files that the configuration names are what they have to be: asked by `zoe config check` alone, as who only looks
//! something up needs none of them.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use super::Config;

/// The longest file that is read whole, in bytes.
const LONGEST: u64 = 1 << 20;

/// The text of a file of which only a small one makes sense.
///
/// # Errors
/// As of reading it, and where it is longer than a mebibyte: no more of it is read.
pub fn read_small(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// Whether a file has certificates, in the format that TLS libraries read (PEM); why not, otherwise.
///
/// # Errors
/// Why there is none, in words that go on a sentence with the file's name.
pub fn has_certificates(file: &Path) -> Result<(), String> {
    let text = read_small(file).map_err(|error| format!("cannot be read ({error})"))?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        Ok(())
    } else {
        Err("has no certificate (PEM) in it".to_owned())
    }
}

/// What is wrong with them, each in a sentence.
pub fn troubles(config: &Config) -> Vec<String> {
    let passwords = [
        ("[db]", config.db.password_file.as_deref()),
        ("[smtp]", config.smtp.password_file.as_deref()),
    ];
    let passwords = passwords.into_iter().filter_map(|(section, file)| {
        let file = file?;
        let why = password_trouble(file)?;
        Some(format!("{section} password_file {}: {why}", file.display()))
    });
    let routes = config.apache.proxy_config_file.iter().filter_map(|file| {
        let why = routes_trouble(file)?;
        Some(format!(
            "[apache] proxy_config_file {}: {why}",
            file.display()
        ))
    });
    passwords.chain(routes).collect()
}

fn password_trouble(file: &Path) -> Option<String> {
    let first = || -> std::io::Result<String> {
        let mut line = String::new();
        BufReader::new(File::open(file)?.take(LONGEST)).read_line(&mut line)?;
        Ok(line)
    };
    match first() {
        Err(error) => Some(format!("it cannot be read: {error}")),
        Ok(line) if line.trim_end_matches(['\r', '\n']).is_empty() => {
            Some("its first line, which is the password, is empty".to_owned())
        }
        Ok(_) => None,
    }
}

fn routes_trouble(file: &Path) -> Option<String> {
    if file.is_dir() {
        return Some("it is a directory".to_owned());
    }
    let directory = file.parent().unwrap_or(Path::new("/"));
    (!directory.is_dir()).then(|| "the directory it is to be in is not there".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_makes_sense() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(read_small(&file).unwrap(), "text");
        assert!(
            has_certificates(&file)
                .unwrap_err()
                .contains("no certificate")
        );
        let large = File::options().write(true).open(&file).unwrap();
        large.set_len(LONGEST + 1).unwrap();
        for endless in [file.as_path(), Path::new("/dev/zero")] {
            let error = read_small(endless).unwrap_err();
            assert!(error.to_string().contains("larger than 1 MiB"), "{error}");
        }
    }
}
