//! `MySQL` and `MariaDB`: for a team, and for whoever has a server anyway.
//!
//! A database of its own on any server of theirs that has `InnoDB`. Left out: `Galera` clusters that are written to at several nodes at
//! once, whose named locks do not reach from node to node.

mod connections;
mod errors;
mod schema;
mod server;
mod whole;

use sqlx::{AssertSqlSafe, Connection as _};

use self::connections::Connections;
use super::Result;
use super::dialect::Dialect;
use super::sql::{Bound, Driver, Row, SqlStore, bind, bind_as};

pub use server::Server;
pub use whole::{export, import, init, migrate, standing};

/// The store in a database of such a server.
pub type MysqlStore = SqlStore<MysqlDatabase>;

/// A database of such a server.
pub struct MysqlDatabase {
    connections: Connections,
}

impl SqlStore<MysqlDatabase> {
    /// Connects, and brings the schema up to date. The database itself must be there.
    pub async fn open(server: Server) -> Result<Self> {
        let mut connection = server.connect().await?;
        schema::ensure(&server, &mut connection).await?;
        let connections = Connections::new(server, connection);
        Ok(Self {
            driver: MysqlDatabase { connections },
        })
    }
}

impl Driver for MysqlDatabase {
    const DIALECT: Dialect = Dialect::MySql;

    fn place(&self) -> String {
        self.connections.server.shown.clone()
    }

    async fn execute(&self, what: &'static str, (sql, values): Bound) -> Result<u64> {
        self.connections
            .run(what, &|connection| {
                let statement = bind(sqlx::query(AssertSqlSafe(sql.clone())), values.clone());
                Box::pin(async { Ok(statement.execute(connection).await?.rows_affected()) })
            })
            .await
    }

    async fn fetch<T: Row>(&self, what: &'static str, (sql, values): Bound) -> Result<Vec<T>> {
        self.connections
            .run(what, &|connection| {
                let statement = bind_as(sqlx::query_as(AssertSqlSafe(sql.clone())), values.clone());
                Box::pin(statement.fetch_all(connection))
            })
            .await
    }

    async fn together(&self, what: &'static str, statements: Vec<Bound>) -> Result<()> {
        self.connections
            .run(what, &|connection| {
                let statements = statements.clone();
                Box::pin(async {
                    let mut transaction = connection.begin().await?;
                    for (sql, values) in statements {
                        bind(sqlx::query(AssertSqlSafe(sql)), values)
                            .execute(&mut *transaction)
                            .await?;
                    }
                    transaction.commit().await
                })
            })
            .await
    }
}
