//! `mysql://user:password@host:port/database?options`. No message shows the text: it may hold a password.

use std::path::PathBuf;

use url::Url;

use super::error::nearest;
use super::values::{MysqlUrl, TlsMode};
use crate::model::Secret;
use crate::model::ids::shorten;

const OPTIONS: [&str; 5] = ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket"];

/// Reads what comes after the scheme; `resolve` makes paths absolute.
pub(super) fn parse(rest: &str, resolve: impl Fn(&str) -> PathBuf) -> Result<MysqlUrl, String> {
    let problem = |what: &str| {
        format!(
            "{what}; write `mysql://user:password@host:port/database`, with `%23` for `#`, `%2F` for `/`, `%3F` for `?` \
             and `%40` for `@` inside the password"
        )
    };
    let url = Url::parse(&format!("mysql:{rest}")).map_err(|error| problem(&error.to_string()))?;
    let database = url.path().trim_start_matches('/');
    if url.host_str().is_none_or(str::is_empty) {
        return Err(problem("the URL names no host"));
    }
    // A raw `#`, `/` or `?` in a password makes a URL that parses, with its parts in the wrong places.
    if url.fragment().is_some()
        || database.contains(['/', '@'])
        || url.query().is_some_and(|q| q.contains('@'))
    {
        return Err(problem("the URL's parts are not where they should be"));
    }
    if database.is_empty() {
        return Err(problem("the URL names no database"));
    }
    let mut shown = url.clone();
    if url.password().is_some() {
        shown
            .set_password(Some("***"))
            .map_err(|()| problem("the URL can't hold a password"))?;
    }
    // The options are read here, in more ways to write them than the driver knows.
    let mut bare = url.clone();
    bare.set_query(None);
    let mut parsed = MysqlUrl {
        url: Secret::new(bare.as_str()),
        shown: shown.to_string(),
        tls: TlsMode::Preferred,
        ca: None,
        certificate: None,
        key: None,
        socket: None,
    };
    for (name, value) in url.query_pairs() {
        let path = || Some(resolve(&value));
        match &*name {
            "ssl-mode" => parsed.tls = mode(&value)?,
            "ssl-ca" => parsed.ca = path(),
            "ssl-cert" => parsed.certificate = path(),
            "ssl-key" => parsed.key = path(),
            "socket" => parsed.socket = path(),
            other => return Err(unknown(other)),
        }
    }
    if parsed.ca.is_some() && !matches!(parsed.tls, TlsMode::VerifyCa | TlsMode::VerifyIdentity) {
        return Err("`ssl-ca` is only looked at when the server is to be verified; add `ssl-mode=VERIFY_IDENTITY` \
                    (or `VERIFY_CA`)"
            .to_owned());
    }
    if parsed.certificate.is_some() != parsed.key.is_some() {
        return Err("`ssl-cert` and `ssl-key` belong together; give both".to_owned());
    }
    Ok(parsed)
}

fn mode(text: &str) -> Result<TlsMode, String> {
    match text.to_ascii_uppercase().replace('-', "_").as_str() {
        "DISABLED" => Ok(TlsMode::Disabled),
        "PREFERRED" => Ok(TlsMode::Preferred),
        "REQUIRED" => Ok(TlsMode::Required),
        "VERIFY_CA" => Ok(TlsMode::VerifyCa),
        "VERIFY_IDENTITY" => Ok(TlsMode::VerifyIdentity),
        _ => Err(format!(
            "`{}` is no ssl-mode; there are DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY",
            shorten(text)
        )),
    }
}

/// What follows a `?` that was meant to be in a password is an unknown option with nothing behind it: not shown.
fn unknown(name: &str) -> String {
    let hint = match nearest(name, OPTIONS.into_iter()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", OPTIONS.join(", ")),
    };
    format!("the URL has an option that zoe does not know; {hint}")
}
