//! A whole database, written out and taken in elsewhere.

use jiff::SignedDuration;
use zoe::model::{Bytes, Cores, Deployment, Limit, Limits, Outcome, Resources};
use zoe::store::{Event, Imported, Record, Role, StoreError, User};

use crate::{Site, at, deployment, id, record};

on_both! {
    what_was_exported_is_the_same_after_an_import
    importing_twice_adds_nothing_and_what_differs_is_refused_whole
    what_is_no_whole_export_is_refused_and_nothing_of_it_is_taken
    a_row_that_does_not_fit_is_named_by_its_line
}

/// Which of many rows can't be added is told, and none of them is.
async fn a_row_that_does_not_fit_is_named_by_its_line(site: Site) {
    let full = site.another();
    let store = full.open().await;
    for n in 0..250 {
        store.record(&deployment(), &record(n)).await.unwrap();
    }
    let text = exported(&full).await;
    // The 150th row is on the line after it.
    let wrong: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(n, line)| match n {
            150 => line.replace("\"user_name\":\"ada\"", "\"user_name\":null"),
            _ => line.to_owned(),
        })
        .collect();
    assert_ne!(wrong.join("\n"), text.trim_end());
    for is_empty in [true, false] {
        if !is_empty {
            let store = site.open().await;
            store.record(&deployment(), &record(0)).await.unwrap();
        }
        let error = import(&site, &(wrong.join("\n") + "\n")).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Import { line: 151, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("user_name"), "{error}");
        let rows = zoe::store::standing(&site.db).await.unwrap().rows;
        assert_eq!(rows["executions"], u64::from(!is_empty));
    }
}

/// Something in every table, of two deployments, with all that a text can hold.
async fn fill(site: &Site) {
    let store = site.open().await;
    let other: Deployment = "other".parse().unwrap();
    for n in 0..250 {
        let whole = Record {
            description: format!("{{\"n\": {n}, \"text\": \"\0\u{1b}[31m'\\\" 👩‍🚀\u{202e}\"}}"),
            key: (n % 3 == 0).then(|| "key\n".to_owned()),
            started_at: (n % 2 == 0).then(|| at(1)),
            end: (n % 4 == 0).then(|| {
                let outcome = Outcome::Failed {
                    exit_code: -1,
                    reason: "x".repeat(10_000),
                };
                (at(2), outcome)
            }),
            allocated: (n % 2 == 0).then(|| Resources {
                cores: Cores::from_millis(1500),
                memory: Bytes::new(u64::from(u32::MAX) * 100),
            }),
            terms: Some("{}".to_owned()),
            ..record(n)
        };
        let deployment = if n % 5 == 0 {
            other.clone()
        } else {
            deployment()
        };
        store.record(&deployment, &whole).await.unwrap();
        let event = Event {
            execution: id(n),
            at: at(1),
            kind: "submitted".to_owned(),
            detail: " by ada ".to_owned(),
        };
        store.event(&deployment, &event).await.unwrap();
    }
    let user = User {
        name: "ada ".to_owned(),
        mail: Some("ada@example.org".to_owned()),
        mail_on: None,
        role: Role::Admin,
        limits: Limits {
            hours: Some(Limit::Unlimited),
            ..Limits::default()
        },
    };
    store.enter(&deployment(), &user).await.unwrap();
    let mut letter = crate::outbox::letter(1);
    "<p>é</p>".clone_into(&mut letter.bodies.html);
    store.post(&deployment(), &letter).await.unwrap();
    let look = crate::activity::look(1, 7);
    store.looked(&deployment(), &look).await.unwrap();
    let here = deployment();
    let position = store.set_position(&here, "host:/log /zoe", "1:2:a");
    position.await.unwrap();
    let length = SignedDuration::from_secs(60);
    let mine = deployment();
    let lease = store.lease(&mine, "host=a pid=7", at(0), length, None);
    lease.await.unwrap();
}

async fn exported(site: &Site) -> String {
    let mut out = Vec::new();
    zoe::store::export(&site.db, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

async fn import(site: &Site, text: &str) -> Result<Imported, StoreError> {
    zoe::store::import(&site.db, &mut text.as_bytes()).await
}

async fn what_was_exported_is_the_same_after_an_import(site: Site) {
    fill(&site).await;
    let text = exported(&site).await;
    let counts = zoe::store::standing(&site.db).await.unwrap().rows;
    assert_eq!(
        text.lines().count() as u64,
        counts.values().sum::<u64>() + 2
    );
    assert!(
        counts.values().all(|rows| *rows > 0),
        "something in each: {counts:?}"
    );
    // There and back, by way of the other kind and of the same.
    let others = [Site::sqlite(), Site::mariadb(), site.another()];
    for other in others {
        let imported = import(&other, &text).await.unwrap();
        assert_eq!(
            (imported.added, imported.same, imported.kept),
            (counts.clone(), 0, 0)
        );
        let again = exported(&other).await;
        for (a, b) in text.lines().zip(again.lines()) {
            assert_eq!(a, b);
        }
        assert_eq!(text, again, "every row of every table");
    }
}

async fn importing_twice_adds_nothing_and_what_differs_is_refused_whole(site: Site) {
    fill(&site).await;
    let text = exported(&site).await;
    let rows = text.lines().count() as u64 - 2;
    let imported = import(&site, &text).await.unwrap();
    assert_eq!((imported.added.len(), imported.same), (0, rows));
    // What is missing is added; another lease is none of its business.
    let store = site.open().await;
    store.forget(&deployment(), id(1)).await.unwrap();
    store.release(&deployment(), "host=a pid=7").await.unwrap();
    let imported = import(&site, &text).await.unwrap();
    assert_eq!(imported.added.values().sum::<u64>(), 4, "{imported:?}");
    assert_eq!((imported.same, imported.kept), (rows - 5, 1));
    // What is something else is left as it is, and nothing comes in beside it.
    store.forget(&deployment(), id(1)).await.unwrap();
    store.forget(&deployment(), id(249)).await.unwrap();
    let mine = Record {
        name: "mine".to_owned(),
        ..record(249)
    };
    store.record(&deployment(), &mine).await.unwrap();
    let error = import(&site, &text).await.unwrap_err().to_string();
    assert!(
        error.contains("something else in executions at 'test'"),
        "{error}"
    );
    assert_eq!(store.get(&deployment(), id(1)).await.unwrap(), None);
    assert_eq!(store.get(&deployment(), id(249)).await.unwrap(), Some(mine));
}

async fn what_is_no_whole_export_is_refused_and_nothing_of_it_is_taken(site: Site) {
    let full = site.another();
    fill(&full).await;
    let text = exported(&full).await;
    let lines: Vec<&str> = text.lines().collect();
    let without = |n: usize| {
        let mut lines = lines.clone();
        lines.remove(n);
        lines.join("\n") + "\n"
    };
    let replaced = |what: &str, with: &str| {
        assert!(text.contains(what), "{what}");
        text.replacen(what, with, 1)
    };
    let head = format!("{}\n", lines[0]);
    let cases = [
        (String::new(), "no export"),
        ("hello\n".to_owned(), "no line of an export"),
        (without(0), "no export"),
        (without(5), "some are missing"),
        (without(lines.len() - 1), "cut off"),
        (
            text[..text.floor_char_boundary(text.len() - 300)].to_owned(),
            "cut off",
        ),
        (format!("{text}{text}"), "goes on after its end"),
        (
            text.replacen("\"version\":1", "\"version\":2", 1),
            "newer zoe",
        ),
        (text.replacen("\"schema\":", "\"schema\":9", 1), "newer zoe"),
        (
            text.replacen("\"table\":\"events\"", "\"table\":\"things\"", 1),
            "no table 'things'",
        ),
        (
            text.replacen("\"kind\":", "\"colour\":", 1),
            "no column 'colour'",
        ),
        (
            replaced(
                &format!("\"happened_at\":{}", at(1).as_millisecond()),
                "\"happened_at\":\"x\"",
            ),
            "happened_at of events is not of the right kind",
        ),
        (
            replaced(
                &format!("\"deployment\":\"{}\"", deployment()),
                "\"deployment\":1",
            ),
            "is not of the right kind",
        ),
        (format!("{head}{head}"), "second time"),
    ];
    for (text, why) in cases {
        let error = import(&site, &text).await.unwrap_err();
        assert!(matches!(error, StoreError::Import { .. }), "{error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
        let rows = zoe::store::standing(&site.db).await.unwrap().rows;
        assert!(rows.values().all(|rows| *rows == 0), "{why}: {rows:?}");
    }
    // One of an older zoe lacks columns: what is missing is what a new row has there. Others beside it have all of them.
    let terms = ",\"terms\":\"{}\"";
    let older = lines.iter().enumerate().map(|(n, line)| {
        let line = if n % 3 == 0 {
            line.replace(terms, "")
        } else {
            (*line).to_owned()
        };
        line + "\n"
    });
    let older: String = older.collect();
    import(&site, &older).await.unwrap();
    let store = site.open().await;
    let (mut with, mut without) = (0, 0);
    for n in 0..250 {
        let deployment = if n % 5 == 0 {
            "other".parse().unwrap()
        } else {
            deployment()
        };
        let record = store.get(&deployment, id(n)).await.unwrap().unwrap();
        match record.terms {
            Some(_) => with += 1,
            None => without += 1,
        }
    }
    assert_eq!(older.matches(terms).count(), with);
    assert!(with > 100 && without > 50, "{with} {without}");
}
