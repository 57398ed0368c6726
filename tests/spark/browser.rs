//! A notebook and Spark's pages in a real browser, through a real Apache, while two hundred others come and go.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoe::proxy::access_log::read_on;

use crate::apache::Apache;
use crate::docker::tiny;
use crate::spark::chromium::Chromium;
use crate::spark::kernel::Jupyter;
use crate::spark::proxied::{behind_apache, path};
use crate::spark::site::{Site, until};

/// Notes each websocket that a page opens, and its end.
const NOTE_SOCKETS: &str = "
window.sockets = [];
window.WebSocket = class extends WebSocket {
    constructor(...what) {
        super(...what);
        const noted = { url: String(what[0]), closed: null, messages: 0 };
        window.sockets.push(noted);
        this.addEventListener('close', (event) => { noted.closed = event.code; });
        this.addEventListener('message', () => { noted.messages += 1; });
    }
};";

/// Counts aloud, each number after a job on the cluster, until it is told to stop.
const COUNT: &str = "import os, time
n = 0
while not os.path.exists('stop'):
    n += 1
    print('counted', n, sc.parallelize(range(1000), 2).map(lambda x: 2 * x).sum(), flush=True)
    time.sleep(0.1)
print('stopped at', n)";

/// One of those that come and go, with a page behind the web server.
const PASSER: &str = r#"
schema = 1
name = "passer"
description = "comes and goes"
monitor = "page"

[[component]]
name = "page"
image = "zoe-test/tiny:1"
cores = 0.02
memory = "8m"
command = ["sh", "-c", "mkdir /www; echo passing >/www/index.html; httpd -p 8000 -h /www; exec sleep @"]

[[component.port]]
name = "web"
container = 8000
proxy = true
"#;

/// How many end by themselves, how many of these at once, and how many are killed.
const PASSING: (usize, usize, usize) = (180, 10, 20);

/// What the page shows of outputs.
const SHOWN: &str = "return [...document.querySelectorAll('.jp-OutputArea-output')].map((output) => output.textContent).join('\\n')";

#[test]
fn a_notebook_in_a_browser_while_two_hundred_others_come_and_go() {
    let begun = Instant::now();
    let say = |what: &str| eprintln!("{:5.1} s: {what}", begun.elapsed().as_secs_f64());
    let (site, apache) = behind_apache();
    // On two cores others are to have room beside it.
    let arguments = [
        "notebook",
        "--name",
        "mine",
        "--workers",
        "1",
        "--set",
        "master.cores=0.3",
        "--conf",
        "spark.ui.showConsoleProgress=false",
    ];
    let printed = site.run(&arguments).expect(0);
    let (base, token) = printed.trim().split_once("/lab?token=").unwrap();
    say("the notebook answers");
    let browser = Chromium::new(NOTE_SOCKETS);
    let notebook = browser.tab();
    log_in(&browser, base, token);
    say("logged in");
    left_alone_is_no_use(&apache);
    say("the page alone is no use");
    open_notebook(&browser);
    browser.type_in("sc.parallelize(range(1000), 4).sum()");
    browser.run_cell();
    browser.until(
        "the sum",
        &SHOWN
            .replace("return ", "return '499500' == ")
            .replace(".join('\\n')", ".at(-1)?.trim()"),
    );
    say("a cell has used Spark");
    browser.paste(COUNT);
    browser.run_cell();
    browser.until(
        "it counts",
        &format!("{SHOWN}.includes('counted 3 999000')"),
    );
    say("it counts");

    browser.new_tab();
    pages_of_spark(&site, &apache, &browser);
    say("Spark's pages");
    browser.to_tab(&notebook);
    let before = counted(&browser);
    two_hundred_pass(&site, &apache, &browser);
    say("they have passed");
    let after = counted(&browser);
    assert!(after > before + 10, "{before} {after}");
    let jupyter = Jupyter::at(&printed);
    let stop = json!({ "type": "file", "format": "text", "content": "" });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (status, told) = runtime.block_on(jupyter.ask("PUT", "/api/contents/stop", Some(stop)));
    assert_eq!(status, 201, "{told}");
    browser.until("it stops", &format!("{SHOWN}.includes('stopped at')"));
    let all = counted(&browser);
    say(&format!("it has counted to {all}"));

    assert_one_socket(&browser);
    // All of it was one execution's, and nothing was missing.
    let (own, _) = base.rsplit_once("/notebook/notebook").unwrap();
    for url in browser.asked() {
        assert!(
            url.starts_with(&format!("{own}/")),
            "{url} is not below {own}"
        );
    }
    assert_eq!(browser.complaints(), [""; 0]);
    drop(browser);
    site.run(&["kill", "mine"]).expect(0);
}

/// As a person does who has been told the address and the token.
fn log_in(browser: &Chromium, base: &str, token: &str) {
    browser.go(&format!("{base}/"));
    let at = browser.url();
    assert!(at.starts_with(&format!("{base}/login?next=")), "{at}");
    browser.fill("input[name=password]", token);
    browser.click("#login_submit");
    browser.until(
        "JupyterLab",
        "return !!document.querySelector('.jp-LauncherCard')",
    );
    assert_eq!(browser.url(), format!("{base}/lab"));
    // Its cookies are sent to itself alone.
    let below = format!("/{}/", base.splitn(4, '/').last().unwrap());
    for cookie in browser.cookies() {
        assert_eq!(cookie["path"], below, "{cookie}");
    }
}

/// The page asks and writes by itself, as long as it is open; of that nothing counts as use.
fn left_alone_is_no_use(apache: &Apache) {
    let log = apache.access_log();
    let written = || {
        let text = std::fs::read_to_string(&log).unwrap();
        let puts = text.lines().filter(|line| line.contains("\"PUT "));
        puts.filter(|line| line.contains("/lab/api/workspaces/"))
            .count()
    };
    until("nothing that it does is use", || {
        let (_, mark) = read_on(&log, "/zoe", None).unwrap();
        let before = written();
        until("it writes down how it is laid out, twice", || {
            (written() >= before + 2).then_some(())
        });
        let (seen, _) = read_on(&log, "/zoe", Some(mark)).unwrap();
        seen.last.is_empty().then_some(())
    });
}

/// A new notebook, from the launcher; the cursor is in its first cell, and its kernel runs.
fn open_notebook(browser: &Chromium) {
    browser.click(".jp-LauncherCard[data-category=Notebook][title=PySpark]");
    // It says idle before there is a kernel, too.
    browser.until(
        "the kernel",
        "return window.sockets.some((socket) => socket.url.includes('/api/kernels/') && socket.messages > 0)
            && document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status == 'idle'",
    );
    browser.click(".jp-Notebook .jp-Cell .cm-content");
}

/// How far it has counted. There is no gap before that.
fn counted(browser: &Chromium) -> usize {
    let shown = browser.js(SHOWN, &json!([]));
    let lines = shown.as_str().unwrap().lines();
    let numbers: Vec<usize> = lines
        .filter_map(|line| line.strip_prefix("counted "))
        .map(|rest| rest.strip_suffix(" 999000").unwrap().parse().unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "{numbers:?}");
    numbers.len()
}

/// From the master's page to a worker, and to what runs, while it runs.
fn pages_of_spark(site: &Site, apache: &Apache, browser: &Chromium) {
    let master = format!("http://{}{}", apache.name(), path(site, apache, "master"));
    let at = |what: &str, below: &str, title: &str| {
        browser.until(what, &format!("return document.title.includes('{title}')"));
        let url = browser.url();
        assert!(
            url.starts_with(&format!("{master}{below}")),
            "{what}: {url}"
        );
        // Its static files are there: Spark's style sheet says how its tables look.
        let styled = "return [...document.styleSheets].some((sheet) => sheet.cssRules.length > 0)
            && [...document.images].every((image) => image.complete && image.naturalWidth > 0)";
        browser.until(&format!("{what} has its style and pictures"), styled);
    };
    browser.go(&master);
    at("the master", "", "Spark Master at");
    browser.follow("worker-");
    at("a worker", "proxy/worker-", "Spark Worker at");
    browser.follow("stderr");
    at("a log", "proxy/worker-", "stderr log page");
    browser.follow("Back to Master");
    at("the master again", "", "Spark Master at");
    browser.follow("app-");
    at("the application", "app/?appId=app-", "Application: PySpark");
    browser.follow("Application Detail UI");
    at("its jobs", "proxy/app-", "Spark Jobs");
    browser.follow("Stages");
    at("its stages", "proxy/app-", "Stages for All Jobs");
    browser.follow("sum at");
    at("a stage", "proxy/app-", "Details for Stage");
    // Filled by a script that asks the application's REST interface.
    browser.until(
        "its tasks",
        "return document.querySelectorAll('#active-tasks-table tbody tr').length >= 2",
    );
    browser.follow("Executors");
    at("its executors", "proxy/app-", "Executors");
    browser.until(
        "an executor and the driver",
        "return document.querySelectorAll('#active-executors-table tbody tr').length == 2",
    );
    // The driver's own address leads to the same pages.
    browser.go(&format!(
        "http://{}{}",
        apache.name(),
        path(site, apache, "driver")
    ));
    browser.until("the driver", "return document.title.includes('Spark Jobs')");
}

/// Others start and end, so that the routes change all the time, while the browser is connected.
fn two_hundred_pass(site: &Site, apache: &Apache, browser: &Chromium) {
    tiny();
    let (all, at_once, killed) = PASSING;
    let array = format!("0-{}%{at_once}", all - 1);
    let passer = site.write("passer.toml", PASSER.replace('@', "1"));
    let stays = site.write("stays.toml", PASSER.replace('@', "600"));
    let own = routes(apache).len();
    assert_eq!(own, 3);
    let mut seen = Seen {
        last: own,
        ..Seen::default()
    };
    let at_work = &AtomicUsize::new(2);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _over = Over(at_work);
            site.run(&["run", &passer, "--array", &array]).expect(0);
        });
        scope.spawn(move || {
            let _over = Over(at_work);
            for _ in 0..killed {
                let id = site.run(&["run", "-d", &stays]).expect(0);
                let id = id.trim();
                site.run(&["wait", "--for", "running", id]).expect(0);
                site.run(&["kill", id]).expect(0);
            }
        });
        let mut checked = Instant::now();
        while at_work.load(Ordering::SeqCst) > 0 {
            seen.look(apache);
            if checked.elapsed() > Duration::from_secs(1) {
                assert_one_socket(browser);
                checked = Instant::now();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    eprintln!("{seen}");
    // Some are over before they are looked for, and more before they are asked.
    assert!(seen.places.len() > 100, "{seen}");
    assert!(seen.answered > 50, "{seen}");
    assert!(seen.most >= own + 4, "{seen}");
    assert!(seen.rises.min(seen.falls) >= 20, "{seen}");
    assert_eq!(routes(apache).len(), own);
    for place in &seen.places {
        assert_eq!(apache.get(&format!("/zoe/{place}/")).status, 404);
    }
    let ended = site.json(&["history", "--limit", "300"]);
    let ended = ended.as_array().unwrap();
    let with = |state: &str| ended.iter().filter(|one| one["state"] == state).count();
    assert_eq!((with("finished"), with("cancelled")), (all, killed));
}

/// What was seen of the routes of those that pass.
#[derive(Default)]
struct Seen {
    places: BTreeSet<String>,
    last: usize,
    most: usize,
    rises: usize,
    falls: usize,
    answered: usize,
}

impl Seen {
    /// Looks at the map, and asks Apache for the page of each that is new.
    fn look(&mut self, apache: &Apache) {
        let all = routes(apache);
        self.rises += usize::from(all.len() > self.last);
        self.falls += usize::from(all.len() < self.last);
        self.last = all.len();
        self.most = self.most.max(self.last);
        for place in all.into_iter().filter(|place| place.contains("/page/")) {
            if self.places.insert(place.clone()) {
                let page = apache.get(&format!("/zoe/{place}/"));
                self.answered += usize::from(page.body == "passing\n");
            }
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} routes passed, {} of them asked in time, at most {} at once; {} rises and {} falls",
            self.places.len(),
            self.answered,
            self.most,
            self.rises,
            self.falls
        )
    }
}

/// One thread less is at work, however it ended.
struct Over<'c>(&'c AtomicUsize);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The keys in the map that Apache reads.
fn routes(apache: &Apache) -> Vec<String> {
    let map = std::fs::read_to_string(apache.routes()).unwrap();
    let lines = map.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').unwrap().0.to_owned())
        .collect()
}

/// The page has opened one connection to its kernel, and it is open; and Chromium says the same.
fn assert_one_socket(browser: &Chromium) {
    let sockets = browser.js("return window.sockets", &json!([]));
    let sockets = sockets.as_array().unwrap();
    let is_kernel = |socket: &&Value| socket["url"].as_str().unwrap().contains("/api/kernels/");
    let kernels: Vec<_> = sockets.iter().filter(is_kernel).collect();
    assert_eq!(kernels.len(), 1, "{sockets:?}");
    assert!(
        sockets.iter().all(|socket| socket["closed"].is_null()),
        "{sockets:?}"
    );
    let opened = browser.network("Network.webSocketCreated");
    assert_eq!(opened.iter().filter(is_kernel).count(), 1, "{opened:?}");
    let closed = browser.network("Network.webSocketClosed");
    assert_eq!(closed, [json!(null); 0]);
}
