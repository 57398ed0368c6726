//! Once a site has an admin, others' executions are the admin's; before that, and without the history, everybody's.

use zoe::engine::ExecRequest;
use zoe::model::ExecutionId;
use zoe::ops::accounts::{self, Entry};
use zoe::ops::kill::{self, Killed, Selection};
use zoe::ops::resize::{self, Request};
use zoe::ops::submit::launch::Common;
use zoe::ops::{Context, ErrorKind, OpsError, Silent, exec, history, hold};
use zoe::store::{Query, Role};

use crate::lab::{Lab, lab, nothing_left, submitted};

/// The same place, for another.
fn of(lab: &Lab, user: &str) -> Context {
    let mut context = lab.context.clone();
    user.clone_into(&mut context.settings.user);
    context
}

fn role(role: Role) -> Entry {
    Entry {
        role: Some(role),
        ..Entry::default()
    }
}

fn named(id: ExecutionId) -> Selection {
    Selection::Named(vec![id.to_string()])
}

async fn running(lab: &Lab) -> ExecutionId {
    let accepted = submitted(lab, &[("main", r#"["run"]"#)], Common::default()).await;
    lab.pass().await;
    accepted.id()
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, OpsError>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert_eq!(error.hint.as_deref(), Some("ask an admin: ada"), "{error}");
}

#[tokio::test]
async fn without_an_admin_everybody_may_everything() {
    let lab = lab();
    let id = running(&lab).await;
    let bob = of(&lab, "bob");
    accounts::enter(&bob, "bob", Entry::default(), true)
        .await
        .unwrap();
    kill::kill(&bob, &named(id), &Silent).await.unwrap();
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_is_anothers_only_admins_touch() {
    let lab = lab();
    let id = running(&lab).await;
    let text = id.to_string();
    let (ada, bob) = (of(&lab, "ada"), of(&lab, "bob"));
    accounts::enter(&lab.context, "ada", role(Role::Admin), true)
        .await
        .unwrap();
    let texts = [text.clone()];
    assert_refused(kill::kill(&bob, &named(id), &Silent).await);
    assert_refused(kill::remove(&bob, &texts, true, &Silent).await);
    assert_refused(hold::hold(&bob, &texts).await);
    assert_refused(hold::release(&bob, &texts, &Silent).await);
    let request = Request {
        execution: text.clone(),
        component: None,
        members: 1,
    };
    assert_refused(resize::resize(&bob, &request, &Silent).await);
    let request = ExecRequest {
        command: vec!["id".to_owned()],
        terminal: None,
        input: false,
    };
    let entered = exec::exec(&bob, &text, None, &request).await;
    assert_refused(entered.map(|_| ()));
    // What is one's own is one's own, and all that is meant by all.
    assert_eq!(
        kill::kill(&bob, &Selection::All, &Silent).await.unwrap(),
        []
    );
    assert_eq!(kill::count_all(&bob).await.unwrap(), 0);
    assert_eq!(kill::count_all(&ada).await.unwrap(), 1);
    let killed = kill::kill(&ada, &Selection::All, &Silent).await.unwrap();
    assert_eq!(killed, [Killed::Gone(id)]);
    assert_refused(kill::remove(&bob, &texts, false, &Silent).await);
    let own = running(&lab).await;
    kill::kill(&lab.context, &named(own), &Silent)
        .await
        .unwrap();
    kill::remove(&lab.context, &texts, false, &Silent)
        .await
        .unwrap();
    let left = history::history(&lab.context, &Query::default())
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn users_are_changed_by_admins_and_root() {
    let lab = lab();
    let (ada, bob, root) = (of(&lab, "ada"), of(&lab, "bob"), of(&lab, "root"));
    accounts::enter(&bob, "ada", role(Role::Admin), true)
        .await
        .unwrap();
    assert_refused(accounts::enter(&bob, "bob", Entry::default(), true).await);
    accounts::enter(&ada, "bob", Entry::default(), true)
        .await
        .unwrap();
    assert_refused(accounts::enter(&bob, "bob", role(Role::Admin), false).await);
    assert_refused(accounts::remove(&bob, "ada").await);
    let mail = Entry {
        mail: Some("bob@example.org".to_owned()),
        ..Entry::default()
    };
    accounts::enter(&bob, "bob", mail.clone(), false)
        .await
        .unwrap();
    assert_refused(accounts::enter(&bob, "ada", mail, false).await);
    accounts::remove(&root, "ada").await.unwrap();
    accounts::enter(&bob, "bob", role(Role::User), false)
        .await
        .unwrap();
}

/// Docker alone has to do to end what has to be ended.
#[tokio::test]
async fn without_the_history_nobody_is_kept_from_ending_something() {
    let lab = lab();
    let id = running(&lab).await;
    accounts::enter(&lab.context, "ada", role(Role::Admin), true)
        .await
        .unwrap();
    let file = lab.directory.path().join("zoe.db");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let bob = of(&lab, "bob");
    // It is stopped, and stays until its end can be written.
    let error = kill::kill(&bob, &named(id), &Silent).await.unwrap_err();
    assert_ne!(error.kind, ErrorKind::Refused, "{error}");
    assert!(lab.seen(id).await.unwrap().mark.is_some());
}
