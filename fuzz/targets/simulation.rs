//! Workloads for `zoe simulate`, and its picture: well-formed, with the same elements whoever submitted.

use zoe::model::{Mode, Order};
use zoe::output::simulation::{Simulation, json, table};
use zoe::output::simulation_svg::svg;
use zoe::simulate::{Cluster, Job, Outcome, Setup, read, simulate};

use super::views::look;
use super::{Input, is_told_well, shown_safely};

/// The nodes, and a workload as a file.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.choice;
    let nodes: Result<Cluster, _> = input.text().parse();
    let cluster = match nodes {
        Ok(cluster) if cluster.nodes.len() <= 50 => cluster,
        Ok(_) => return,
        Err(why) => return is_told_well(&why),
    };
    let file = data.iter().position(|byte| *byte == 0xff);
    let file = file.map_or(&[][..], |at| &data[at + 1..]);
    let jobs = match read(file) {
        Ok(jobs) => jobs,
        Err(error) => return is_told_well(&error.to_string()),
    };
    if jobs.len() > 80 || jobs.iter().any(|job| job.members() > 200) {
        return;
    }
    let order = [Order::Fifo, Order::Size, Order::Hrrn][usize::from(choice) % 3];
    let mode = [Mode::Flexible, Mode::Rigid][usize::from(choice & 1)];
    let outcome = match simulate(&jobs, &cluster.nodes, Setup::usual(order, mode), true) {
        Ok(outcome) => outcome,
        Err(error) => return is_told_well(&error.to_string()),
    };
    let picture = picture(&jobs, &cluster, &cluster.text, &outcome);
    let plain: Vec<Job> = jobs
        .iter()
        .map(|job| Job {
            user: "x".into(),
            ..job.clone()
        })
        .collect();
    let plain = self::picture(&plain, &cluster, "x", &outcome);
    assert_eq!(elements(&picture), elements(&plain));
    let simulation = Simulation {
        jobs: &jobs,
        nodes: &cluster.text,
        capacity: cluster.capacity(),
        outcomes: std::slice::from_ref(&outcome),
    };
    shown_safely(&table(&simulation, &look(Some(80), true)));
    let document = json(&simulation);
    shown_safely(&document);
    let _: serde_json::Value = serde_json::from_str(&document).unwrap();
}

fn picture(jobs: &[Job], cluster: &Cluster, nodes: &str, outcome: &Outcome) -> String {
    let picture = svg(&Simulation {
        jobs,
        nodes,
        capacity: cluster.capacity(),
        outcomes: std::slice::from_ref(outcome),
    });
    for number in ["NaN", "inf"] {
        assert!(!picture.contains(&format!("\"{number}\"")), "{picture}");
    }
    picture
}

/// Names and attributes of all elements, in their order.
fn elements(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|e| panic!("{e}\n{svg}"));
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    elements
        .map(|element| {
            let attributes = element.attributes().map(|a| a.name().to_owned());
            format!(
                "{} {}",
                element.tag_name().name(),
                attributes.collect::<Vec<_>>().join(" ")
            )
        })
        .collect()
}
