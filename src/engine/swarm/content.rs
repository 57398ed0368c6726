//! What a ticket's config holds: the application and what is private to the execution. Pure.
//!
//! A config can be read by whoever may use Docker on a manager, as the environment of an Engine's ticket can; it is in
//! no label, and no other container sees it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::apps;
use crate::model::{Private, Secret, Ticket};

/// The version that is written, and the only one that is read.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Content {
    schema: u32,
    application: Value,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// As the API takes it.
pub(super) fn write(ticket: &Ticket, private: &Private) -> Result<String, serde_json::Error> {
    let revealed = |values: &BTreeMap<String, Secret>| {
        let revealed = values
            .iter()
            .map(|(name, value)| (name.clone(), value.reveal().to_owned()));
        revealed.collect()
    };
    let content = Content {
        schema: SCHEMA,
        application: serde_json::from_str(&apps::to_json(&ticket.application))?,
        secrets: revealed(&private.secrets),
        env: revealed(&private.env),
    };
    Ok(STANDARD.encode(serde_json::to_vec(&content)?))
}

/// The application in the JSON of its format, or what is wrong with the content.
pub(super) fn application(data: &str) -> Result<String, String> {
    read(data).map(|content| content.application.to_string())
}

/// What is private to the execution, or what is wrong with the content.
pub(super) fn private(data: &str) -> Result<Private, String> {
    let hidden = |values: BTreeMap<String, String>| {
        let hidden = values
            .into_iter()
            .map(|(name, value)| (name, Secret::new(value)));
        hidden.collect()
    };
    read(data).map(|content| Private {
        secrets: hidden(content.secrets),
        env: hidden(content.env),
    })
}

fn read(data: &str) -> Result<Content, String> {
    let bytes = STANDARD
        .decode(data)
        .map_err(|_| "it is not base64".to_owned())?;
    // The parser's own words could quote a secret.
    let content: Content = serde_json::from_slice(&bytes).map_err(|error| {
        format!(
            "it is not what zoe writes (line {}, column {})",
            error.line(),
            error.column()
        )
    })?;
    if content.schema == SCHEMA {
        Ok(content)
    } else {
        Err(format!(
            "it is of schema {} and this zoe reads {SCHEMA}; use the zoe that made it",
            content.schema
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::names::tests::ticket;

    #[test]
    fn what_is_written_reads_back() {
        let ticket = ticket(7);
        let mut secret = Private::default();
        for (name, value) in [("auth", "a=b\nc\""), ("to.ken", "")] {
            secret.secrets.insert(name.to_owned(), Secret::new(value));
            secret.env.insert(name.to_owned(), Secret::new(value));
        }
        let data = write(&ticket, &secret).unwrap();
        assert_eq!(private(&data), Ok(secret));
        let read = apps::from_json(&application(&data).unwrap());
        assert_eq!(read.as_ref(), Ok(&ticket.application));
    }

    #[test]
    fn what_cannot_be_read_is_told_without_its_content() {
        let of = |text: &str| private(&STANDARD.encode(text)).unwrap_err();
        let newer = r#"{"schema":2,"application":{},"secrets":{"a":"hunter2"}}"#;
        assert!(of(newer).contains("schema 2"));
        for text in [r#"{"schema":1,"secrets":"hunter2"}"#, "hunter2"] {
            assert!(!of(text).contains("hunter2"), "{}", of(text));
        }
        assert!(private("?").is_err());
    }
}
