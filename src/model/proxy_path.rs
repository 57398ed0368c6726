//! Where an execution is on the web server: a path that nobody guesses, kept in its ticket.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::application::{Component, Port, Protocol};
use super::execution::Ticket;
use super::ids::{IdError, shorten};

/// The alphabet of a token: that of RFC 4648's base 32 in small letters.
const SYMBOLS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 26 characters of 5 bits hold 128.
const TOKEN: usize = 26;
/// The longest path, its token included.
const LONGEST: usize = 200;

/// A path on the web server, `/zoe/TOKEN`: begins with `/`, doesn't end with one, and its last part is 128 random bits.
/// Who knows it may see what is behind; so `Debug` does not show the token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProxyPath(Arc<str>);

impl ProxyPath {
    /// The path below `prefix` with these bits.
    pub fn new(prefix: &str, mut bits: u128) -> Result<Self, IdError> {
        let mut path = format!("{}/", prefix.trim_end_matches('/'));
        for _ in 0..TOKEN {
            let symbol = usize::try_from(bits & 31).ok().and_then(|i| SYMBOLS.get(i));
            path.push(char::from(*symbol.unwrap_or(&b'a')));
            bits >>= 5;
        }
        path.parse()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part.
    pub fn token(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, token)| token)
    }
}

impl FromStr for ProxyPath {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let no = |why| IdError::Name {
            what: "the path",
            shown: shorten(text),
            why,
        };
        let piece_ok = |piece: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-~".contains(c);
            !matches!(piece, "" | "." | "..") && piece.chars().all(plain)
        };
        let (prefix, token) = text.rsplit_once('/').ok_or_else(|| no("it has no token"))?;
        let prefix_ok = prefix.is_empty()
            || prefix
                .strip_prefix('/')
                .is_some_and(|rest| rest.split('/').all(piece_ok));
        if !prefix_ok || text.len() > LONGEST {
            return Err(no("it is no plain path of a URL"));
        }
        if token.len() != TOKEN || !token.bytes().all(|b| SYMBOLS.contains(&b)) {
            return Err(no("it does not end with 26 of a–z and 2–7"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for ProxyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyPath(***)")
    }
}

impl Component {
    /// What a member is called in paths: the component, with the number behind it where there may be several. The dot is in no
    /// component's name, so no two members share one.
    fn path_name(&self, index: u32) -> String {
        if self.members() > 1 {
            format!("{}.{index}", self.name)
        } else {
            self.name.to_string()
        }
    }
}

impl Ticket {
    /// What stands for a port of a member below the execution's path: `master/web`. `None` for what is not behind the web
    /// server.
    pub fn place_of(&self, component: &Component, index: u32, port: &Port) -> Option<String> {
        let is_served = port.proxy && port.protocol == Protocol::Http && self.proxy.is_some();
        is_served.then(|| format!("{}/{}", component.path_name(index), port.name))
    }

    /// The path of a port of a member on the web server, without `/` at its end: `/zoe/TOKEN/master/web`.
    pub fn path_of(&self, component: &Component, index: u32, port: &Port) -> Option<String> {
        let place = self.place_of(component, index, port)?;
        Some(format!("{}/{place}", self.proxy.as_ref()?.as_str()))
    }

    /// What all paths begin with at a port of a member itself: its path on the web server where it serves below that, else
    /// nothing.
    pub fn base_of(&self, component: &Component, index: u32, port: &Port) -> String {
        self.path_of(component, index, port)
            .filter(|_| port.base_path)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_plain_paths_with_a_token_are_paths() {
        let token = "abcdefghijklmnopqrstuvwxyz";
        for good in ["", "/zoe", "/a/b.c~d"] {
            let path: ProxyPath = format!("{good}/{token}").parse().unwrap();
            assert_eq!(path.token(), token);
            assert!(!format!("{path:?}").contains(token));
        }
        for bad in [
            token.to_owned(),
            format!("zoe/{token}"),
            format!("/zoe/../{token}"),
            format!("//{token}"),
            format!("/</Location>/{token}"),
            format!("/a b/{token}"),
            format!("/a\n/{token}"),
            format!("/zoe/{token}a"),
            format!("/zoe/{}", &token[1..]),
            format!("/zoe/{token}/"),
            format!("/zoe/{}", token.to_uppercase()),
            format!("/{}/{token}", "x".repeat(300)),
        ] {
            assert!(bad.parse::<ProxyPath>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn all_bits_make_paths_that_read_back(bits: u128, other: u128) {
            let path = ProxyPath::new("/zoe", bits).unwrap();
            prop_assert_eq!(path.as_str().parse(), Ok(path.clone()));
            prop_assert_eq!(path == ProxyPath::new("/zoe/", other).unwrap(), bits == other);
        }
    }
}
