//! How things look: tables, JSON, templates, progress, log lines.
//!
//! Takes the plain views of `ops` and gives text; knows neither Docker nor the command line's grammar. Whatever a user or
//! a container wrote passes through [`text::clean`] or [`text::printable`] before it reaches a terminal (raw logs of one member excepted).

pub mod applications;
pub mod cluster;
pub mod columns;
pub mod database;
pub mod detail;
pub mod grid;
pub mod lines;
pub mod listing;
pub mod mails;
pub mod pictures;
pub mod progress;
pub mod queue;
pub mod resized;
pub mod routes;
pub mod schema;
pub mod settings;
pub mod simulation;
pub mod simulation_svg;
pub mod sums;
pub mod template;
pub mod text;
pub mod usage;
pub mod users;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

/// What the terminal can show and the user wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Width in columns; `None` where nobody limits it (a pipe).
    pub columns: Option<u16>,
    /// Whether to colour.
    pub color: bool,
    /// Whether tables have a header.
    pub header: bool,
    /// What relative times are relative to.
    pub now: Timestamp,
}

/// In which form a list is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    #[default]
    Table,
    /// The same with more columns.
    Wide,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Ids alone, one a line.
    Name,
}
