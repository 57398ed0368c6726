//! The database as such: what `db` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::schema::pretty;
use super::text::{clean, rfc3339};
use crate::store::{Change, Counts, Imported, Standing, State, holder};

#[derive(Debug, Serialize)]
struct Status<'a> {
    place: &'a str,
    kind: &'static str,
    software: Option<&'a str>,
    tls: Option<&'a str>,
    state: &'static str,
    schema: Option<i64>,
    known_schema: i64,
    steps_done: Option<usize>,
    steps: Option<usize>,
    rows: &'a BTreeMap<String, u64>,
    leases: Vec<Lease<'a>>,
}

#[derive(Debug, Serialize)]
struct Lease<'a> {
    deployment: &'a str,
    holder: &'a str,
    until: String,
}

#[derive(Debug, Serialize)]
struct Changed<'a> {
    place: &'a str,
    schema_before: Option<i64>,
    schema: i64,
}

#[derive(Debug, Serialize)]
struct Taken<'a> {
    added: &'a Counts,
    same: u64,
    kept_leases: u64,
}

fn word(state: &State) -> &'static str {
    match state {
        State::Absent => "absent",
        State::Empty => "empty",
        State::Foreign => "foreign",
        State::Interrupted { .. } => "interrupted",
        State::Behind => "behind",
        State::Current => "current",
        State::Newer => "newer",
    }
}

/// What it means, and what is to be done.
fn sentence(state: &State) -> String {
    match state {
        State::Absent => "there is none yet; `zoe db init` makes it".to_owned(),
        State::Empty => "there is nothing in it yet; `zoe db init` makes its tables".to_owned(),
        State::Foreign => "it has another program's tables; give zoe a database of its own".to_owned(),
        State::Interrupted { done, of } => format!(
            "a change of its tables was interrupted, {done} of {of} steps are done; `zoe db migrate` goes on from there"
        ),
        State::Behind => "its tables are those of an older version; `zoe db migrate` (or the next command that needs them) brings them up to date".to_owned(),
        State::Current => "its tables are what this version needs".to_owned(),
        State::Newer => "its tables are those of a newer version, and left alone; use that version".to_owned(),
    }
}

/// How it stands, as a JSON object.
pub fn status_json(standing: &Standing) -> String {
    let steps = match standing.state {
        State::Interrupted { done, of } => Some((done, of)),
        State::Absent
        | State::Empty
        | State::Foreign
        | State::Behind
        | State::Current
        | State::Newer => None,
    };
    let lease = |(deployment, holder, until): &'_ (String, String, jiff::Timestamp)| -> (String, String, String) {
        (deployment.clone(), holder.clone(), rfc3339(*until))
    };
    let leases: Vec<_> = standing.leases.iter().map(lease).collect();
    pretty(&Status {
        place: &standing.place,
        kind: standing.kind,
        software: standing.software.as_deref(),
        tls: standing.tls.as_deref(),
        state: word(&standing.state),
        schema: standing.schema,
        known_schema: standing.known,
        steps_done: steps.map(|(done, _)| done),
        steps: steps.map(|(_, of)| of),
        rows: &standing.rows,
        leases: leases
            .iter()
            .map(|(deployment, holder, until)| Lease {
                deployment,
                holder,
                until: until.clone(),
            })
            .collect(),
    })
}

/// How it stands, for people.
pub fn status(standing: &Standing) -> String {
    let schema = standing.schema.map(|schema| {
        if schema == standing.known {
            schema.to_string()
        } else {
            format!("{schema}; this zoe knows {}", standing.known)
        }
    });
    let software = standing
        .software
        .as_ref()
        .map(|version| format!("{} {version}", standing.kind));
    let rows: Vec<String> = standing
        .rows
        .iter()
        .map(|(table, rows)| format!("{rows} in {table}"))
        .collect();
    let mut facts = vec![
        ("Database", Some(standing.place.clone())),
        ("Software", software),
        ("TLS", standing.tls.clone()),
        (
            "State",
            Some(format!(
                "{}: {}",
                word(&standing.state),
                sentence(&standing.state)
            )),
        ),
        ("Schema", schema),
        ("Rows", (!rows.is_empty()).then(|| rows.join(", "))),
    ];
    for (deployment, holder, until) in &standing.leases {
        let holder = holder::describe(holder);
        facts.push((
            "Lease",
            Some(format!(
                "of {deployment}: {holder}, until {}",
                rfc3339(*until)
            )),
        ));
    }
    facts
        .into_iter()
        .fold(String::new(), |mut text, (name, value)| {
            if let Some(value) = value {
                let _ = writeln!(text, "{:10}{}", format!("{name}:"), clean(&value));
            }
            text
        })
}

/// What was made or changed, as a JSON object.
pub fn change_json(change: &Change) -> String {
    pretty(&Changed {
        place: &change.place,
        schema_before: (change.before > 0).then_some(change.before),
        schema: change.after,
    })
}

/// The same as a sentence.
pub fn change(change: &Change) -> String {
    let Change {
        place,
        before,
        after,
    } = change;
    match *before {
        0 => format!("{place}: made, with schema {after}"),
        before if before == *after => format!("{place}: schema {after}, as it should be"),
        before => format!("{place}: brought from schema {before} to {after}"),
    }
}

/// What was taken in, as a JSON object.
pub fn imported_json(imported: &Imported) -> String {
    pretty(&Taken {
        added: &imported.added,
        same: imported.same,
        kept_leases: imported.kept,
    })
}

/// The same as a sentence.
pub fn imported(imported: &Imported) -> String {
    let added: u64 = imported.added.values().sum();
    format!(
        "{added} rows were added ({}); {} were there already",
        counts(&imported.added),
        imported.same + imported.kept
    )
}

/// Rows by table, in a few words.
pub fn counts(counts: &Counts) -> String {
    let tables: Vec<String> = counts
        .iter()
        .map(|(table, rows)| format!("{table}: {rows}"))
        .collect();
    if tables.is_empty() {
        return "none".to_owned();
    }
    tables.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        Standing {
            place: "mysql://zoe:***@db/zoe".to_owned(),
            kind: "mariadb",
            software: Some("10.11.19-MariaDB".to_owned()),
            tls: Some("TLSv1.3".to_owned()),
            state: State::Interrupted { done: 2, of: 5 },
            schema: Some(1),
            known: 2,
            rows: [("events".to_owned(), 3)].into(),
            leases: vec![(
                "test".to_owned(),
                "host=a pid=7".to_owned(),
                jiff::Timestamp::UNIX_EPOCH,
            )],
        }
    }

    #[test]
    fn how_it_stands() {
        insta::assert_snapshot!(status(&standing()), @r#"
    Database: mysql://zoe:***@db/zoe
    Software: mariadb 10.11.19-MariaDB
    TLS:      TLSv1.3
    State:    interrupted: a change of its tables was interrupted, 2 of 5 steps are done; `zoe db migrate` goes on from there
    Schema:   1; this zoe knows 2
    Rows:     3 in events
    Lease:    of test: process 7 on a, until 1970-01-01T00:00:00.000Z
    "#);
        insta::assert_snapshot!(status_json(&standing()), @r#"
    {
      "place": "mysql://zoe:***@db/zoe",
      "kind": "mariadb",
      "software": "10.11.19-MariaDB",
      "tls": "TLSv1.3",
      "state": "interrupted",
      "schema": 1,
      "known_schema": 2,
      "steps_done": 2,
      "steps": 5,
      "rows": {
        "events": 3
      },
      "leases": [
        {
          "deployment": "test",
          "holder": "host=a pid=7",
          "until": "1970-01-01T00:00:00.000Z"
        }
      ]
    }
    "#);
    }

    #[test]
    fn every_key_is_documented() {
        let document = include_str!("../../docs/database.md");
        let change = Change {
            place: "x".to_owned(),
            before: 0,
            after: 2,
        };
        for json in [
            status_json(&standing()),
            change_json(&change),
            imported_json(&Imported::default()),
        ] {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&json).unwrap();
            for key in object.keys() {
                assert!(document.contains(&format!("| `{key}` |")), "{key}");
            }
        }
    }
}
