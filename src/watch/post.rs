//! Mail, beside everything else: a slow mail server holds up no pass. What can't be sent is told when that begins, when it
//! changes, and when it is over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ops::Context;
use crate::ops::mail::{self, Delivery};

/// How often to look whether something is due: commands on other machines put mails into the outbox as well.
const ROUND: Duration = Duration::from_secs(5);

/// Sends what is in the outbox until it is dropped.
pub(super) struct Postman {
    task: Option<JoinHandle<()>>,
    end: watch::Sender<bool>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Postman {
    /// Begins, if a mail server is configured.
    pub(super) fn start(context: &Context) -> Self {
        let trouble: Arc<Mutex<Option<String>>> = Arc::default();
        let (end, mut told) = watch::channel(false);
        let task = context.settings.mail.is_some().then(|| {
            let (context, trouble) = (context.clone(), Arc::clone(&trouble));
            tokio::spawn(async move {
                while !*told.borrow() {
                    match mail::deliver_unless(&context, &|| *told.borrow()).await {
                        Ok(delivery) => {
                            tell(&delivery);
                            note(&trouble, &delivery);
                        }
                        // The passes tell of a database that can't be had.
                        Err(error) => tracing::debug!(%error, "no mail was sent"),
                    }
                    tokio::select! {
                        () = tokio::time::sleep(ROUND) => {}
                        _ = told.changed() => {}
                    }
                }
            })
        });
        Self { task, end, trouble }
    }

    /// Begins nothing more; the mail that is being sent has so long, or it is sent once more by whoever is next.
    pub(super) async fn finish(mut self, patience: Duration) {
        let _ = self.end.send(true);
        if let Some(task) = &mut self.task {
            let _ = tokio::time::timeout(patience, task).await;
        }
    }

    /// Why nothing can be sent, if that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A server that nobody had to be asked of is as it was.
fn note(trouble: &Mutex<Option<String>>, delivery: &Delivery) {
    let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
    if delivery.no_server.is_some() {
        trouble.clone_from(&delivery.no_server);
    } else if *delivery != Delivery::default() {
        *trouble = None;
    }
}

/// Tells what was sent and what was given up.
pub(super) fn tell(delivery: &Delivery) {
    for cover in &delivery.sent {
        let (mail, kind) = (&cover.id, cover.kind.word());
        tracing::info!(execution = %cover.execution, user = %cover.user, mail, kind, "mailed");
    }
    for (cover, why) in &delivery.given_up {
        let (mail, kind) = (&cover.id, cover.kind.word());
        tracing::warn!(execution = %cover.execution, user = %cover.user, mail, kind, why, "mail given up");
    }
}

/// What of it is not as it should be, each in a sentence.
pub(super) fn sentences(delivery: &Delivery) -> Vec<String> {
    let server = delivery.no_server.iter().map(|why| format!("mail: {why}"));
    let given_up = delivery.given_up.iter();
    let given_up = given_up.map(|(cover, why)| format!("mail {} was given up: {why}", cover.id));
    server.chain(given_up).collect()
}
