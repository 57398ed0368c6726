//! Whether the files that the configuration names are what they have to be: asked by `zoe config check` alone, as who only looks
//! something up needs none of them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use super::Config;

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
        BufReader::new(std::fs::File::open(file)?).read_line(&mut line)?;
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
