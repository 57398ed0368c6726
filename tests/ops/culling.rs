//! What nobody uses, over a clock that the test moves: it is warned, it is ended, and what may be in use is not.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use zoe::apps::{self, Format};
use zoe::config::MailSecurity;
use zoe::engine::Scope;
use zoe::idle::Ages;
use zoe::mail::Server;
use zoe::model::{ExecutionId, IdleTimeout, Limits, MailKind, MailOn, Outcome};
use zoe::ops::fetch::{Answer, Question};
use zoe::ops::idle::culling::{self, Act, Round};
use zoe::ops::idle::{self, Keep};
use zoe::ops::proxy::Proxy;
use zoe::ops::ready::Reply;
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::{MailSettings, Silent, World, kill, list, mail, submit};
use zoe::proxy::{Site, Way};
use zoe::store::{LetterChange, LetterQuery, LetterState, Posted, Role, User};

use crate::lab::{Lab, lab};

/// What the notebook and the master answer.
#[derive(Debug, Clone, Default)]
struct Web {
    /// When a kernel was used last, in seconds since the beginning of the test.
    used: i64,
    busy: bool,
    is_down: bool,
    jobs: usize,
    /// What was asked for, with what token.
    asked: Vec<(String, Option<String>)>,
}

struct Net {
    inner: Arc<dyn World>,
    web: Arc<Mutex<Web>>,
    begun: Timestamp,
}

impl World for Net {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.inner.random(bytes);
    }

    fn ask(&self, _: SocketAddr, _: &str, _: Duration) -> BoxFuture<'static, Reply> {
        std::future::ready(Reply::Said(b"ok".to_vec())).boxed()
    }

    fn fetch(&self, asked: Question, _: Duration) -> BoxFuture<'static, Result<Answer, String>> {
        let mut web = self.web.lock().unwrap();
        let token = asked.token.map(|token| token.reveal().to_owned());
        web.asked.push((asked.path.clone(), token));
        let at = self.begun + SignedDuration::from_secs(web.used);
        let path = asked.path.split('?').next().unwrap();
        let path = path.find("/api/").map_or(path, |at| &path[at..]);
        let body = match path {
            _ if web.is_down => return std::future::ready(Err("refused".to_owned())).boxed(),
            "/api/status" => format!(r#"{{"started":"{}"}}"#, self.begun),
            "/api/kernels" => {
                let state = if web.busy { "busy" } else { "idle" };
                format!(r#"[{{"last_activity":"{at}","execution_state":"{state}"}}]"#)
            }
            "/json/" => r#"{"activeapps":[{"id":"app-1"}]}"#.to_owned(),
            _ if path.ends_with("/jobs") => {
                serde_json::json!(vec![serde_json::json!({}); web.jobs]).to_string()
            }
            _ if path.ends_with("/executors") => "[]".to_owned(),
            _ => {
                let answer = Answer {
                    status: 404,
                    body: Vec::new(),
                };
                return std::future::ready(Ok(answer)).boxed();
            }
        };
        let answer = Answer {
            status: 200,
            body: body.into_bytes(),
        };
        std::future::ready(Ok(answer)).boxed()
    }
}

struct Place {
    lab: Lab,
    web: Arc<Mutex<Web>>,
    id: ExecutionId,
}

const HOUR: i64 = 3600;

const NOTEBOOK: &str = r#"
schema = 1
name = "book"
monitor = "notebook"
secrets = ["token"]
activity = { jupyter = "notebook/web", spark = "master/web" }
[[component]]
name = "master"
image = "memory/x"
cores = 0.5
memory = "64m"
command = ["print", "hello", "run"]
[[component.port]]
name = "web"
container = 8080
proxy = true
[[component]]
name = "notebook"
image = "memory/x"
cores = 0.5
memory = "64m"
command = ["print", "hello", "run"]
[[component.port]]
name = "web"
container = 8888
query = "token=${secret.token}"
proxy = true
base_path = true
"#;

/// A notebook runs, at a time that stands still.
async fn place(log: Option<PathBuf>) -> Place {
    let mut lab = lab();
    let web = Arc::new(Mutex::new(Web::default()));
    lab.stop_clock();
    let begun = lab.context.now();
    lab.context.world = Arc::new(Net {
        inner: Arc::clone(&lab.context.world),
        web: Arc::clone(&web),
        begun,
    });
    lab.context.settings.culling = culling::Culling {
        ages: Ages {
            warning: Some(SignedDuration::from_hours(2)),
            end: Some(SignedDuration::from_hours(24)),
        },
        every: Duration::from_mins(5),
        access_log: log,
    };
    lab.context.settings.mail = Some(MailSettings {
        server: Server {
            host: "localhost".to_owned(),
            port: 1,
            security: MailSecurity::Starttls,
            trust: None,
            login: None,
            sender: "zoe@example.org".to_owned(),
        },
        on: MailOn::Fail,
        give_up: None,
    });
    lab.context.proxy = Some(Arc::new(Proxy::new(Site {
        name: "zoe.example.org".to_owned(),
        secure: true,
        prefix: "/zoe".to_owned(),
        file: None,
        way: Way::Map,
    })));
    let store = lab.context.history.open().await.unwrap();
    let ann = User {
        name: "ann".to_owned(),
        mail: Some("ann@example.org".to_owned()),
        mail_on: None,
        role: Role::User,
        limits: Limits::default(),
    };
    let deployment = &lab.context.settings.deployment;
    store.enter(deployment, &ann).await.unwrap();
    let id = submitted(&lab, None).await;
    // What was made meanwhile was made before.
    lab.stop_clock();
    Place { lab, web, id }
}

async fn submitted(lab: &Lab, idle_timeout: Option<IdleTimeout>) -> ExecutionId {
    let application = apps::parse(NOTEBOOK, Format::Toml).unwrap();
    let mut submission = launch::application(application, Common::default()).unwrap();
    submission.terms.idle_timeout = idle_timeout;
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    lab.pass().await;
    id
}

impl Place {
    async fn round(&self) -> Round {
        let snapshot = self.lab.context.backend.observe(Scope::Everything).await;
        let concerned = culling::concerned(&self.lab.context, &snapshot.unwrap());
        let round = culling::round(&self.lab.context, &concerned).await.unwrap();
        assert_eq!(round.troubles.len(), 0, "{round:?}");
        round
    }

    /// So many hours later; what was done then.
    async fn after(&self, hours: i64) -> Vec<Act> {
        self.lab.later(hours * HOUR);
        self.round().await.acts
    }

    fn set(&self, change: impl FnOnce(&mut Web)) {
        change(&mut self.web.lock().unwrap());
    }

    async fn mails(&self) -> Vec<Posted> {
        let store = self.lab.context.history.open().await.unwrap();
        let deployment = &self.lab.context.settings.deployment;
        let all = store.outbox(deployment, &LetterQuery::default()).await;
        all.unwrap()
    }

    /// The mail server takes all mails.
    async fn send(&self) {
        let store = self.lab.context.history.open().await.unwrap();
        let deployment = &self.lab.context.settings.deployment;
        let waits = |mail: &Posted| mail.state == LetterState::Waiting;
        for mail in self.mails().await.into_iter().filter(waits) {
            let sent = LetterChange::Sent {
                at: self.lab.context.now(),
            };
            store
                .settle(deployment, &mail.cover.id, sent)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn it_is_warned_once_and_ended_and_its_owner_told() {
    let place = place(None).await;
    let (lab, id) = (&place.lab, place.id);
    assert_eq!(place.after(1).await, []);
    let acts = place.after(1).await;
    assert_eq!(acts.len(), 1);
    let ends_at = acts[0].ends_at.unwrap();
    assert_eq!(ends_at, acts[0].idle_since + SignedDuration::from_hours(24));
    for _ in 0..3 {
        assert_eq!(place.round().await.acts, [], "once");
    }
    // One who dies before the warning is noted leaves its mail; the next one sends no other.
    let mails = place.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].cover.kind, MailKind::NotebookWarning);
    assert!(
        mails[0]
            .cover
            .subject
            .contains("is idle and will be ended in 2")
    );
    assert_eq!(lab.events(id, "idle-warned").await.len(), 1);
    // The address is without its token.
    let store = lab.context.history.open().await.unwrap();
    let claim = zoe::store::LetterClaim {
        holder: "test",
        now: lab.context.now(),
        length: SignedDuration::from_secs(0),
        displace: None,
    };
    let deployment = &lab.context.settings.deployment;
    let bodies = store
        .claim(deployment, &mails[0].cover.id, claim)
        .await
        .unwrap()
        .unwrap();
    let private = lab.context.backend.private(id).await.unwrap();
    let token = private.secrets["token"].reveal();
    assert!(
        bodies.text.contains("https://zoe.example.org/zoe/"),
        "{}",
        bodies.text
    );
    assert!(!bodies.text.contains(token) && !bodies.html.contains(token));
    // It was shown to the notebook, and to it alone.
    for (path, shown) in place.web.lock().unwrap().asked.clone() {
        assert_eq!(
            shown.as_deref(),
            path.contains("no_track").then_some(token),
            "{path}"
        );
    }
    place.send().await;
    assert_eq!(place.after(21).await, []);
    let view = list::show(&lab.context, id.as_str()).await.unwrap().view;
    let used = view.activity.unwrap();
    assert_eq!(used.state.as_deref(), Some("idle"));
    assert_eq!((used.ends_at, used.signs.len()), (Some(ends_at), 2));
    let acts = place.after(1).await;
    assert_eq!((acts.len(), acts[0].ends_at), (1, None));
    lab.pass().await;
    assert!(lab.seen(id).await.is_none());
    let record = store.get(deployment, id).await.unwrap().unwrap();
    let by = Some("zoe: not used for 24h".to_owned());
    assert_eq!(record.end.unwrap().1, Outcome::Cancelled { by });
    let shown = list::show(&lab.context, id.as_str()).await.unwrap().view;
    assert_eq!(
        shown.reason.as_deref(),
        Some("cancelled by zoe: not used for 24h")
    );
    let kinds: Vec<MailKind> = place.mails().await.iter().map(|m| m.cover.kind).collect();
    assert_eq!(kinds, [MailKind::NotebookWarning, MailKind::NotebookEnded]);
}

/// Elastic members come and go, and lost ones are replaced.
#[tokio::test]
async fn members_that_come_later_are_no_use() {
    let place = place(None).await;
    let lab = &place.lab;
    assert_eq!(place.after(1).await, []);
    // One was made just now.
    let now = lab.context.now();
    let later = |world: &mut zoe::engine::memory::World| {
        let mut rows = world.containers.values_mut();
        let row = rows.find(|row| row.name.contains("master")).unwrap();
        row.created_at = now;
        row.started_at = Some(now);
    };
    lab.world.edit(later).unwrap();
    assert_eq!(place.after(1).await.len(), 1, "it is warned");
    place.send().await;
    let acts = place.after(22).await;
    assert_eq!((acts.len(), acts[0].ends_at), (1, None), "and ended");
}

#[tokio::test]
async fn what_may_be_in_use_is_let_be() {
    for (what, change) in [
        (
            "a busy kernel",
            (|web: &mut Web| web.busy = true) as fn(&mut Web),
        ),
        ("a job", |web| web.jobs = 1),
        ("a sign that can't be read", |web| web.is_down = true),
    ] {
        let place = place(None).await;
        place.set(change);
        for _ in 0..30 {
            assert_eq!(place.after(1).await, [], "{what}");
        }
        assert!(place.mails().await.is_empty());
        // Then the time begins.
        place.set(|web| *web = Web::default());
        assert_eq!(place.after(1).await, [], "{what}");
        assert_eq!(place.after(1).await.len(), 1, "{what}");
    }
    // Whatever the site says.
    let place = place(None).await;
    let kept = submitted(&place.lab, Some(IdleTimeout::Never)).await;
    let short = IdleTimeout::After(SignedDuration::from_hours(1));
    let short = submitted(&place.lab, Some(short)).await;
    place.lab.later(HOUR / 2 + 60);
    let acts = place.round().await.acts;
    assert_eq!(acts.iter().map(|act| act.id).collect::<Vec<_>>(), [short]);
    place.send().await;
    place.lab.later(HOUR / 2);
    let acts = place.round().await.acts;
    assert_eq!((acts.len(), acts[0].id, acts[0].ends_at), (1, short, None));
    assert!(
        list::show(&place.lab.context, kept.as_str())
            .await
            .unwrap()
            .view
            .activity
            .is_none()
    );
}

#[tokio::test]
async fn use_begins_another_period_and_a_wish_counts() {
    let place = place(None).await;
    let context = &place.lab.context;
    assert_eq!(place.after(2).await.len(), 1);
    place.send().await;
    // Used three hours after it began.
    place.set(|web| web.used = 3 * HOUR);
    assert_eq!(place.after(2).await, []);
    assert_eq!(place.after(1).await.len(), 1, "another warning");
    assert_eq!(place.mails().await.len(), 2);
    place.send().await;
    let id = place.id.as_str();
    idle::keep(context, id, Keep::For(SignedDuration::from_hours(40)))
        .await
        .unwrap();
    assert_eq!(place.after(39).await, []);
    let used = list::show(context, id)
        .await
        .unwrap()
        .view
        .activity
        .unwrap();
    assert!(used.kept_until.is_some() && used.ends_at == used.kept_until);
    assert_eq!(place.after(1).await.len(), 1, "it was warned, and is ended");
    let refused = idle::keep(context, id, Keep::Always).await.unwrap_err();
    assert!(refused.message.contains("is being ended"), "{refused}");
}

#[tokio::test]
async fn who_did_not_watch_warns_first() {
    let place = place(None).await;
    let acts = place.after(100).await;
    let ends_at = acts[0].ends_at.unwrap();
    assert_eq!(
        ends_at,
        place.lab.context.now() + SignedDuration::from_hours(2)
    );
    // The mail can't be sent: its owner does not know.
    assert_eq!(place.after(2).await, [], "the mail waits");
    let used = async || {
        let shown = list::show(&place.lab.context, place.id.as_str()).await;
        shown.unwrap().view.activity.unwrap()
    };
    let untold = used().await;
    let latest = ends_at + SignedDuration::from_hours(24);
    assert_eq!((untold.ends_at, untold.warning_waits), (Some(latest), true));
    place.send().await;
    let told = used().await;
    let soon = place.lab.context.now() + SignedDuration::from_hours(2);
    assert_eq!((told.ends_at, told.warning_waits), (Some(soon), false));
    assert_eq!(place.after(1).await, []);
    assert_eq!(place.after(1).await.len(), 1);
}

#[tokio::test]
async fn requests_through_the_web_server_count_and_those_of_a_forgotten_page_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    std::fs::write(&log, "").unwrap();
    let place = place(Some(log.clone())).await;
    let (lab, id) = (&place.lab, place.id);
    let path = lab.seen(id).await.unwrap().ticket.proxy.unwrap();
    let write = |request: &str, status: u16| {
        use std::io::Write as _;
        let time = lab.context.now().strftime("%d/%b/%Y:%H:%M:%S +0000");
        let line = format!(
            "::1 - - [{time}] \"{} {}/notebook/web{} HTTP/1.1\" {status} 5\n",
            request.split_once(' ').unwrap().0,
            path.as_str(),
            request.split_once(' ').unwrap().1,
        );
        let file = std::fs::OpenOptions::new().append(true).open(&log);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    };
    for hour in 1..=30 {
        lab.later(HOUR);
        // A page that was left open, and its websockets.
        write("GET /api/kernels", 200);
        write("GET /api/kernels/1/channels", 101);
        write("GET /api/terminals", 200);
        // Somebody reads.
        if hour <= 6 {
            write("GET /lab/tree/a.ipynb", 200);
        }
        let acts = place.round().await.acts;
        place.send().await;
        match hour {
            8 => assert!(
                !acts.is_empty() && acts[0].ends_at.is_some(),
                "{:?}",
                list::show(&lab.context, id.as_str())
                    .await
                    .unwrap()
                    .view
                    .activity
            ),
            30 => assert!(acts[0].ends_at.is_none(), "{acts:?}"),
            _ => assert_eq!(acts, [], "{hour}"),
        }
    }
}

#[tokio::test]
async fn a_log_that_is_gone_counts_as_use() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let place = place(Some(log.clone())).await;
    place.lab.later(30 * HOUR);
    let snapshot = place.lab.context.backend.observe(Scope::Everything).await;
    let concerned = culling::concerned(&place.lab.context, &snapshot.unwrap());
    let round = culling::round(&place.lab.context, &concerned)
        .await
        .unwrap();
    assert!(round.troubles["access log"].contains("can't be read"));
    assert_eq!(round.acts, []);
    let shown = list::show(&place.lab.context, place.id.as_str())
        .await
        .unwrap();
    let used = shown.view.activity.unwrap();
    assert_eq!(used.state.as_deref(), Some("unreadable"));
    assert!(
        used.signs
            .iter()
            .any(|one| one.sign == "http" && one.text.contains("access.log"))
    );
    // A part of it is gone, and what was in it.
    std::fs::write(&log, "x\n".repeat(1000)).unwrap();
    assert_eq!(place.after(1).await, []);
    std::fs::write(&log, "y\n").unwrap();
    assert_eq!(place.after(2).await, [], "what was in it is not known");
    assert_eq!(place.after(2).await.len(), 1);
}

/// One wrong clock is not for ever: such a request was made when it was read at the latest.
#[tokio::test]
async fn a_request_that_is_dated_later_counts_once() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    std::fs::write(&log, "").unwrap();
    let place = place(Some(log.clone())).await;
    let path = place.lab.seen(place.id).await.unwrap().ticket.proxy;
    let path = path.unwrap();
    assert_eq!(place.after(1).await, []);
    let line = format!(
        "::1 - - [29/Nov/2099:10:00:00 +0000] \"GET {}/notebook/web/lab HTTP/1.1\" 200 5\n",
        path.as_str()
    );
    std::fs::write(&log, line).unwrap();
    assert_eq!(place.after(0).await, []);
    let used_at = place.lab.context.now();
    assert_eq!(place.after(1).await, []);
    let acts = place.after(1).await;
    assert_eq!(acts.len(), 1, "it is warned");
    assert_eq!(acts[0].idle_since, used_at);
}

/// A server that was away gets no warning of the end of what is over, or was used since.
#[tokio::test]
async fn a_warning_that_comes_too_late_is_not_sent() {
    for is_used in [true, false] {
        let place = place(None).await;
        let context = &place.lab.context;
        assert_eq!(place.after(2).await.len(), 1);
        let only = async || {
            let mails = place.mails().await;
            assert_eq!(mails.len(), 1, "{mails:?}");
            mails[0].state
        };
        // Nobody takes it, and it stays.
        let delivery = mail::deliver(context).await.unwrap();
        assert!(delivery.no_server.is_some());
        assert_eq!(only().await, LetterState::Waiting);
        if is_used {
            place.set(|web| web.used = 2 * HOUR);
            assert_eq!(place.after(1).await, []);
        } else {
            let store = context.history.open().await.unwrap();
            let ann = store.users(&context.settings.deployment).await.unwrap();
            let silent = User {
                mail_on: Some(MailOn::Never),
                ..ann[0].clone()
            };
            store
                .enter(&context.settings.deployment, &silent)
                .await
                .unwrap();
            let one = kill::Selection::Named(vec![place.id.to_string()]);
            kill::kill(context, &one, &Silent).await.unwrap();
            place.lab.later(HOUR);
        }
        let delivery = mail::deliver(context).await.unwrap();
        assert_eq!(delivery.no_server, None);
        assert_eq!(only().await, LetterState::Dropped);
    }
}
