//! A real Chromium for one test, driven through `WebDriver`: a profile of its own, and what it asked and was answered.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::spark::http::ask;

/// The longest that a page may take to show something.
const PATIENCE: Duration = Duration::from_mins(3);

/// Shift and Enter, and both let go.
const RUN: &str = "\u{e008}\u{e007}\u{e000}";

/// A browser with one tab; it ends with this.
pub struct Chromium {
    driver: Child,
    browser: Option<Pid>,
    session: String,
    runtime: Runtime,
    network: RefCell<Vec<Value>>,
    // Goes last.
    root: TempDir,
}

impl Chromium {
    /// Starts one, on a port of its own. `script` is run in every page before the page's own.
    pub fn new(script: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("this test needs chromium-driver (apt-get install): {e}"));
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = said.find_map(|line| {
            let line = line.unwrap();
            let port = line.split_once("successfully on port ")?.1;
            Some(port.trim_end_matches('.').to_owned())
        });
        // What else it says is nobody's concern.
        std::thread::spawn(move || said.for_each(drop));
        let mut this = Self {
            driver,
            browser: None,
            session: format!("http://127.0.0.1:{}/session", port.unwrap()),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            network: RefCell::default(),
            root,
        };
        let profile = this.root.path().join("profile");
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--no-first-run".to_owned(),
            // A page that such a change of networks has caught is loaded again.
            "--enable-auto-reload".to_owned(),
            "--window-size=1400,1000".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": arguments },
        });
        let begun = this.ask(
            "POST",
            "",
            json!({ "capabilities": { "alwaysMatch": capabilities } }),
        );
        let pid = begun["capabilities"]["goog:processID"].as_i64().unwrap();
        this.browser = Pid::from_raw(i32::try_from(pid).unwrap());
        this.session = format!("{}/{}", this.session, begun["sessionId"].as_str().unwrap());
        this.before_pages(script);
        // What it shows at its start is not of what is tested.
        this.go("about:blank");
        this.network("");
        this.network.borrow_mut().clear();
        this.log("browser");
        this
    }

    #[track_caller]
    fn ask(&self, method: &str, command: &str, body: Value) -> Value {
        match self.try_ask(method, command, body) {
            Ok(value) => value,
            Err(error) => panic!("{method} {command}: {error}"),
        }
    }

    fn try_ask(&self, method: &str, command: &str, body: Value) -> Result<Value, String> {
        let url = Url::parse(&format!("{}{command}", self.session)).unwrap();
        let body = (method == "POST").then_some(body);
        let (status, mut answer) = self.runtime.block_on(ask(method, &url, body));
        let value = answer["value"].take();
        if status == 200 {
            return Ok(value);
        }
        Err(format!("{} {}", value["error"], value["message"]))
    }

    /// Scripts belong to a tab.
    fn before_pages(&self, script: &str) {
        let parameters = json!({
            "cmd": "Page.addScriptToEvaluateOnNewDocument", "params": { "source": script },
        });
        self.ask("POST", "/goog/cdp/execute", parameters);
    }

    /// Goes to a page and waits until it is loaded.
    pub fn go(&self, url: &str) {
        self.ask("POST", "/url", json!({ "url": url }));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.js("return location.href", &json!([]))
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The tab that is in front.
    pub fn tab(&self) -> Value {
        self.ask("GET", "/window", Value::Null)
    }

    /// Opens one more and brings it to the front.
    pub fn new_tab(&self) {
        let tab = self.ask("POST", "/window/new", json!({ "type": "tab" }));
        self.to_tab(&tab["handle"]);
    }

    /// Brings one to the front.
    pub fn to_tab(&self, tab: &Value) {
        self.ask("POST", "/window", json!({ "handle": tab }));
    }

    /// Runs the body of a function in the page.
    #[track_caller]
    pub fn js(&self, body: &str, arguments: &Value) -> Value {
        self.ask(
            "POST",
            "/execute/sync",
            json!({ "script": body, "args": arguments }),
        )
    }

    /// Waits until such a body gives something that is true, and gives that.
    #[track_caller]
    pub fn until(&self, what: &str, body: &str) -> Value {
        let begun = Instant::now();
        loop {
            // While a page makes room for the next one nothing can be run.
            let script = json!({ "script": body, "args": [] });
            let answer = self.try_ask("POST", "/execute/sync", script);
            match &answer {
                Ok(Value::Null | Value::Bool(false)) | Err(_) => {}
                Ok(value) => return value.clone(),
            }
            if begun.elapsed() > PATIENCE {
                let page = self.js("return document.body.innerText", &json!([]));
                panic!(
                    "in vain at {}: {what}: {answer:?}\n{page}\n{:#?}",
                    self.url(),
                    self.complaints()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn element(&self, using: &str, what: &str) -> String {
        let found = self.ask("POST", "/element", json!({ "using": using, "value": what }));
        Self::path_of(&found)
    }

    fn path_of(element: &Value) -> String {
        let id = element.as_object().unwrap().values().next().unwrap();
        format!("/element/{}", id.as_str().unwrap())
    }

    /// Clicks on the first element of that selector.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.click_on("css selector", selector);
    }

    /// Clicks on the first link whose text has these words, and waits for what it leads to.
    #[track_caller]
    pub fn follow(&self, words: &str) {
        self.click_on("partial link text", words);
    }

    #[track_caller]
    fn click_on(&self, using: &str, what: &str) {
        let begun = Instant::now();
        loop {
            let element = self.element(using, what);
            match self.try_ask("POST", &format!("{element}/click"), json!({})) {
                Ok(_) => return,
                // A page that loads something may cover itself until then.
                Err(error) if error.contains("intercepted") && begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(error) => panic!("{what} cannot be clicked on: {error}"),
            }
        }
    }

    /// Types into the first element of that selector, after what is there is gone.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.element("css selector", selector);
        self.ask("POST", &format!("{element}/clear"), json!({}));
        self.ask("POST", &format!("{element}/value"), json!({ "text": text }));
    }

    /// Types where the cursor is.
    pub fn type_in(&self, text: &str) {
        let active = self.ask("GET", "/element/active", Value::Null);
        let element = Self::path_of(&active);
        self.ask("POST", &format!("{element}/value"), json!({ "text": text }));
    }

    /// Pastes where the cursor is, as an editor makes brackets and indents of its own of what is typed.
    pub fn paste(&self, text: &str) {
        let script = "const data = new DataTransfer();
            data.setData('text/plain', arguments[0]);
            const how = { clipboardData: data, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new ClipboardEvent('paste', how));";
        self.js(script, &json!([text]));
    }

    /// Shift and Enter.
    pub fn run_cell(&self) {
        self.type_in(RUN);
    }

    /// The cookies that the page has.
    pub fn cookies(&self) -> Vec<Value> {
        let cookies = self.ask("GET", "/cookie", Value::Null);
        cookies.as_array().unwrap().clone()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.ask("POST", "/se/log", json!({ "type": kind }));
        entries.as_array().unwrap().clone()
    }

    /// What Chromium has noted of the network since it began: its `DevTools` events of that name.
    pub fn network(&self, method: &str) -> Vec<Value> {
        let mut all = self.network.borrow_mut();
        for entry in self.log("performance") {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let mut event = event["message"].clone();
            // Frames of websockets are many.
            let name = event["method"].as_str().unwrap();
            if name.starts_with("Network.") && !name.contains("Frame") {
                all.push(event.take());
            }
        }
        all.iter()
            .filter(|event| event["method"] == method)
            .map(|event| event["params"].clone())
            .collect()
    }

    /// What a developer would see in red: errors of scripts, and what could not be loaded. But not what Chromium gives up because
    /// a network of this machine has come or gone, as each execution has one: who is elsewhere doesn't see that, and pages ask again.
    pub fn complaints(&self) -> Vec<String> {
        let said = self.log("browser").into_iter();
        let mut complaints: Vec<String> = said
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect();
        for event in self.network("Network.responseReceived") {
            let response = &event["response"];
            if response["status"].as_u64().unwrap() >= 400 {
                complaints.push(format!("{} {}", response["status"], response["url"]));
            }
        }
        // What a page itself takes back is no trouble.
        let failed = self.network("Network.loadingFailed").into_iter();
        complaints.extend(
            failed
                .filter(|event| event["canceled"] != true)
                .map(|event| event.to_string()),
        );
        complaints.retain(|complaint| !complaint.contains("net::ERR_NETWORK_CHANGED"));
        complaints
    }

    /// The addresses that all pages have asked for.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.network("Network.requestWillBeSent").into_iter();
        asked
            .map(|event| event["request"]["url"].as_str().unwrap().to_owned())
            .filter(|url| url.starts_with("http"))
            .collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver sees to what is left of its browser, as long as it is there.
        if let Some(browser) = self.browser {
            let _ = kill_process(browser, Signal::TERM);
            let begun = Instant::now();
            while rustix::process::test_kill_process(browser).is_ok()
                && begun.elapsed() < Duration::from_secs(10)
            {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
