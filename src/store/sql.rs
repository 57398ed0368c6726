//! The store over a database that speaks SQL: every statement once. What a database does in its own way is behind [`Driver`]:
//! connections, the schema, what its errors mean, and an insert that meets a row that is there ([`Dialect`]).

mod activity;
mod lease;
mod row;

use std::collections::BTreeMap;
use std::future::Future;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::query::{Query as Statement, QueryAs};
use sqlx::{Database, Encode, FromRow, Type};

use super::dialect::{Dialect, Table};
use super::outbox::{self, LetterRow};
use super::rows::{self, EventRow, ExecutionRow, Value};
use super::{Bodies, Letter, LetterChange, LetterClaim, LetterQuery, Posted};
use super::{Event, Found, Lease, Query, Record, Result, Store, StoreError};
use super::{Sum, SumBy, Usage, UsageQuery, User, accounts, activity as used, search};
use crate::model::{Deployment, ExecutionId};

/// A statement and the values that are bound in it.
pub type Bound = (String, Vec<Value>);

/// A row that every driver can hand out.
pub trait Row:
    Send
    + Unpin
    + 'static
    + for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
    + for<'r> FromRow<'r, sqlx::mysql::MySqlRow>
{
}

impl<T> Row for T where
    T: Send
        + Unpin
        + 'static
        + for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> FromRow<'r, sqlx::mysql::MySqlRow>
{
}

/// A row that may not be what it should be: whoever reads many of them is to have the others.
pub struct Readable<T>(std::result::Result<T, String>);

impl<'r, R: sqlx::Row, T: FromRow<'r, R>> FromRow<'r, R> for Readable<T> {
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self(T::from_row(row).map_err(|error| error.to_string())))
    }
}

impl<T> Readable<T> {
    /// The row, or what is wrong with it.
    fn of(self, what: &str) -> Result<T> {
        self.0.map_err(|why| StoreError::Garbled {
            what: what.to_owned(),
            why,
        })
    }
}

/// Tells what is left out, for who reads the log.
fn leave_out(unreadable: &[StoreError]) {
    for error in unreadable {
        tracing::warn!(%error, "left out");
    }
}

fn or_leave_out<T>(row: Result<T>) -> Option<T> {
    row.inspect_err(|error| leave_out(std::slice::from_ref(error)))
        .ok()
}

impl Found {
    /// The records; where all there is can't be understood, that.
    fn or_error(mut self) -> Result<Vec<Record>> {
        if self.records.is_empty() && !self.unreadable.is_empty() {
            return Err(self.unreadable.swap_remove(0));
        }
        leave_out(&self.unreadable);
        Ok(self.records)
    }
}

/// A database as the store needs one. `what` says for people what is being done. Where a connection is lost a statement may
/// be run a second time: those of the store are such that this does no harm.
pub trait Driver: Send + Sync {
    /// How it writes SQL.
    const DIALECT: Dialect;

    /// Where it is, without a password.
    fn place(&self) -> String;

    /// Runs a statement, and tells how many rows it met.
    fn execute(
        &self,
        what: &'static str,
        statement: Bound,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Runs a statement that gives rows.
    fn fetch<T: Row>(
        &self,
        what: &'static str,
        statement: Bound,
    ) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// Runs statements of which all count, or none.
    fn together(
        &self,
        what: &'static str,
        statements: Vec<Bound>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// The store in such a database.
pub struct SqlStore<D> {
    pub(super) driver: D,
}

/// Binds values to a statement that gives no rows.
pub fn bind<DB: Database>(
    statement: Statement<'_, DB, DB::Arguments>,
    values: Vec<Value>,
) -> Statement<'_, DB, DB::Arguments>
where
    for<'t> Option<String>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
{
    values
        .into_iter()
        .fold(statement, |statement, value| match value {
            Value::Text(text) => statement.bind(text),
            Value::Number(number) => statement.bind(number),
        })
}

/// Likewise to one that gives rows.
pub fn bind_as<DB: Database, T>(
    statement: QueryAs<'_, DB, T, DB::Arguments>,
    values: Vec<Value>,
) -> QueryAs<'_, DB, T, DB::Arguments>
where
    for<'t> Option<String>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
{
    values
        .into_iter()
        .fold(statement, |statement, value| match value {
            Value::Text(text) => statement.bind(text),
            Value::Number(number) => statement.bind(number),
        })
}

/// A text to bind.
pub fn text(value: &str) -> Value {
    Value::Text(Some(value.to_owned()))
}

impl<D: Driver> SqlStore<D> {
    async fn upsert(&self, what: &'static str, table: &Table, values: Vec<Value>) -> Result<()> {
        let statement = (D::DIALECT.upsert(table), values);
        self.driver.execute(what, statement).await.map(|_| ())
    }

    async fn executions(&self, statement: Bound) -> Result<Found> {
        let rows: Vec<Readable<ExecutionRow>> =
            self.driver.fetch("read executions", statement).await?;
        let mut found = Found::default();
        for row in rows {
            match row.of("a row of executions").and_then(rows::read_record) {
                Ok(record) => found.records.push(record),
                Err(error) => found.unreadable.push(error),
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl<D: Driver> Store for SqlStore<D> {
    fn place(&self) -> String {
        self.driver.place()
    }

    async fn record(&self, deployment: &Deployment, record: &Record) -> Result<()> {
        let values = rows::record_values(deployment, record);
        self.upsert("record an execution", &rows::EXECUTIONS, values)
            .await
    }

    async fn event(&self, deployment: &Deployment, event: &Event) -> Result<()> {
        let values = rows::event_values(deployment, event);
        self.upsert("record an event", &rows::EVENTS, values).await
    }

    async fn events_of(
        &self,
        deployment: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Vec<Event>>> {
        let mut events: Vec<EventRow> = Vec::new();
        for some in executions.chunks(rows::AT_ONCE) {
            let statement = rows::events_statement(deployment, some);
            let found: Vec<Readable<EventRow>> =
                self.driver.fetch("read events", statement).await?;
            let found = found.into_iter().map(|row| row.of("a row of events"));
            events.extend(found.filter_map(or_leave_out));
        }
        Ok(rows::read_events(events))
    }

    async fn get_all(
        &self,
        deployment: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Record>> {
        let mut records = BTreeMap::new();
        for some in executions.chunks(rows::AT_ONCE) {
            let found = self.executions(rows::get_statement(deployment, some));
            let Found {
                records: all,
                unreadable,
            } = found.await?;
            leave_out(&unreadable);
            records.extend(all.into_iter().map(|record| (record.id, record)));
        }
        Ok(records)
    }

    async fn get(&self, deployment: &Deployment, execution: ExecutionId) -> Result<Option<Record>> {
        let found = self.executions(rows::get_statement(deployment, &[execution]));
        Ok(found.await?.or_error()?.into_iter().next())
    }

    async fn find(&self, deployment: &Deployment, query: &Query) -> Result<Vec<Record>> {
        self.search(deployment, query).await?.or_error()
    }

    async fn search(&self, deployment: &Deployment, query: &Query) -> Result<Found> {
        self.executions(search::find_statement(D::DIALECT, deployment, query)?)
            .await
    }

    async fn sums(&self, deployment: &Deployment, query: &Query, by: SumBy) -> Result<Vec<Sum>> {
        let statement = search::sums_statement(deployment, query, by)?;
        let found: Vec<search::SumRow> = self.driver.fetch("add up executions", statement).await?;
        Ok(search::read_sums(found))
    }

    async fn forget(&self, deployment: &Deployment, execution: ExecutionId) -> Result<()> {
        let statements = [
            "DELETE FROM events WHERE deployment = ? AND execution = ?",
            outbox::FORGET,
            used::FORGET,
            "DELETE FROM executions WHERE deployment = ? AND id = ?",
        ]
        .map(|sql| {
            let values = vec![text(deployment.as_str()), text(execution.as_str())];
            (sql.to_owned(), values)
        });
        self.driver
            .together("forget an execution", statements.into())
            .await
    }

    async fn users(&self, deployment: &Deployment) -> Result<Vec<User>> {
        let statement = (accounts::LIST.to_owned(), vec![text(deployment.as_str())]);
        let found: Vec<Readable<accounts::UserRow>> =
            self.driver.fetch("read users", statement).await?;
        let users = found
            .into_iter()
            .map(|row| row.of("a row of users").and_then(accounts::read_user));
        Ok(users.filter_map(or_leave_out).collect())
    }

    async fn enter(&self, deployment: &Deployment, user: &User) -> Result<()> {
        let values = accounts::user_values(deployment, user);
        self.upsert("enter a user", &accounts::USERS, values).await
    }

    async fn expel(&self, deployment: &Deployment, name: &str) -> Result<bool> {
        let values = vec![text(deployment.as_str()), text(name)];
        let statement = (accounts::REMOVE.to_owned(), values);
        let removed = self.driver.execute("remove a user", statement);
        removed.await.map(|rows| rows > 0)
    }

    async fn usage(
        &self,
        deployment: &Deployment,
        query: &UsageQuery,
    ) -> Result<BTreeMap<String, Usage>> {
        const WHAT: &str = "read what was used";
        let [used, decayed] = accounts::statements(deployment, query);
        let used = self.driver.fetch(WHAT, used).await?;
        let decayed = self.driver.fetch(WHAT, decayed).await?;
        Ok(accounts::read_usage(query, used, decayed))
    }

    async fn post(&self, deployment: &Deployment, letter: &Letter) -> Result<()> {
        let values = outbox::letter_values(deployment, letter);
        self.upsert("queue a mail", &outbox::OUTBOX, values).await
    }

    async fn outbox(&self, deployment: &Deployment, query: &LetterQuery) -> Result<Vec<Posted>> {
        let statement = outbox::find(deployment, query);
        let found: Vec<LetterRow> = self.driver.fetch("read the mail queue", statement).await?;
        found.into_iter().map(outbox::read_letter).collect()
    }

    async fn claim(
        &self,
        deployment: &Deployment,
        id: &str,
        claim: LetterClaim<'_>,
    ) -> Result<Option<Bodies>> {
        let statement = outbox::claim(deployment, id, &claim);
        if self.driver.execute("claim a mail", statement).await? == 0 {
            return Ok(None);
        }
        let statement = outbox::bodies(deployment, id);
        let found: Vec<(String, String)> = self.driver.fetch("read a mail", statement).await?;
        let first = found.into_iter().next();
        Ok(first.map(|(text, html)| Bodies { text, html }))
    }

    async fn settle(
        &self,
        deployment: &Deployment,
        id: &str,
        change: LetterChange<'_>,
    ) -> Result<bool> {
        let statement = outbox::change(deployment, id, &change);
        let changed = self.driver.execute("note what became of a mail", statement);
        changed.await.map(|rows| rows > 0)
    }

    async fn clear_outbox(&self, deployment: &Deployment, before: Timestamp) -> Result<()> {
        let statement = outbox::clear(deployment, before);
        let cleared = self.driver.execute("forget old mails", statement);
        cleared.await.map(|_| ())
    }

    async fn lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> Result<Lease> {
        self.take_lease(deployment, holder, now, length, displace)
            .await
    }

    async fn renew(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>> {
        self.keep_lease(deployment, holder, now, length).await
    }

    async fn release(&self, deployment: &Deployment, holder: &str) -> Result<()> {
        let values = vec![text(deployment.as_str()), text(holder)];
        let sql =
            "UPDATE leases SET holder = '', expires_at = 0 WHERE deployment = ? AND holder = ?";
        let given = self
            .driver
            .execute("give the lease back", (sql.to_owned(), values));
        given.await.map(|_| ())
    }
}
