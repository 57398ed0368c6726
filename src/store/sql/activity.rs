//! What is known of the use of executions, in such a database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Driver, Readable, SqlStore, or_leave_out, text};
use crate::model::{Deployment, ExecutionId};
use crate::store::activity::{self, Activities, Activity, ActivityRow, Kept, Look, Warning};
use crate::store::{Result, rows};

#[async_trait]
impl<D: Driver> Activities for SqlStore<D> {
    async fn activity_of(
        &self,
        deployment: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Activity>> {
        let mut all = BTreeMap::new();
        for some in executions.chunks(rows::AT_ONCE) {
            let statement = activity::find(deployment, some);
            let found: Vec<Readable<ActivityRow>> =
                self.driver.fetch("read what is used", statement).await?;
            let found = found
                .into_iter()
                .map(|row| row.of("a row of activity").and_then(activity::read));
            let found = found.filter_map(or_leave_out);
            all.extend(found.map(|activity| (activity.execution, activity)));
        }
        Ok(all)
    }

    async fn looked(&self, deployment: &Deployment, look: &Look) -> Result<()> {
        let values = activity::look_values(deployment, look);
        self.upsert("note what is used", &activity::LOOKS, values)
            .await
    }

    async fn warned(
        &self,
        deployment: &Deployment,
        execution: ExecutionId,
        warning: Warning,
    ) -> Result<bool> {
        let statement = activity::warn(deployment, execution, warning);
        let changed = self.driver.execute("note a warning", statement);
        changed.await.map(|rows| rows > 0)
    }

    async fn keep(
        &self,
        deployment: &Deployment,
        execution: ExecutionId,
        kept: Option<&Kept>,
        now: Timestamp,
    ) -> Result<bool> {
        const WHAT: &str = "note that it is kept";
        let key = vec![text(deployment.as_str()), text(execution.as_str())];
        self.upsert(WHAT, &activity::BLANK, key).await?;
        let statement = activity::keep(deployment, execution, kept, now);
        let changed = self.driver.execute(WHAT, statement);
        changed.await.map(|rows| rows > 0)
    }

    async fn end_idle(
        &self,
        deployment: &Deployment,
        execution: ExecutionId,
        period: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let statement = activity::end(deployment, execution, period, now);
        let changed = self.driver.execute("note that it is ended", statement);
        changed.await.map(|rows| rows > 0)
    }

    async fn position(&self, deployment: &Deployment, log: &str) -> Result<Option<String>> {
        let statement = activity::position(deployment, log);
        let what = "read how far a log was read";
        let found: Vec<(String, String)> = self.driver.fetch(what, statement).await?;
        let first = found.into_iter().next();
        Ok(first.map(|(_, position)| position))
    }

    async fn set_position(&self, deployment: &Deployment, log: &str, position: &str) -> Result<()> {
        let values = activity::position_values(deployment, log, position);
        self.upsert(
            "note how far a log was read",
            &activity::ACCESS_LOGS,
            values,
        )
        .await
    }
}
