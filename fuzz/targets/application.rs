//! Application files: what is read is written and read again as the same, fits into labels, and what is made of it is fit for
//! Docker.

use std::collections::{BTreeMap, HashMap};

use zoe::apps::{self, Format};
use zoe::labels::{self, Decoded};
use zoe::model::{Application, Private, ProxyPath, Secret, Terms, Ticket};

use super::{Input, is_told_well};

/// The first byte says in which format; with its second bit, the rest is settings for a built-in one.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let format = if input.choice & 1 == 0 {
        Format::Toml
    } else {
        Format::Json
    };
    if input.choice & 2 == 0 {
        let text = String::from_utf8_lossy(data.get(1..).unwrap_or_default());
        match apps::parse(&text, format) {
            Ok(application) => holds(&application),
            Err(errors) => is_told_well(&errors.to_string()),
        }
        if let Err(errors) = apps::from_json(&text) {
            is_told_well(&errors.to_string());
        }
    } else {
        let mut application = apps::builtin("spark-notebook").unwrap();
        while let Some(text) = input.next() {
            let (kind, text) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
            let done = match kind {
                "e" => apps::add_env_line(&mut application, "", text),
                "v" => apps::add_volume_everywhere(&mut application, text),
                "n" => apps::add_env(&mut application, text, &input.text()),
                "a" => apps::append_args(&mut application, [text]),
                _ => apps::set(&mut application, text),
            };
            if let Err(error) = done {
                is_told_well(&error.to_string());
            }
        }
        holds(&application);
    }
}

/// Panics unless the application survives every way that it goes.
pub fn holds(application: &Application) {
    let json = apps::to_json(application);
    assert_eq!(apps::from_json(&json).as_ref(), Ok(application), "{json}");
    let toml = apps::to_toml(application);
    assert_eq!(
        apps::parse(&toml, Format::Toml).as_ref(),
        Ok(application),
        "{toml}"
    );
    assert_eq!(apps::parse(&json, Format::Json).as_ref(), Ok(application));
    let ticket = ticket(application.clone());
    let labels: HashMap<String, String> = labels::ticket(&ticket).into_iter().collect();
    let decoded = labels::decode(&labels).unwrap().unwrap();
    assert_eq!(decoded.1, Decoded::Ticket(Box::new(ticket.clone())));
    fits_docker(&ticket);
}

/// A ticket of this application.
pub fn ticket(application: Application) -> Ticket {
    Ticket {
        id: "abcdefgh".parse().unwrap(),
        deployment: "fuzz".parse().unwrap(),
        name: "one".parse().unwrap(),
        name_claimed: false,
        user: "ada".to_owned(),
        application,
        submitted_at: "2026-11-22T10:00:00Z".parse().unwrap(),
        key: None,
        timeout: None,
        terms: Terms::default(),
        proxy: Some(ProxyPath::new("/zoe", 42).unwrap()),
        job_image: None,
        registry: String::new(),
    }
}

/// Panics where a member could not be made as it is described: Docker takes no NUL, no `=` in names, and paths from the root.
pub fn fits_docker(ticket: &Ticket) {
    let application = &ticket.application;
    let members: u32 = application.components.iter().map(|c| c.core).sum();
    assert!(members <= 10_000);
    if members > 50 {
        return;
    }
    let secrets = application.secrets.iter();
    let private = Private {
        secrets: secrets
            .map(|name| (name.clone(), Secret::new("s3cret")))
            .collect(),
        env: BTreeMap::new(),
    };
    let launch = match apps::expand(ticket, &private, &BTreeMap::new()) {
        Ok(launch) => launch,
        Err(error) => return is_told_well(&error.to_string()),
    };
    for spec in &launch.instances {
        let words = spec.command.iter().flatten();
        let values = spec.env.iter().map(|(_, value)| value.reveal());
        for text in words.map(String::as_str).chain(values) {
            assert!(!text.contains('\0'), "{text:?}");
        }
        for (name, _) in &spec.env {
            assert!(
                !name.is_empty() && !name.contains(['=', '\0', '\n']),
                "{name:?}"
            );
        }
        for (name, _) in &spec.secrets {
            super::is_one_part(name);
        }
        for volume in &spec.volumes {
            for text in [&volume.source, &volume.target] {
                assert!(!text.contains([':', '\0']), "{text:?}");
            }
            assert!(volume.target.starts_with('/'), "{volume:?}");
            assert!(
                !volume.target.split('/').any(|part| part == ".."),
                "{volume:?}"
            );
            assert!(
                !volume.source.split('/').any(|part| part == ".."),
                "{volume:?}"
            );
        }
        // What a label says of these is for Docker to refuse.
        if ticket.registry.is_empty() && ticket.job_image.is_none() {
            assert!(spec.image.is_ascii() && !spec.image.contains(char::is_whitespace));
        }
    }
}
