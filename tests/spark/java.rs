//! Jars: one of our own, and one of Spark's.

use std::path::{Path, PathBuf};

use crate::spark::site::{Site, data, docker, sh};

const IMAGE: &str = "zoe/spark-submit:latest";

/// Copies those of Spark's jars out of the image whose names begin so, and gives their paths.
fn jars(into: &Path, beginnings: &[&str]) -> Vec<PathBuf> {
    let listed = docker(&[
        "run",
        "--rm",
        "--entrypoint",
        "ls",
        IMAGE,
        "/opt/spark/jars",
    ]);
    let container = docker(&["create", "--entrypoint", "true", IMAGE]);
    let found = beginnings.iter().map(|beginning| {
        let name = listed
            .lines()
            .find(|name| name.starts_with(beginning))
            .unwrap();
        let target = into.join(name);
        let source = format!("{}:/opt/spark/jars/{name}", container.trim());
        docker(&["cp", "-L", &source, target.to_str().unwrap()]);
        target
    });
    let found = found.collect();
    docker(&["rm", container.trim()]);
    found
}

#[test]
fn a_jar_runs_and_gives_its_exit_code() {
    let site = Site::new();
    let classes = site.path("classes");
    let path = jars(
        site.root(),
        &["spark-core_", "spark-common-utils_", "scala-library-"],
    );
    let path: Vec<_> = path.iter().map(|jar| jar.to_str().unwrap()).collect();
    let classes = classes.to_str().unwrap();
    let source = data("java/Primes.java");
    sh(
        "javac",
        &[
            "--release",
            "17",
            "-cp",
            &path.join(":"),
            "-d",
            classes,
            &source,
        ],
    );
    let jar = site.path("primes.jar");
    let jar = jar.to_str().unwrap();
    sh("jar", &["--create", "--file", jar, "-C", classes, "."]);

    let done = site.run(&["submit", "--class", "Primes", jar, "--", "2000000", "5"]);
    assert_eq!(done.expect(5), "148933 primes below 2000000\n");
    site.assert_nothing_left();
}

#[test]
fn a_program_of_spark_s_own_jar_writes_to_a_volume() {
    let site = Site::new();
    let jar = jars(site.root(), &["spark-mllib_"]).remove(0);
    let out = site.shared_directory("out");
    let done = site.run(&[
        "submit",
        "--class",
        "org.apache.spark.mllib.util.KMeansDataGenerator",
        "--volume",
        &format!("{}:/out", out.display()),
        jar.to_str().unwrap(),
        "--",
        "spark://master:7077",
        "/out/points",
        "1000",
        "4",
        "3",
        "1.0",
        "4",
    ]);
    assert_eq!(done.expect(0), "");
    // A thousand points of three coordinates, in four parts.
    let (mut parts, mut points) = (0, 0);
    for entry in std::fs::read_dir(out.join("points")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if name.starts_with("part-") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(
                text.lines().all(|line| line.split(' ').count() == 3),
                "{text}"
            );
            parts += 1;
            points += text.lines().count();
        }
    }
    assert_eq!((parts, points), (4, 1000));
    site.assert_nothing_left();
}
