//! Endpoints in sealed surroundings: a home of its own, an environment of its own.

use std::time::Duration;

use super::*;
use crate::config::{Overrides, load};

struct Home {
    root: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn pem(&self, directory: &str, names: &[&str]) {
        for name in names {
            self.write(&format!("{directory}/{name}"), "PEM");
        }
    }

    fn context(&self, name: &str, meta: &str) -> String {
        use sha2::{Digest, Sha256};
        let hash = format!("{:x}", Sha256::digest(name));
        self.write(&format!(".docker/contexts/meta/{hash}/meta.json"), meta);
        format!(".docker/contexts/tls/{hash}/docker")
    }

    fn find(&self, env: &[(&str, &str)], host: Option<&str>) -> Result<Endpoint, EndpointError> {
        let around = Surroundings {
            env: env.iter().copied().collect(),
            cwd: self.path(""),
            home: Some(self.path("")),
            os_user: "ada".into(),
            system_dir: self.path("etc"),
        };
        let overrides = Overrides {
            host: host.map(str::to_owned),
            ..Overrides::default()
        };
        find(&load(&around, &overrides).unwrap(), &around)
    }

    /// `address <- origin`, or the error, with the home's path replaced.
    fn says(&self, env: &[(&str, &str)], host: Option<&str>) -> String {
        let text = match self.find(env, host) {
            Ok(endpoint) => format!("{} <- {}", endpoint.address, endpoint.origin),
            Err(error) => error.to_string(),
        };
        text.replace(&self.root.path().display().to_string(), "HOME")
    }
}

const META: &str = r#"{"Name":"lab","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://lab:2376","SkipTLSVerify":false}}}"#;

#[test]
fn how_long_an_answer_may_take_is_as_configured() {
    let home = Home::new();
    for host in [None, Some("tcp://lab:2375")] {
        let set = home.find(&[("ZOE_DOCKER_API_TIMEOUT", "3")], host).unwrap();
        assert_eq!(set.patience, Duration::from_secs(3));
        assert_eq!(home.find(&[], host).unwrap().patience, PATIENCE);
    }
}

#[test]
fn in_order_of_precedence() {
    let home = Home::new();
    assert_eq!(
        home.says(&[], None),
        "unix:///var/run/docker.sock <- default socket"
    );
    home.context("lab", META);
    home.context("other", &META.replace("lab", "other"));
    home.write(
        ".docker/config.json",
        r#"{"auths":{},"currentContext":"lab"}"#,
    );
    assert_eq!(
        home.says(&[], None),
        r#"tcp://lab:2376 <- docker context "lab""#
    );
    let mut env = vec![("DOCKER_CONTEXT", "other")];
    assert_eq!(
        home.says(&env, None),
        r#"tcp://other:2376 <- docker context "other""#
    );
    env[0].1 = "default";
    assert_eq!(
        home.says(&env, None),
        "unix:///var/run/docker.sock <- default socket"
    );
    env.push(("DOCKER_HOST", "unix:///run/my.sock"));
    assert_eq!(home.says(&env, None), "unix:///run/my.sock <- DOCKER_HOST");
    home.write(
        "zoe.conf",
        "[docker]\nswarm_manager_url = tcp://swarm:2380\n",
    );
    assert_eq!(
        home.says(&env, None),
        "tcp://swarm:2380 <- [docker] swarm_manager_url (HOME/zoe.conf:2)"
    );
    env.push(("ZOE_DOCKER_SWARM_MANAGER_URL", "tcp://[::1]"));
    assert_eq!(
        home.says(&env, None),
        "tcp://[::1]:2375 <- ZOE_DOCKER_SWARM_MANAGER_URL"
    );
    assert_eq!(
        home.says(&env, Some("memory:m.json")),
        "memory:HOME/m.json <- --host"
    );
}

#[test]
fn docker_config_names_another_directory() {
    let home = Home::new();
    home.write("elsewhere/config.json", r#"{"currentContext":"default"}"#);
    home.write(".docker/config.json", r#"{"currentContext":"lab"}"#);
    let elsewhere = home.path("elsewhere").display().to_string();
    assert_eq!(
        home.says(&[("DOCKER_CONFIG", &elsewhere)], None),
        "unix:///var/run/docker.sock <- default socket"
    );
}

#[test]
fn tls_from_the_environment() {
    let home = Home::new();
    home.pem("certs", &["ca.pem", "cert.pem", "key.pem"]);
    let certs = home.path("certs").display().to_string();
    let env = [
        ("DOCKER_HOST", "tcp://h"),
        ("DOCKER_TLS_VERIFY", "1"),
        ("DOCKER_CERT_PATH", certs.as_str()),
    ];
    let found = home.find(&env, None).unwrap();
    let [ca, cert, key] = ["ca", "cert", "key"].map(|name| home.path(&format!("certs/{name}.pem")));
    let tls = Some(TlsFiles { ca, cert, key });
    assert_eq!(
        found.address,
        Address::Tcp {
            host: "h".to_owned(),
            port: 2376,
            tls
        }
    );
    // Without the variable the certificates alone do not switch TLS on; without a path they are in ~/.docker.
    assert_eq!(
        home.says(&[env[0], env[2]], None),
        "tcp://h:2375 <- DOCKER_HOST"
    );
    home.pem(".docker", &["ca.pem", "cert.pem", "key.pem"]);
    assert_eq!(home.says(&env[..2], None), "https://h:2376 <- DOCKER_HOST");
    assert_eq!(home.says(&[], Some("https://h:1")), "https://h:1 <- --host");
    // A socket has no TLS.
    assert_eq!(
        home.says(&env[1..], Some("unix:///s")),
        "unix:///s <- --host"
    );
}

#[test]
fn tls_of_a_context() {
    let home = Home::new();
    let tls = home.context("lab", META);
    home.pem(&tls, &["ca.pem", "cert.pem", "key.pem"]);
    let found = home.find(&[("DOCKER_CONTEXT", "lab")], None).unwrap();
    let [ca, cert, key] = ["ca", "cert", "key"].map(|name| home.path(&format!("{tls}/{name}.pem")));
    let tls = Some(TlsFiles { ca, cert, key });
    assert_eq!(
        found.address,
        Address::Tcp {
            host: "lab".to_owned(),
            port: 2376,
            tls
        }
    );
}

#[test]
fn errors_say_what_to_do() {
    let home = Home::new();
    let tls = home.context("half", &META.replace("lab", "half"));
    home.pem(&tls, &["ca.pem"]);
    home.context("ssh", r#"{"Endpoints":{"docker":{"Host":"ssh://me@lab"}}}"#);
    home.context("skip", &META.replace("false", "true"));
    home.context("empty", r#"{"Name":"empty","Endpoints":{}}"#);
    home.context("broken", "{");
    let mut seen = Vec::new();
    for name in ["half", "ssh", "skip", "empty", "broken", "../../none"] {
        seen.push(home.says(&[("DOCKER_CONTEXT", name)], None));
    }
    seen.push(home.says(&[("DOCKER_HOST", "ssh://me@lab")], None));
    seen.push(home.says(&[("DOCKER_HOST", "lab:port")], None));
    seen.push(home.says(
        &[("DOCKER_HOST", "tcp://lab"), ("DOCKER_TLS_VERIFY", "1")],
        None,
    ));
    seen.push(home.says(&[("DOCKER_HOST", "tcp://lab"), ("DOCKER_TLS", "1")], None));
    home.write(".docker/config.json", "not json");
    seen.push(home.says(&[], None));
    home.write(".docker/config.json", r#"{"currentContext":"gone"}"#);
    seen.push(home.says(&[], None));
    insta::assert_snapshot!(seen.join("\n"), @r#"
    docker context "half": TLS needs cert.pem, key.pem, missing in HOME/.docker/contexts/tls/a11ae06469c63740d7b0ecf802f282a0d46e94f31a654dfcd3c0dc6dc277f904/docker; put them there, or give them to the context with `docker context update`
    docker context "ssh": zoe does not speak Docker over ssh; forward the socket (`ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`) and use `unix:///tmp/docker.sock`, or open the Engine's TCP port with TLS
    docker context "skip": asks for TLS without verifying the server, which zoe does not do; give the context a ca.pem and make it without skip-tls-verify
    HOME/.docker/contexts/meta/2e1cfa82b035c26cbbbdae632cea070514eb8b773f616aaeaf668e2f0be8f10d/meta.json: the docker context "empty" has no Docker endpoint; correct it with the docker CLI, or set DOCKER_HOST
    HOME/.docker/contexts/meta/f526795c95399cea27c055c842c3d6ab018ed0fa4f66f701c28ab22dec28237b/meta.json: is not what the docker CLI writes: EOF while parsing an object at line 1 column 1; correct it with the docker CLI, or set DOCKER_HOST
    there is no docker context "../../none" (named by DOCKER_CONTEXT): HOME/.docker/contexts/meta/4e405dbab11e8b002c53cac14fdab872d37c6efac129c7bf1ed2a50aaa9bd828/meta.json is missing; `docker context ls` lists those that exist
    DOCKER_HOST: zoe does not speak Docker over ssh; forward the socket (`ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`) and use `unix:///tmp/docker.sock`, or open the Engine's TCP port with TLS
    DOCKER_HOST: `lab:port` is no host and port; write `tcp://host:port`, an IPv6 address as `[::1]`
    DOCKER_HOST: TLS needs ca.pem, cert.pem, key.pem, missing in HOME/.docker; put them there, or name their directory with DOCKER_CERT_PATH, or unset DOCKER_TLS_VERIFY
    DOCKER_HOST: asks for TLS without verifying the server, which zoe does not do; set DOCKER_TLS_VERIFY=1 instead of DOCKER_TLS
    HOME/.docker/config.json: is not what the docker CLI writes: expected ident at line 1 column 2; correct it with the docker CLI, or set DOCKER_HOST
    there is no docker context "gone" (named by HOME/.docker/config.json): HOME/.docker/contexts/meta/283bb9deef02e6843abfb538efa1eca70801bd8a701c3f98191e123496339247/meta.json is missing; `docker context ls` lists those that exist
    "#);
}
