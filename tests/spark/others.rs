//! Applications that know nothing of Spark.

use serde_json::json;

use crate::spark::http::get;
use crate::spark::kernel::Jupyter;
use crate::spark::site::Site;

#[test]
fn a_dask_cluster_computes_on_its_workers() {
    let site = Site::new();
    site.run(&["run", "dask-cluster", "--name", "dask", "-d"])
        .expect(0);
    site.run(&["wait", "dask", "--for", "running"]).expect(0);
    let program = "
import socket
from distributed import Client

client = Client('tcp://scheduler:8786')
print('sum', sum(client.gather(client.map(lambda n: n * n, range(100)))))
print('workers', len(set(client.run(socket.gethostname).values())))
print('here', socket.gethostname() in client.run(socket.gethostname).values())
";
    let printed = site
        .run(&["exec", "dask", "--", "python3", "-c", program])
        .expect(0);
    assert_eq!(printed, "sum 328350\nworkers 2\nhere False\n");
    let shown = site.json(&["show", "dask"]);
    let page = shown["urls"][0]["url"].as_str().unwrap();
    let counts = page.replace("/status", "/json/counts.json");
    assert_eq!(get(&counts).1["workers"], json!(2), "{counts}");
    site.run(&["kill", "dask"]).expect(0);
    site.assert_nothing_left();
}

#[tokio::test]
async fn jupyter_alone_runs_a_cell() {
    let site = Site::new();
    site.run(&["run", "jupyter", "--name", "alone", "-d"])
        .expect(0);
    site.run(&["wait", "alone", "--for", "running"]).expect(0);
    let shown = site.json(&["show", "alone"]);
    let jupyter = Jupyter::at(shown["urls"][0]["url"].as_str().unwrap());
    let mut kernel = jupyter.kernel("python3").await;
    assert_eq!(kernel.run("sum(range(101))").await, "5050");
    site.run(&["kill", "alone"]).expect(0);
    site.assert_nothing_left();
}
