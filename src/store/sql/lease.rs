//! The lease, in such a database: a row with a holder and an expiry, which one of many can take.

use jiff::{SignedDuration, Timestamp};

use super::{Driver, SqlStore, text};
use crate::model::Deployment;
use crate::store::rows::{self, Value};
use crate::store::{Lease, Result, StoreError};

impl<D: Driver> SqlStore<D> {
    pub(super) async fn take_lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> Result<Lease> {
        const WHAT: &str = "ask for the lease";
        // Two rounds do where nobody interferes; each further one means that another came or went in between.
        const ROUNDS: u32 = 16;
        let clock = D::DIALECT.now();
        let swap = format!(
            "UPDATE leases SET holder = ?, expires_at = {clock} + ? \
             WHERE deployment = ? AND (holder = ? OR holder = ? OR holder = '' OR expires_at <= {clock})"
        );
        // By the caller's clock, which it looks at later: not later than by the database's.
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        for _ in 0..ROUNDS {
            let values = vec![
                text(holder),
                rows::time(now),
                milliseconds(length),
                text(deployment.as_str()),
                text(holder),
                text(displace.unwrap_or(holder)),
                rows::time(now),
            ];
            if self.driver.execute(WHAT, (swap.clone(), values)).await? > 0 {
                let until = rows::read_time("the lease", until.as_millisecond())?;
                return Ok(Lease::Held { until });
            }
            match self.holder(deployment).await? {
                Some((other, until)) if !other.is_empty() && other != holder => {
                    return Ok(Lease::Taken {
                        holder: other,
                        until,
                    });
                }
                Some(_) => {}
                None => {
                    let values = vec![text(deployment.as_str()), text(""), Value::Number(Some(0))];
                    self.upsert(WHAT, &rows::LEASES, values).await?;
                }
            }
        }
        Err(StoreError::Query {
            what: WHAT,
            why: "others took and gave it back all the time".to_owned(),
        })
    }

    pub(super) async fn keep_lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>> {
        let clock = D::DIALECT.now();
        let sql = format!(
            "UPDATE leases SET expires_at = {clock} + ? \
             WHERE deployment = ? AND holder = ? AND expires_at > {clock}"
        );
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        let values = vec![
            rows::time(now),
            milliseconds(length),
            text(deployment.as_str()),
            text(holder),
            rows::time(now),
        ];
        let changed = self.driver.execute("renew the lease", (sql, values));
        let until = rows::read_time("the lease", until.as_millisecond())?;
        Ok((changed.await? > 0).then_some(until))
    }

    async fn holder(&self, deployment: &Deployment) -> Result<Option<(String, Timestamp)>> {
        let sql = "SELECT holder, expires_at FROM leases WHERE deployment = ?";
        let statement = (sql.to_owned(), vec![text(deployment.as_str())]);
        let found: Vec<(String, i64)> = self.driver.fetch("read the lease", statement).await?;
        let first = found.into_iter().next();
        first
            .map(|(holder, ms)| Ok((holder, rows::read_time("the lease", ms)?)))
            .transpose()
    }
}

fn milliseconds(length: SignedDuration) -> Value {
    Value::Number(Some(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
}
