//! Connections, kept between statements and made anew when they are lost.
//!
//! Not sqlx's pool: it takes a refused connection for a server that is about to start and waits for it, and what waits is every
//! command of zoe's while the database is away.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::mysql::MySqlConnection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::errors;
use super::server::Server;
use crate::store::{Result, StoreError};

/// How many statements run at once.
const MOST: usize = 4;
/// How long a statement may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a statement is tried that others got in the way of.
const TRIES: u32 = 10;

/// What comes of a statement.
pub type Answer<'c, T> = BoxFuture<'c, sqlx::Result<T>>;
/// A statement that can be run again.
pub type Work<'w, T> = dyn for<'c> Fn(&'c mut MySqlConnection) -> Answer<'c, T> + Send + Sync + 'w;

/// The connections to one server.
pub struct Connections {
    /// The server.
    pub server: Server,
    idle: Mutex<Vec<MySqlConnection>>,
    permits: Semaphore,
}

impl Connections {
    /// With one that stands.
    pub fn new(server: Server, first: MySqlConnection) -> Self {
        Self {
            server,
            idle: Mutex::new(vec![first]),
            permits: Semaphore::new(MOST),
        }
    }

    /// Runs a statement. Where a connection that was kept turns out to be lost, or other statements got in the way, it is run once
    /// more; a connection on which anything went wrong is not used again.
    pub async fn run<T>(&self, what: &'static str, work: &Work<'_, T>) -> Result<T> {
        let failed = |why: &str| StoreError::Query {
            what,
            why: format!("{why} ({})", self.server.shown),
        };
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|_| failed("its connections are closed"))?;
        let mut tries = 0;
        loop {
            let kept = self.idle().pop();
            let was_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.server.connect().await?,
            };
            let error = match timeout(PATIENCE, work(&mut connection)).await {
                Ok(Ok(answer)) => {
                    self.idle().push(connection);
                    return Ok(answer);
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    let seconds = PATIENCE.as_secs();
                    return Err(failed(&format!("it took longer than {seconds} s")));
                }
            };
            drop(connection);
            tries += 1;
            if was_kept && errors::is_lost(&error) {
                // The others are as old.
                self.idle().clear();
            } else if errors::is_collision(&error) && tries < TRIES {
                tokio::time::sleep(Duration::from_millis(rand::random_range(1..20))).await;
            } else {
                return Err(errors::running(&self.server.shown, what, &error));
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<MySqlConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
