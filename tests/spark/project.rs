//! A job of several files: as an archive and as a directory, packed once.

use std::fs::File;
use std::io::Write as _;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::spark::site::{Site, docker, example};

const FILES: [&str; 4] = [
    "main.py",
    "measures.py",
    "textstats/__init__.py",
    "textstats/syllables.py",
];

/// The example's directory as an archive.
fn zipped(site: &Site) -> String {
    let path = site.path("project.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for name in FILES {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        let content = std::fs::read(example(&format!("project/{name}"))).unwrap();
        zip.write_all(&content).unwrap();
    }
    zip.finish().unwrap();
    path.into_os_string().into_string().unwrap()
}

#[test]
fn an_archive_and_a_directory_of_the_same_files_share_an_image() {
    let site = Site::new();
    let archive = zipped(&site);
    let first = site.run(&[
        "submit", "--main", "main.py", "-d", "--name", "first", &archive, "--", "0",
    ]);
    let id = first.expect(0).trim_end().to_owned();
    assert_eq!(id.len(), 8, "the id alone: {id:?}");
    let [image] = &site.images()[..] else {
        panic!("{:?}", site.images());
    };
    let created = docker(&["inspect", "--format", "{{.Created}}", image]);

    // The second waits in the queue: the machine holds one of them at a time, unless it has more cores than two.
    let directory = example("project");
    let mut second = site.start(&["submit", "--main", "main.py", &directory, "--", "3"]);
    let said = second.wait_for_error("submitted ");
    assert_eq!(site.images(), std::slice::from_ref(image), "{said}");
    assert_eq!(
        docker(&["inspect", "--format", "{{.Created}}", image]),
        created
    );

    let second = second.end();
    let printed = second.expect(3);
    for line in [
        "beginning: 9 letters, 3 syllables\n",
        "the: 3 letters, 1 syllable\n",
        "driver agrees: True\n",
    ] {
        assert!(printed.contains(line), "{printed}");
    }
    assert_eq!(printed.lines().count(), 10, "{printed}");
    site.run(&["wait", &id]).expect(0);
    let log = site.run(&["logs", &id, "driver"]).expect(0);
    assert_eq!(log.matches(" letters, ").count(), 9, "{log}");
    site.assert_nothing_left();
}
