//! Help texts that clap does not make by itself: commands in groups, examples, exit codes.

use std::fmt::Write as _;

use clap::Command;

use super::error::EXIT_CODES;

/// Commands by what they are for; a test holds it complete.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Run", &["submit", "cluster", "notebook", "run", "resubmit"]),
    (
        "Look",
        &[
            "ps", "queue", "explain", "show", "open", "logs", "top", "history", "status",
            "simulate",
        ],
    ),
    (
        "Act",
        &[
            "exec", "wait", "hold", "release", "resize", "keep", "kill", "rm", "watch",
        ],
    ),
    (
        "Set up",
        &[
            "app",
            "user",
            "db",
            "mail",
            "images",
            "proxy",
            "write-config",
            "config",
            "completions",
            "man",
        ],
    ),
];

/// The examples of a command.
pub fn examples(command: &str) -> Option<&'static str> {
    Some(match command {
        "submit" => super::submit::EXAMPLES,
        "cluster" => super::cluster::EXAMPLES,
        "notebook" => super::notebook::EXAMPLES,
        "run" => super::run::EXAMPLES,
        "resubmit" => super::resubmit::EXAMPLES,
        "queue" => super::queue::EXAMPLES,
        "explain" => super::explain::EXAMPLES,
        "hold" => super::hold::HOLD_EXAMPLES,
        "release" => super::hold::RELEASE_EXAMPLES,
        "user" => super::user::EXAMPLES,
        "mail" => super::mail::EXAMPLES,
        "ps" => super::ps::EXAMPLES,
        "show" => super::show::EXAMPLES,
        "open" => super::open::EXAMPLES,
        "logs" => super::logs::EXAMPLES,
        "top" => super::top::EXAMPLES,
        "history" => super::history::EXAMPLES,
        "status" => super::status::EXAMPLES,
        "simulate" => super::simulate::EXAMPLES,
        "exec" => super::exec::EXAMPLES,
        "wait" => super::wait::EXAMPLES,
        "resize" => super::resize::EXAMPLES,
        "keep" => super::keep::EXAMPLES,
        "kill" => super::kill::EXAMPLES,
        "rm" => super::rm::EXAMPLES,
        "watch" => super::watch::EXAMPLES,
        "app" => super::app::EXAMPLES,
        "db" => super::db::EXAMPLES,
        "proxy" => super::proxy::EXAMPLES,
        "images" => super::images::EXAMPLES,
        "write-config" => super::write_config::EXAMPLES,
        "config" => super::config::EXAMPLES,
        "completions" => super::completions::EXAMPLES,
        "man" => super::man::EXAMPLES,
        _ => return None,
    })
}

/// The command line with groups, examples and exit codes.
pub fn complete(root: Command) -> Command {
    let groups = groups(&root);
    let names: Vec<String> = root
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let root = root
        .help_template(
            "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}{options}{after-help}",
        )
        .before_help(groups)
        .after_help(exit_codes());
    names
        .into_iter()
        .fold(root, |root, name| match examples(&name) {
            Some(examples) => root.mut_subcommand(name, |command| {
                command.after_help(indented("Examples:", examples))
            }),
            None => root,
        })
}

fn groups(root: &Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(text, "{title}:");
        for name in names {
            let about = root
                .find_subcommand(name)
                .and_then(Command::get_about)
                .map(ToString::to_string)
                .unwrap_or_default();
            let _ = writeln!(text, "  {name:13} {about}");
        }
        text.push('\n');
    }
    text
}

fn exit_codes() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (code, meaning) in EXIT_CODES {
        let _ = writeln!(text, "  {code:<4} {}", meaning.replace('`', "'"));
    }
    text.push_str("\nEXEC is an id, the beginning of one, a name, or 'last'. `zoe COMMAND --help` has examples.");
    text
}

fn indented(title: &str, lines: &str) -> String {
    lines.lines().fold(title.to_owned(), |mut text, line| {
        text.push_str("\n  ");
        text.push_str(line);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_has_a_group_an_about_and_examples() {
        let root = crate::cli::Cli::command();
        let mut grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        let mut there: Vec<&str> = root
            .get_subcommands()
            .filter(|c| !c.is_hide_set())
            .map(Command::get_name)
            .collect();
        grouped.sort_unstable();
        there.sort_unstable();
        assert_eq!(grouped, there);
        for command in root.get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            assert!(
                examples(command.get_name()).is_some(),
                "{}",
                command.get_name()
            );
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        complete(crate::cli::Cli::command()).debug_assert();
    }
}
