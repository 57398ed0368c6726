//! A cluster that serves: ready when it says so, used from inside, its secret kept.

use serde_json::Value;

use crate::spark::http::get;
use crate::spark::site::{Site, docker};

/// Everything that Docker shows of what was asked for: labels, commands, environment, and the processes themselves.
fn visible(site: &Site, but_environment_of: &str) -> String {
    let mut seen = String::new();
    for id in site.containers() {
        let inspected: Value = serde_json::from_str(&docker(&["inspect", &id])).unwrap();
        let mut container = inspected[0].clone();
        // The ticket never runs: its environment is where zoe itself keeps the secret.
        if container["Config"]["Labels"]["zoe.kind"] == but_environment_of {
            assert!(
                container["Config"]["Env"]
                    .to_string()
                    .contains("ZOE_SECRET_")
            );
            container["Config"]["Env"] = Value::Null;
        }
        seen += &container.to_string();
    }
    for id in site.running() {
        seen += &docker(&["top", &id, "-eo", "pid,args"]);
        seen += &docker(&["logs", &id]);
    }
    seen
}

#[test]
fn a_cluster_is_ready_when_zoe_says_so_and_keeps_its_secret() {
    let site = Site::new();
    let started = site.run(&["cluster", "--name", "shared"]);
    let printed = started.expect(0);
    let [spark, page] = printed.lines().collect::<Vec<_>>()[..] else {
        panic!("{printed}");
    };
    let (status, state) = get(&format!("{}/json/", page.trim_end_matches('/')));
    assert_eq!(
        (status, &state["aliveworkers"]),
        (200, &2.into()),
        "{state}"
    );
    assert!(spark.starts_with("spark://"), "{spark}");

    // A job from inside; authenticated and encrypted, as the cluster will have nothing else.
    let program = "
from pyspark.sql import SparkSession
sc = SparkSession.builder.master('spark://master:7077').getOrCreate().sparkContext
print('authenticated', sc.getConf().get('spark.authenticate'))
print('sum', sc.parallelize(range(101), 4).sum())
";
    let script = format!(
        "cat >/tmp/sum.py <<'END'\n{program}\nEND\nexec env SPARK_DRIVER_MEMORY=480m /opt/spark/bin/spark-submit /tmp/sum.py"
    );
    let done = site.run(&["exec", "shared", "master", "--", "sh", "-c", &script]);
    assert_eq!(done.expect(0), "authenticated true\nsum 5050\n");
    let code = site
        .run(&["exec", "shared", "worker-1", "--", "sh", "-c", "exit 9"])
        .code;
    assert_eq!(code, 9);

    // Nobody who can list processes or containers learns the secret; who is inside can.
    let secret = site
        .run(&["exec", "shared", "--", "cat", "/run/secrets/auth"])
        .expect(0);
    let secret = secret.trim();
    assert!(secret.len() >= 16, "{secret}");
    let encoded = site
        .run(&["exec", "shared", "--", "base64", "-w0", "/run/secrets/auth"])
        .expect(0);
    let shown = site.run(&["show", "shared"]).expect(0)
        + &site.run(&["show", "shared", "-o", "json"]).expect(0)
        + &site.run(&["ps", "-o", "json"]).expect(0)
        + &site.run(&["logs", "shared"]).both();
    let seen = visible(&site, "ticket");
    assert!(
        seen.contains("org.apache.spark.deploy.worker.Worker"),
        "the processes were not listed"
    );
    for text in [&shown, &seen] {
        assert!(!text.contains(secret), "the secret is shown");
        assert!(
            !text.contains(encoded.trim()),
            "the secret is shown, encoded"
        );
    }
    let used = site.json(&["top", "shared"]);
    let rows = used.as_array().unwrap();
    assert_eq!(rows.len(), 3, "{used}");
    for row in rows {
        let bytes = row["memory_bytes"].as_u64().unwrap();
        assert!(bytes > 32 << 20, "a JVM takes more: {used}");
    }
    let table = site.run(&["top"]).expect(0);
    assert_eq!(table.lines().count(), 4, "{table}");

    for component in ["master", "worker-0", "worker-1"] {
        let log = site.run(&["logs", "shared", component]).both();
        assert!(log.contains("authentication enabled"), "{component}: {log}");
    }
    site.run(&["kill", "shared"]).expect(0);
    assert_eq!(site.json(&["ps"]), Value::Array(Vec::new()));
    site.assert_nothing_left();
}
