//! Flags of everything that prints a list.

use clap::{Args, ValueEnum};

use crate::cli::error::CommandError;
use crate::output::Format;
use crate::output::listing::Shape;
use crate::output::schema::EXECUTION_KEYS;
use crate::output::template::Template;

/// The word for a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// A table
    Table,
    /// A table with more columns
    Wide,
    /// One JSON array
    Json,
    /// A JSON object a line
    Jsonl,
    /// An id a line
    Name,
}

impl From<FormatArg> for Format {
    fn from(arg: FormatArg) -> Self {
        match arg {
            FormatArg::Table => Self::Table,
            FormatArg::Wide => Self::Wide,
            FormatArg::Json => Self::Json,
            FormatArg::Jsonl => Self::Jsonl,
            FormatArg::Name => Self::Name,
        }
    }
}

/// The word for the form of what is one thing, or has no ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PlainFormat {
    /// For people
    #[default]
    Table,
    /// JSON
    Json,
}

/// The form of what is one thing, or has no ids.
#[derive(Debug, Clone, Args)]
pub struct PlainForm {
    /// In which form: table or json
    #[arg(
        short,
        long,
        value_enum,
        default_value = "table",
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub output: PlainFormat,
}

/// How a list of executions is printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct ListArgs {
    /// In which form: table, wide, json, jsonl or name
    #[arg(
        short,
        long,
        value_enum,
        default_value = "table",
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub output: FormatArg,
    /// A line for each execution by a Jinja template over the keys of the JSON: '{{ id }} {{ state }}'
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "output")]
    pub format: Option<String>,
    /// Leave the table's header out
    #[arg(long)]
    pub no_header: bool,
}

impl ListArgs {
    /// The shape that is meant; a template is checked here, before anything is asked of Docker.
    pub fn shape(&self) -> Result<Shape, CommandError> {
        Ok(match &self.format {
            Some(text) => Shape::Template(Box::new(Template::new(text, &EXECUTION_KEYS)?)),
            None => Shape::Format(self.output.into()),
        })
    }
}
