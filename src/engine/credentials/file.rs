//! What `config.json` says of logins. Pure.
//!
//! Only what is wanted is looked at, and no value of the file is ever part of a message.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::{CredentialsError, RegistryAuth};
use crate::model::Secret;

/// As the docker CLI writes it, and leniently as to what fills it up.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The logins of a file, or of the variable that stands for one.
#[derive(Default)]
pub(super) struct Logins {
    place: String,
    entries: BTreeMap<String, Value>,
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

/// Where a registry's login is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// In the file itself.
    Own,
    /// With the helper program of that name, without its `docker-credential-`.
    Helper(&'a str),
}

impl Logins {
    /// Those in the file's content; `place` is for messages.
    pub(super) fn of(mut content: Value, place: &str) -> Self {
        let mut take = |name: &str| match content.get_mut(name).map(Value::take) {
            Some(Value::Object(map)) => map,
            _ => serde_json::Map::new(),
        };
        let entries = take("auths").into_iter().collect();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let helpers = take("credHelpers")
            .into_iter()
            .filter_map(|(registry, name)| Some((registry, text(&name)?)))
            .collect();
        Self {
            place: place.to_owned(),
            entries,
            helpers,
            store: content
                .get("credsStore")
                .and_then(text)
                .filter(|name| !name.is_empty()),
        }
    }

    /// Where the login for `key` is. A registry's own helper comes before the one for all; an empty name means none.
    pub(super) fn source(&self, key: &str) -> Source<'_> {
        let name = self.helpers.get(key).or(self.store.as_ref());
        match name.map(String::as_str) {
            None | Some("") => Source::Own,
            Some(name) => Source::Helper(name),
        }
    }

    /// Every registry that is named.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.entries.keys().chain(self.helpers.keys()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().cloned().collect()
    }

    /// The login that stands under `key`, or under a key that means the same host: old files have whole URLs.
    pub(super) fn entry(&self, key: &str) -> Result<Option<RegistryAuth>, CredentialsError> {
        let exact = self.entries.get(key);
        let found = exact.or_else(|| {
            let same = self.entries.iter().find(|(other, _)| host(other) == key);
            same.map(|(_, entry)| entry)
        });
        found.map_or(Ok(None), |entry| self.read(key, entry))
    }

    fn read(&self, key: &str, entry: &Value) -> Result<Option<RegistryAuth>, CredentialsError> {
        let field = |name: &str| {
            let text = entry.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        let (mut user, mut password) = (
            field("username").unwrap_or_default().to_owned(),
            field("password").unwrap_or_default().to_owned(),
        );
        if let Some(packed) = field("auth") {
            (user, password) = unpack(packed).ok_or_else(|| CredentialsError::Unreadable {
                place: self.place.clone(),
                problem: format!("the login for {key} is not what the docker CLI writes"),
            })?;
        }
        let auth = RegistryAuth {
            server: key.to_owned(),
            user,
            password: Secret::new(password),
            identity_token: field("identitytoken").map(Secret::new),
            registry_token: field("registrytoken").map(Secret::new),
        };
        let nothing = auth.user.is_empty()
            && auth.password.reveal().is_empty()
            && auth.identity_token.is_none()
            && auth.registry_token.is_none();
        Ok((!nothing).then_some(auth))
    }
}

/// User and password out of `auth`. There may be zeros at the end, left by an old docker CLI.
fn unpack(packed: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(packed.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.trim_matches('\0').to_owned()))
}

/// The host and port of a key that may be a URL, or have a path.
fn host(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
