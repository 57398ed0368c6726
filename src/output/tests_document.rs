//! That docs/json.md says of every key what it is.

use super::{at, cluster, few, line, queued, running, uses};
use crate::model::{ExecutionId, MailKind};
use crate::ops::proxy::routes::{Checked, CheckedRoute, RouteView};
use crate::output::{mails, queue, resized, routes, schema, usage, users};
use crate::store::{Cover, LetterState, Posted};

fn mail() -> Posted {
    Posted {
        cover: Cover {
            id: "abcdefgh-ended".to_owned(),
            execution: ExecutionId::from_bits(1),
            kind: MailKind::Ended,
            user: "ada".to_owned(),
            recipient: "ada@example.org".to_owned(),
            message_id: "<a@example.org>".to_owned(),
            subject: "it has ended".to_owned(),
            created_at: at("12:00:00"),
        },
        state: LetterState::Waiting,
        since: at("12:00:00"),
        tries: 1,
        next_at: at("12:01:00"),
        claim: None,
        last_error: None,
    }
}

fn checked() -> Checked {
    let route = RouteView {
        execution: ExecutionId::from_bits(1),
        execution_name: "one".to_owned(),
        user: "ada".to_owned(),
        name: "master/web".to_owned(),
        url: "http://zoe/a".to_owned(),
        upstream: "127.0.0.1:80".parse().unwrap(),
        published: Some(true),
    };
    Checked {
        url: "http://zoe/".to_owned(),
        problem: None,
        routes: vec![CheckedRoute {
            route,
            direct: Ok(200),
            through: Ok(200),
            problem: None,
            is_silent: false,
        }],
    }
}

#[test]
fn the_document_describes_every_key() {
    fn keys(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    found.push(key.clone());
                    keys(value, found);
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|v| keys(v, found)),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }
    let document = include_str!("../../docs/json.md");
    let about = |title: &str| {
        let mut sections = document.split("\n# ");
        let section = sections.find(|text| text.lines().next() == Some(title));
        section.unwrap_or_else(|| panic!("docs/json.md has no section '{title}'"))
    };
    let executions = about("# The JSON that zoe prints");
    let with = |title: &str| format!("{executions}{}", about(title));
    for (section, value) in [
        (
            executions.to_owned(),
            schema::pretty(&schema::Detail::from(&running())),
        ),
        (about("The cluster").to_owned(), cluster::json(&cluster())),
        (about("A resize").to_owned(), resized::json(&few())),
        (about("Use").to_owned(), usage::json(&uses())),
        (with("The queue"), queue::json(&[line::entry(queued())])),
        (
            with("An explanation"),
            queue::explanation_json(&line::explanation(queued())),
        ),
        (about("Mail").to_owned(), mails::json(&[mail()])),
        (about("A user").to_owned(), users::one_json(&line::user())),
        (
            about("A route").to_owned(),
            routes::checked_json(&checked()),
        ),
    ] {
        let mut found = Vec::new();
        keys(&serde_json::from_str(&value).unwrap(), &mut found);
        for key in found {
            assert!(
                section.contains(&format!("| `{key}` |")),
                "docs/json.md says nothing of '{key}'"
            );
        }
    }
}
