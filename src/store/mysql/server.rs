//! Which server, who to be there, and how to get a connection that behaves as the store needs it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::time::timeout;

use super::errors;
use crate::config::files::{has_certificates, read_small};
use crate::config::{Db, MysqlUrl, TlsMode};
use crate::model::Secret;
use crate::store::{Result, StoreError};

/// How long a connection may take to stand.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a session has that statements rely on: nothing is cut to fit, and nobody waits for a lock longer than for an answer.
const SESSION: &str = "SET NAMES utf8mb4, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     innodb_lock_wait_timeout = 20, lock_wait_timeout = 60";

/// A database of a server, and how to get there. It has no `Debug`: the driver's would show the password.
#[derive(Clone)]
pub struct Server {
    options: MySqlConnectOptions,
    /// The URL without a password.
    pub shown: String,
}

impl Server {
    /// The one that is configured. A password of its own goes before one in a file, and that before the URL's.
    pub fn of(url: &MysqlUrl, db: &Db) -> Result<Self> {
        let refuse = |why: String| StoreError::Open {
            place: url.shown.clone(),
            why,
        };
        let options: MySqlConnectOptions = url
            .url
            .reveal()
            .parse()
            .map_err(|_| refuse("its URL cannot be understood".to_owned()))?;
        let mut options = options
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .set_names(false)
            .ssl_mode(match url.tls {
                TlsMode::Disabled => MySqlSslMode::Disabled,
                TlsMode::Preferred => MySqlSslMode::Preferred,
                TlsMode::Required => MySqlSslMode::Required,
                TlsMode::VerifyCa => MySqlSslMode::VerifyCa,
                TlsMode::VerifyIdentity => MySqlSslMode::VerifyIdentity,
            })
            .disable_statement_logging();
        // A file that is missing would be reported by its name alone.
        for file in [&url.ca, &url.certificate, &url.key].into_iter().flatten() {
            fs::metadata(file)
                .map_err(|error| refuse(format!("{} cannot be read ({error})", file.display())))?;
        }
        if let Some(ca) = &url.ca {
            has_certificates(ca).map_err(|why| refuse(format!("{} {why}", ca.display())))?;
            options = options.ssl_ca(ca);
        }
        if let Some(certificate) = &url.certificate {
            options = options.ssl_client_cert(certificate);
        }
        if let Some(key) = &url.key {
            options = options.ssl_client_key(key);
        }
        if let Some(socket) = &url.socket {
            options = options.socket(socket);
        }
        let password = match (&db.password, &db.password_file) {
            (Some(password), _) => Some(password.clone()),
            (None, Some(file)) => Some(read_password(file).map_err(refuse)?),
            (None, None) => None,
        };
        if let Some(password) = password {
            options = options.password(password.reveal());
        }
        Ok(Self {
            options,
            shown: url.shown.clone(),
        })
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        self.options.get_database().unwrap_or_default()
    }

    /// A connection to it.
    pub async fn connect(&self) -> Result<MySqlConnection> {
        self.try_connect()
            .await?
            .map_err(|error| errors::opening(&self.shown, &error))
    }

    /// A connection to it, or the driver's error; one that takes too long is an error already.
    pub async fn try_connect(&self) -> Result<sqlx::Result<MySqlConnection>> {
        connect(&self.options, &self.shown).await
    }

    /// A connection to the server and to none of its databases.
    pub async fn connect_beside(&self) -> Result<MySqlConnection> {
        let options = self.options.clone().database("");
        connect(&options, &self.shown)
            .await?
            .map_err(|error| errors::opening(&self.shown, &error))
    }
}

async fn connect(
    options: &MySqlConnectOptions,
    shown: &str,
) -> Result<sqlx::Result<MySqlConnection>> {
    let connecting = async {
        let mut connection = options.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(SESSION))
            .execute(&mut connection)
            .await?;
        Ok(connection)
    };
    timeout(PATIENCE, connecting)
        .await
        .map_err(|_| StoreError::Open {
            place: shown.to_owned(),
            why: format!("no connection within {} s", PATIENCE.as_secs()),
        })
}

/// The first line of a file.
fn read_password(file: &Path) -> std::result::Result<Secret, String> {
    let text = read_small(file).map_err(|error| {
        format!(
            "its password file {} cannot be read ({error})",
            file.display()
        )
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        Some(_) | None => Err(format!(
            "its password file {} has no first line",
            file.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_a_files_first_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        for (text, password) in [("a b#\r\nmore", "a b#"), ("x", "x")] {
            fs::write(&file, text).unwrap();
            assert_eq!(read_password(&file).unwrap().reveal(), password);
        }
        for text in ["", "\n", "\nx"] {
            fs::write(&file, text).unwrap();
            assert!(read_password(&file).is_err(), "{text:?}");
        }
        let error = read_password(&directory.path().join("none")).unwrap_err();
        assert!(error.contains("cannot be read"), "{error}");
    }
}
