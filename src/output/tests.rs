//! What is printed of the same executions, in every form.

use insta::{assert_json_snapshot, assert_snapshot};
use jiff::{SignedDuration, Timestamp};

use super::listing::{Kind, Shape, executions};
use super::template::Template;
use super::{Format, Look, cluster, detail, schema, usage};
use crate::model::{Availability, Bytes, Cores, ExecutionId, Resources};
use crate::ops::resize::Resized;
use crate::ops::view::{
    ActivityView, ComponentView, ContainerView, ExecutionView, NamedUrl, SignView, State, TermsView,
};

#[path = "tests_line.rs"]
mod line;

#[path = "tests_document.rs"]
mod document;

fn at(text: &str) -> Timestamp {
    format!("2026-11-22T{text}Z").parse().unwrap()
}

fn look(columns: Option<u16>) -> Look {
    Look {
        columns,
        color: false,
        header: true,
        now: at("12:00:00"),
    }
}

fn component(name: &str, wanted: u32, running: u32) -> ComponentView {
    ComponentView {
        name: name.into(),
        image: format!("zoe/spark-{name}:latest"),
        wanted,
        running,
        cores: Cores::from_millis(500),
        memory: Bytes::from_mib(1408),
    }
}

fn container(component: &str, index: u32, state: &str, exit_code: Option<i64>) -> ContainerView {
    ContainerView {
        component: component.into(),
        index,
        node: "laptop".into(),
        container_id: format!("{index}f00dbadcafe0123456789"),
        state: state.into(),
        exit_code,
        address: exit_code.is_none().then(|| "172.18.0.2".parse().unwrap()),
        note: None,
    }
}

fn running() -> ExecutionView {
    ExecutionView {
        id: ExecutionId::from_bits(0x1234_5678_9abc),
        name: "nightly".into(),
        user: "ada".into(),
        application: "spark-submit".into(),
        state: State::Running,
        reason: None,
        terms: TermsView {
            priority: 2,
            retries: 1,
            retry_on: Vec::new(),
            attempt: Some(2),
            ..TermsView::default()
        },
        activity: None,
        submitted_at: at("11:57:00.25"),
        started_at: Some(at("11:57:10")),
        finished_at: None,
        run_time: None,
        exit_code: None,
        urls: vec![NamedUrl {
            name: "master/web".into(),
            url: "http://127.0.0.1:32768/".into(),
        }],
        components: vec![component("master", 1, 1), component("worker", 2, 1)],
        containers: vec![
            container("master", 0, "running", None),
            container("worker", 1, "exited", Some(137)),
        ],
    }
}

/// A notebook that nobody has used for three hours.
fn idle() -> ExecutionView {
    ExecutionView {
        terms: TermsView::default(),
        activity: Some(ActivityView {
            idle_timeout: SignedDuration::from_hours(24),
            state: Some("idle".into()),
            used_at: Some(at("09:00:00")),
            used_by: Some("jupyter".into()),
            checked_at: Some(at("11:59:00")),
            warned_at: Some(at("11:00:00")),
            ends_at: Some("2026-11-23T09:00:00Z".parse().unwrap()),
            warning_waits: false,
            kept_until: None,
            signs: vec![
                SignView {
                    sign: "jupyter".into(),
                    state: "idle".into(),
                    used_at: Some(at("09:00:00")),
                    text: "1 kernel, 0 busy".into(),
                },
                SignView {
                    sign: "spark".into(),
                    state: "idle".into(),
                    used_at: None,
                    text: "0 applications, no job runs\u{1b}[2J".into(),
                },
            ],
        }),
        ..running()
    }
}

#[test]
fn what_nobody_uses_is_seen_to_be_idle() {
    let list = executions(
        &[idle()],
        Kind::Live,
        &Shape::Format(Format::Table),
        &look(None),
    );
    assert!(list.unwrap().contains("idle 3h, ends in 21h"));
    assert_snapshot!("show_idle", detail::execution(&idle(), &look(None)));
    assert_json_snapshot!("json_idle", schema::Execution::from(&idle()).activity);
    let mut untold = idle();
    untold.activity.as_mut().unwrap().warning_waits = true;
    let said = detail::execution(&untold, &look(None));
    assert!(
        said.contains("idle 3h, ends in 21h or sooner: its warning waits to be mailed"),
        "{said}"
    );
    let mut kept = idle();
    let used = kept.activity.as_mut().unwrap();
    used.kept_until = Some(at("16:00:00"));
    let said = detail::execution(&kept, &look(None));
    assert!(said.contains("idle 3h, kept for 4h"), "{said}");
    // Nobody looks any more.
    let mut old = idle();
    let used = old.activity.as_mut().unwrap();
    (used.state, used.ends_at) = (None, None);
    let said = detail::execution(&old, &look(None));
    assert!(said.contains("not looked at since 1m ago"), "{said}");
}

fn queued() -> ExecutionView {
    ExecutionView {
        id: ExecutionId::from_bits(0x9876_5432_10fe),
        name: "evil\u{1b}[2J\nname".into(),
        state: State::Queued,
        reason: Some("it needs 4 cores and 1.5 are free; nightly (ada) holds 2".into()),
        started_at: None,
        urls: Vec::new(),
        components: vec![component("master", 1, 0), component("worker", 2, 0)],
        containers: Vec::new(),
        ..running()
    }
}

fn failed() -> ExecutionView {
    ExecutionView {
        id: ExecutionId::from_bits(0x5555_4444_3333),
        name: "pi".into(),
        state: State::Failed,
        reason: Some("driver-0 exited with 3".into()),
        finished_at: Some(at("11:59:15")),
        exit_code: Some(3),
        urls: Vec::new(),
        containers: Vec::new(),
        ..running()
    }
}

fn all() -> Vec<ExecutionView> {
    vec![running(), queued(), failed()]
}

fn list(kind: Kind, format: Format, columns: Option<u16>) -> String {
    executions(&all(), kind, &Shape::Format(format), &look(columns)).unwrap()
}

#[test]
fn the_json_has_every_key() {
    assert_json_snapshot!("json_live", schema::Execution::from(&running()));
    assert_json_snapshot!("json_past", schema::Execution::from(&failed()));
    assert_json_snapshot!("json_detail", schema::Detail::from(&running()));
    let value = serde_json::to_value(schema::Execution::from(&queued())).unwrap();
    let mut keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    let mut listed = schema::EXECUTION_KEYS.to_vec();
    keys.sort();
    listed.sort_unstable();
    assert_eq!(keys, listed);
}

fn cluster() -> cluster::Cluster {
    let amount = |millis, mib| Resources {
        cores: Cores::from_millis(millis),
        memory: Bytes::from_mib(mib),
    };
    let node = |name: &str, availability, used| cluster::NodeRow {
        name: name.into(),
        address: "10.77.0.2".parse().ok(),
        availability,
        capacity: amount(4000, 16 << 10),
        held: amount(1500, 3 << 10),
        others: amount(500, 512),
        used,
    };
    let silent = || Err("the Swarm hears nothing from there".to_owned());
    cluster::Cluster {
        backend: "Docker Swarm of 4 nodes at tcp://10.77.0.1:2375".into(),
        deployment: "team".into(),
        nodes: vec![
            node("node-1", Availability::Active, Ok(amount(1734, 2222))),
            node("node-2", Availability::Drained, Ok(Resources::ZERO)),
            node(
                "node-3",
                Availability::Down {
                    since: Some(at("11:57:00")),
                },
                silent(),
            ),
            node("node-4", Availability::Down { since: None }, silent()),
        ],
        states: vec![
            ("queued", 3),
            ("starting", 0),
            ("running", 1),
            ("ending", 0),
        ],
        orphans: 0,
        anomalies: vec![("service x".into(), "no labels".into())],
        gaps: vec![("tasks".into(), "no answer".into(), Some("node-3".into()))],
    }
}

fn use_of(index: u32, node: &str, trouble: Option<&str>) -> usage::Row {
    let known = trouble.is_none();
    usage::Row {
        execution: "abcdefgh".into(),
        name: "nightly".into(),
        component: "worker".into(),
        index,
        node: node.into(),
        cpu: known.then_some(421),
        cores: Cores::from_millis(500),
        memory: known.then(|| Bytes::from_mib(700)),
        memory_limit: Bytes::from_mib(1408),
        network: known.then_some((12_000, 5)),
        processes: known.then_some(30),
        note: trouble.map(Into::into),
    }
}

fn uses() -> [usage::Row; 2] {
    [
        use_of(0, "node-1", None),
        use_of(1, "node-2", Some("no answer")),
    ]
}

fn few() -> Resized {
    Resized {
        id: ExecutionId::from_bits(1),
        component: "worker".parse().unwrap(),
        before: 2,
        wanted: 8,
        members: 3,
        reason: None,
    }
}

#[test]
fn the_nodes_and_what_they_use() {
    assert_snapshot!("status", cluster::text(&cluster(), &look(None)));
    assert_snapshot!("status_narrow", cluster::text(&cluster(), &look(Some(80))));
    assert_snapshot!("json_status", cluster::json(&cluster()));
}

#[test]
fn what_cannot_be_asked_is_a_dash_and_not_left_out() {
    assert_snapshot!("top", usage::table(&uses(), &look(None)));
    assert_snapshot!("json_top", usage::json(&uses()));
    let alone = usage::table(&uses()[..1], &look(None));
    assert!(!alone.contains("NODE"), "{alone}");
}

#[test]
fn tables_fit_their_terminal() {
    assert_snapshot!("table_live", list(Kind::Live, Format::Table, Some(90)));
    assert_snapshot!("table_live_pipe", list(Kind::Live, Format::Table, None));
    assert_snapshot!("table_wide", list(Kind::Live, Format::Wide, None));
    assert_snapshot!("table_past", list(Kind::Past, Format::Table, Some(120)));
    for columns in [80, 100, 132] {
        let text = list(Kind::Live, Format::Table, Some(columns));
        for line in text.lines() {
            assert!(
                line.chars().count() <= usize::from(columns),
                "{columns}: {line}"
            );
        }
    }
}

#[test]
fn an_execution_in_full() {
    assert_snapshot!("detail", detail::execution(&running(), &look(Some(100))));
}

#[test]
fn a_line_for_each() {
    assert_eq!(list(Kind::Live, Format::Jsonl, None).lines().count(), 3);
    assert!(
        list(Kind::Live, Format::Name, None)
            .lines()
            .all(|id| id.len() == 8)
    );
    let shape = Shape::Template(Box::new(
        Template::new("{{ id }} {{ exit_code }}", &schema::EXECUTION_KEYS).unwrap(),
    ));
    assert_eq!(
        executions(&all(), Kind::Past, &shape, &look(None))
            .unwrap()
            .lines()
            .count(),
        3
    );
    assert_eq!(
        executions(&[], Kind::Live, &Shape::Format(Format::Json), &look(None)).unwrap(),
        "[]\n"
    );
}

#[test]
fn nothing_a_user_typed_reaches_a_terminal_as_it_is() {
    for format in [
        Format::Table,
        Format::Wide,
        Format::Json,
        Format::Jsonl,
        Format::Name,
    ] {
        let text = list(Kind::Live, format, Some(100));
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
    }
}
