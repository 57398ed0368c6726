//! A Spark job on a classic Swarm, from the command to its result.

use std::process::Command;

use crate::classic::Classic;
use crate::harness::BackendUnderTest;

const PROGRAM: &str = r#"
from socket import gethostname
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
numbers = spark.sparkContext.parallelize(range(1000), 20)
print("sum", numbers.sum())
print("hosts", *sorted(set(numbers.map(lambda _: gethostname()).collect())))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_on_workers_on_several_nodes() {
    let harness = Classic::new().await;
    for role in ["master", "worker", "submit"] {
        harness.lab.push(&format!("zoe/spark-{role}:latest"));
    }
    let backend = harness.backend();
    let home = tempfile::tempdir().unwrap();
    let job = home.path().join("job.py");
    std::fs::write(&job, PROGRAM).unwrap();
    let conf = home.path().join("zoe.conf");
    let text = format!(
        "[zoe]\ndeployment = {}\n[docker]\nswarm_manager_url = {}\nprivate_registry = {}\n",
        backend.deployment(),
        harness.url(),
        harness.lab.registry()
    );
    std::fs::write(&conf, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_zoe"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .arg("--config")
        .arg(&conf)
        .args(["submit", "--set", "worker.core=2"])
        .arg(&job)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("sum 499500\n"), "{out}{err}");
    assert!(out.contains("hosts worker-0 worker-1\n"), "{out}{err}");
    let left: Vec<_> = harness.raw(backend.deployment());
    assert!(left.iter().all(|raw| raw.kind == "image"), "{left:?}");
}
