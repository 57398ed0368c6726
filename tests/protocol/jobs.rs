//! What is submitted: jobs of members of one core each, whose monitor prints a line when it begins.

use std::fmt::Write as _;

use jiff::SignedDuration;
use zoe::apps::{self, Format};
use zoe::model::{Application, RequiredEnd, Retries};
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::submit::{After, Array, Submission};

/// The exit code of jobs that end by themselves, unless another was said.
pub const CODE: i64 = 7;

/// How a member is asked whether it is ready.
const READY: &str = "ready = { port = \"web\", path = \"/\" }\n[[component.port]]\nname = \"web\"\ncontainer = 8000\n";

/// A job: how many members it has, what becomes of it, and on which terms it is submitted.
#[derive(Debug, Clone)]
pub struct Job {
    members: u32,
    elastic: u32,
    /// The code that its monitor exits with; it runs for ever without.
    exits: Option<i64>,
    /// Whether it goes on when it is told to end.
    deaf: bool,
    /// Whether it can be asked whether it is ready.
    asked: bool,
    common: Common,
}

/// A job of so many members that ends after a second, or never.
pub fn job(members: u32, ends: bool) -> Box<Job> {
    Box::new(Job {
        members,
        elastic: 0,
        exits: ends.then_some(CODE),
        deaf: false,
        asked: false,
        common: Common::default(),
    })
}

/// One of one member that ends with this code.
pub fn exits(code: i64) -> Box<Job> {
    Box::new(Job {
        exits: Some(code),
        ..*job(1, true)
    })
}

/// One of one member that never ends, and can be asked whether it is ready.
pub fn service() -> Box<Job> {
    Box::new(Job {
        asked: true,
        ..*job(1, false)
    })
}

/// One of one member that does not end when it is told to.
pub fn deaf_job() -> Box<Job> {
    Box::new(Job {
        deaf: true,
        ..*job(1, false)
    })
}

impl Job {
    fn with(mut self: Box<Self>, change: impl FnOnce(&mut Common)) -> Box<Self> {
        change(&mut self.common);
        self
    }

    /// The same with a key.
    pub fn keyed(self: Box<Self>, key: &str) -> Box<Self> {
        self.with(|common| common.key = Some(key.to_owned()))
    }

    /// The same with a name.
    pub fn named(self: Box<Self>, name: &str) -> Box<Self> {
        self.with(|common| common.name = Some(name.parse().unwrap()))
    }

    /// The same with members that it may have in addition.
    pub fn elastic(mut self: Box<Self>, members: u32) -> Box<Self> {
        self.elastic = members;
        self
    }

    /// The same, run again so often when it fails.
    pub fn retries(self: Box<Self>, most: u32) -> Box<Self> {
        self.with(|common| {
            common.terms.retries = Retries {
                most,
                ..Retries::default()
            };
        })
    }

    /// The same, not before that one has ended so.
    pub fn after(self: Box<Self>, execution: &str, end: RequiredEnd) -> Box<Self> {
        self.with(|common| {
            common.terms.after.push(After {
                execution: execution.to_owned(),
                end,
            });
        })
    }

    /// The same so many times, one of them at once.
    pub fn one_by_one(self: Box<Self>, times: u32) -> Box<Self> {
        self.with(|common| {
            common.terms.array = Some(Array {
                indices: (0..times).collect(),
                at_once: Some(1),
            });
        })
    }

    /// The same, held until somebody releases it.
    pub fn held(self: Box<Self>) -> Box<Self> {
        self.with(|common| common.terms.held = true)
    }

    /// The same before others.
    pub fn priority(self: Box<Self>, priority: i32) -> Box<Self> {
        self.with(|common| common.terms.priority = priority)
    }

    /// The same, which may run no longer than half a second.
    pub fn limited(self: Box<Self>) -> Box<Self> {
        self.with(|common| common.timeout = Some(SignedDuration::from_millis(500)))
    }

    /// What is submitted.
    pub fn submission(&self) -> Submission {
        let mut text = "schema = 1\nname = \"job\"\nmonitor = \"main\"\n".to_owned();
        let mut component = |name: &str, count: &str, command: &str| {
            write!(
                text,
                "[[component]]\nname = \"{name}\"\nimage = \"memory/x\"\n{count}cores = \"1\"\nmemory = \"64m\"\ncommand = {command}\n"
            )
            .unwrap();
        };
        let main = match self.exits {
            Some(code) => format!(r#"["print", "ran", "exit", "{code}", "after", "1s"]"#),
            None if self.deaf => r#"["print", "ran", "deaf"]"#.to_owned(),
            None => r#"["print", "ran", "run"]"#.to_owned(),
        };
        let ready = if self.asked { READY } else { "" };
        component("main", "", &format!("{main}\n{ready}"));
        for n in 1..self.members {
            component(&format!("side{n}"), "", r#"["run"]"#);
        }
        if self.elastic > 0 {
            let count = format!("core = 0\nelastic = {}\n", self.elastic);
            component("extra", &count, r#"["print", "ran", "run"]"#);
        }
        let application = apps::parse(&text, Format::Toml).unwrap();
        launch::application(application, self.common.clone()).unwrap()
    }
}

/// The code that a job's monitor exits with by itself, if it does.
pub fn code_of(application: &Application) -> Option<i64> {
    let main = application.component(&"main".parse().unwrap())?;
    let command = main.command.as_ref()?;
    let exit = command.iter().position(|word| word == "exit")?;
    command.get(exit + 1)?.parse().ok()
}
