//! On which terms executions are run: arrays, dependencies, holding, retries, quotas.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use jiff::SignedDuration;
use zoe::engine::Scope;
use zoe::model::{Cores, ExecutionId, Limit, Outcome, Quota, RequiredEnd, Retries, Secret};
use zoe::ops::accounts::{self, Entry, LimitsEntry};
use zoe::ops::kill::{self, Selection};
use zoe::ops::logs::LogOptions;
use zoe::ops::queue::explain;
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::submit::resubmit::{self, Changes};
use zoe::ops::submit::{self, Accepted, After, Array, Asked};
use zoe::ops::wait::{self, Until, Waited};
use zoe::ops::{ErrorKind, Silent, attach, hold, list, logs, queue};
use zoe::store::Used;

use crate::lab::{Collected, Lab, application, lab, nothing_left, submitted};

fn asked(terms: Asked) -> Common {
    Common {
        terms,
        ..Common::default()
    }
}

fn array(indices: &[u32], at_once: Option<u32>) -> Asked {
    Asked {
        array: Some(Array {
            indices: indices.iter().copied().collect(),
            at_once,
        }),
        ..Asked::default()
    }
}

fn after(id: ExecutionId, end: RequiredEnd) -> Asked {
    Asked {
        after: vec![After {
            execution: id.to_string(),
            end,
        }],
        ..Asked::default()
    }
}

async fn all_of(lab: &Lab, command: &str, common: Common) -> Vec<Accepted> {
    let application = application(&[("main", command)], "0.5");
    let submission = launch::application(application, common).unwrap();
    submit::submit_all(&lab.context, &submission, &Silent)
        .await
        .unwrap()
}

async fn ended(lab: &Lab, id: ExecutionId) -> Outcome {
    let waited = wait::wait_for(&lab.context, id, Until::Ended, None, &Silent).await;
    match waited.unwrap() {
        Waited::Ended(outcome) => outcome,
        Waited::Running(_) => panic!("{id} runs"),
    }
}

async fn logged(lab: &Lab, id: ExecutionId, attempt: Option<u32>) -> String {
    let options = LogOptions {
        attempt,
        ..LogOptions::default()
    };
    let logs = logs::logs(&lab.context, id.as_str(), &options, &Silent).await;
    let mut pieces = logs.unwrap().pieces;
    let mut text = Vec::new();
    while let Some(piece) = pieces.next().await {
        text.extend_from_slice(&piece.chunk.unwrap().bytes);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn an_array_is_run_index_by_index_and_not_too_many_at_once() {
    let lab = lab();
    let command = r#"["env", "ZOE_ARRAY_INDEX", "env", "ZOE_ARRAY_COUNT", "run"]"#;
    let common = Common {
        name: Some("part".parse().unwrap()),
        ..asked(array(&[0, 2, 5], Some(2)))
    };
    let all = all_of(&lab, command, common).await;
    let ids: Vec<ExecutionId> = all.iter().map(Accepted::id).collect();
    lab.pass().await;
    let listing = list::ps(&lab.context, false).await.unwrap();
    let mut states: Vec<(&str, &str)> = listing
        .executions
        .iter()
        .map(|view| (view.name.as_str(), view.state.word()))
        .collect();
    states.sort_unstable();
    let expected = [
        ("part-0", "running"),
        ("part-2", "running"),
        ("part-5", "queued"),
    ];
    assert_eq!(states, expected);
    let places = listing
        .executions
        .iter()
        .map(|view| view.terms.array.unwrap());
    let places: BTreeSet<_> = places.collect();
    assert_eq!(places, [(ids[0], 0), (ids[0], 2), (ids[0], 5)].into());
    let line = queue::queue(&lab.context).await.unwrap();
    assert_eq!(
        (line.entries.len(), line.entries[0].code),
        (1, "array-limit")
    );
    for (id, index) in ids.iter().zip([0, 2, 5]) {
        lab.until("it runs", async |lab| lab.running(*id).await.len() == 1)
            .await;
        lab.ends(*id);
        assert_eq!(ended(&lab, *id).await, Outcome::Finished);
        assert_eq!(logged(&lab, *id, None).await, format!("{index}\n3\n"));
    }
    nothing_left(&lab).await;
    // Where one is wanted its name is no answer.
    let error = logs::logs(&lab.context, "part", &LogOptions::default(), &Silent).await;
    let error = error.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert_eq!(
        error.hint.as_deref(),
        Some("name one of it, such as part-0")
    );
}

#[tokio::test]
async fn an_array_is_submitted_whole_or_not_at_all_and_a_key_completes_it() {
    let lab = lab();
    let taken = Common {
        name: Some("part-2".parse().unwrap()),
        ..Common::default()
    };
    let other = submitted(&lab, &[("main", r#"["run"]"#)], taken).await.id();
    let named = Common {
        name: Some("part".parse().unwrap()),
        ..asked(array(&[0, 1, 2], None))
    };
    let run = application(&[("main", r#"["run"]"#)], "0.5");
    let submission = launch::application(run, named).unwrap();
    let refused = submit::submit_all(&lab.context, &submission, &Silent).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Conflict);
    let seen = lab
        .context
        .backend
        .observe(Scope::Executions)
        .await
        .unwrap();
    assert_eq!(seen.executions.keys().collect::<Vec<_>>(), [&other]);

    let keyed = |indices: &[u32]| Common {
        key: Some("nightly".to_owned()),
        ..asked(array(indices, None))
    };
    let some = all_of(&lab, r#"["run"]"#, keyed(&[0, 1])).await;
    let all = all_of(&lab, r#"["run"]"#, keyed(&[0, 1, 2])).await;
    assert_eq!(
        all[..2],
        [Accepted::Alive(some[0].id()), Accepted::Alive(some[1].id())]
    );
    let Accepted::New(third) = &all[2] else {
        panic!("{all:?}")
    };
    assert_eq!(third.terms.array.unwrap().array, some[0].id());
    kill::kill(&lab.context, &Selection::All, &Silent)
        .await
        .unwrap();
    let again = all_of(&lab, r#"["run"]"#, keyed(&[0, 1, 2])).await;
    assert!(again.iter().all(|one| matches!(one, Accepted::Over(_))));
    nothing_left(&lab).await;
}

#[tokio::test]
async fn one_that_comes_after_another_starts_when_that_has_ended_as_it_had_to() {
    let lab = lab();
    let job = async |command, common| submitted(&lab, &[("main", command)], common).await;
    let good = job(r#"["exit", "0", "after", "300ms"]"#, Common::default())
        .await
        .id();
    let bad = job(r#"["exit", "3", "after", "300ms"]"#, Common::default())
        .await
        .id();
    let after_good = job(r#"["exit", "0"]"#, asked(after(good, RequiredEnd::Ok)))
        .await
        .id();
    let after_bad = job(r#"["exit", "0"]"#, asked(after(bad, RequiredEnd::Ok)))
        .await
        .id();
    let any = job(r#"["exit", "0"]"#, asked(after(bad, RequiredEnd::Any)))
        .await
        .id();
    lab.pass().await;
    let explained = explain::explain(&lab.context, after_good.as_str())
        .await
        .unwrap();
    assert_eq!(explained.wait.unwrap().code, "after");
    assert_eq!(ended(&lab, after_good).await, Outcome::Finished);
    assert_eq!(ended(&lab, any).await, Outcome::Finished);
    let Outcome::Failed { exit_code, reason } = ended(&lab, after_bad).await else {
        panic!("it ran")
    };
    assert_eq!(exit_code, 125);
    let why = format!("{bad}, which had to end well before it, failed with 3 (main exited with 3)");
    assert_eq!(reason, why);
    // What is over is judged at once.
    let late = application(&[("main", r#"["exit", "0"]"#)], "0.5");
    let of = |terms| launch::application(late.clone(), asked(terms)).unwrap();
    let refused = of(after(bad, RequiredEnd::Ok));
    let refused = submit::submit(&lab.context, &refused, &Silent)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    let taken = of(after(good, RequiredEnd::Ok));
    let Accepted::New(ticket) = submit::submit(&lab.context, &taken, &Silent).await.unwrap() else {
        panic!("it is new")
    };
    assert_eq!(ticket.terms.after, []);
    assert_eq!(ended(&lab, ticket.id).await, Outcome::Finished);
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_is_held_waits_until_it_is_released() {
    let lab = lab();
    let held = asked(Asked {
        held: true,
        ..Asked::default()
    });
    let id = submitted(&lab, &[("main", r#"["run"]"#)], held).await.id();
    lab.pass().await;
    assert_eq!(lab.running(id).await, [""; 0]);
    let shown = list::show(&lab.context, id.as_str()).await.unwrap();
    assert!(shown.view.terms.held);
    let name = [id.to_string()];
    hold::release(&lab.context, &name, &Silent).await.unwrap();
    assert_eq!(lab.running(id).await.len(), 1);
    let late = hold::hold(&lab.context, &name).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict);
    // What waits is held as well, and shown as such wherever it stands.
    let wide = launch::application(
        application(&[("main", r#"["run"]"#)], "4"),
        Common::default(),
    );
    let waits = submit::submit(&lab.context, &wide.unwrap(), &Silent)
        .await
        .unwrap()
        .id();
    let name = [waits.to_string()];
    hold::hold(&lab.context, &name).await.unwrap();
    let line = queue::queue(&lab.context).await.unwrap();
    assert_eq!(line.entries[0].code, "held");
    let small = submitted(&lab, &[("main", r#"["run"]"#)], Common::default())
        .await
        .id();
    lab.pass().await;
    assert_eq!(lab.running(small).await.len(), 1);
    kill::kill(&lab.context, &Selection::All, &Silent)
        .await
        .unwrap();
    nothing_left(&lab).await;
}

fn retries(most: u32, codes: &[i64]) -> Common {
    asked(Asked {
        retries: Retries {
            most,
            codes: codes.iter().copied().collect(),
        },
        ..Asked::default()
    })
}

/// Between its failure and the next pass it is not over.
#[tokio::test]
async fn what_is_run_again_is_not_shown_as_over() {
    for most in [0, 1] {
        let lab = lab();
        let command = r#"["run", "exit", "7"]"#;
        let id = submitted(&lab, &[("main", command)], retries(most, &[]))
            .await
            .id();
        lab.pass().await;
        lab.ends(id);
        let deadline = Instant::now() + Duration::from_mins(3);
        while lab.seen(id).await.unwrap().decisive_exit().is_none() {
            assert!(Instant::now() < deadline, "it does not fail");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let all = list::ps(&lab.context, false).await.unwrap().executions;
        let reason = all[0].reason.clone().unwrap();
        let told = (all[0].exit_code, reason.contains("is run again"));
        let expected = if most == 0 {
            (Some(7), false)
        } else {
            (None, true)
        };
        assert_eq!(told, expected, "{reason}");
        assert_eq!(all[0].finished_at.is_some(), most == 0);
    }
}

#[tokio::test]
async fn a_job_that_fails_is_run_again_and_all_its_output_is_kept() {
    let lab = lab();
    let command = r#"["print", "here", "exit", "7", "after", "100ms"]"#;
    let id = submitted(&lab, &[("main", command)], retries(1, &[]))
        .await
        .id();
    let mut output = Collected::default();
    let outcome = attach::attach(&lab.context, id, &mut output, &Silent)
        .await
        .unwrap();
    assert_eq!(outcome.exit_code(), 7);
    assert_eq!(String::from_utf8(output.0).unwrap(), "here\nhere\n");
    let failed = lab.events(id, "attempt-failed").await;
    assert_eq!(failed, ["exit code 7: main-0 exited with 7"]);
    assert_eq!(lab.events(id, "started").await.len(), 2);
    for attempt in [Some(1), Some(2), None] {
        assert_eq!(logged(&lab, id, attempt).await, "here\n");
    }
    let options = LogOptions {
        attempt: Some(3),
        ..LogOptions::default()
    };
    let none = logs::logs(&lab.context, id.as_str(), &options, &Silent).await;
    assert_eq!(none.err().unwrap().kind, ErrorKind::NotFound);
    // In the two seconds between both it held nothing.
    let (whole, used) = used(&lab, id).await;
    assert!(used.run_time >= 200, "{used:?}");
    assert!(used.run_time + 1900 <= whole, "{used:?} of {whole}");
    assert_eq!(used.core_time, 500 * used.run_time);
    assert_eq!(used.memory_time, 64 * used.run_time);
    nothing_left(&lab).await;
    kill::remove(&lab.context, &[id.to_string()], false, &Silent)
        .await
        .unwrap();
    let history = lab.directory.path().join("history");
    let left = walk(&history);
    assert!(left.is_empty(), "{left:?}");
}

/// The milliseconds from the first start of an execution to its end, and what it has used.
async fn used(lab: &Lab, id: ExecutionId) -> (u64, Used) {
    let store = lab.context.history.open().await.unwrap();
    let record = store.get(&lab.context.settings.deployment, id).await;
    let record = record.unwrap().unwrap();
    assert!(record.allocated.unwrap().cores > Cores::ZERO);
    let whole = record
        .end
        .unwrap()
        .0
        .duration_since(record.started_at.unwrap());
    let shown = list::show(&lab.context, id.as_str()).await.unwrap().view;
    let used = record.used.unwrap();
    assert_eq!(shown.run_time, Some(used.ran()));
    (u64::try_from(whole.as_millis()).unwrap(), used)
}

/// The files below a directory.
fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[tokio::test]
async fn only_the_codes_that_were_named_lead_to_another_run() {
    let lab = lab();
    let command = r#"["exit", "7"]"#;
    let id = submitted(&lab, &[("main", command)], retries(5, &[75]))
        .await
        .id();
    assert_eq!(ended(&lab, id).await.exit_code(), 7);
    assert_eq!(lab.events(id, "attempt-failed").await, [""; 0]);
    nothing_left(&lab).await;
}

#[tokio::test]
async fn between_two_runs_it_can_be_killed() {
    let lab = lab();
    let job = application(&[("main", r#"["exit", "7", "after", "300ms"]"#)], "4");
    let submission = launch::application(job, retries(9, &[])).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    lab.until("it failed", async |lab: &Lab| {
        !lab.events(id, "attempt-failed").await.is_empty()
    })
    .await;
    let before = accounts::show(&lab.context, "ann").await.unwrap();
    let name = id.to_string();
    kill::kill(&lab.context, &Selection::Named(vec![name]), &Silent)
        .await
        .unwrap();
    assert_eq!(ended(&lab, id).await.exit_code(), 143);
    // What it had used until then is not lost, though nothing was left of it.
    let (whole, used) = used(&lab, id).await;
    assert!(
        (300..=whole).contains(&used.run_time),
        "{used:?} of {whole}"
    );
    let after = accounts::show(&lab.context, "ann").await.unwrap();
    assert!(before.used > 0);
    assert_eq!((before.used, before.usage), (after.used, after.usage));
    nothing_left(&lab).await;
}

fn entry(limits: LimitsEntry) -> Entry {
    Entry {
        limits,
        ..Entry::default()
    }
}

#[tokio::test]
async fn a_quota_refuses_what_could_never_be_and_keeps_back_the_rest() {
    let mut lab = lab();
    lab.context.settings.quota = Quota {
        cores: Some(Cores::from_millis(800)),
        ..Quota::default()
    };
    let two = application(&[("main", r#"["run"]"#)], "2");
    let big = launch::application(two, Common::default()).unwrap();
    let refused = submit::submit(&lab.context, &big, &Silent)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert_eq!(
        refused.message,
        "the quota of ann can never let this pass: it needs 2 cores of at most 0.8"
    );
    let run = [("main", r#"["run"]"#)];
    let first = submitted(&lab, &run, Common::default()).await.id();
    let second = submitted(&lab, &run, Common::default()).await.id();
    lab.pass().await;
    assert_eq!(
        (
            lab.running(first).await.len(),
            lab.running(second).await.len()
        ),
        (1, 0)
    );
    let line = queue::queue(&lab.context).await.unwrap();
    assert_eq!(line.entries[0].code, "quota");
    assert_eq!(
        line.entries[0].view.reason.as_deref().unwrap(),
        "waits for its owner's quota: it needs 0.5 cores of at most 0.8, and 0.5 are in use"
    );
    // What is entered for a user comes before what everybody has.
    let more = LimitsEntry {
        cores: Some(Some(Limit::Unlimited)),
        executions: Some(Some(Limit::At(2))),
        ..LimitsEntry::default()
    };
    let unknown = accounts::enter(&lab.context, "ann", entry(more), false).await;
    assert_eq!(unknown.unwrap_err().kind, ErrorKind::NotFound);
    accounts::enter(&lab.context, "ann", entry(more), true)
        .await
        .unwrap();
    lab.pass().await;
    assert_eq!(lab.running(second).await.len(), 1);
    let ann = accounts::show(&lab.context, "ann").await.unwrap();
    assert_eq!((ann.running, ann.queued, ann.is_entered), (2, 0, true));
    assert_eq!(ann.held.cores, Cores::from_millis(1000));
    accounts::remove(&lab.context, "ann").await.unwrap();
    assert_eq!(accounts::list(&lab.context).await.unwrap(), []);
    kill::kill(&lab.context, &Selection::All, &Silent)
        .await
        .unwrap();
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_was_run_is_run_again_from_what_is_there_or_from_history() {
    let lab = lab();
    let common = || Common {
        name: Some("nightly".parse().unwrap()),
        timeout: Some(SignedDuration::from_mins(5)),
        terms: Asked {
            priority: 3,
            ..Asked::default()
        },
        env: BTreeMap::from([("TOKEN".to_owned(), Secret::new("s3cret"))]),
        ..Common::default()
    };
    let command = r#"["env", "TOKEN", "wait", "200ms"]"#;
    let first = submitted(&lab, &[("main", command)], common()).await.id();
    let again = async |changes| {
        let submission = resubmit::again(&lab.context, first.as_str(), changes).await?;
        submit::submit(&lab.context, &submission, &Silent).await
    };
    let of = |accepted: Accepted| {
        let Accepted::New(ticket) = accepted else {
            panic!("{accepted:?}");
        };
        *ticket
    };
    let second = of(again(Changes::default()).await.unwrap());
    assert_eq!(second.name.as_str(), format!("nightly-{}", second.id));
    for id in [first, second.id] {
        assert_eq!(ended(&lab, id).await, Outcome::Finished);
        assert_eq!(logged(&lab, id, None).await, "s3cret\n");
    }
    // What is over has its values nowhere.
    let missing = again(Changes::default()).await.unwrap_err();
    assert_eq!(
        missing.hint.as_deref(),
        Some("give them again: --env TOKEN=VALUE")
    );
    let changes = Changes {
        env: BTreeMap::from([("TOKEN".to_owned(), Secret::new("other"))]),
        ..Changes::default()
    };
    let third = of(again(changes).await.unwrap());
    assert_eq!(
        (third.terms.priority, third.timeout),
        (3, Some(SignedDuration::from_mins(5)))
    );
    assert_eq!(ended(&lab, third.id).await, Outcome::Finished);
    assert_eq!(logged(&lab, third.id, None).await, "other\n");
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_is_said_otherwise_is_otherwise_and_an_index_stays() {
    let lab = lab();
    let command = r#"["env", "ZOE_ARRAY_INDEX", "exit", "3"]"#;
    let common = Common {
        terms: Asked {
            priority: 3,
            array: Some(Array {
                indices: [4, 7].into(),
                at_once: Some(1),
            }),
            retries: Retries {
                most: 2,
                codes: [75].into(),
            },
            ..Asked::default()
        },
        timeout: Some(SignedDuration::from_mins(5)),
        ..Common::default()
    };
    let submission = launch::application(application(&[("main", command)], "0.5"), common).unwrap();
    let members = submit::submit_all(&lab.context, &submission, &Silent).await;
    let ids: Vec<ExecutionId> = members.unwrap().iter().map(Accepted::id).collect();
    for id in &ids {
        assert_eq!(ended(&lab, *id).await.exit_code(), 3);
    }
    let first = submitted(&lab, &[("main", r#"["run"]"#)], Common::default()).await;
    // How often stays, with which codes does not; what is not run again at all is not run again with some of them.
    let codes = || Changes {
        retry_on: [111].into(),
        ..Changes::default()
    };
    let other = resubmit::again(&lab.context, ids[1].as_str(), codes()).await;
    let other = other.unwrap().terms.retries;
    assert_eq!((other.most, other.codes), (2, [111].into()));
    let never = resubmit::again(&lab.context, first.id().as_str(), codes()).await;
    assert_eq!(never.unwrap_err().kind, ErrorKind::Usage);
    let changes = Changes {
        priority: Some(-1),
        after: vec![After {
            execution: first.id().to_string(),
            end: RequiredEnd::Any,
        }],
        retries: Some(1),
        ..Changes::default()
    };
    let again = resubmit::again(&lab.context, ids[1].as_str(), changes)
        .await
        .unwrap();
    let Accepted::New(ticket) = submit::submit(&lab.context, &again, &Silent).await.unwrap() else {
        panic!("it was there");
    };
    let terms = &ticket.terms;
    assert_eq!(
        (terms.priority, terms.retries.most, terms.array),
        (-1, 1, None)
    );
    assert_eq!(terms.retries.codes, [75].into());
    assert_eq!(terms.after[0].execution, first.id());
    assert_eq!(ticket.timeout, Some(SignedDuration::from_mins(5)));
    // What it has to come after is not taken over.
    let third = resubmit::again(&lab.context, ticket.id.as_str(), Changes::default())
        .await
        .unwrap();
    assert_eq!((third.terms.after.len(), third.terms.priority), (0, -1));
    kill::kill(
        &lab.context,
        &Selection::Named(vec![first.id().to_string()]),
        &Silent,
    )
    .await
    .unwrap();
    assert_eq!(ended(&lab, ticket.id).await.exit_code(), 3);
    assert_eq!(logged(&lab, ticket.id, None).await, "7\n");
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_runs_and_is_never_ready_has_not_been_started() {
    let mut lab = lab();
    lab.context.settings.start_deadline = SignedDuration::from_secs(1);
    lab.context.settings.start_tries = 2;
    let text = "schema = 1\nname = \"silent\"\n[[component]]\nname = \"web\"\nimage = \"memory/x\"\ncores = 0.5\n\
                memory = \"64m\"\ncommand = [\"run\"]\nready = { port = \"web\", path = \"/\" }\n\
                [[component.port]]\nname = \"web\"\ncontainer = 8000\n";
    let silent = zoe::apps::parse(text, zoe::apps::Format::Toml).unwrap();
    let submission = launch::application(silent, Common::default()).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    let waited = wait::wait_for(&lab.context, id, Until::Running, None, &Silent).await;
    let Waited::Ended(Outcome::Failed { exit_code, reason }) = waited.unwrap() else {
        panic!("it was ready")
    };
    assert_eq!(exit_code, 125);
    assert_eq!(
        reason,
        "could not be started: it was not ready in time: web has 0 of 1 (tried 2 times)"
    );
    let failed = lab.events(id, "start-failed").await;
    assert_eq!(failed, ["it was not ready in time: web has 0 of 1"]);
    nothing_left(&lab).await;
}
