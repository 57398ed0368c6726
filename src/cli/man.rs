//! `zoe man`: the manual pages, one for each command.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::Cli;
use super::error::{CommandError, EXIT_CODES};
use super::help;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe man /usr/local/share/man/man1
man zoe-submit";

/// Arguments of `zoe man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// The directory to write them to; it is made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes them.
pub fn run(args: &ManArgs, cwd: &Path) -> Result<u8, CommandError> {
    let directory = cwd.join(&args.directory);
    let failed =
        |error| CommandError::failed(format!("cannot write to {}: {error}", directory.display()));
    std::fs::create_dir_all(&directory).map_err(failed)?;
    for (name, page) in pages().map_err(failed)? {
        std::fs::write(directory.join(name), page).map_err(failed)?;
    }
    Ok(0)
}

/// File names and their content: a page for each command, and for each command of those that have some.
fn pages() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut root = Cli::command();
    root.build();
    let mut pages = vec![("zoe.1".to_owned(), page(&root, "zoe", None)?)];
    for command in root.get_subcommands() {
        let name = format!("zoe-{}", command.get_name());
        let examples = help::examples(command.get_name());
        pages.push((format!("{name}.1"), page(command, &name, examples)?));
        for inner in command.get_subcommands() {
            let name = format!("{name}-{}", inner.get_name());
            pages.push((format!("{name}.1"), page(inner, &name, None)?));
        }
    }
    Ok(pages)
}

fn page(command: &Command, name: &str, examples: Option<&str>) -> std::io::Result<Vec<u8>> {
    let is_root = name == "zoe";
    let man = Man::new(command.clone().disable_version_flag(true))
        .title(name.to_uppercase())
        .section("1")
        .date("")
        .source(concat!("zoe ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let mut synopsis = Roff::new();
    synopsis.control("SH", ["SYNOPSIS"]).text([roman(usage)]);
    synopsis.to_writer(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    if is_root {
        exit_status().to_writer(&mut out)?;
    }
    if let Some(examples) = examples {
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"])
            .control("nf", [])
            .text([roman(examples)])
            .control("fi", []);
        roff.to_writer(&mut out)?;
    }
    let mut also = Roff::new();
    let other = if is_root {
        "zoe-submit(1), zoe-ps(1), docker(1)"
    } else {
        "zoe(1), which has the exit codes"
    };
    also.control("SH", ["SEE ALSO"]).text([roman(other)]);
    also.to_writer(&mut out)?;
    Ok(out)
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        roff.control("TP", [])
            .text([bold(code)])
            .text([roman(meaning)]);
    }
    roff
}
