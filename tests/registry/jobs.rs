//! Images with submitted files, where other nodes have to get them.

use futures_util::future::join_all;
use zoe::engine::docker::DockerBackend;
use zoe::engine::{Backend, EngineError, Images, JobFiles, Scope};
use zoe::model::JobImage;

use crate::common::docker::{Deployment, TINY, cli};
use crate::server::{PASSWORD, Registry, USER};

fn sharing(registry: &Registry, deployment: &Deployment) -> DockerBackend {
    let backend = registry.backend(&deployment.name);
    backend.with_shared_registry(&registry.address)
}

fn files(content: &str) -> JobFiles {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, "main.py", content.as_bytes())
        .unwrap();
    JobFiles {
        base: TINY.to_owned(),
        directory: "/opt/zoe/job".to_owned(),
        archive: tar.into_inner().unwrap().into(),
        digest: content.to_owned(),
    }
}

fn named(tag: &str) -> JobImage {
    JobImage {
        docker_id: String::new(),
        tag: tag.to_owned(),
    }
}

#[tokio::test]
async fn files_are_pushed_so_that_another_node_can_run_them() {
    let registry = Registry::closed();
    registry.log_in(USER, PASSWORD);
    let deployment = Deployment::new();
    let backend = sharing(&registry, &deployment);
    let job = files("print()");
    let tags = join_all((0..3).map(|_| backend.ensure_files(&job))).await;
    let tags: Vec<_> = tags.into_iter().map(Result::unwrap).collect();
    let tag = tags[0].as_str();
    let repository = format!("{}/zoe-job/{}", registry.address, deployment.name);
    assert!(tag.starts_with(&format!("{repository}:")), "{tag}");
    assert!(tags.iter().all(|other| other == tag), "{tags:?}");
    let digest = backend.resolve_digest(tag).await.unwrap();
    let seen = backend.observe(Scope::Everything).await.unwrap();
    let tags: Vec<_> = seen.job_images.iter().map(|image| &image.tag).collect();
    assert_eq!(tags, [tag]);
    assert_eq!((seen.orphans, seen.anomalies), (vec![], vec![]));

    // Another node has nothing of it.
    backend.remove_job_image(&named(tag)).await.unwrap();
    assert_eq!(deployment.left(), Vec::<String>::new());
    backend.ensure(&digest, &|_| {}).await.unwrap();
    let content = cli(&["run", "--rm", &digest, "cat", "/opt/zoe/job/main.py"]);
    assert_eq!(content, "print()");
    cli(&["rmi", &digest]);
    assert_eq!(deployment.left(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_registry_has_is_not_made_anew() {
    let registry = Registry::open();
    let deployment = Deployment::new();
    let backend = sharing(&registry, &deployment);
    let tag = backend.ensure_files(&files("1")).await.unwrap();
    let first = backend.resolve_digest(&tag).await.unwrap();
    backend.remove_job_image(&named(&tag)).await.unwrap();
    assert_eq!(backend.ensure_files(&files("1")).await.unwrap(), tag);
    assert_eq!(backend.resolve_digest(&tag).await.unwrap(), first);
    assert_ne!(backend.ensure_files(&files("2")).await.unwrap(), tag);
}

#[tokio::test]
async fn what_is_made_but_not_pushed_is_pushed_the_next_time() {
    let registry = Registry::closed();
    registry.log_in(USER, "wrong");
    let deployment = Deployment::new();
    let backend = sharing(&registry, &deployment);
    let error = backend.ensure_files(&files("1")).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, EngineError::Refused { .. }), "{text}");
    assert!(
        text.contains("refuses the user 'ada'") && text.contains("docker login"),
        "{text}"
    );
    registry.log_in(USER, PASSWORD);
    let tag = backend.ensure_files(&files("1")).await.unwrap();
    let digest = backend.in_registry(&tag).await.unwrap();
    assert!(digest.is_some(), "{tag}");
}

#[tokio::test]
async fn what_was_cleaned_out_of_the_registry_is_pushed_again() {
    let registry = Registry::open();
    let deployment = Deployment::new();
    let backend = sharing(&registry, &deployment);
    let tag = backend.ensure_files(&files("1")).await.unwrap();
    registry.clean_jobs();
    assert_eq!(backend.in_registry(&tag).await.unwrap(), None);
    assert_eq!(backend.ensure_files(&files("1")).await.unwrap(), tag);
    backend.remove_job_image(&named(&tag)).await.unwrap();
    backend.ensure(&tag, &|_| {}).await.unwrap();
}

#[tokio::test]
async fn on_one_engine_nothing_is_pushed() {
    let registry = Registry::open();
    let deployment = Deployment::new();
    let backend = registry.backend(&deployment.name);
    let job = JobFiles {
        base: registry.tiny("zoe-test/tiny:1"),
        ..files("1")
    };
    let tag = backend.ensure_files(&job).await.unwrap();
    assert!(
        tag.starts_with(&format!("zoe-job/{}:", deployment.name)),
        "{tag}"
    );
}
