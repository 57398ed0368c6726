//! Notebooks: a cell runs, in Python and in Scala, on the workers.

use crate::spark::kernel::Jupyter;
use crate::spark::site::Site;

/// The sum, which the driver could have done, and the addresses at which the parts were summed up, which it could not.
const PYTHON: &str = "
import socket
parts = sc.parallelize(range(1_000_001), 8)
print('sum', parts.sum())
print('workers', *sorted(set(parts.mapPartitions(lambda _: [socket.gethostbyname(socket.gethostname())]).collect())))
print('driver', socket.gethostbyname(socket.gethostname()))
spark.range(10).count()
";

const SCALA: &str =
    r#"println("sum " + sc.parallelize(1L to 1000L, 4).map(n => n * n).reduce(_ + _))"#;

fn field<'a>(shown: &'a str, name: &str) -> Vec<&'a str> {
    let line = shown.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {shown}"))
        .split_whitespace()
        .collect()
}

/// The addresses of a component's members.
fn addresses(site: &Site, component: &str) -> Vec<String> {
    let shown = site.json(&["show", "last"]);
    let containers = shown["containers"].as_array().unwrap();
    let members = containers.iter().filter(|c| c["component"] == component);
    members
        .map(|c| c["address"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn cells_run_on_the_cluster_in_python_and_in_scala() {
    let site = Site::new();
    // Attached: it lasts until Ctrl-C.
    let mut notebook = site.start(&["notebook", "--attach", "--name", "mine"]);
    let printed = notebook.wait_for_output("\n");
    assert!(printed.starts_with("http://127.0.0.1:"), "{printed}");
    let jupyter = Jupyter::at(printed.lines().next().unwrap());

    // The URL is good at once, and only with its token.
    assert_eq!(jupyter.ask("GET", "/api/status", None).await.0, 200);
    assert_eq!(jupyter.get_with("/api/status", "").await.0, 403);
    assert_eq!(jupyter.get_with("/api/status", "0000").await.0, 403);
    let (_, specs) = jupyter.ask("GET", "/api/kernelspecs", None).await;
    assert_eq!(specs["default"], "pyspark", "{specs}");

    let workers = addresses(&site, "worker");
    let mut python = jupyter.kernel("pyspark").await;
    let shown = python.run(PYTHON).await;
    assert_eq!(field(&shown, "sum"), ["500000500000"]);
    let at_work = field(&shown, "workers");
    assert!(
        !at_work.is_empty() && at_work.iter().all(|at| workers.iter().any(|w| w == at)),
        "{workers:?}: {shown}"
    );
    assert_eq!(field(&shown, "driver"), addresses(&site, "notebook"));
    assert_eq!(shown.lines().last(), Some("10"), "{shown}");
    // Its executors have all cores of the workers: the next kernel gets none before it ends.
    jupyter.end(python).await;

    let mut scala = jupyter.kernel("scala").await;
    let shown = scala.run(SCALA).await;
    assert!(shown.contains("sum 333833500"), "{shown}");
    let master = scala.run("println(sc.master)").await;
    assert!(master.contains("spark://master:7077"), "{master}");

    // The token is for its owner: `show` has it, `ps` has not.
    let token = jupyter.token();
    assert!(site.run(&["show", "mine"]).expect(0).contains(token));
    assert!(!site.run(&["ps", "-o", "json"]).expect(0).contains(token));

    notebook.interrupt();
    let done = notebook.end();
    assert_eq!(done.code, 0, "{}", done.stderr);
    site.assert_nothing_left();
}
