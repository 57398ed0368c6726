//! The address of a Docker endpoint as people write it (`DOCKER_HOST`, `[docker] swarm_manager_url`, `--host`).
//!
//! Form only: certificates, contexts and default ports are the endpoint finder's, which knows the surroundings.

use std::fmt;
use std::path::PathBuf;

use crate::model::ids::shorten;

/// A well-formed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerUrl {
    /// A Unix socket, absolute.
    Unix(PathBuf),
    /// A TCP port.
    Tcp {
        /// A name or an IP address, an IPv6 one without brackets.
        host: String,
        /// Absent: Docker's usual port.
        port: Option<u16>,
        /// `https://` asks for TLS; otherwise the environment or the context does.
        tls: bool,
    },
    /// No Docker: the in-memory backend, kept in this file, absolute.
    Memory(PathBuf),
}

impl fmt::Display for DockerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Memory(path) => write!(f, "memory:{}", path.display()),
            Self::Tcp { host, port, tls } => {
                f.write_str(if *tls { "https://" } else { "tcp://" })?;
                if host.contains(':') {
                    write!(f, "[{host}]")?;
                } else {
                    f.write_str(host)?;
                }
                port.map_or(Ok(()), |port| write!(f, ":{port}"))
            }
        }
    }
}

impl DockerUrl {
    /// Reads an address; `resolve` makes a `memory:` path absolute. The error says what is wrong and what to write.
    pub fn parse(text: &str, resolve: impl Fn(&str) -> PathBuf) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("memory:") {
            return if path.is_empty() {
                Err("`memory:` names no file; write `memory:/path/to/file.json`".to_owned())
            } else {
                Ok(Self::Memory(resolve(path)))
            };
        }
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("unix", _)) => Err("a socket's path must be absolute; write `unix:///var/run/docker.sock`".to_owned()),
            Some(("tcp" | "http", rest)) => Self::tcp(rest, false),
            Some(("https", rest)) => Self::tcp(rest, true),
            Some(("ssh", _)) => Err(
                "zoe does not speak Docker over ssh; forward the socket (`ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`) \
                 and use `unix:///tmp/docker.sock`, or open the Engine's TCP port with TLS"
                    .to_owned(),
            ),
            Some((scheme, _)) => Err(format!(
                "zoe can't reach Docker through `{}://`; write `unix:///path`, `tcp://host:port` or `memory:/path`",
                shorten(scheme)
            )),
            None => Self::tcp(text, false),
        }
    }

    fn tcp(rest: &str, tls: bool) -> Result<Self, String> {
        let malformed = || {
            let text = shorten(rest);
            format!(
                "`{text}` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`"
            )
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = if let Some(v6) = rest.strip_prefix('[') {
            let (host, after) = v6.split_once(']').ok_or_else(malformed)?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| malformed())?;
            let port = if after.is_empty() {
                None
            } else {
                Some(after.strip_prefix(':').ok_or_else(malformed)?)
            };
            (host, port)
        } else {
            rest.split_once(':')
                .map_or((rest, None), |(host, port)| (host, Some(port)))
        };
        let host_ok = host.contains(':') || is_host_name(host);
        let port = port.map(str::parse).transpose().map_err(|_| malformed())?;
        if !host_ok || port == Some(0) {
            return Err(malformed());
        }
        Ok(Self::Tcp {
            host: host.to_owned(),
            port,
            tls,
        })
    }
}

/// Letters, digits, `.`, `-`, `_`: what a host name or an IPv4 address is made of.
pub(super) fn is_host_name(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !host.is_empty()
        && host.len() <= 253
        && !host.starts_with(['-', '.'])
        && host.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<DockerUrl, String> {
        DockerUrl::parse(text, |path| PathBuf::from("/base").join(path))
    }

    fn tcp(host: &str, port: Option<u16>, tls: bool) -> DockerUrl {
        DockerUrl::Tcp {
            host: host.to_owned(),
            port,
            tls,
        }
    }

    #[test]
    fn well_formed() {
        assert_eq!(
            parse("unix:///run/d.sock"),
            Ok(DockerUrl::Unix("/run/d.sock".into()))
        );
        assert_eq!(
            parse("memory:m.json"),
            Ok(DockerUrl::Memory("/base/m.json".into()))
        );
        assert_eq!(
            parse("memory:/m.json"),
            Ok(DockerUrl::Memory("/m.json".into()))
        );
        assert_eq!(
            parse("tcp://swarm.example.com:2380"),
            Ok(tcp("swarm.example.com", Some(2380), false))
        );
        assert_eq!(parse("10.0.0.1"), Ok(tcp("10.0.0.1", None, false)));
        assert_eq!(parse("https://h/"), Ok(tcp("h", None, true)));
        assert_eq!(parse("tcp://[::1]:2375"), Ok(tcp("::1", Some(2375), false)));
    }

    #[test]
    fn malformed() {
        let texts = [
            "unix://rel",
            "memory:",
            "ssh://me@host",
            "npipe:////./pipe/d",
            "tcp://",
            "tcp://h:x",
            "tcp://h:0",
            "tcp://[::1",
            "tcp://[::1]2",
            "tcp://h:1/path",
            "a b",
            "::1",
            "",
        ];
        let errors: Vec<_> = texts
            .iter()
            .map(|text| format!("{text:?}: {}", parse(text).unwrap_err()))
            .collect();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        "unix://rel": a socket's path must be absolute; write `unix:///var/run/docker.sock`
        "memory:": `memory:` names no file; write `memory:/path/to/file.json`
        "ssh://me@host": zoe does not speak Docker over ssh; forward the socket (`ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`) and use `unix:///tmp/docker.sock`, or open the Engine's TCP port with TLS
        "npipe:////./pipe/d": zoe can't reach Docker through `npipe://`; write `unix:///path`, `tcp://host:port` or `memory:/path`
        "tcp://": `` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "tcp://h:x": `h:x` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "tcp://h:0": `h:0` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "tcp://[::1": `[::1` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "tcp://[::1]2": `[::1]2` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "tcp://h:1/path": `h:1/path` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "a b": `a b` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "::1": `::1` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "": `` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
        "#);
    }

    proptest! {
        #[test]
        fn what_parses_prints_and_parses_again(text in "((unix|tcp|https?|memory):(//)?)?[\\[\\]:/a-z0-9.]*") {
            if let Ok(url) = parse(&text) {
                prop_assert_eq!(parse(&url.to_string()), Ok(url));
            }
        }
    }
}
