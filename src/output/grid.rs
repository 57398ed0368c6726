//! A table that fits its terminal: names are cut, sentences wrapped; into a pipe all goes, one line a row. Nothing dangerous is
//! in a cell.

use comfy_table::{
    Cell as Drawn, CellAlignment, Color, ColumnConstraint, ContentArrangement, Row, Table, Width,
    presets,
};

use super::Look;
use super::text::clean;

/// Meaning of a cell that deserves a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// None.
    Plain,
    /// All is well.
    Good,
    /// On its way.
    Busy,
    /// Waits.
    Waiting,
    /// Went wrong.
    Bad,
    /// Of less interest.
    Dim,
}

impl Tone {
    fn color(self) -> Option<Color> {
        match self {
            Self::Plain => None,
            Self::Good => Some(Color::Green),
            Self::Busy => Some(Color::Cyan),
            Self::Waiting => Some(Color::Yellow),
            Self::Bad => Some(Color::Red),
            Self::Dim => Some(Color::DarkGrey),
        }
    }
}

/// How a column behaves when there is too little room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It keeps its width.
    Whole,
    /// It keeps its width, and its cells are numbers, to the right.
    Number,
    /// Its cells are cut to so many characters, to fewer where there is little room.
    Cut(usize),
    /// It takes the room that is left, in several lines if need be.
    Wrap,
}

/// The most lines of one row.
const LINES: usize = 6;
/// Between two columns.
const GAP: usize = 2;
/// The least width of a column that is wrapped.
const NARROWEST: usize = 12;
/// The least that is left of a text that is cut.
const SHORTEST: usize = 8;

/// A text and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell; an empty one shows a dash.
    pub fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        let text = clean(text.as_ref()).into_owned();
        Self {
            text: if text.is_empty() {
                "-".to_owned()
            } else {
                text
            },
            tone,
        }
    }

    /// A cell without a colour.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }

    /// A cell for what may be unknown.
    pub fn maybe(text: Option<impl ToString>) -> Self {
        Self::plain(text.map(|t| t.to_string()).unwrap_or_default())
    }
}

/// A table in the making.
#[derive(Debug, Clone)]
pub struct Grid {
    columns: Vec<(&'static str, Fit)>,
    rows: Vec<Vec<Cell>>,
    spare: Vec<&'static str>,
}

impl Grid {
    /// A table with these columns.
    pub fn new(columns: &[(&'static str, Fit)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Names the columns that a terminal too narrow for all goes without, the first first.
    pub fn give_up(&mut self, titles: &[&'static str]) {
        self.spare = titles.to_vec();
    }

    /// Takes out what there is no room for.
    fn fit(&mut self, look: &Look) {
        let Some(columns) = look.columns.map(usize::from) else {
            return;
        };
        for title in std::mem::take(&mut self.spare) {
            let cut = self
                .columns
                .iter()
                .filter(|(_, fit)| matches!(fit, Fit::Cut(_)));
            if self.taken() + cut.count() * SHORTEST <= columns {
                return;
            }
            if let Some(i) = self.columns.iter().position(|(column, _)| *column == title) {
                self.columns.remove(i);
                for row in self.rows.iter_mut().filter(|row| i < row.len()) {
                    row.remove(i);
                }
            }
        }
    }

    /// Adds a row, a cell for each column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The width of all columns, of those that can be cut only the gaps.
    fn taken(&self) -> usize {
        let widths = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, (title, fit))| match fit {
                Fit::Whole | Fit::Number => {
                    let cells = self.rows.iter().filter_map(|row| row.get(i));
                    let widths = cells.map(|cell| cell.text.chars().count());
                    widths.chain([title.len()]).max().unwrap_or(0) + GAP
                }
                Fit::Cut(_) => GAP,
                Fit::Wrap => title.len().max(NARROWEST) + GAP,
            });
        widths.sum()
    }

    /// How many characters a column that can be cut may have; as many as it likes where nothing limits the width.
    fn room(&self, look: &Look) -> Option<usize> {
        look.columns.map(|columns| {
            usize::from(columns)
                .saturating_sub(self.taken())
                .max(SHORTEST)
        })
    }

    /// The table as text, every line with its newline.
    pub fn render(mut self, look: &Look) -> String {
        self.fit(look);
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .force_no_tty()
            .set_truncation_indicator("…");
        if look.header {
            table.set_header(Row::from(
                self.columns
                    .iter()
                    .map(|(title, _)| Drawn::new(title))
                    .collect::<Vec<_>>(),
            ));
        }
        let room = self.room(look);
        for cells in &self.rows {
            let fits = self.columns.iter().map(|(_, fit)| *fit);
            let drawn = cells
                .iter()
                .zip(fits)
                .map(|(cell, fit)| draw(cell, fit, room, look));
            let mut row = Row::from(drawn.collect::<Vec<_>>());
            row.max_height(LINES);
            table.add_row(row);
        }
        for (column, (title, fit)) in table.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, 2));
            match fit {
                Fit::Whole | Fit::Cut(_) => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                Fit::Number => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                    column.set_cell_alignment(CellAlignment::Right);
                }
                Fit::Wrap => {
                    let least = u16::try_from(title.len().max(NARROWEST) + GAP).unwrap_or(u16::MAX);
                    column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
                }
            }
        }
        match look.columns {
            Some(columns) => {
                table
                    .set_width(columns)
                    .set_content_arrangement(ContentArrangement::Dynamic);
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if look.color {
            // The decision was made by the caller, who knows NO_COLOR and the flags; the library must not look again.
            crossterm::style::force_color_output(true);
            table.style_text_only();
            table.enforce_styling();
        }
        table.lines().fold(String::new(), |mut text, line| {
            text.push_str(line.trim_end());
            text.push('\n');
            text
        })
    }
}

fn draw(cell: &Cell, fit: Fit, room: Option<usize>, look: &Look) -> Drawn {
    let most = match (fit, room) {
        (Fit::Cut(most), Some(room)) => room.min(most),
        (Fit::Cut(_) | Fit::Whole | Fit::Number | Fit::Wrap, _) => usize::MAX,
    };
    let drawn = if cell.text.chars().count() > most {
        Drawn::new_owned(
            cell.text
                .chars()
                .take(most.saturating_sub(1))
                .chain(['…'])
                .collect(),
        )
    } else {
        Drawn::new(&cell.text)
    };
    match cell.tone.color().filter(|_| look.color) {
        Some(shade) => drawn.fg(shade),
        None => drawn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn look(columns: Option<u16>) -> Look {
        Look {
            columns,
            color: false,
            header: true,
            now: Timestamp::UNIX_EPOCH,
        }
    }

    fn grid() -> Grid {
        let mut grid = Grid::new(&[
            ("ID", Fit::Cut(9)),
            ("SIZE", Fit::Number),
            ("DETAIL", Fit::Wrap),
        ]);
        grid.row(vec![
            Cell::plain("abcdefgh"),
            Cell::plain("7"),
            Cell::plain("a rather long reason why it waits for others"),
        ]);
        grid.row(vec![
            Cell::plain("x\u{1b}[1m\n"),
            Cell::plain("1234567"),
            Cell::new("", Tone::Dim),
        ]);
        grid
    }

    #[test]
    fn a_narrow_table_is_cut_and_a_pipe_gets_all() {
        insta::assert_snapshot!(grid().render(&look(Some(48))), @r"
ID            SIZE  DETAIL
abcdefgh         7  a rather long reason why
                    it waits for others
x\u{1b}[…  1234567  -
");
        insta::assert_snapshot!(grid().render(&look(None)), @r"
ID               SIZE  DETAIL
abcdefgh            7  a rather long reason why it waits for others
x\u{1b}[1m\n  1234567  -
");
        for columns in [20, 40, 60, 80] {
            let widest = grid()
                .render(&look(Some(columns)))
                .lines()
                .map(|l| l.chars().count())
                .max()
                .unwrap();
            assert!(
                widest <= usize::from(columns.max(38)),
                "{columns}: {widest}"
            );
        }
    }

    #[test]
    fn colours_only_when_asked_for() {
        let mut grid = Grid::new(&[("STATE", Fit::Whole)]);
        grid.row(vec![Cell::new("running", Tone::Good)]);
        let colored = Look {
            color: true,
            header: false,
            ..look(None)
        };
        assert_eq!(
            grid.clone().render(&colored),
            "\u{1b}[38;5;10mrunning\u{1b}[39m\n"
        );
        assert_eq!(
            grid.render(&Look {
                color: false,
                ..colored
            }),
            "running\n"
        );
    }

    #[test]
    fn a_narrow_terminal_goes_without_what_can_be_spared() {
        let mut grid = Grid::new(&[
            ("ID", Fit::Whole),
            ("APPLICATION", Fit::Whole),
            ("DETAIL", Fit::Wrap),
        ]);
        grid.give_up(&["APPLICATION"]);
        grid.row(["abc", "spark-notebook", "x"].map(Cell::plain).to_vec());
        assert!(grid.clone().render(&look(Some(60))).contains("APPLICATION"));
        let narrow = grid.render(&look(Some(25)));
        assert!(!narrow.contains("APPLICATION"), "{narrow}");
        assert!(
            narrow.lines().all(|line| line.chars().count() <= 25),
            "{narrow}"
        );
    }
}
