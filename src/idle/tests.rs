use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn seconds(number: i64) -> SignedDuration {
    SignedDuration::from_secs(number)
}

fn rule(warning: Option<i64>, end: i64) -> Rule {
    Rule {
        warning: warning.map(seconds),
        end: seconds(end),
    }
}

fn known(used: i64) -> Known {
    Known {
        used_at: at(used),
        warned: None,
        kept_until: None,
    }
}

#[test]
fn the_nearest_word_counts() {
    let site = Ages {
        warning: Some(seconds(7200)),
        end: Some(seconds(86_400)),
    };
    let mut activity = Activity {
        idle_timeout: None,
        jupyter: None,
        spark: None,
        driver: None,
        http: true,
    };
    let of = |asked, activity: &Activity| Rule::of(asked, Some(activity), site);
    let after = |number| Some(IdleTimeout::After(seconds(number)));
    assert_eq!(of(None, &activity), Some(rule(Some(7200), 86_400)));
    assert_eq!(of(after(20), &activity), Some(rule(Some(10), 20)));
    assert_eq!(of(Some(IdleTimeout::Never), &activity), None);
    activity.idle_timeout = Some(IdleTimeout::Never);
    assert_eq!(of(None, &activity), None);
    assert_eq!(of(after(20_000), &activity), Some(rule(Some(7200), 20_000)));
    assert_eq!(Rule::of(after(20), None, site), None);
    assert_eq!(
        Rule::of(after(20), Some(&activity), Ages::default()),
        Some(rule(None, 20))
    );
    assert_eq!(rule(Some(7200), 86_400).grace(), seconds(7200));
    assert_eq!(rule(Some(50), 60).grace(), seconds(10));
}

#[test]
fn one_sign_that_is_not_idle_is_enough() {
    let idle = |second| (Sign::Jupyter, Said::idle(Some(at(second)), ""));
    let used = (
        Sign::Spark,
        Said {
            verdict: Verdict::Used,
            ..Said::idle(None, "")
        },
    );
    let unreadable = (Sign::Http, Said::unreadable("gone"));
    let of = |said: &[(Sign, Said)]| {
        let seen = add_up(at(10), Some(at(30)), said, at(100));
        (seen.used_at.as_second(), seen.by, seen.verdict)
    };
    assert_eq!(of(&[idle(20)]), (30, None, Verdict::Idle));
    assert_eq!(of(&[idle(50)]), (50, Some(Sign::Jupyter), Verdict::Idle));
    assert_eq!(of(&[idle(500)]), (100, Some(Sign::Jupyter), Verdict::Idle));
    assert_eq!(
        of(&[idle(50), used.clone()]),
        (100, Some(Sign::Spark), Verdict::Used)
    );
    assert_eq!(of(&[idle(50), unreadable.clone()]).0, 100);
    assert_eq!(of(&[unreadable, used]).2, Verdict::Used);
    assert_eq!(of(&[]), (100, None, Verdict::Unreadable));
    // What was known is of an earlier run.
    assert_eq!(
        add_up(at(40), Some(at(30)), &[idle(20)], at(100)).used_at,
        at(40)
    );
}

#[test]
fn it_is_warned_and_later_ended() {
    let rule = rule(Some(10), 60);
    let mut known = known(0);
    assert_eq!(
        decide(rule, &known, at(9)),
        Decision::Wait { until: at(10) }
    );
    assert_eq!(ends_at(rule, &known, at(5)), at(60));
    assert_eq!(
        decide(rule, &known, at(10)),
        Decision::Warn { ends_at: at(60) }
    );
    // Nobody watched for long: there is time all the same.
    assert_eq!(
        decide(rule, &known, at(500)),
        Decision::Warn { ends_at: at(510) }
    );
    known.warned = Some(Warned {
        period: at(0),
        deadline: at(60),
        told: Told::At(at(10)),
    });
    assert_eq!(
        decide(rule, &known, at(59)),
        Decision::Wait { until: at(60) }
    );
    assert_eq!(decide(rule, &known, at(60)), Decision::End);
    // The mail left late, or could not be sent.
    let told = |told| Known {
        warned: known.warned.map(|warned| Warned { told, ..warned }),
        ..known
    };
    assert_eq!(
        decide(rule, &told(Told::At(at(55))), at(60)),
        Decision::Wait { until: at(65) }
    );
    assert_eq!(
        decide(rule, &told(Told::NotYet), at(119)),
        Decision::Wait { until: at(120) }
    );
    assert_eq!(decide(rule, &told(Told::NotYet), at(120)), Decision::End);
    // Used again: another period.
    known.used_at = at(70);
    assert_eq!(
        decide(rule, &known, at(75)),
        Decision::Wait { until: at(80) }
    );
    // Kept: neither warned nor ended before that.
    known.kept_until = Some(at(500));
    assert_eq!(
        decide(rule, &known, at(499)),
        Decision::Wait { until: at(500) }
    );
    assert_eq!(
        decide(rule, &known, at(500)),
        Decision::Warn { ends_at: at(510) }
    );
    let without = super::Rule {
        warning: None,
        ..rule
    };
    assert_eq!(decide(without, &known, at(500)), Decision::End);
}

#[test]
fn jupyter_is_busy_or_tells_when_it_was_used() {
    let status = br#"{"started":"2026-11-23T06:00:00Z","last_activity":"2026-11-23T09:59:00Z","connections":1,"kernels":1}"#;
    let kernels = |state: &str| {
        format!(
            r#"[{{"id":"a","name":"python3","last_activity":"2026-11-23T08:00:00.123456Z","execution_state":"{state}","connections":1}}]"#
        )
    };
    let read = |kernels: &str, terminals: Option<&str>| {
        jupyter::read(status, kernels.as_bytes(), terminals.map(str::as_bytes))
    };
    let idle = read(&kernels("idle"), Some("[]"));
    assert_eq!(
        (idle.verdict, idle.text.as_str()),
        (Verdict::Idle, "1 kernel, 0 busy")
    );
    // Not the server's own last_activity, for which a page that polls counts.
    assert_eq!(idle.at.unwrap().to_string(), "2026-11-23T08:00:00.123456Z");
    assert_eq!(read(&kernels("busy"), None).verdict, Verdict::Used);
    let none = read("[]", None);
    assert_eq!(none.at.unwrap().to_string(), "2026-11-23T06:00:00Z");
    let terminal = r#"[{"name":"1","last_activity":"2026-11-23T09:00:00Z"}]"#;
    let typed = read(&kernels("idle"), Some(terminal));
    assert_eq!(typed.at.unwrap().to_string(), "2026-11-23T09:00:00Z");
    assert_eq!(typed.text, "1 kernel, 0 busy; 1 terminal");
    for (kernels, terminals) in [
        ("{}", None),
        ("<html>", None),
        ("[]", Some("no")),
        ("[{}]", None),
    ] {
        assert_eq!(
            read(kernels, terminals).verdict,
            Verdict::Unreadable,
            "{kernels}"
        );
    }
    assert_eq!(
        jupyter::read(b"{}", b"[]", None).verdict,
        Verdict::Unreadable
    );
}

#[test]
fn an_open_spark_context_is_no_work() {
    let master =
        br#"{"aliveworkers":2,"activeapps":[{"id":"app-2026-0001","starttime":5000,"duration":1}],
        "completedapps":[{"id":"app-2026-0000","starttime":1000,"duration":7000}]}"#;
    let apps = spark::applications(master).unwrap();
    assert_eq!((apps.active.len(), apps.at), (1, Some(at(8))));
    assert!(apps.active[0].has_executors);
    let [jobs, executors] = spark::questions("app-1");
    assert_eq!(jobs, "/api/v1/applications/app-1/jobs?status=running");
    assert_eq!(executors, "/api/v1/applications/app-1/executors");
    assert_eq!(spark::through_master("app-1"), "/proxy/app-1");
    let waits = br#"{"activeapps":[{"id":"app-1","cores":0}]}"#;
    assert!(!spark::applications(waits).unwrap().active[0].has_executors);
    let executors =
        br#"[{"id":"driver","totalTasks":0},{"id":"0","totalTasks":12,"activeTasks":0}]"#;
    let driver = |jobs: &[u8]| vec![("app-2026-0001".to_owned(), spark::driver(jobs, executors))];
    let idle = spark::read(&apps, &driver(b"[]"), None);
    assert_eq!(
        (idle.verdict, idle.text.as_str()),
        (Verdict::Idle, "1 application, no job runs")
    );
    assert_eq!(idle.count.as_deref(), Some("app-2026-0001:12"));
    assert_eq!(
        spark::read(&apps, &driver(b"[]"), Some("app-2026-0001:12")).verdict,
        Verdict::Idle
    );
    assert_eq!(
        spark::read(&apps, &driver(b"[]"), Some("app-2026-0001:9")).verdict,
        Verdict::Used
    );
    assert_eq!(
        spark::read(&apps, &driver(b"[{}]"), None).verdict,
        Verdict::Used
    );
    assert_eq!(
        spark::read(&apps, &driver(b"<html>"), None).verdict,
        Verdict::Unreadable
    );
    for bad in [
        &br#"{"activeapps":[{"id":"../x"}]}"#[..],
        br#"{"activeapps":[{"id":""}]}"#,
        b"[]",
        b"",
    ] {
        assert!(spark::applications(bad).is_err());
    }
}

#[test]
fn lengths_are_short() {
    let said = [0, 59, 60, 3599, 3600, 172_799, 172_800].map(|number| short(seconds(number)));
    assert_eq!(said, ["0s", "59s", "1m", "59m", "1h", "47h", "2d"]);
}

/// What may happen between two looks.
#[derive(Debug, Clone)]
enum Event {
    Nothing,
    Used,
    Unreadable,
    Keep(i64),
    /// The mail server takes what waits.
    MailLeaves,
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        4 => Just(Event::Nothing),
        1 => Just(Event::Used),
        1 => Just(Event::Unreadable),
        1 => (1..300_i64).prop_map(Event::Keep),
        2 => Just(Event::MailLeaves),
    ];
    proptest::collection::vec((1..120_i64, event), 1..80)
}

proptest! {
    /// A watch with pauses of any length, over a virtual clock.
    #[test]
    fn nobody_is_ended_who_was_not_warned_in_time(
        warning in proptest::option::of(1..50_i64), more in 1..100_i64, events in events(),
    ) {
        let rule = rule(warning, warning.unwrap_or(0) + more);
        let mut now = 0;
        let mut state = known(0);
        let mut last_use = 0;
        let mut warned_for = Vec::new();
        let mut told_at = None;
        for (pause, event) in events {
            now += pause;
            let mut said = vec![(Sign::Jupyter, Said::idle(Some(at(last_use)), ""))];
            let mut in_use = false;
            match event {
                Event::Nothing => {}
                Event::Used => { said[0].1.verdict = Verdict::Used; last_use = now; in_use = true; }
                Event::Unreadable => { said.push((Sign::Http, Said::unreadable(""))); in_use = true; }
                Event::Keep(length) => state.kept_until = Some(at(now + length)),
                Event::MailLeaves => if let Some(warned) = &mut state.warned
                    && warned.told == Told::NotYet
                {
                    warned.told = Told::At(at(now));
                    told_at = Some(now);
                },
            }
            state.used_at = add_up(at(0), Some(state.used_at), &said, at(now)).used_at;
            let idle_for = now - state.used_at.as_second();
            let kept = state.kept_until.is_some_and(|until| until > at(now));
            match decide(rule, &state, at(now)) {
                Decision::Wait { until } => prop_assert!(until > at(now) || kept),
                Decision::Warn { ends_at } => {
                    prop_assert!(!in_use && !kept);
                    prop_assert!(idle_for >= warning.unwrap());
                    prop_assert!(!warned_for.contains(&state.used_at), "twice in one period");
                    prop_assert!(ends_at >= at(now) + rule.grace());
                    warned_for.push(state.used_at);
                    told_at = None;
                    state.warned = Some(Warned { period: state.used_at, deadline: ends_at, told: Told::NotYet });
                }
                Decision::End => {
                    prop_assert!(!in_use && !kept);
                    prop_assert!(at(now) >= state.used_at + rule.end);
                    if warning.is_some() {
                        let warned = state.warned.unwrap();
                        prop_assert_eq!(warned.period, state.used_at);
                        prop_assert!(warned.deadline <= at(now));
                        // It has left a grace ago, or could not be sent for as long again.
                        let told = told_at.is_some_and(|told| at(told) + rule.grace() <= at(now));
                        prop_assert!(told || at(now) >= warned.deadline + rule.end);
                    }
                    return Ok(());
                }
            }
        }
    }

    #[test]
    fn what_nobody_uses_is_ended_at_last(warning in proptest::option::of(1..50_i64), more in 1..100_i64, pause in 1..40_i64) {
        let rule = rule(warning, warning.unwrap_or(0) + more);
        let mut state = known(0);
        let mut now = 0;
        loop {
            now += pause;
            match decide(rule, &state, at(now)) {
                Decision::Wait { .. } => {}
                Decision::Warn { ends_at } => {
                    state.warned = Some(Warned { period: at(0), deadline: ends_at, told: Told::At(at(now)) });
                }
                Decision::End => break,
            }
            prop_assert!(now <= 2 * rule.end.as_secs() + 3 * pause, "{now}");
        }
    }
}

#[test]
fn counts_that_are_too_large_are_the_largest() {
    let most = u64::MAX;
    let executor = format!(r#"{{"totalTasks":{most},"activeTasks":{most}}}"#);
    let executors = format!("[{executor},{executor}]");
    assert_eq!(spark::driver(b"[]", executors.as_bytes()), Ok((1, most)));
}
