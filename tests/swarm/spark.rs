//! Real Spark jobs over the nodes of the Swarm: a node dies under one, another is given more workers.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout};

use crate::site::{Site, until};

/// Says that it has begun, and then has each of sixty parts counted, which takes a worker's only core most of a second.
const COUNTING: &str = r#"
import time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
def count(part):
    until = time.monotonic() + 0.8
    while time.monotonic() < until:
        pass
    return part
print("begun", flush=True)
print("sum", spark.sparkContext.parallelize(range(60), 60).map(count).sum())
"#;

/// Waits until it is down to one worker and then until it has three, and says on which of them work was done then.
const GROWING: &str = r#"
import time
from socket import gethostname
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
def wait_for(workers):
    while context._jsc.sc().getExecutorMemoryStatus().size() - 1 != workers:
        time.sleep(0.2)
    print("it has", workers, flush=True)
wait_for(3)
wait_for(1)
wait_for(3)
def where(_):
    time.sleep(0.5)
    return gethostname()
print("hosts", *sorted(set(context.parallelize(range(30), 30).map(where).collect())))
"#;

/// What keeps master and driver away from the node that is to die, and lets every part fit.
const SIZES: [&str; 10] = [
    "--set=master.placement.labels.disk=ssd",
    "--set=driver.placement.labels.disk=ssd",
    "--master-cores=0.3",
    "--driver-cores=0.5",
    "--worker-cores=0.5",
    "--master-memory=384m",
    "--driver-memory=512m",
    "--worker-memory=512m",
    "--set=worker.overhead.at_least=256m",
    "--conf=spark.locality.wait=0",
];

fn site() -> Site {
    let site = Site::alone().with("ZOE_SCHEDULER_NODE_GRACE", "2");
    for role in ["master", "worker", "submit"] {
        site.lab.push(&format!("zoe/spark-{role}:latest"));
    }
    site
}

/// A job under way: the process that waits for it, and what it prints.
struct Job<'a> {
    site: &'a Site,
    process: Child,
    output: BufReader<ChildStdout>,
}

impl<'a> Job<'a> {
    /// Submits a job under that name.
    fn submit(site: &'a Site, name: &str, program: &str, more: &[&str]) -> Self {
        let file = site.path("job.py");
        std::fs::write(&file, program).unwrap();
        let file = file.into_os_string().into_string().unwrap();
        let args = [&["submit", "--name", name], &SIZES[..], more, &[&file]].concat();
        let mut process = site.start(&args, &[]);
        let output = BufReader::new(process.stdout.take().unwrap());
        Self {
            site,
            process,
            output,
        }
    }

    /// Reads until a line that begins so.
    #[track_caller]
    fn line(&mut self, begin: &str) -> String {
        let mut all = String::new();
        loop {
            let from = all.len();
            if self.output.read_line(&mut all).unwrap() == 0 {
                let mut errors = String::new();
                let stderr = self.process.stderr.as_mut().unwrap();
                stderr.read_to_string(&mut errors).unwrap();
                panic!("it ended before '{begin}'\n{all}{errors}");
            }
            if all[from..].starts_with(begin) {
                return all[from..].trim_end().to_owned();
            }
        }
    }

    /// Waits for its end: it is well, and nothing is left.
    #[track_caller]
    fn end(mut self) {
        let status = until("the job's end", || self.process.try_wait().unwrap());
        assert_eq!(status.code(), Some(0));
        self.site.until_nothing_is_left();
    }
}

#[test]
fn a_job_goes_on_to_its_right_result_when_a_node_dies_under_it() {
    let site = site();
    let mut job = Job::submit(&site, "counting", COUNTING, &["--workers=3"]);
    job.line("begun");
    let nodes = |component: &str| -> Vec<_> {
        let members = site.members("counting", component);
        members.iter().map(|one| one["node"].clone()).collect()
    };
    assert!(nodes("worker").contains(&"n3".into()), "workers are spread");
    let safe = [nodes("master"), nodes("driver")].concat();
    assert_eq!(safe, ["n2", "n2"]);
    site.lab.kill("n3");
    assert_eq!(job.line("sum"), "sum 1770");
    site.lab.heal("n3");
    job.end();
}

#[test]
fn spark_uses_the_workers_that_an_execution_is_given_while_it_runs() {
    let site = site();
    let more = ["--workers=1", "--max-workers=3"];
    let mut job = Job::submit(&site, "growing", GROWING, &more);
    let resize = |workers| {
        site.run(&["resize", "growing", "worker", workers])
            .expect(0)
    };
    job.line("it has 3");
    resize("1");
    job.line("it has 1");
    resize("3");
    assert_eq!(job.line("hosts"), "hosts worker-0 worker-1 worker-2");
    job.end();
}
