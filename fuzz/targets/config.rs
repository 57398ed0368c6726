//! Configuration files: what is read can be shown and read again as the same, what is wrong is told, passwords are not.

use std::fmt::Write as _;
use std::path::Path;

use zoe::config::{Config, ConfigErrors, Origin, Overrides, Surroundings, assemble, show};
use zoe::ops::connect;
use zoe::proxy::setup;

use super::is_told_well;
use super::site::is_virtual_host;

/// The file, as it is.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let config = match read(&text) {
        Ok(config) => config,
        Err(errors) => {
            assert!(!errors.0.is_empty());
            for error in &errors.0 {
                is_told_well(&error.to_string());
            }
            return;
        }
    };
    let rows = show(&config);
    let debug = format!("{config:?}");
    let mut again = String::new();
    let mut section = "";
    for row in &rows {
        if row.origin == Origin::Default || row.value.contains("***") {
            continue;
        }
        if row.section != section {
            section = row.section;
            writeln!(again, "[{section}]").unwrap();
        }
        writeln!(again, "{} = {}", row.key, row.value).unwrap();
    }
    for secret in [&config.db.password, &config.smtp.password] {
        // Short ones are in every text.
        let revealed = secret.as_ref().map_or("", |secret| secret.reveal());
        if revealed.len() > 12 && !revealed.contains("***") && text.matches(revealed).count() == 1 {
            assert!(!debug.contains(revealed), "a password is shown");
            assert!(rows.iter().all(|row| !row.value.contains(revealed)));
        }
    }
    // Where a value goes over several lines, or a secret is hidden, it can't be written as it is shown.
    if rows
        .iter()
        .all(|row| !row.value.contains(['\n', '\r']) && !row.value.contains("***"))
    {
        let back = read(&again).unwrap_or_else(|errors| panic!("{errors}\n{again}"));
        let values =
            |config| -> Vec<String> { show(config).into_iter().map(|row| row.value).collect() };
        assert_eq!(values(&back), values(&config), "{again}");
    }
    if let Some(site) = connect::site(&config) {
        match setup::virtual_host(&site) {
            Ok(text) => is_virtual_host(&text, &site),
            Err(why) => is_told_well(&why),
        }
    }
}

fn read(text: &str) -> Result<Config, ConfigErrors> {
    let around = Surroundings {
        env: std::iter::empty::<(&str, &str)>().collect(),
        cwd: "/cwd".into(),
        home: Some("/home/ada".into()),
        os_user: "ada".into(),
        system_dir: "/etc/zoe".into(),
    };
    let file = Some((Path::new("/c/zoe.conf"), text));
    assemble(file, &around, &Overrides::default())
}
