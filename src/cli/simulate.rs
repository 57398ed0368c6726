//! `zoe simulate`: what a workload would meet on these nodes, under these policies.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::args::list::{PlainForm, PlainFormat};
use super::error::CommandError;
use super::session::{Done, Session};
use crate::output::simulation::{self, Simulation};
use crate::output::simulation_svg;
use crate::output::text::clean;
use crate::scheduler::{Mode, Order};
use crate::simulate::{self, Cluster, Job, Outcome, Recipe, Setup, Time};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe simulate week.csv --nodes 4x32c128g           (docs/simulate.md)
zoe simulate week.csv --nodes 6x32c128g --policy fifo,fair,hrrn --mode rigid,flexible
zoe simulate week.csv --nodes 2x16c64g,1x64c256g --svg week.svg
zoe simulate --generate google-like:80000:7 --nodes 100x32c128g -o json
zoe simulate --generate google-like:5000 --nodes 90x32c128g --time-limits 4
zoe history --as-workload --since 30d | zoe simulate - --nodes 10x16c64g";

/// How many refused applications are named.
const NAMED: usize = 5;

/// Arguments of `zoe simulate`.
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// The workload: CSV with the header submit,user,runtime,core,elastic,cores,memory, or JSON objects with the same names,
    /// one a line; '-' for standard input
    #[arg(
        value_name = "WORKLOAD",
        required_unless_present = "generate",
        conflicts_with = "generate"
    )]
    workload: Option<PathBuf>,
    /// Make a workload up instead: google-like:COUNT[:SEED[:LOAD]]
    #[arg(long, value_name = "WHAT", value_parser = Recipe::from_str)]
    generate: Option<Recipe>,
    /// The nodes: how many, their cores and their memory, such as 100x32c128g or 4x8c16g,2x16c64g
    #[arg(long, value_name = "NODES", value_parser = Cluster::from_str, required_unless_present = "save")]
    nodes: Option<Cluster>,
    /// The policies: fifo, size, dynsize, hrrn, fair; several with commas, or all
    #[arg(long, value_name = "POLICY", value_delimiter = ',', default_value = "fifo", value_parser = order)]
    policy: Vec<Named<Order>>,
    /// The modes: rigid, flexible; both with a comma, or all
    #[arg(long, value_name = "MODE", value_delimiter = ',', default_value = "flexible", value_parser = mode)]
    mode: Vec<Named<Mode>>,
    /// Give every application that has no time limit one: FACTOR times its runtime. Where it reaches that it is ended; and
    /// who ends before others need the room goes before them
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true, value_parser = factor)]
    time_limits: Option<f64>,
    #[command(flatten)]
    form: PlainForm,
    /// Leave the table's header out
    #[arg(long)]
    no_header: bool,
    /// Draw it, too, in this file; '-' prints the picture in place of the table
    #[arg(long, value_name = "FILE", requires = "nodes")]
    svg: Option<PathBuf>,
    /// Write the workload as CSV to this file; '-' prints it in place of the table. Without --nodes that is all
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// One of several that have names, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named<T> {
    One(T),
    All,
}

/// Those that are meant, in the order of all where all are.
fn meant<T: Copy>(named: &[Named<T>], all: &[(&'static str, T)]) -> Vec<T> {
    let mut meant = Vec::new();
    for named in named {
        match named {
            Named::One(one) => meant.push(*one),
            Named::All => meant.extend(all.iter().map(|(_, one)| *one)),
        }
    }
    meant
}

fn order(text: &str) -> Result<Named<Order>, String> {
    named(text, "policy", &Order::NAMED)
}

fn mode(text: &str) -> Result<Named<Mode>, String> {
    named(text, "mode", &Mode::NAMED)
}

fn factor(text: &str) -> Result<f64, String> {
    let factor: Option<f64> = text.parse().ok();
    let factor = factor.filter(|factor| (0.001..=1e6).contains(factor));
    factor.ok_or_else(|| {
        let shown = crate::model::ids::shorten(text);
        format!("'{shown}' is not a number from 0.001 to 1000000")
    })
}

fn named<T: Copy>(text: &str, what: &str, all: &[(&'static str, T)]) -> Result<Named<T>, String> {
    if text == "all" {
        return Ok(Named::All);
    }
    let found = all.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| Named::One(*value)).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        format!(
            "'{}' is no {what}; there are {} and all",
            crate::model::ids::shorten(text),
            names.join(", ")
        )
    })
}

/// Simulates and prints.
pub fn run(args: &SimulateArgs, session: &Session) -> Done {
    let printed = printed(args)?;
    let config = session.config()?;
    let mut jobs = workload(args, session)?;
    if let Some(factor) = args.time_limits {
        for job in &mut jobs {
            job.limit(factor);
        }
    }
    if let Some(path) = &args.save {
        let mut csv = Vec::new();
        simulate::write(&jobs, &mut csv)?;
        save(session, path, &csv)?;
    }
    let Some(cluster) = &args.nodes else {
        return Ok(0);
    };
    let draw = args.svg.is_some() && jobs.len() <= simulation_svg::MOST_LINES;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for order in meant(&args.policy, &Order::NAMED) {
        for mode in meant(&args.mode, &Mode::NAMED) {
            let setup = Setup {
                ageing: config.scheduler.ageing,
                half_life: Time::from_secs(config.quota.half_life.as_secs()),
                ..Setup::usual(order, mode)
            };
            if outcomes.iter().any(|outcome| outcome.setup == setup) {
                continue;
            }
            let outcome = simulate::simulate(&jobs, &cluster.nodes, setup, draw)
                .map_err(|error| CommandError::failed(error.to_string()))?;
            outcomes.push(outcome);
        }
    }
    tell_refused(session, &jobs, &outcomes);
    let simulation = Simulation {
        jobs: &jobs,
        nodes: &cluster.text,
        capacity: cluster.capacity(),
        outcomes: &outcomes,
    };
    if let Some(path) = &args.svg {
        save(session, path, simulation_svg::svg(&simulation).as_bytes())?;
    }
    if !printed {
        session.face.print(&match args.form.output {
            PlainFormat::Table => simulation::table(&simulation, &session.look(args.no_header)),
            PlainFormat::Json => simulation::json(&simulation),
        })?;
    }
    Ok(0)
}

/// Whether a picture or a workload goes to standard output, which has room for one thing.
fn printed(args: &SimulateArgs) -> Result<bool, CommandError> {
    let is_printed = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
    let json = matches!(args.form.output, PlainFormat::Json);
    match (is_printed(&args.svg), is_printed(&args.save), json) {
        (false, false, _) if args.svg.is_some() && args.svg == args.save => {
            Err(CommandError::usage(
                "--svg and --save name the same file, which has room for one of them",
            ))
        }
        (false, false, _) => Ok(false),
        (true, false, false) | (false, true, false) => Ok(true),
        _ => Err(CommandError::usage(
            "only one thing can be written to standard output: --svg -, --save - or -o json",
        )
        .hint("name a file for the others")),
    }
}

fn workload(args: &SimulateArgs, session: &Session) -> Result<Vec<Job>, CommandError> {
    if let Some(recipe) = &args.generate {
        return Ok(simulate::generate(recipe));
    }
    let path = args.workload.as_deref().unwrap_or(Path::new("-"));
    let unread = |name: &str, error: &std::io::Error| {
        CommandError::usage(format!("cannot read the workload {name}: {error}"))
    };
    let (name, text) = if path == Path::new("-") {
        let mut text = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut text);
        read.map_err(|error| unread("from standard input", &error))?;
        ("standard input".to_owned(), text)
    } else {
        let name = path.display().to_string();
        let text = std::fs::read(session.around.cwd.join(path));
        (name.clone(), text.map_err(|error| unread(&name, &error))?)
    };
    simulate::read(&text).map_err(|error| {
        CommandError::usage(format!("{name}, {error}")).hint("docs/simulate.md has the format")
    })
}

fn save(session: &Session, path: &Path, content: &[u8]) -> Result<(), CommandError> {
    if path == Path::new("-") {
        return session.face.bytes(content);
    }
    let path = session.around.cwd.join(path);
    std::fs::write(&path, content).map_err(|error| {
        CommandError::usage(format!("cannot write {}: {error}", path.display()))
    })?;
    session.face.note(&format!("wrote {}", path.display()));
    Ok(())
}

/// Names those that could never run; the modes differ in what they need at least, the policies do not.
fn tell_refused(session: &Session, jobs: &[Job], outcomes: &[Outcome]) {
    for (_, mode) in Mode::NAMED {
        let Some(outcome) = outcomes.iter().find(|o| o.setup.mode == mode) else {
            continue;
        };
        let refused = &outcome.refused;
        for one in refused.iter().take(NAMED) {
            let user = jobs.get(one.job).map_or("", |job| &job.user);
            session.face.warn(&format!(
                "{}: application {} of {} is left out: {}",
                mode.name(),
                one.job + 1,
                clean(user),
                one.why
            ));
        }
        if refused.len() > NAMED {
            session.face.warn(&format!(
                "{}: {} more are left out; -o json names them all",
                mode.name(),
                refused.len() - NAMED
            ));
        }
    }
}
