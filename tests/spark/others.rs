//! Applications that know nothing of Spark.

use std::os::unix::fs::PermissionsExt as _;

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

#[tokio::test]
async fn what_is_in_a_workspace_outlives_its_notebook() {
    let mut site = Site::new();
    let workspaces = site.path("workspaces");
    std::fs::create_dir(&workspaces).unwrap();
    site.set(
        "ZOE_FILESYSTEM_WORKSPACE_PATH",
        workspaces.to_str().unwrap(),
    );
    site.run(&["run", "jupyter", "--name", "first", "-d"])
        .expect(0);
    site.run(&["wait", "first", "--for", "running"]).expect(0);
    let shown = site.json(&["show", "first"]);
    let jupyter = Jupyter::at(shown["urls"][0]["url"].as_str().unwrap());
    let cell = json!({
        "cell_type": "code", "source": "print('saved')", "metadata": {}, "outputs": [], "execution_count": null,
    });
    let notebook = json!({
        "type": "notebook",
        "content": { "cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4 },
    });
    let saved = jupyter.ask("PUT", "/api/contents/day.ipynb", Some(notebook));
    assert_eq!(saved.await.0, 201);
    let mut kernel = jupyter.kernel("python3").await;
    let cell =
        "import os; print('of a cell', file=open(os.environ['ZOE_WORKSPACE'] + '/found', 'w'))";
    assert_eq!(kernel.run(cell).await, "");
    site.run(&["kill", "first"]).expect(0);

    let mut users = std::fs::read_dir(&workspaces).unwrap();
    let own = users.next().unwrap().unwrap().path();
    assert!(users.next().is_none());
    let found = || std::fs::read_to_string(own.join("found")).unwrap();
    assert_eq!(found(), "of a cell\n");
    // Its owner and its group, and nobody else.
    let mode = std::fs::metadata(&own).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o2770);
    site.run(&["run", "jupyter", "--name", "second", "-d"])
        .expect(0);
    site.run(&["wait", "second", "--for", "running"]).expect(0);
    let script = "cd $ZOE_WORKSPACE && cat found day.ipynb && echo more >>found";
    let printed = site.run(&["exec", "second", "--", "sh", "-c", script]);
    let printed = printed.expect(0);
    assert!(printed.starts_with("of a cell\n"), "{printed}");
    assert!(printed.contains("print('saved')"), "{printed}");
    assert_eq!(found(), "of a cell\nmore\n");
    site.run(&["kill", "second"]).expect(0);

    // One who can't have a workspace is told before anything is made.
    std::fs::remove_dir_all(&own).unwrap();
    std::fs::write(&own, "").unwrap();
    let refused = site.run(&["run", "jupyter"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("can't be had: not a directory"),
        "{}",
        refused.stderr
    );
    site.assert_nothing_left();
}
