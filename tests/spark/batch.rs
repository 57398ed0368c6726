//! A Python job: its result, its output to the byte, its end.

use crate::spark::corpus;
use crate::spark::site::{Site, example};

#[test]
fn words_of_a_real_text_are_counted_on_two_workers() {
    let site = Site::new();
    let texts = site.shared_directory("texts");
    let corpus = corpus::write(&site);
    let done = site.run(&[
        "submit",
        &example("wordcount.py"),
        "--workers",
        "2",
        // Work begins when both are there, however slow the second one is.
        "--conf",
        "spark.cores.max=2",
        "--conf",
        "spark.scheduler.minRegisteredResourcesRatio=1",
        "--conf",
        "spark.scheduler.maxRegisteredResourcesWaitingTime=5min",
        "--volume",
        &format!("{}:/texts:ro", texts.display()),
        "--",
        "/texts",
    ]);
    let counts = done.expect(0);
    assert_eq!(counts, corpus::counted_by_the_shell(&corpus));

    let read: Vec<u64> = done
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("worker "))
        .map(|line| line.split(' ').nth(2).unwrap().parse().unwrap())
        .collect();
    assert_eq!(read.len(), 2, "{}", done.stderr);
    assert_eq!(read.iter().sum::<u64>(), corpus::VERSES);
    assert!(read.iter().all(|lines| *lines > 0), "{read:?}");
    site.assert_nothing_left();
}

#[test]
fn the_job_s_output_is_exact_and_its_traceback_is_shown() {
    let site = Site::new();
    let job = site.write(
        "throws.py",
        r#"
import os, sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
total = spark.sparkContext.parallelize(range(1000), 4).sum()
os.write(1, b"no newline \x00\x1b[31m \xe2\x82\xac\r\n\r\n")
os.write(1, b"x" * 100_000 + b"\n")
os.write(1, str(total).encode())
print("to the other stream", file=sys.stderr, flush=True)

def broken(n):
    if n == 7:
        raise ValueError(f"{n} is right out")
    return n

spark.sparkContext.parallelize(range(10), 2).map(broken).collect()
"#,
    );
    let done = site.run(&["submit", &job]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    // A line longer than what Docker keeps in one piece, and the last one not ended. (Bytes that are no UTF-8 would come
    // as U+FFFD: Docker's usual log driver keeps text.)
    let mut expected = b"no newline \x00\x1b[31m \xe2\x82\xac\r\n\r\n".to_vec();
    expected.resize(expected.len() + 100_000, b'x');
    expected.extend(b"\n499500");
    assert!(done.bytes == expected, "{}", done.stdout());
    for words in [
        "to the other stream\n",
        "Traceback (most recent call last):",
        "ValueError: 7 is right out",
        "failed: driver exited with 1",
    ] {
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    let past = site.json(&["history"]);
    assert_eq!(past[0]["exit_code"], 1, "{past}");
    assert_eq!(past[0]["state"], "failed", "{past}");
    // The log outlives the containers.
    let log = site.run(&["logs", "last", "driver"]).expect(0);
    assert!(log.contains("499500"), "{log}");
    site.assert_nothing_left();
}
