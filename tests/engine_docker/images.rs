//! Images: with files, built, named, refused.

use std::sync::Mutex;

use futures_util::future::join_all;
use zoe::engine::{Backend, BuildRequest, EngineError, Images, JobFiles, Progress};
use zoe::model::{JobImage, Private};

use crate::support::{Site, TINY, cli, random_id};

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    tar.into_inner().unwrap()
}

fn job(content: &str) -> JobFiles {
    JobFiles {
        base: TINY.to_owned(),
        directory: "/opt/zoe/job".to_owned(),
        archive: archive(&[("main.py", content), ("lib/a.py", "a")]).into(),
        digest: content.to_owned(),
    }
}

#[tokio::test]
async fn files_become_an_image_that_is_made_once() {
    let site = Site::new().await;
    let docker = &site.docker;
    let files = job("print()");
    let tags = join_all((0..4).map(|_| docker.ensure_files(&files))).await;
    let tags: Vec<_> = tags.into_iter().map(Result::unwrap).collect();
    assert!(tags.windows(2).all(|pair| pair[0] == pair[1]), "{tags:?}");
    let tag = tags[0].as_str();
    let snapshot = site.look().await;
    assert_eq!(snapshot.orphans, []);
    let [image] = &snapshot.job_images[..] else {
        panic!("{snapshot:?}");
    };
    assert_eq!(image.tag, tag);
    let content = cli(&[
        "run",
        "--rm",
        tag,
        "cat",
        "/opt/zoe/job/main.py",
        "/opt/zoe/job/lib/a.py",
    ]);
    assert_eq!(content, "print()a");

    let mut ticket = site.ticket(&[("main", 1, "true")]);
    ticket.job_image = Some(tag.to_owned());
    site.submit(&ticket).await;
    docker.remove_job_image(image).await.unwrap();
    assert_eq!(site.look().await.job_images.len(), 1, "a ticket uses it");
    let execution = site.execution(ticket.id).await;
    docker.remove_ticket(&execution).await.unwrap();
    for _ in 0..2 {
        docker.remove_job_image(image).await.unwrap();
    }
    site.assert_empty();
    let error = docker
        .submit(&ticket, &Private::default())
        .await
        .unwrap_err();
    assert!(matches!(error, EngineError::NoImage { .. }), "{error}");
}

#[tokio::test]
async fn other_files_are_another_image_and_the_base_keeps_its_command() {
    let site = Site::new().await;
    let base = format!("zoe-test/{}:base", site.deployment);
    let build = BuildRequest {
        context: archive(&[(
            "Dockerfile",
            &format!("FROM {TINY}\nENV A=b\nENTRYPOINT [\"echo\"]\nCMD [\"hi\"]\n"),
        )])
        .into(),
        target: String::new(),
        tags: vec![base.clone()],
        args: Vec::new(),
    };
    site.docker.build(&build, &|_| {}).await.unwrap();
    let on_base = |content| JobFiles {
        base: base.clone(),
        ..job(content)
    };
    let one = site.docker.ensure_files(&on_base("1")).await.unwrap();
    let two = site.docker.ensure_files(&on_base("2")).await.unwrap();
    assert_ne!(one, two);
    assert_eq!(cli(&["run", "--rm", &one]), "hi");
    for tag in [one, two] {
        let image = JobImage {
            docker_id: String::new(),
            tag,
        };
        site.docker.remove_job_image(&image).await.unwrap();
    }
    cli(&["rmi", &base]);
    site.assert_empty();
}

#[tokio::test]
async fn a_builder_of_the_dead_is_replaced() {
    let site = Site::new().await;
    let labels = |owner: &str| {
        [
            format!("zoe.deployment={}", site.deployment),
            "zoe.schema=1".to_owned(),
            "zoe.kind=builder".to_owned(),
            format!("zoe.owner={owner}"),
        ]
    };
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let create = |owner: &str, name: &str| {
        let labels = labels(owner);
        let mut args = vec!["create", "--name", name];
        for label in &labels {
            args.extend(["--label", label]);
        }
        args.extend([TINY, "true"]);
        cli(&args)
    };
    let dead = format!("{}:4294967295", boot.trim());
    create(&dead, &format!("zoe-{}-build-x", site.deployment));
    let living = format!("{}:{}", boot.trim(), std::process::id());
    create(&living, &format!("zoe-{}-build-y", site.deployment));
    let snapshot = site.look().await;
    let [orphan] = &snapshot.orphans[..] else {
        panic!("{snapshot:?}");
    };
    assert!(orphan.name.ends_with("-build-x"));
}

#[tokio::test]
async fn an_image_is_built_with_progress_and_named() {
    let site = Site::new().await;
    let name = |tag: &str| format!("zoe-test/{}:{tag}", site.deployment);
    let request = |lines: &str| BuildRequest {
        context: archive(&[("Dockerfile", lines), ("file", "content")]).into(),
        target: "first".to_owned(),
        tags: vec![name("a"), name("b")],
        args: vec![("WORD".to_owned(), "hello".to_owned())],
    };
    let told = Mutex::new(Vec::new());
    let sink = |progress: Progress| told.lock().unwrap().push(progress.message);
    let good = request(&format!(
        "FROM {TINY} AS first\nARG WORD\nCOPY file /file\nRUN echo $WORD from inside\nFROM {TINY} AS second\nRUN exit 1\n"
    ));
    site.docker.build(&good, &sink).await.unwrap();
    let told = told.into_inner().unwrap();
    assert!(
        told.iter().any(|line| line == "hello from inside"),
        "{told:?}"
    );
    site.docker.tag(&name("a"), &name("c")).await.unwrap();
    let images = site
        .docker
        .list_images(&[&format!("zoe-test/{}:", site.deployment)])
        .await
        .unwrap();
    let [image] = &images[..] else {
        panic!("{images:?}");
    };
    assert_eq!(image.tags.len(), 3);
    assert!(image.size.mib() >= 1);

    let bad = request(&format!("FROM {TINY} AS first\nRUN exit 9\n"));
    let error = site.docker.build(&bad, &|_| {}).await.unwrap_err();
    assert!(error.to_string().contains("non-zero code: 9"), "{error}");
    cli(&["rmi", &name("a"), &name("b"), &name("c")]);
}

#[tokio::test]
async fn an_image_that_is_not_to_be_had_is_said_so() {
    let site = Site::new().await;
    assert!(
        site.docker
            .ensure(TINY, &|_| {})
            .await
            .unwrap()
            .starts_with("sha256:")
    );
    // Nobody listens on that port, so this needs no network.
    for name in [
        format!("127.0.0.1:1/zoe/{}:none", random_id()),
        "No Name".to_owned(),
    ] {
        let error = site.docker.ensure(&name, &|_| {}).await.unwrap_err();
        assert!(matches!(error, EngineError::NoImage { .. }), "{error}");
    }
    let mut ticket = site.ticket(&[("main", 1, "true")]);
    ticket.application.components[0].image = "zoe-test/none:1".to_owned();
    let error = site
        .docker
        .submit(&ticket, &Private::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, EngineError::NoImage { image, .. } if image == "zoe-test/none:1"),
        "{error}"
    );
    let error = site
        .docker
        .tag("zoe-test/none:1", "zoe-test/other:1")
        .await
        .unwrap_err();
    assert!(matches!(error, EngineError::NoImage { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_said_so() {
    let site = Site::new().await;
    let name = format!("127.0.0.1:1/zoe-test/{}:1", site.deployment);
    site.docker.tag(TINY, &name).await.unwrap();
    let error = site.docker.push(&name, &|_| {}).await.unwrap_err();
    cli(&["rmi", &name]);
    assert!(error.to_string().contains("connection refused"), "{error}");
    let error = site.docker.push(&name, &|_| {}).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}
