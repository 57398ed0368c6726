//! Any backend with faults in it, for tests inside one process: calls that are refused, answers that get lost, and
//! observations that miss something or fail.
//!
//! One effect of the trait is one step here; the single calls a backend makes for it pass its own [`Gate`].

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt;
use jiff::SignedDuration;

use super::gate::Gate;
use super::{
    Backend, BoxStream, BuildRequest, EngineError, ExecRequest, ExecSession, ImageInfo, Images,
    JobFiles, LogChunk, LogRange, NodeUse, ProgressSink, Result, Scope, Submitted, Usage,
};
use crate::model::{
    Deployment, Execution, ExecutionId, InstanceKey, JobImage, Launch, Mark, Orphan, Private,
    Snapshot, Ticket,
};

/// What becomes of an observation.
pub type View = Box<dyn FnMut(Snapshot) -> Result<Snapshot> + Send>;

/// A backend with faults in it.
pub struct Faulty {
    inner: Arc<dyn Backend>,
    gate: Gate,
    view: Mutex<Option<View>>,
    cut: AtomicBool,
    unreadable: AtomicBool,
}

impl Faulty {
    /// Puts a gate before a backend.
    pub fn new(inner: Arc<dyn Backend>, gate: Gate) -> Self {
        Self {
            inner,
            gate,
            view: Mutex::new(None),
            cut: AtomicBool::new(false),
            unreadable: AtomicBool::new(false),
        }
    }

    /// Has all observations, from now on, pass through `view`, which may take something out and say so in the gaps,
    /// or fail.
    pub fn observe_through(&self, view: View) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Some(view);
    }

    /// Has observations show what is there again.
    pub fn observe_clearly(&self) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Has the log that is read next break off after its first piece.
    pub fn cut_the_next_log(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Has logs refused, or given again, from now on.
    pub fn refuse_logs(&self, refuse: bool) {
        self.unreadable.store(refuse, Ordering::SeqCst);
    }

    async fn effect<T>(&self, call: &str, effect: impl Future<Output = Result<T>>) -> Result<T> {
        let passage = self.gate.enter(call, true)?;
        let value = effect.await?;
        passage.done()?;
        Ok(value)
    }

    fn read(&self, call: &str) -> Result<()> {
        Ok(self.gate.enter(call, false)?.done()?)
    }
}

#[async_trait]
impl Backend for Faulty {
    async fn describe(&self) -> Result<String> {
        self.read("describe")?;
        self.inner.describe().await
    }

    async fn observe(&self, scope: Scope) -> Result<Snapshot> {
        self.read("observe")?;
        let snapshot = self.inner.observe(scope).await?;
        match &mut *self.view.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(snapshot),
            Some(view) => view(snapshot),
        }
    }

    async fn submit(&self, ticket: &Ticket, private: &Private) -> Result<Submitted> {
        self.effect("submit", self.inner.submit(ticket, private))
            .await
    }

    async fn private(&self, execution: ExecutionId) -> Result<Private> {
        self.read("private")?;
        self.inner.private(execution).await
    }

    async fn mark(&self, execution: &Execution, mark: Mark) -> Result<()> {
        self.effect("mark", self.inner.mark(execution, mark)).await
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        self.effect("start", self.inner.start(launch)).await
    }

    async fn stop(&self, execution: &Execution, grace: SignedDuration) -> Result<()> {
        self.effect("stop", self.inner.stop(execution, grace)).await
    }

    async fn remove(&self, execution: &Execution) -> Result<()> {
        self.effect("remove", self.inner.remove(execution)).await
    }

    async fn remove_members(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        grace: SignedDuration,
    ) -> Result<()> {
        self.effect(
            "remove_members",
            self.inner.remove_members(execution, members, grace),
        )
        .await
    }

    async fn remove_ticket(&self, execution: &Execution) -> Result<bool> {
        self.effect("remove_ticket", self.inner.remove_ticket(execution))
            .await
    }

    async fn sweep(&self, orphan: &Orphan) -> Result<()> {
        self.effect("sweep", self.inner.sweep(orphan)).await
    }

    async fn wait(&self, instance: &InstanceKey) -> Result<i64> {
        self.read("wait")?;
        self.inner.wait(instance).await
    }

    async fn inspect(&self, execution: &Execution) -> Result<Execution> {
        self.read("inspect")?;
        self.inner.inspect(execution).await
    }

    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        self.read("logs")?;
        if self.unreadable.load(Ordering::SeqCst) {
            return Err(EngineError::Refused {
                what: "reading a log".to_owned(),
                why: "a server error".to_owned(),
            });
        }
        let chunks = self.inner.logs(instance, range).await?;
        if !self.cut.swap(false, Ordering::SeqCst) {
            return Ok(chunks);
        }
        let broken = EngineError::Unreachable {
            endpoint: "memory".to_owned(),
            why: "the connection broke".to_owned(),
        };
        let end = futures_util::stream::iter([Err(broken)]);
        Ok(chunks.take(1).chain(end).boxed())
    }

    async fn usage(&self, instance: &InstanceKey) -> Result<Usage> {
        self.read("usage")?;
        self.inner.usage(instance).await
    }

    async fn nodes_use(&self) -> Result<Vec<NodeUse>> {
        self.read("nodes_use")?;
        self.inner.nodes_use().await
    }

    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession> {
        self.effect("exec", self.inner.exec(instance, request))
            .await
    }

    async fn exec_exit_code(&self, session: &str) -> Result<i64> {
        self.read("exec_exit_code")?;
        self.inner.exec_exit_code(session).await
    }

    async fn exec_resize(&self, session: &str, columns: u16, rows: u16) -> Result<()> {
        self.read("exec_resize")?;
        self.inner.exec_resize(session, columns, rows).await
    }

    async fn changes(&self) -> Result<BoxStream<'static, ()>> {
        self.read("changes")?;
        self.inner.changes().await
    }

    fn deployment(&self) -> &Deployment {
        self.inner.deployment()
    }
}

#[async_trait]
impl Images for Faulty {
    async fn ensure(&self, image: &str, progress: ProgressSink<'_>) -> Result<String> {
        self.effect("ensure", self.inner.ensure(image, progress))
            .await
    }

    async fn ensure_files(&self, files: &JobFiles) -> Result<String> {
        self.effect("ensure_files", self.inner.ensure_files(files))
            .await
    }

    async fn remove_job_image(&self, image: &JobImage) -> Result<()> {
        self.effect("remove_job_image", self.inner.remove_job_image(image))
            .await
    }

    async fn list_images(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>> {
        self.read("list_images")?;
        self.inner.list_images(prefixes).await
    }

    async fn build(&self, request: &BuildRequest, progress: ProgressSink<'_>) -> Result<()> {
        self.effect("build", self.inner.build(request, progress))
            .await
    }

    async fn tag(&self, image: &str, name: &str) -> Result<()> {
        self.effect("tag", self.inner.tag(image, name)).await
    }

    async fn in_registry(&self, image: &str) -> Result<Option<String>> {
        self.read("in_registry")?;
        self.inner.in_registry(image).await
    }

    async fn push(&self, image: &str, progress: ProgressSink<'_>) -> Result<()> {
        self.effect("push", self.inner.push(image, progress)).await
    }

    async fn import(&self, archive: PathBuf, name: &str) -> Result<()> {
        self.effect("import", self.inner.import(archive, name))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::memory::MemoryBackend;
    use crate::engine::names::tests::ticket;
    use crate::model::Gap;

    #[tokio::test]
    async fn a_lost_answer_leaves_the_effect_and_a_refused_call_none() {
        let memory = MemoryBackend::new("dep".parse().unwrap());
        for (trap, there) in [("fail:1", 0), ("lost:1", 1)] {
            let faulty = Faulty::new(Arc::new(memory.clone()), Gate::parse(trap).unwrap());
            faulty.observe(Scope::Everything).await.unwrap();
            assert!(
                faulty
                    .submit(&ticket(1), &Private::default())
                    .await
                    .is_err()
            );
            let seen = faulty.observe(Scope::Executions).await.unwrap();
            assert_eq!(seen.executions.len(), there, "{trap}");
        }
    }

    #[tokio::test]
    async fn observations_can_miss_something_or_fail() {
        let memory = MemoryBackend::new("dep".parse().unwrap());
        let faulty = Faulty::new(Arc::new(memory), Gate::open());
        faulty.observe_through(Box::new(|mut snapshot| {
            snapshot.nodes.clear();
            snapshot.gaps.push(Gap {
                what: "nodes".to_owned(),
                error: "no answer".to_owned(),
                node: None,
            });
            Ok(snapshot)
        }));
        let seen = faulty.observe(Scope::Everything).await.unwrap();
        assert!(seen.nodes.is_empty() && seen.gaps.len() == 1);
        faulty.observe_through(Box::new(|_| {
            Err(EngineError::Gone {
                what: "everything".to_owned(),
            })
        }));
        assert!(faulty.observe(Scope::Everything).await.is_err());
        faulty.observe_clearly();
        let seen = faulty.observe(Scope::Everything).await.unwrap();
        assert_eq!(seen.nodes.len(), 1);
    }
}
