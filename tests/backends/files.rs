//! Images with submitted files.

use futures_util::future::join_all;
use zoe::engine::{EngineError, LogRange};
use zoe::model::JobImage;

use crate::harness::{
    BackendUnderTest, Do, clear, component, everything, files, log, member, run, submit, ticket,
};

fn images(harness: &dyn BackendUnderTest) -> usize {
    let raw = harness.raw(harness.backend().deployment());
    raw.iter().filter(|raw| raw.kind == "image").count()
}

pub async fn files_are_put_on_top_of_the_image(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let tag = backend
        .ensure_files(&files(harness, &[("a.txt", "one"), ("dir/b.txt", "two")]))
        .await
        .unwrap();
    let mut main = component(harness, "main", &Do::File("/job/a.txt"));
    main.files = Some("/job".to_owned());
    let mut side = component(harness, "side", &Do::File("/job/dir/b.txt"));
    side.files = Some("/job".to_owned());
    let without = component(harness, "without", &Do::File("/job/a.txt"));
    let mut ticket = ticket(harness, vec![main, side, without]);
    ticket.job_image = Some(tag);
    run(&*backend, &ticket).await;
    for (component, expected) in [("main", "one"), ("side", "two"), ("without", "")] {
        let key = member(&ticket, component);
        backend.wait(&key).await.unwrap();
        let (out, _) = log(&*backend, &key, LogRange::default()).await;
        assert_eq!(out.trim_end(), expected, "{component}");
    }
    let seen = everything(&*backend).await;
    assert_eq!((&seen.orphans[..], &seen.anomalies[..]), (&[][..], &[][..]));
}

pub async fn the_same_files_are_made_once(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let same = files(harness, &[("a.txt", "one")]);
    let tags = join_all((0..4).map(|_| backend.ensure_files(&same))).await;
    let tags: Vec<_> = tags.into_iter().map(Result::unwrap).collect();
    assert!(tags.iter().all(|tag| *tag == tags[0]), "{tags:?}");
    let first = everything(&*backend).await.job_images;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0].tag, tags[0]);
    assert_eq!(backend.ensure_files(&same).await.unwrap(), tags[0]);
    assert_eq!(everything(&*backend).await.job_images, first);
    assert_eq!(images(harness), 1);
    let other = backend
        .ensure_files(&files(harness, &[("a.txt", "two")]))
        .await
        .unwrap();
    assert_ne!(other, tags[0]);
    let raw = harness.raw(backend.deployment());
    assert!(
        raw.iter().all(|raw| raw.kind == "image"),
        "no builder is left: {raw:?}"
    );
    assert_eq!(raw.len(), 2);
}

pub async fn an_image_with_files_goes_when_nobody_uses_it(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let tag = backend
        .ensure_files(&files(harness, &[("a.txt", "one")]))
        .await
        .unwrap();
    let mut ticket = ticket(harness, vec![component(harness, "main", &Do::Run)]);
    ticket.application.components[0].files = Some("/job".to_owned());
    ticket.job_image = Some(tag.clone());
    let found = submit(&*backend, &ticket).await;
    let [image]: [JobImage; 1] = everything(&*backend).await.job_images.try_into().unwrap();
    assert_eq!(image.tag, tag);
    backend.remove_job_image(&image).await.unwrap();
    assert_eq!(images(harness), 1, "the ticket holds it");
    clear(&*backend, &found).await;
    for _ in 0..2 {
        backend.remove_job_image(&image).await.unwrap();
        assert_eq!(images(harness), 0);
    }
    if harness.registry_keeps_images() {
        return;
    }
    let error = backend
        .submit(&ticket, &zoe::model::Private::default())
        .await
        .unwrap_err();
    assert!(matches!(error, EngineError::NoImage { .. }), "{error:?}");
}

pub async fn images_are_found_or_missed(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let id = backend.ensure(&harness.image(), &|_| ()).await.unwrap();
    assert!(!id.is_empty());
    let error = backend
        .ensure("localhost:1/zoe-test/not-there:1", &|_| ())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, EngineError::NoImage { image, .. } if image.contains("not-there")),
        "{error:?}"
    );
    let mut missing = files(harness, &[]);
    missing.base = "localhost:1/zoe-test/not-there:1".to_owned();
    let error = backend.ensure_files(&missing).await.unwrap_err();
    assert!(matches!(error, EngineError::NoImage { .. }), "{error:?}");
    let found = backend.list_images(&[&harness.image()]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, id);
    assert_eq!(backend.list_images(&["no-such-prefix"]).await.unwrap(), []);
}
