//! `zoe keep`: something that nobody uses is not to be ended for that.

use clap::Args;
use jiff::SignedDuration;

use super::args::list::{PlainForm, PlainFormat};
use super::args::values;
use super::session::{Done, Session};
use crate::ops::idle::{self, Keep, is_for_ever};
use crate::output::{schema, text};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe keep last 4h      it is neither warned of nor ended before that
zoe keep explore      until told otherwise
zoe keep explore off";

/// Arguments of `zoe keep`.
#[derive(Debug, Clone, Args)]
pub struct KeepArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: String,
    /// For how long from now on (30m, 4h, 2d), or off; left out, until told otherwise
    #[arg(value_name = "TIME|off", value_parser = how_long)]
    how_long: Option<HowLong>,
    #[command(flatten)]
    form: PlainForm,
}

#[derive(Debug, Clone, Copy)]
enum HowLong {
    For(SignedDuration),
    Off,
}

fn how_long(text: &str) -> Result<HowLong, String> {
    match text {
        "off" => Ok(HowLong::Off),
        text => values::duration(text)
            .map(HowLong::For)
            .map_err(|error| format!("{error}, or off")),
    }
}

/// Notes it, and prints what holds now.
pub async fn run(args: KeepArgs, session: &Session) -> Done {
    let keep = match args.how_long {
        Some(HowLong::For(length)) => Keep::For(length),
        Some(HowLong::Off) => Keep::Off,
        None => Keep::Always,
    };
    let context = session.context().await?;
    let wish = idle::keep(&context, &args.execution, keep).await?;
    let said = match args.form.output {
        PlainFormat::Json => schema::pretty(&schema::Kept::from(&wish)),
        PlainFormat::Table => {
            let what = match wish.until {
                None => "is not kept any more".to_owned(),
                Some(until) if is_for_ever(until) => "is kept until told otherwise".to_owned(),
                Some(until) => format!("is kept until {}", text::rfc3339(until)),
            };
            format!("{} {what}\n", wish.id)
        }
    };
    session.face.print(&said)?;
    Ok(0)
}
