//! A docker directory of one's own, with helper scripts, and what comes out of it.

use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::*;

/// A place with a `config.json` and a directory of programs.
struct Place(TempDir);

impl Place {
    fn new(config: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::write(place.path("config.json"), config).unwrap();
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// A credential helper that is this shell script.
    fn helper(self, name: &str, script: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(&format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn env(&self, more: &[(&str, &str)]) -> Env {
        let directory = self.0.path().display().to_string();
        let path = format!("/nowhere:{directory}:/usr/bin:/bin");
        let own = [("DOCKER_CONFIG", directory.as_str()), ("PATH", &path)];
        own.into_iter().chain(more.iter().copied()).collect()
    }

    fn credentials(&self, more: &[(&str, &str)]) -> Credentials {
        Credentials::of(&Surroundings {
            env: self.env(more),
            cwd: "/".into(),
            home: None,
            os_user: "ada".to_owned(),
            system_dir: "/etc/zoe".into(),
        })
    }

    async fn look_up(&self, registry: &str) -> Result<Option<RegistryAuth>, CredentialsError> {
        self.credentials(&[]).for_registry(registry).await
    }
}

/// User, password, identity token.
fn parts(auth: Option<RegistryAuth>) -> Option<(String, String, String)> {
    auth.map(|auth| {
        let token = auth.identity_token.as_ref().map(Secret::reveal);
        (
            auth.user,
            auth.password.reveal().to_owned(),
            token.unwrap_or_default().to_owned(),
        )
    })
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "it is compared with what may be none"
)]
fn login(user: &str, password: &str, token: &str) -> Option<(String, String, String)> {
    Some((user.to_owned(), password.to_owned(), token.to_owned()))
}

#[tokio::test]
async fn a_login_stands_in_the_file() {
    let auth = STANDARD.encode("ada:pass:word\0\0");
    let place = Place::new(&format!(
        r#"{{"auths": {{
            "reg.example:5000": {{"auth": "{auth}"}},
            "plain.example": {{"username": "lin", "password": "x"}},
            "https://old.example/v1/": {{"auth": "{auth}"}},
            "https://index.docker.io/v1/": {{"auth": "{}", "identitytoken": "tok"}},
            "kept.elsewhere": {{}}
        }}, "credsStore": ""}}"#,
        STANDARD.encode("hub:")
    ));
    for (registry, wanted) in [
        ("reg.example:5000", login("ada", "pass:word", "")),
        ("plain.example", login("lin", "x", "")),
        ("old.example", login("ada", "pass:word", "")),
        ("docker.io", login("hub", "", "tok")),
        ("kept.elsewhere", None),
        ("reg.example", None),
        ("reg.example:5001", None),
    ] {
        let found = place.look_up(registry).await.unwrap();
        assert_eq!(parts(found), wanted, "{registry}");
    }
    let nothing = tempfile::tempdir().unwrap();
    let none = Place(nothing).look_up("reg.example").await.unwrap();
    assert_eq!(none, None, "no file, no login");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_without_what_is_in_it() {
    let place =
        Place::new(r#"{"auths": {"a.example": {"auth": "c2VjcmV0"}, "b.example": "c2VjcmV0"}}"#);
    let error = place.look_up("a.example").await.unwrap_err().to_string();
    assert!(
        error.contains("config.json: the login for a.example is not"),
        "{error}"
    );
    assert!(!error.contains("c2VjcmV0"), "{error}");
    assert_eq!(place.look_up("b.example").await.unwrap(), None);
    let error = Place::new("{\"auths\": {\"a\": c2VjcmV0")
        .look_up("a.example")
        .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("is not what the docker CLI writes"),
        "{error}"
    );
    assert!(!error.contains("c2VjcmV0"), "{error}");
}

#[tokio::test]
async fn helpers_give_the_login_that_they_are_asked_for() {
    let config = r#"{"auths": {"own.example": {"username": "o", "password": "o"}},
        "credHelpers": {"cloud.example": "cloud", "own.example": "", "none.example": "nothing"},
        "credsStore": "chain"}"#;
    let place = Place::new(config)
        .helper(
            "cloud",
            r#"echo '{"ServerURL": "x", "Username": "<token>", "Secret": "tok"}'"#,
        )
        .helper(
            "chain",
            r#"[ "$1" = get ] && echo "{\"Username\": \"ada\", \"Secret\": \"for $(cat)\"}""#,
        )
        .helper(
            "nothing",
            "echo 'credentials not found in native keychain'; exit 1",
        );
    for (registry, wanted) in [
        ("cloud.example", login("", "", "tok")),
        ("own.example", login("o", "o", "")),
        ("none.example", None),
        ("reg.example:5000", login("ada", "for reg.example:5000", "")),
        (
            "docker.io",
            login("ada", "for https://index.docker.io/v1/", ""),
        ),
    ] {
        let found = place.look_up(registry).await.unwrap();
        assert_eq!(parts(found), wanted, "{registry}");
    }
}

#[tokio::test]
async fn a_helper_that_fails_is_named() {
    let config = r#"{"credHelpers": {"a.example": "absent", "b.example": "broken", "c.example": "mute",
        "d.example": "babbling", "e.example": "../../bin/sh"}}"#;
    let place = Place::new(config)
        .helper(
            "broken",
            "echo 'the keychain is locked'; echo more >&2; exit 1",
        )
        .helper("mute", "exit 7")
        .helper("babbling", "echo 's3cret is no JSON'");
    let mut said = Vec::new();
    for registry in [
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
    ] {
        said.push(place.look_up(registry).await.unwrap_err().to_string());
    }
    insta::assert_snapshot!(said.join("\n"), @"
    the credential helper docker-credential-absent, which config.json names for a.example, is not in PATH
    the credential helper docker-credential-broken gives no login for b.example: the keychain is locked
    the credential helper docker-credential-mute gives no login for c.example: exit status: 7
    the credential helper docker-credential-babbling gives no login for d.example: its answer is not the JSON of a credential helper
    the credential helper docker-credential-../../bin/sh, which config.json names for e.example, is not in PATH
    ");
}

#[tokio::test]
async fn a_helper_that_does_not_answer_is_not_waited_for_longer_than_that() {
    let place = Place::new("{}").helper("slow", "exec sleep 600");
    let env = place.env(&[]);
    let error = helper::ask("slow", "a.example", &env, Duration::from_millis(50)).await;
    assert!(error.unwrap_err().to_string().contains("no answer within"));
}

#[tokio::test]
async fn the_variable_comes_first() {
    let place = Place::new(
        r#"{"auths": {"a.example": {"username": "f", "password": "f"}, "b.example": {"username": "f", "password": "f"}}}"#,
    );
    let variable = r#"{"auths": {"a.example": {"username": "v", "password": "v"}}}"#;
    let credentials = place.credentials(&[(VARIABLE, variable)]);
    for (registry, who) in [("a.example", "v"), ("b.example", "f")] {
        let found = credentials.for_registry(registry).await.unwrap();
        assert_eq!(parts(found), login(who, who, ""), "{registry}");
    }
    let all = decoded(&credentials.all_header().await);
    assert_eq!(all["a.example"]["username"], "v");
    assert_eq!(all["b.example"]["serveraddress"], "b.example");
}

fn decoded(header: &HeaderValue) -> serde_json::Value {
    assert!(header.is_sensitive());
    serde_json::from_slice(&URL_SAFE.decode(header.as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn the_header_is_what_the_engine_reads() {
    let place =
        Place::new(r#"{"auths": {"a.example": {"username": "ada", "password": "?~>??>~~"}}}"#);
    let credentials = place.credentials(&[]);
    let header = credentials.access("a.example/x:1").await.header();
    assert!(!header.to_str().unwrap().contains(['+', '/']));
    assert_eq!(
        decoded(&header),
        serde_json::json!({"username": "ada", "password": "?~>??>~~", "serveraddress": "a.example"})
    );
    let nobody = credentials.access("b.example/x:1").await.header();
    assert_eq!(nobody, "e30=");
    let shown = format!("{:?}", credentials.access("a.example/x:1").await);
    assert!(!shown.contains("?~>"), "{shown}");
}

#[tokio::test]
async fn a_refusal_says_who_was_refused_and_what_to_do() {
    let place = Place::new(
        r#"{"auths": {"a.example": {"username": "ada", "password": "x"}, "t.example": {"identitytoken": "x"}},
            "credHelpers": {"h.example": "absent"}}"#,
    );
    let credentials = place.credentials(&[]);
    let mut said = Vec::new();
    for image in [
        "a.example/x",
        "t.example/x",
        "b.example:5000/x",
        "h.example/x",
        "zoe/x",
    ] {
        let access = credentials.access(image).await;
        let error = EngineError::NoImage {
            image: image.to_owned(),
            why: "unauthorized: authentication required\n".to_owned(),
        };
        said.push(access.explain(error).to_string());
    }
    let access = credentials.access("a.example/x").await;
    for why in [
        "manifest unknown",
        "pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ] {
        let what = "pushing x".to_owned();
        let why = why.to_owned();
        said.push(
            access
                .explain(EngineError::Refused { what, why })
                .to_string(),
        );
    }
    insta::assert_snapshot!(said.join("\n"), @"
    getting the image a.example/x failed: the registry a.example refuses the user 'ada' (unauthorized: authentication required); run `docker login a.example` as one who may do this
    getting the image t.example/x failed: the registry t.example refuses the token it gave at login (unauthorized: authentication required); run `docker login t.example` as one who may do this
    getting the image b.example:5000/x failed: the registry b.example:5000 wants a login and there is none for it (unauthorized: authentication required); run `docker login b.example:5000`
    getting the image h.example/x failed: the registry h.example wants a login (unauthorized: authentication required), and the credential helper docker-credential-absent, which config.json names for h.example, is not in PATH; correct that, or run `docker login h.example`
    getting the image zoe/x failed: the registry docker.io wants a login and there is none for it (unauthorized: authentication required); run `docker login`
    pushing x failed: manifest unknown
    pushing x failed: pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied
    ");
}

#[test]
fn a_registry_is_told_from_a_repository_as_docker_does() {
    for (image, registry) in [
        ("debian", "docker.io"),
        ("zoe/spark:1", "docker.io"),
        ("docker.io/library/debian", "docker.io"),
        ("index.docker.io/a/b", "docker.io"),
        ("localhost/a", "localhost"),
        ("reg.example/a/b:1", "reg.example"),
        ("reg:5000/a@sha256:0", "reg:5000"),
        ("debian:12", "docker.io"),
    ] {
        assert_eq!(registry_of(image), registry, "{image}");
    }
}
