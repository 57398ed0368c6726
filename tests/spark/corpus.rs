//! A real text: the King James Bible of Debian's `bible-kjv`, 31 102 verses, 4.4 MB.

use std::process::Command;

use crate::spark::site::{Site, sh};

/// Verses in it.
pub const VERSES: u64 = 31_102;

/// Writes it into the site, a verse a line, and gives the path.
pub fn write(site: &Site) -> String {
    let text = sh("bible", &["-f", "-l0", "gen1:1-rev22:21"]);
    assert_eq!(text.lines().count() as u64, VERSES);
    site.write("texts/kjv.txt", text)
}

/// What the shell says of the words in a file.
pub fn counted_by_the_shell(path: &str) -> String {
    let script = r#"LC_ALL=C; export LC_ALL
        tr -cs 'A-Za-z' '\n' <"$1" | tr 'A-Z' 'a-z' | grep . | sort | uniq -c"#;
    let output = Command::new("sh")
        .args(["-c", script, "sh", path])
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
