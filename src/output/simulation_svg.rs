//! What came of simulations as a picture in SVG: who had how much when, for few applications; what was held and how many
//! waited, for many. One panel for each policy and mode, all to the same scale of time.

use std::fmt::Write as _;

use super::simulation::{Simulation, part};
use crate::model::markup::escape;
use crate::simulate::{Job, Outcome, Summary};

/// Up to how many applications each gets a line of its own.
pub const MOST_LINES: usize = 60;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 140.0;
const RIGHT: f64 = 20.0;
const TITLE: f64 = 34.0;
const AXIS: f64 = 28.0;
const LINE: f64 = 18.0;
const CHART: f64 = 160.0;
/// Colours that can be told apart by people who don't see all of them (Okabe and Ito, 2008).
const COLOURS: [&str; 7] = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a7f00",
];

/// The picture, a whole document.
pub fn svg(simulation: &Simulation<'_>) -> String {
    let ends = simulation.outcomes.iter().map(|o| o.end.seconds());
    let scale = Scale {
        end: ends.fold(0.0, f64::max).max(1e-9),
    };
    let lines = simulation.jobs.len() <= MOST_LINES;
    let body = if lines {
        LINE * lossless(simulation.jobs.len())
    } else {
        CHART
    };
    let panel = TITLE + body + AXIS;
    let height = panel * lossless(simulation.outcomes.len()) + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height:.0}\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\">\n\
         <title>{} applications on {}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        simulation.jobs.len(),
        escape(simulation.nodes)
    );
    for (n, outcome) in simulation.outcomes.iter().enumerate() {
        let top = panel * lossless(n);
        let _ = writeln!(svg, "<g transform=\"translate(0 {top:.0})\">");
        title(&mut svg, simulation, outcome);
        let _ = writeln!(svg, "<g transform=\"translate(0 {TITLE})\">");
        axis(&mut svg, &scale, body);
        if lines {
            gantt(&mut svg, &scale, simulation.jobs, outcome);
        } else {
            chart(&mut svg, &scale, simulation, outcome);
        }
        svg.push_str("</g>\n</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// Seconds to places from left to right.
struct Scale {
    end: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.end * (WIDTH - LEFT - RIGHT)
    }

    /// The unit in which all marks are written: its length in seconds and its name.
    fn unit(&self) -> (f64, &'static str) {
        let units = [(86_400.0, "d"), (3600.0, "h"), (60.0, "min")];
        let long = units.into_iter().find(|(size, _)| self.end >= 3.0 * size);
        long.unwrap_or((1.0, "s"))
    }

    /// Where there are marks, in a unit of that many seconds: 1, 2 or 5 times a power of ten apart.
    fn marks(&self, unit: f64) -> Vec<f64> {
        let end = self.end / unit;
        let power = 10f64.powf((end / 8.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
        let step = step.into_iter().find(|step| end / step <= 10.0);
        let step = step.unwrap_or(end);
        (0..=10)
            .map(|n| f64::from(n) * step)
            .filter(|mark| *mark <= end)
            .collect()
    }
}

fn title(svg: &mut String, simulation: &Simulation<'_>, outcome: &Outcome) {
    let both = simulation.jobs.iter().zip(&outcome.spans);
    let turnarounds = both.filter_map(|(job, span)| Some(span.as_ref()?.turnaround(job)));
    let mean = Summary::of(turnarounds).map(|summary| summary.mean);
    let mean = mean.map_or_else(String::new, |mean| format!("mean turnaround {mean:.2} s, "));
    let (order, mode) = (outcome.setup.order.name(), outcome.setup.mode.name());
    let _ = writeln!(
        svg,
        "<text x=\"8\" y=\"22\" font-size=\"14\" font-weight=\"bold\">{order}, {mode}</text>\n\
         <text x=\"{LEFT}\" y=\"22\">{mean}{} done, {} refused</text>",
        outcome.done(),
        outcome.refused.len()
    );
}

fn axis(svg: &mut String, scale: &Scale, height: f64) {
    let (unit, name) = scale.unit();
    for mark in scale.marks(unit) {
        let x = scale.x(mark * unit);
        // Sums of tenths are not quite tenths.
        let label = (mark * 1e9).round() / 1e9;
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"0\" x2=\"{x:.1}\" y2=\"{height:.0}\" stroke=\"#ddd\"/>\
             <text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#666\">{label} {name}</text>",
            height + 14.0
        );
    }
}

/// A line for each application: thin while it waits, then as strong as it has members.
fn gantt(svg: &mut String, scale: &Scale, jobs: &[Job], outcome: &Outcome) {
    for (n, (job, span)) in jobs.iter().zip(&outcome.spans).enumerate() {
        let top = LINE * lossless(n);
        let middle = top + LINE / 2.0;
        let name = format!("{} {}", n + 1, job.user);
        let shown: String = name.chars().take(20).collect();
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{:.0}\">{}</text>",
            top + 13.0,
            escape(&shown)
        );
        let Some(span) = span else {
            let _ = writeln!(
                svg,
                "<text x=\"{LEFT}\" y=\"{:.0}\" fill=\"#999\">refused</text>",
                top + 13.0
            );
            continue;
        };
        let (from, start) = (
            scale.x(job.submit.seconds()),
            scale.x(span.started.seconds()),
        );
        let _ = writeln!(
            svg,
            "<line x1=\"{from:.1}\" y1=\"{middle:.0}\" x2=\"{start:.1}\" y2=\"{middle:.0}\" stroke=\"#999\" stroke-dasharray=\"2 3\"/>"
        );
        let colour = COLOURS.get(n % COLOURS.len()).copied().unwrap_or("#000");
        let bars = outcome.bars.get(n).map(Vec::as_slice).unwrap_or_default();
        let ends = bars.iter().skip(1).map(|bar| bar.0);
        for ((at, members), until) in bars.iter().zip(ends.chain([span.ended])) {
            let (x, width) = (
                scale.x(at.seconds()),
                scale.x(until.seconds()) - scale.x(at.seconds()),
            );
            let share = part((*members).into(), job.members().into());
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"{:.0}\" fill=\"{colour}\" fill-opacity=\"{:.2}\" stroke=\"{colour}\">\
                 <title>{}: {members} of {} members from {at} s to {until} s</title></rect>",
                top + 2.0,
                LINE - 4.0,
                0.15 + 0.75 * share,
                escape(&name),
                job.members(),
            );
            if width > 14.0 {
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.0}\" font-size=\"10\">{members}</text>",
                    x + 3.0,
                    top + 13.0
                );
            }
        }
    }
}

/// What was held over time, and how many waited.
fn chart(svg: &mut String, scale: &Scale, simulation: &Simulation<'_>, outcome: &Outcome) {
    let most = outcome.timeline.iter().map(|p| p.waiting).max();
    let most = most.unwrap_or_default().max(1);
    let all = simulation.capacity;
    let lines: [(&str, &str, Vec<f64>); 3] = [
        (
            "cores",
            COLOURS[0],
            outcome
                .timeline
                .iter()
                .map(|p| part(p.held.cores.millis(), all.cores.millis()))
                .collect(),
        ),
        (
            "memory",
            COLOURS[2],
            outcome
                .timeline
                .iter()
                .map(|p| part(p.held.memory.get(), all.memory.get()))
                .collect(),
        ),
        (
            "queue",
            COLOURS[3],
            outcome
                .timeline
                .iter()
                .map(|p| part(p.waiting, most))
                .collect(),
        ),
    ];
    for (y, label) in [(0.0, "100 %"), (CHART, "0 %")] {
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"#bbb\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#666\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        );
    }
    for (n, (name, colour, values)) in lines.iter().enumerate() {
        let y = 40.0 + 18.0 * lossless(n);
        let what = if *name == "queue" {
            format!("queue, of {most}")
        } else {
            (*name).to_owned()
        };
        let _ = writeln!(
            svg,
            "<rect x=\"8\" y=\"{:.0}\" width=\"12\" height=\"4\" fill=\"{colour}\"/><text x=\"26\" y=\"{y:.0}\">{what}</text>",
            y - 6.0
        );
        let mut points = String::new();
        let mut last = None;
        for (point, value) in outcome.timeline.iter().zip(values) {
            let x = scale.x(point.at.seconds());
            // Steps, not slopes: what is held changes at once.
            if let Some(last) = last {
                let _ = write!(points, "{x:.1},{last:.1} ");
            }
            let y = CHART * (1.0 - value);
            let _ = write!(points, "{x:.1},{y:.1} ");
            last = Some(y);
        }
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-opacity=\"0.8\"/>",
            points.trim_end()
        );
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "places in a picture, of which there are few"
)]
fn lossless(number: usize) -> f64 {
    number as f64
}
