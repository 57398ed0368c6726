//! `zoe completions`: what a shell needs to complete the command line.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::error::CommandError;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe completions bash > ~/.local/share/bash-completion/completions/zoe
zoe completions zsh > ~/.zfunc/_zoe
zoe completions fish > ~/.config/fish/completions/zoe.fish";

/// Arguments of `zoe completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Prints it.
pub fn run(args: &CompletionsArgs) -> Result<u8, CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zoe", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(0)
}
