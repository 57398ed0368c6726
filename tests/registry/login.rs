//! Logins: where they come from, and what is said where they are wrong or missing.

use zoe::engine::{BuildRequest, EngineError, Images};

use crate::common::docker::cli;
use crate::server::{PASSWORD, Registry, USER};

/// Asks, pushes, and pulls again after the local name is gone.
async fn there_and_back(registry: &Registry) {
    let backend = registry.backend("dep");
    let image = registry.tiny("zoe-test/tiny:1");
    assert_eq!(backend.in_registry(&image).await.unwrap(), None);
    backend.push(&image, &|_| {}).await.unwrap();
    let found = backend.in_registry(&image).await.unwrap().unwrap();
    let repository = image.trim_end_matches(":1");
    assert!(
        found.starts_with(&format!("{repository}@sha256:")),
        "{found}"
    );
    assert_eq!(backend.resolve_digest(&image).await.unwrap(), found);
    assert_eq!(backend.resolve_digest(&found).await.unwrap(), found);
    let absent = format!("{repository}:2");
    let error = backend.resolve_digest(&absent).await.unwrap_err();
    assert!(matches!(error, EngineError::NoImage { .. }), "{error}");
    cli(&["rmi", &image]);
    backend.ensure(&image, &|_| {}).await.unwrap();
    assert_eq!(backend.in_registry(&found).await.unwrap(), Some(found));
    cli(&["rmi", &image]);
}

#[tokio::test]
async fn a_registry_for_all_needs_no_login_and_minds_none() {
    let registry = Registry::open();
    there_and_back(&registry).await;
    registry.log_in(USER, "whatever");
    let image = registry.tiny("zoe-test/tiny:1");
    registry.backend("dep").push(&image, &|_| {}).await.unwrap();
}

#[tokio::test]
async fn a_login_of_the_file_opens() {
    let registry = Registry::closed();
    registry.log_in(USER, PASSWORD);
    there_and_back(&registry).await;
}

#[tokio::test]
async fn a_helper_for_the_registry_opens() {
    let registry = Registry::closed();
    registry.helper(
        "one",
        &format!("echo '{{\"Username\": \"{USER}\", \"Secret\": \"{PASSWORD}\"}}'"),
    );
    registry.configure(r#"{"credHelpers": {"REG": "one"}, "credsStore": "missing"}"#);
    there_and_back(&registry).await;
}

#[tokio::test]
async fn a_helper_for_all_opens_what_it_knows() {
    let registry = Registry::closed();
    let answer = format!("{{\"Username\": \"{USER}\", \"Secret\": \"{PASSWORD}\"}}");
    registry.helper(
        "all",
        &format!(
            "[ \"$(cat)\" = {} ] && echo '{answer}' || {{ echo credentials not found in native keychain; exit 1; }}",
            registry.address
        ),
    );
    registry.configure(r#"{"auths": {"REG": {}}, "credsStore": "all"}"#);
    there_and_back(&registry).await;
}

/// What is said to a push, a pull and a question, with names that are not always the same left out.
async fn refusals(registry: &Registry) -> String {
    let backend = registry.backend("dep");
    let image = registry.tiny("zoe-test/tiny:1");
    let absent = format!("{}/zoe-test/absent:1", registry.address);
    let said = [
        backend.push(&image, &|_| {}).await.unwrap_err(),
        backend.ensure(&absent, &|_| {}).await.unwrap_err(),
        backend.in_registry(&image).await.unwrap_err(),
    ];
    let said = said.map(|error| error.to_string()).join("\n");
    assert!(!said.contains("wrong"), "{said}");
    said.replace(&registry.address, "REG")
}

#[tokio::test]
async fn who_has_no_login_is_told_to_log_in() {
    let registry = Registry::closed();
    insta::assert_snapshot!(refusals(&registry).await, @"
    pushing REG/zoe-test/tiny:1 failed: the registry REG wants a login and there is none for it (no basic auth credentials); run `docker login REG`
    getting the image REG/zoe-test/absent:1 failed: the registry REG wants a login and there is none for it (no basic auth credentials); run `docker login REG`
    asking the registry for REG/zoe-test/tiny:1 failed: the registry REG wants a login and there is none for it (no basic auth credentials); run `docker login REG`
    ");
}

#[tokio::test]
async fn who_is_refused_is_told_as_whom() {
    let registry = Registry::closed();
    registry.log_in(USER, "wrong");
    insta::assert_snapshot!(refusals(&registry).await, @"
    pushing REG/zoe-test/tiny:1 failed: the registry REG refuses the user 'ada' (unauthorized: authentication required); run `docker login REG` as one who may do this
    getting the image REG/zoe-test/absent:1 failed: the registry REG refuses the user 'ada' (unauthorized: authentication required); run `docker login REG` as one who may do this
    asking the registry for REG/zoe-test/tiny:1 failed: the registry REG refuses the user 'ada' (unauthorized: authentication required); run `docker login REG` as one who may do this
    ");
}

#[tokio::test]
async fn a_helper_that_fails_is_told_of_only_where_it_matters() {
    let script = "echo 'the keychain is locked'; exit 1";
    let registry = Registry::closed();
    registry.helper("bad", script);
    registry.configure(r#"{"credsStore": "bad"}"#);
    insta::assert_snapshot!(refusals(&registry).await, @"
    pushing REG/zoe-test/tiny:1 failed: the registry REG wants a login (no basic auth credentials), and the credential helper docker-credential-bad gives no login for REG: the keychain is locked; correct that, or run `docker login REG`
    getting the image REG/zoe-test/absent:1 failed: the registry REG wants a login (no basic auth credentials), and the credential helper docker-credential-bad gives no login for REG: the keychain is locked; correct that, or run `docker login REG`
    asking the registry for REG/zoe-test/tiny:1 failed: the registry REG wants a login (no basic auth credentials), and the credential helper docker-credential-bad gives no login for REG: the keychain is locked; correct that, or run `docker login REG`
    ");
    let registry = Registry::open();
    registry.helper("bad", script);
    registry.configure(r#"{"credsStore": "bad"}"#);
    there_and_back(&registry).await;
}

#[tokio::test]
async fn a_build_starts_from_an_image_that_needs_a_login() {
    let registry = Registry::closed();
    registry.log_in(USER, PASSWORD);
    let backend = registry.backend("dep");
    let base = registry.tiny("zoe-test/base:1");
    backend.push(&base, &|_| {}).await.unwrap();
    cli(&["rmi", &base]);
    let mut tar = tar::Builder::new(Vec::new());
    let file = format!("FROM {base} AS it\nRUN echo built\n");
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(file.len() as u64);
    tar.append_data(&mut header, "Dockerfile", file.as_bytes())
        .unwrap();
    let build = BuildRequest {
        context: tar.into_inner().unwrap().into(),
        target: "it".to_owned(),
        tags: vec![format!("{}/zoe-test/built:1", registry.address)],
        args: Vec::new(),
    };
    backend.build(&build, &|_| {}).await.unwrap();
    registry.log_in(USER, "wrong");
    for name in registry.local() {
        cli(&["rmi", &name]);
    }
    let error = registry.backend("dep").build(&build, &|_| {}).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("unauthorized"), "{error}");
}
