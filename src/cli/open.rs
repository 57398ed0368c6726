//! `zoe open`: the address of a web interface.

use std::process::{Command, Stdio};

use clap::Args;

use super::session::{Done, Session};
use crate::ops::proxy::routes;
use crate::output::text::clean;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe open last                     the address of the notebook that was started last
zoe open nightly master           of its Spark master
zoe open --browser k3f driver     and a browser with it";

/// What opens a page, where $BROWSER does not say.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

/// Arguments of `zoe open`.
#[derive(Debug, Clone, Args)]
pub struct OpenArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: String,
    /// Which of its web interfaces: COMPONENT/PORT as `show` lists them, or one of the two; left out, the main one
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Open it in a browser, too: $BROWSER, or the desktop's
    #[arg(short, long)]
    browser: bool,
}

/// Prints it, and opens a browser if that is asked for.
pub async fn run(args: OpenArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let url = routes::address(&context, &args.execution, args.name.as_deref()).await?;
    session.face.print(&format!("{}\n", clean(&url.url)))?;
    if args.browser {
        let own = session.around.env.get("BROWSER");
        let mut openers = own.into_iter().chain(OPENERS);
        if !openers.any(|opener| open(opener, &url.url)) {
            session.face.warn(
                "no browser could be started; set BROWSER to one, or open the address by hand",
            );
        }
    }
    Ok(0)
}

/// Whether that program could be started.
fn open(opener: &str, url: &str) -> bool {
    // Its first word is the program: nothing is left to a shell.
    let mut words = opener.split_whitespace();
    let Some(program) = words.next() else {
        return false;
    };
    Command::new(program)
        .args(words)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .is_ok()
}
