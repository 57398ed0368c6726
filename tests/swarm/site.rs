//! A deployment of its own in the lab, of which nothing is left when a test ends.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::Ran;
use crate::common::docker::{TINY, tiny};
use crate::lab::Lab;

/// The longest anything may take.
pub const PATIENCE: Duration = Duration::from_mins(4);

/// Asks until there is an answer.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A deployment, a home and a working directory of its own, on the lab's Swarm.
pub struct Site {
    /// The lab.
    pub lab: Lab,
    /// The tiny image, as the nodes call it.
    pub image: String,
    root: TempDir,
    deployment: String,
    settings: Vec<(String, String)>,
}

impl Site {
    /// One in the lab that others use too.
    pub fn shared() -> Self {
        Self::on(Lab::get())
    }

    /// One in a lab that this test has for itself, and may break.
    pub fn alone() -> Self {
        let site = Self::on(Lab::alone());
        // A test that was killed may have left it more patient.
        site.patience("5s");
        site
    }

    fn on(lab: Lab) -> Self {
        tiny();
        let image = lab.push(TINY);
        Self {
            lab,
            image,
            root: tempfile::tempdir().unwrap(),
            deployment: format!("s{:08x}", rand::random::<u32>()),
            settings: Vec::new(),
        }
    }

    /// How often a node has to say that it is there: the Swarm gives it up after three of these periods. A node learns of
    /// it with its next word to the manager, which nothing shows: it takes up to one period of those in force before.
    pub fn patience(&self, period: &str) {
        let update = ["swarm", "update", "--dispatcher-heartbeat", period];
        self.lab.docker("n1", &update);
    }

    /// With a setting, as its environment variable.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.settings.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The binary, with nothing of the caller's surroundings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zoe"));
        command
            .args(args)
            .env_clear()
            .current_dir(&self.root)
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.root.path())
            .env("ZOE_DEPLOYMENT", &self.deployment)
            .env("ZOE_DOCKER_SWARM_MANAGER_URL", self.lab.manager())
            .env("ZOE_DOCKER_PRIVATE_REGISTRY", self.lab.registry())
            .env("ZOE_DOCKER_NODE_URL", "tcp://{address}:2375")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_in(args, &[])
    }

    /// Likewise, with more of an environment.
    #[track_caller]
    pub fn run_in(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = assert_cmd::Command::from_std(self.command(args));
        command.timeout(PATIENCE).envs(env.iter().copied());
        Ran::command(&mut command)
    }

    /// Starts it and lets it run.
    pub fn start(&self, args: &[&str], env: &[(&str, &str)]) -> Child {
        let mut command = self.command(args);
        command
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// What a command with `-o json` prints.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let words = [args, &["-o", "json"]].concat();
        serde_json::from_str(&self.run(&words).expect(0)).unwrap()
    }

    /// What `show` says of an execution.
    #[track_caller]
    pub fn show(&self, execution: &str) -> Value {
        self.json(&["show", execution])
    }

    /// The containers of an execution, as `show` has them, of one component.
    #[track_caller]
    pub fn members(&self, execution: &str, component: &str) -> Vec<Value> {
        let shown = self.show(execution);
        let all = shown["containers"].as_array().unwrap();
        let own = all.iter().filter(|one| one["component"] == component);
        own.cloned().collect()
    }

    /// Writes a description and gives its path. `IMAGE` in it becomes the tiny image.
    pub fn application(&self, description: &str) -> String {
        let path = self
            .root
            .path()
            .join(format!("{:08x}.toml", rand::random::<u32>()));
        std::fs::write(&path, description.replace("IMAGE", &self.image)).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// A path in its working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Starts an application without waiting for its end and gives its id, once all of it runs.
    #[track_caller]
    pub fn running(&self, description: &str) -> String {
        let id = self.submitted(description);
        self.run(&["wait", "--for", "running", &id]).expect(0);
        id
    }

    /// Submits an application and gives its id.
    #[track_caller]
    pub fn submitted(&self, description: &str) -> String {
        let file = self.application(description);
        self.run(&["run", "-d", &file]).expect(0).trim().to_owned()
    }

    /// What its deployment is called.
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// All that any node has of this deployment.
    pub fn left(&self) -> Vec<String> {
        let label = format!("label=zoe.deployment={}", self.deployment);
        let of_the_swarm = [
            ("service", "{{.Name}}"),
            ("network", "{{.Name}}"),
            ("config", "{{.Name}}"),
            ("secret", "{{.Name}}"),
        ];
        let mut left = Vec::new();
        for (kind, format) in of_the_swarm {
            let found = self
                .lab
                .docker("n1", &[kind, "ls", "--filter", &label, "--format", format]);
            left.extend(found.lines().map(|name| format!("{kind} {name}")));
        }
        for node in self.lab.nodes() {
            let args = [
                "ps",
                "-a",
                "--filter",
                &label,
                "--format",
                "{{.Names}} {{.Status}}",
            ];
            // A node that is off has nothing to say.
            let found = self.lab.try_docker(&node.name, &args);
            let found = String::from_utf8_lossy(&found.stdout).into_owned();
            left.extend(
                found
                    .lines()
                    .map(|name| format!("container on {}: {name}", node.name)),
            );
        }
        left
    }

    /// Waits until nothing is left of it anywhere. A container goes some time after its service.
    #[track_caller]
    pub fn until_nothing_is_left(&self) {
        let begun = Instant::now();
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "left: {left:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn clear(&self) {
        let label = format!("label=zoe.deployment={}", self.deployment);
        for kind in ["service", "secret", "config", "network"] {
            let found = self
                .lab
                .try_docker("n1", &[kind, "ls", "-q", "--filter", &label]);
            for id in String::from_utf8_lossy(&found.stdout).lines() {
                self.lab.try_docker("n1", &[kind, "rm", id]);
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let shown = self.run(&["ps", "-a", "-o", "wide"]);
            eprintln!("{}{}", shown.stdout, shown.stderr);
            eprintln!("{:#?}", self.left());
            self.clear();
            return;
        }
        let killed = self.run(&["kill", "--all", "-y"]);
        assert!(killed.code == 0 || killed.code == 3, "{}", killed.stderr);
        self.until_nothing_is_left();
    }
}
