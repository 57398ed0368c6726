//! What the README says of settings and exit codes is what the program has.

use zoe::cli::error::EXIT_CODES;

const README: &str = include_str!("../README.md");

#[test]
fn the_readme_has_every_exit_code() {
    for (code, meaning) in EXIT_CODES {
        let row = format!("| {code} | {meaning} |");
        assert!(README.contains(&row), "README.md lacks this row:\n{row}");
    }
}

#[test]
fn the_readme_has_every_setting() {
    let table = zoe::config::markdown_table();
    assert!(
        README.contains(&table),
        "README.md should hold this table:\n{table}"
    );
}
