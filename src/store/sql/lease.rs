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
        const SWAP: &str = "UPDATE leases SET holder = ?, expires_at = ? \
             WHERE deployment = ? AND (holder = ? OR holder = ? OR holder = '' OR expires_at <= ?)";
        // Two rounds do where nobody interferes; each further one means that another came or went in between.
        const ROUNDS: u32 = 16;
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        let expires = Value::Number(Some(until.as_millisecond()));
        for _ in 0..ROUNDS {
            let values = vec![
                text(holder),
                expires.clone(),
                text(deployment.as_str()),
                text(holder),
                text(displace.unwrap_or(holder)),
                Value::Number(Some(now.as_millisecond())),
            ];
            if self.driver.execute(WHAT, (SWAP.to_owned(), values)).await? > 0 {
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
