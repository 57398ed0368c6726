use std::io::Write;

use super::*;

fn zip_of(files: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    file
}

#[test]
fn the_same_files_give_the_same_archive() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("lib")).unwrap();
    fs::write(dir.path().join("main.py"), "import lib.a").unwrap();
    fs::write(dir.path().join("lib/a.py"), "x = 1").unwrap();
    let from_directory = pack(dir.path(), Some("./main.py")).unwrap();
    let zip = zip_of(&[("main.py", "import lib.a"), ("lib/a.py", "x = 1")]);
    let from_zip = pack(zip.path(), Some("main.py")).unwrap();
    assert_eq!(from_directory.digest, from_zip.digest);
    assert_eq!(
        (from_zip.files, from_zip.kind, from_zip.main.as_str()),
        (2, Kind::Python, "main.py")
    );
    fs::write(dir.path().join("lib/a.py"), "x = 2").unwrap();
    assert_ne!(
        pack(dir.path(), Some("main.py")).unwrap().digest,
        from_zip.digest
    );
}

#[test]
fn what_cannot_be_run_is_said_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("x.zip"), "no zip").unwrap();
    fs::write(path("x.jar"), "no jar").unwrap();
    fs::write(path("x.sh"), "true").unwrap();
    fs::write(path("x.py"), "pass").unwrap();
    let say = |path: &Path, main| pack(path, main).unwrap_err().to_string();
    assert!(say(&path("none.py"), None).contains("there is no file"));
    assert!(say(&path("x.zip"), Some("a.py")).contains("is no zip archive"));
    assert!(say(&path("x.jar"), None).contains("is no jar"));
    assert!(say(&path("x.sh"), None).contains("neither a .py"));
    assert!(say(&path("x.py"), Some("x.py")).contains("--main"));
    assert!(say(dir.path(), None).contains("none was named"));
    assert!(say(dir.path(), Some("../x.py")).contains("does not stay inside"));
    assert!(say(dir.path(), Some("y.py")).contains("is not in"));
    assert!(say(dir.path(), Some("x.sh")).contains("neither a .py nor a .jar"));
}

#[test]
fn a_zip_cannot_write_outside() {
    let zip = zip_of(&[("../../etc/passwd", "x"), ("main.py", "pass")]);
    assert!(
        pack(zip.path(), Some("main.py"))
            .unwrap_err()
            .to_string()
            .contains("leads outside")
    );
}
