//! What one planning pass costs over a large cluster, beside what merely copying and sorting it costs: a line of JSON for
//! `scripts/bench`. Times are in seconds, one for each round; what is compared is measured in turns.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use zoe::model::{
    Application, Availability, Bytes, Component, Cores, Execution, ExecutionId, Instance,
    InstanceKey, InstanceState, Mode, Node, Order, Resources, Snapshot, Terms, Ticket,
};
use zoe::scheduler::{Known, Policy, plan};

const NODES: usize = 1_000;
const RUNNING: u64 = 5_000;
const QUEUED: u64 = 10_000;

fn main() {
    let rounds: usize = std::env::args()
        .nth(1)
        .map_or(21, |rounds| rounds.parse().unwrap());
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let seen = cluster(now);
    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for round in 0..=rounds {
        let mut note = |name: &str, seconds: f64| {
            // The first is not counted.
            if round > 0 {
                times.entry(name.to_owned()).or_default().push(seconds);
            }
        };
        for (name, order) in Order::NAMED {
            for (in_mode, mode) in Mode::NAMED {
                let policy = Policy {
                    order,
                    mode,
                    ..Policy::usual(true)
                };
                let begin = Instant::now();
                let plan = plan(&seen, &Known::default(), &policy, now);
                note(&format!("{name} {in_mode}"), begin.elapsed().as_secs_f64());
                assert_eq!(
                    plan.waiting.len() + plan.steps.len(),
                    usize::try_from(QUEUED).unwrap()
                );
                black_box(plan);
            }
        }
        let begin = Instant::now();
        black_box(seen.clone());
        note("copy", begin.elapsed().as_secs_f64());
        let begin = Instant::now();
        let mut line: Vec<&Execution> = seen.executions.values().collect();
        line.sort_by_key(|e| (e.ticket.submitted_at, e.ticket.id));
        black_box(line);
        note("sort", begin.elapsed().as_secs_f64());
    }
    let rows: Vec<String> = times
        .iter()
        .map(|(name, times)| format!("\"{name}\": {times:?}"))
        .collect();
    println!("{{{}}}", rows.join(", "));
}

/// A nearly full cluster: masters with eight workers each, and a long queue of the same.
fn cluster(now: Timestamp) -> Snapshot {
    let mut seen = Snapshot::empty(now);
    seen.nodes = (0..NODES).map(node).collect();
    for n in 0..RUNNING + QUEUED {
        let mut execution = execution(n, now);
        if n < RUNNING {
            run(&mut execution, n, now);
        }
        seen.executions.insert(execution.ticket.id, execution);
    }
    seen
}

fn resources(millis: u64, mib: u64) -> Resources {
    Resources {
        cores: Cores::from_millis(millis),
        memory: Bytes::from_mib(mib),
    }
}

fn node(n: usize) -> Node {
    Node {
        id: format!("n{n}"),
        name: format!("n{n}"),
        address: None,
        capacity: resources(32_000, 131_072),
        others: Resources::ZERO,
        availability: Availability::Active,
        labels: BTreeMap::new(),
    }
}

fn component(name: &str, core: u32, mib: u64) -> Component {
    Component::bare(
        name.parse().unwrap(),
        "spark".to_owned(),
        core,
        resources(500, mib),
    )
}

fn execution(n: u64, now: Timestamp) -> Execution {
    let users = ["ann", "bob", "cid", "dan", "eve"];
    let submitted = SignedDuration::from_secs(i64::try_from(n).unwrap() - 20_000);
    Execution {
        ticket: Ticket {
            id: ExecutionId::from_bits(n),
            deployment: "bench".parse().unwrap(),
            name: format!("job-{n}").parse().unwrap(),
            name_claimed: false,
            user: users[usize::try_from(n).unwrap() % users.len()].to_owned(),
            application: Application {
                name: "spark".to_owned(),
                description: String::new(),
                monitor: None,
                secrets: Vec::new(),
                activity: None,
                components: vec![component("master", 1, 512), component("worker", 8, 1024)],
            },
            submitted_at: now.checked_add(submitted).unwrap(),
            key: None,
            timeout: None,
            terms: Terms::default(),
            proxy: None,
            job_image: None,
            registry: String::new(),
        },
        mark: None,
        instances: Vec::new(),
    }
}

/// All its members run on one node.
fn run(execution: &mut Execution, n: u64, now: Timestamp) {
    let node = format!("n{}", usize::try_from(n).unwrap() % NODES);
    for component in execution.ticket.application.components.clone() {
        for index in 0..component.core {
            execution.instances.push(Instance {
                key: InstanceKey {
                    execution: execution.ticket.id,
                    component: component.name.clone(),
                    index,
                },
                container_id: format!("{n}-{}-{index}", component.name),
                node: node.clone(),
                state: InstanceState::Running,
                note: None,
                created_at: now,
                started_at: None,
                finished_at: None,
                out_of_memory: false,
                address: None,
                ports: Vec::new(),
                reservation: component.reservation(),
            });
        }
    }
}
