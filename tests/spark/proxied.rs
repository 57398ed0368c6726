//! A notebook and Spark's own pages behind a real Apache: links, redirects, static files, a kernel's websocket.

use std::collections::BTreeSet;

use crate::apache::Apache;
use crate::spark::kernel::Jupyter;
use crate::spark::site::{Site, until};

/// A site with an Apache before it.
pub fn behind_apache() -> (Site, Apache) {
    let mut site = Site::new();
    let mut apache = Apache::new();
    site.set("ZOE_APACHE_WEB_SERVER_NAME", apache.name());
    let routes = apache.routes().into_os_string().into_string().unwrap();
    site.set("ZOE_APACHE_PROXY_CONFIG_FILE", routes);
    site.run(&["proxy", "sync"]).expect(0);
    apache.start(&site.run(&["proxy", "setup"]).expect(0));
    (site, apache)
}

/// The path of one of its web interfaces.
pub fn path(site: &Site, apache: &Apache, name: &str) -> String {
    let url = site.run(&["open", "mine", name]).expect(0);
    let path = url
        .trim()
        .strip_prefix(&format!("http://{}", apache.name()));
    path.unwrap_or_else(|| panic!("{url} is not Apache's"))
        .to_owned()
}

/// The links of a page that begin with `/`.
fn links(page: &str) -> BTreeSet<String> {
    let attributes = ["href=\"/", "src=\"/", "href='/", "src='/"];
    let found = attributes.into_iter().flat_map(|begin| {
        page.split(begin).skip(1).map(|rest| {
            let end = rest.find(['"', '\'', '#']).unwrap_or(rest.len());
            format!("/{}", rest[..end].replace("&amp;", "&"))
        })
    });
    found.collect()
}

/// Follows a link to where it leads in the end, always below `base`.
fn follow(apache: &Apache, base: &str, link: &str) -> (String, String) {
    let mut at = link.to_owned();
    for _ in 0..5 {
        assert!(at.starts_with(base), "{link} leads out: {at}");
        let page = apache.get(&at);
        if !(300..400).contains(&page.status) {
            assert_eq!(page.status, 200, "{at}: {page:?}");
            return (at, page.body);
        }
        let location = page.header("location").unwrap().to_owned();
        let own = format!("http://{}", apache.name());
        location
            .strip_prefix(&own)
            .unwrap_or(&location)
            .clone_into(&mut at);
    }
    panic!("{link} leads nowhere");
}

#[tokio::test]
async fn a_notebook_and_the_pages_of_its_cluster() {
    let (site, apache) = behind_apache();
    let printed = site.run(&["notebook", "--name", "mine"]).expect(0);
    assert!(
        printed.starts_with(&format!("http://{}/zoe/", apache.name())),
        "{printed}"
    );
    // The URL is good at once, and only with its token.
    let jupyter = Jupyter::at(&printed);
    assert_eq!(jupyter.ask("GET", "/api/status", None).await.0, 200);
    assert_eq!(jupyter.get_with("/api/status", "").await.0, 403);
    let notebook = path(&site, &apache, "notebook");
    let base = notebook.split_once("/lab?").unwrap().0.to_owned();
    let (_, page) = follow(&apache, &base, &notebook);
    let scripts: Vec<_> = links(&page)
        .into_iter()
        .filter(|link| link.contains("/static/"))
        .collect();
    assert!(!scripts.is_empty(), "{page}");
    for script in &scripts {
        follow(&apache, &base, script);
    }
    // A kernel behind its websocket, at work on the cluster.
    let mut python = jupyter.kernel("pyspark").await;
    let sum = python.run("sc.parallelize(range(1000), 4).sum()").await;
    assert_eq!(sum.trim(), "499500");
    pages_of_the_master(&site, &apache);
    assert_eq!(python.run("spark.range(10).count()").await.trim(), "10");
    jupyter.end(python).await;
    site.run(&["kill", "mine"]).expect(0);
    assert_eq!(apache.get(&base).status, 404);
}

/// The master's page, its links to a worker and to the application, and theirs.
fn pages_of_the_master(site: &Site, apache: &Apache) {
    let base = path(site, apache, "master");
    let base = base.trim_end_matches('/');
    let app = until("the master lists the application", || {
        let page = apache.get(&format!("{base}/")).body;
        links(&page)
            .into_iter()
            .find(|link| link.contains("/proxy/app-"))
    });
    let (_, page) = follow(apache, base, &format!("{base}/"));
    let all = links(&page);
    assert!(all.iter().any(|link| link.contains("/static/")), "{all:?}");
    let workers: Vec<_> = all
        .iter()
        .filter(|link| link.contains("/proxy/worker-"))
        .collect();
    assert_eq!(workers.len(), 2, "{all:?}");
    for link in all.iter().filter(|link| !link.contains("kill")) {
        let (_, page) = follow(apache, base, link);
        // What a worker's page needs comes the same way.
        if link.contains("/proxy/worker-") {
            assert!(page.contains("Spark Worker at"), "{page}");
            for link in links(&page).iter().filter(|link| link.contains("/static/")) {
                follow(apache, base, link);
            }
        }
    }
    // The application's page redirects to its jobs; its stages are a link from there.
    let (at, page) = follow(apache, base, &app);
    assert!(at.ends_with("/jobs/"), "{at}");
    let stages = links(&page)
        .into_iter()
        .find(|link| link.ends_with("/stages/"))
        .unwrap();
    let (_, page) = follow(apache, base, &stages);
    assert!(page.contains("Stages for All Jobs"), "{page}");
    for link in links(&page).iter().filter(|link| link.contains("/static/")) {
        follow(apache, base, link);
    }
    // What the pages' scripts ask.
    let (_, json) = follow(apache, base, &format!("{app}/api/v1/applications"));
    assert!(json.contains("\"id\""), "{json}");
    // The driver's own port leads to the same.
    let driver = path(site, apache, "driver");
    let (at, _) = follow(apache, &driver, &driver);
    assert!(at.ends_with("/jobs/"), "{at}");
}
