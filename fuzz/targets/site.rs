//! The virtual host that `zoe proxy setup` prints: whatever is configured, it has the directives that it is to have, and no others.

use std::fmt::Write as _;

use zoe::config::{Overrides, Surroundings, assemble};
use zoe::ops::connect;
use zoe::proxy::{Site, Way, setup};

use super::{Input, is_told_well};

/// Name, prefix and file of the input, as a line of the configuration each.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let mode = if input.choice & 1 == 0 {
        "map"
    } else {
        "fragment"
    };
    let scheme = if input.choice & 2 == 0 {
        "http"
    } else {
        "https"
    };
    let mut text = format!("[apache]\nproxy_mode = {mode}\nweb_server_scheme = {scheme}\n");
    for key in ["web_server_name", "proxy_path_prefix", "proxy_config_file"] {
        writeln!(text, "{key} = {}", input.text()).unwrap();
    }
    let around = Surroundings {
        env: std::iter::empty::<(&str, &str)>().collect(),
        cwd: "/cwd".into(),
        home: None,
        os_user: "ada".into(),
        system_dir: "/etc/zoe".into(),
    };
    let file = Some((std::path::Path::new("/c/zoe.conf"), text.as_str()));
    let Ok(config) = assemble(file, &around, &Overrides::default()) else {
        return;
    };
    if let Some(site) = connect::site(&config) {
        match setup::virtual_host(&site) {
            Ok(text) => is_virtual_host(&text, &site),
            Err(why) => is_told_well(&why),
        }
    }
}

/// Panics unless this has the directives that a site with the plainest names has, in their order.
pub fn is_virtual_host(text: &str, site: &Site) {
    let plain = Site {
        secure: site.secure,
        name: match site.domain() {
            Some(_) => "*.zoe.test".to_owned(),
            None => "zoe.test".to_owned(),
        },
        prefix: "/zoe".to_owned(),
        file: Some("/var/lib/zoe/routes".into()),
        way: match &site.way {
            Way::Map => Way::Map,
            fragment @ Way::Fragment { .. } => fragment.clone(),
        },
    };
    assert_eq!(
        directives(text),
        directives(&setup::virtual_host(&plain).unwrap()),
        "{text}"
    );
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text}"
    );
    assert!(!text.contains('@'), "something was not filled in:\n{text}");
}

/// The first word of each line that is no comment, and how many quotes it has.
fn directives(text: &str) -> Vec<(String, usize)> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            assert!(!line.ends_with('\\'), "{line:?} goes on in the next");
            let first = line.split([' ', '"']).next().unwrap_or_default();
            (first.to_owned(), line.matches('"').count())
        })
        .collect()
}
