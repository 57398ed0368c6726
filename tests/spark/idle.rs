//! What a real notebook and its cluster say of their use: a kernel that computes, a job, a session that is only open, a page that
//! was left open.

use serde_json::Value;

use crate::spark::kernel::Jupyter;
use crate::spark::site::{Site, until};

/// Looks once, and gives what it has seen.
fn look(site: &Site) -> Value {
    site.run(&["watch", "--once"]).expect(0);
    site.json(&["show", "mine"])["activity"].clone()
}

/// The state and the words of a sign.
fn sign<'a>(seen: &'a Value, name: &str) -> (&'a str, &'a str) {
    let signs = seen["signs"].as_array().unwrap();
    let one = signs.iter().find(|one| one["sign"] == name);
    let one = one.unwrap_or_else(|| panic!("no {name}: {seen}"));
    (
        one["state"].as_str().unwrap(),
        one["text"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn a_notebook_is_used_while_it_computes_and_not_while_a_page_is_open() {
    let site = Site::new();
    let printed = site
        .run(&["notebook", "--name", "mine", "--idle-timeout", "8h"])
        .expect(0);
    let jupyter = Jupyter::at(printed.lines().next().unwrap());
    let seen = look(&site);
    assert_eq!(seen["idle_timeout_seconds"], 8 * 3600);
    assert_eq!(sign(&seen, "jupyter"), ("idle", "0 kernels, 0 busy"));
    assert_eq!(
        sign(&seen, "spark"),
        ("idle", "0 applications, no job runs")
    );

    // It works for a moment: that was use, and the session that stays open is none.
    let mut python = jupyter.kernel("pyspark").await;
    let sum = python.run("sc.parallelize(range(1000), 4).sum()").await;
    assert_eq!(sum.trim(), "499500");
    // The driver's first answer may take its time, and counts as use meanwhile.
    until("it is seen that it worked", || {
        let seen = look(&site);
        assert_ne!(seen["state"], "idle");
        Some(()).filter(|()| {
            sign(&seen, "spark").1 == "1 application, jobs were run since the last look"
        })
    });
    let seen = until("it is idle", || {
        Some(look(&site)).filter(|seen| seen["state"] == "idle")
    });
    assert_eq!(sign(&seen, "jupyter"), ("idle", "1 kernel, 0 busy"));
    assert_eq!(sign(&seen, "spark"), ("idle", "1 application, no job runs"));
    let used_at = seen["used_at"].clone();

    // A page that was left open: its websocket is there, and it asks again and again.
    for _ in 0..5 {
        for path in [
            "/api/kernels",
            "/api/sessions",
            "/api/terminals",
            "/api/status",
        ] {
            assert_eq!(jupyter.ask("GET", path, None).await.0, 200, "{path}");
        }
    }
    let (_, status) = jupyter.ask("GET", "/api/status", None).await;
    let own = &status["last_activity"];
    assert!(
        own.as_str() > used_at.as_str(),
        "Jupyter counts that: {own}"
    );
    let seen = look(&site);
    assert_eq!(
        (&seen["state"], &seen["used_at"]),
        (&"idle".into(), &used_at)
    );

    // It computes for long, and nobody asks for anything.
    let job = "sc.parallelize(range(2), 2).foreach(lambda _: __import__('time').sleep(600))";
    python.begin(job).await;
    let seen = until("the job runs", || {
        Some(look(&site)).filter(|seen| sign(seen, "spark").1.ends_with("1 job runs"))
    });
    assert_eq!(sign(&seen, "jupyter"), ("used", "1 kernel, 1 busy"));
    assert_eq!(seen["state"], "used");
    jupyter.end(python).await;

    // Without Spark, too.
    let mut python = jupyter.kernel("pyspark").await;
    python.begin("import time; time.sleep(600)").await;
    until("the kernel is busy", || {
        let seen = look(&site);
        let spark = sign(&seen, "spark").1.ends_with("no job runs");
        Some(()).filter(|()| sign(&seen, "jupyter").1 == "1 kernel, 1 busy" && spark)
    });
    jupyter.end(python).await;

    // The token is in no answer, and what is said is for everybody to see.
    let shown = site.run(&["ps", "-o", "json"]).expect(0);
    assert!(!shown.contains(jupyter.token()));
    site.run(&["kill", "mine"]).expect(0);
    site.assert_nothing_left();
}
