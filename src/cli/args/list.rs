//! Flags of everything that prints a list.

use clap::{Args, ValueEnum};

use crate::cli::error::CommandError;
use crate::output::Format;
use crate::output::columns::{self, COLUMNS, Column};
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
    /// Comma-separated values
    Csv,
    /// An id a line
    Name,
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
    /// In which form: table, wide, json, jsonl, csv or name
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
    /// Which columns a table or CSV has: id,name,user,state and others
    #[arg(long, value_name = "COLUMNS", value_parser = chosen, conflicts_with = "format")]
    pub columns: Option<Chosen>,
    /// Leave the table's header out
    #[arg(long)]
    pub no_header: bool,
}

/// Columns that were chosen.
#[derive(Debug, Clone)]
pub struct Chosen(Vec<Column>);

fn chosen(text: &str) -> Result<Chosen, String> {
    columns::chosen(text).map(Chosen)
}

impl ListArgs {
    /// The shape that is meant; a template is checked here, before anything is asked of Docker.
    pub fn shape(&self) -> Result<Shape, CommandError> {
        if let Some(text) = &self.format {
            let template = Template::new(text, &EXECUTION_KEYS)?;
            return Ok(Shape::Template(Box::new(template)));
        }
        let chosen = self.columns.clone().map(|Chosen(columns)| columns);
        let format = match (self.output, chosen) {
            (FormatArg::Csv, chosen) => {
                return Ok(Shape::Csv(chosen.unwrap_or_else(|| COLUMNS.to_vec())));
            }
            (FormatArg::Table, Some(columns)) => return Ok(Shape::Columns(columns)),
            (FormatArg::Table, None) => Format::Table,
            (FormatArg::Wide, None) => Format::Wide,
            (FormatArg::Json, None) => Format::Json,
            (FormatArg::Jsonl, None) => Format::Jsonl,
            (FormatArg::Name, None) => Format::Name,
            (FormatArg::Wide | FormatArg::Json | FormatArg::Jsonl | FormatArg::Name, Some(_)) => {
                return Err(CommandError::usage(
                    "--columns goes with a table or with -o csv",
                ));
            }
        };
        Ok(Shape::Format(format))
    }
}
