//! What a server says as sentences for people. None of them holds a password: servers never repeat one, and neither does sqlx.

use std::io;

use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

use crate::store::StoreError;

/// The server's number of an error.
pub fn number(error: &Error) -> Option<u16> {
    let error = error.as_database_error()?;
    let error = error.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// Whether the connection is gone, so that another may do better: broken, closed by the server, or the server shuts down.
pub fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Io(_) | Error::Protocol(_))
        || matches!(number(error), Some(1053 | 1077 | 1927 | 2006 | 2013 | 4031))
}

/// Whether other statements got in the way (a deadlock): it would have gone well alone.
pub fn is_collision(error: &Error) -> bool {
    number(error) == Some(1213)
}

/// Whether it says that what was to be made is there, or what was to be removed is not.
pub fn is_done_already(error: &Error) -> bool {
    matches!(number(error), Some(1050 | 1060 | 1061 | 1091))
}

/// Whether there is no such database.
pub fn is_no_database(error: &Error) -> bool {
    number(error) == Some(1049)
}

fn why(error: &Error) -> String {
    let words = error
        .as_database_error()
        .map_or_else(|| error.to_string(), |inner| inner.message().to_owned());
    match (error, number(error)) {
        (_, Some(1045 | 1698)) => format!("the server does not let this user in ({words})"),
        (_, Some(1044 | 1142 | 1227 | 1370)) => format!("this user may not do that ({words})"),
        (_, Some(1049)) => "there is no such database; `zoe db init` makes it".to_owned(),
        (_, Some(1040 | 1203)) => {
            format!("the server has no room for another connection ({words})")
        }
        (_, Some(1205)) => "another statement kept it locked".to_owned(),
        (_, Some(1290 | 1836)) => format!("the server takes no changes ({words})"),
        (_, Some(1021 | 1114)) => format!("the server's disk is full ({words})"),
        (Error::Io(error), _) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "nothing answers there (connection refused)".to_owned()
        }
        (Error::Io(error), _) => format!("the connection failed ({error})"),
        (Error::Tls(error), _) => format!("TLS failed ({error})"),
        (Error::Protocol(words), _) => format!("the server could not be understood ({words})"),
        (Error::Configuration(error), _) => error.to_string(),
        _ => words,
    }
}

/// The error of an attempt to connect, or of what is done before anything else.
pub fn opening(place: &str, error: &Error) -> StoreError {
    StoreError::Open {
        place: place.to_owned(),
        why: why(error),
    }
}

/// The error of a statement.
pub fn running(place: &str, what: &'static str, error: &Error) -> StoreError {
    StoreError::Query {
        what,
        why: format!("{} ({place})", why(error)),
    }
}

/// Why something failed that is told in another sentence.
pub fn cause(error: &Error) -> String {
    why(error)
}
