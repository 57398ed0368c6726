//! Users and usage in `SQLite`.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::{SqliteStore, bind_as, errors, text};
use crate::model::Deployment;
use crate::store::Result;
use crate::store::accounts::{self, Usage, UsageQuery, UsageRow, User, UserRow};

impl SqliteStore {
    pub(super) async fn list_users(&self, deployment: &Deployment) -> Result<Vec<User>> {
        let statement = sqlx::query_as::<_, UserRow>(accounts::LIST);
        bind_as(statement, vec![text(deployment.as_str())])
            .fetch_all(&self.pool().await?)
            .await
            .map_err(|error| errors::running(&self.path, "read users", &error))?
            .into_iter()
            .map(accounts::read_user)
            .collect()
    }

    pub(super) async fn write_user(&self, deployment: &Deployment, user: &User) -> Result<()> {
        let values = accounts::user_values(deployment, user);
        self.upsert("enter a user", &accounts::USERS, values).await
    }

    pub(super) async fn delete_user(&self, deployment: &Deployment, name: &str) -> Result<bool> {
        let values = vec![text(deployment.as_str()), text(name)];
        let removed = self.execute("remove a user", accounts::REMOVE.to_owned(), values);
        removed.await.map(|rows| rows > 0)
    }

    pub(super) async fn sum_usage(
        &self,
        deployment: &Deployment,
        query: &UsageQuery,
    ) -> Result<BTreeMap<String, Usage>> {
        let mut results = Vec::new();
        for (sql, values) in accounts::statements(deployment, query) {
            let statement = sqlx::query_as::<_, UsageRow>(AssertSqlSafe(sql));
            let rows = bind_as(statement, values)
                .fetch_all(&self.pool().await?)
                .await
                .map_err(|error| errors::running(&self.path, "read what was used", &error))?;
            results.push(rows);
        }
        let decayed = results.pop().unwrap_or_default();
        let used = results.pop().unwrap_or_default();
        Ok(accounts::read_usage(query, used, decayed))
    }
}
