//! `zoe exec`: a command inside an execution.

use std::io::{self, Write as _};

use clap::Args;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::signal::unix::{SignalKind, signal};

use super::error::CommandError;
use super::session::{Done, Session, job_code};
use crate::engine::{ExecRequest, ExecSession, Output};
use crate::ops::{self, Context};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe exec last -- bash                     a shell in the component that matters most
zoe exec last worker-1 -- ps aux          in the second worker
zoe exec -i last -- sh -c 'cat > /tmp/x' < file";

/// Arguments of `zoe exec`.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: String,
    /// In which component (worker), or which member of it (worker-1) [default: the one whose exit ends the execution]
    #[arg(value_name = "COMPONENT")]
    component: Option<String>,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
    /// Pass standard input on [default: if it is a terminal]
    #[arg(short, long)]
    input: bool,
    /// Give the command no terminal, even on one
    #[arg(short = 'T', long)]
    no_terminal: bool,
}

/// Raw mode of the terminal, for as long as this lives.
struct Raw;

impl Raw {
    fn enter() -> Result<Self, CommandError> {
        crossterm::terminal::enable_raw_mode()
            .map_err(|e| CommandError::failed(format!("cannot set up the terminal: {e}")))?;
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // There is nobody left who could be told.
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// Runs it and exits with its exit code.
pub async fn run(args: ExecArgs, session: &Session) -> Done {
    let on_terminal =
        session.face.terminal.input && session.face.terminal.output && !args.no_terminal;
    let request = ExecRequest {
        command: args.command,
        terminal: on_terminal.then(|| session.face.terminal.size.unwrap_or((80, 24))),
        input: args.input || session.face.terminal.input,
    };
    let context = session.context().await?;
    let ExecSession {
        mut output,
        mut input,
        id,
    } = ops::exec::exec(
        &context,
        &args.execution,
        args.component.as_deref(),
        &request,
    )
    .await?;
    let _raw = if on_terminal {
        Some(Raw::enter()?)
    } else {
        None
    };
    if request.input {
        tokio::spawn(async move {
            // Either end may go away first; then there is nothing more to pass on.
            let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut input).await;
            let _ = input.shutdown().await;
        });
    }
    if on_terminal {
        tokio::spawn(follow_size(context.clone(), id.clone()));
    }
    while let Some(piece) = output.next().await {
        let (to, bytes) = piece.map_err(ops::OpsError::from)?;
        match to {
            Output::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(&bytes)?;
                out.flush()?;
            }
            Output::Stderr => io::stderr().write_all(&bytes)?,
        }
    }
    Ok(job_code(ops::exec::exit_code(&context, &id).await?))
}

/// Tells the command when the terminal changes its size.
async fn follow_size(context: Context, id: String) {
    let Ok(mut changes) = signal(SignalKind::window_change()) else {
        return;
    };
    while changes.recv().await.is_some() {
        if let Ok((columns, rows)) = crossterm::terminal::size() {
            // A command that has ended has no terminal any more.
            let _ = ops::exec::resize(&context, &id, columns, rows).await;
        }
    }
}
