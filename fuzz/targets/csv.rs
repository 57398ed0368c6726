//! CSV: read back, it has the cells that went in, as they are shown.

use zoe::output::columns::{COLUMNS, csv, csv_lines};
use zoe::output::sums;
use zoe::output::text::clean;
use zoe::store::SumBy;

use super::views;
use super::{Input, shown_safely};

/// Lists and sums of the texts of the input, and the texts as lines.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.choice;
    let mut texts = Vec::new();
    while let Some(text) = input.next() {
        texts.push(text);
    }
    let mut hostile = texts.iter().cloned().cycle();
    let mut text = || hostile.next().unwrap_or_default();
    let list = [
        views::execution(choice, &mut text),
        views::execution(choice / 2, &mut text),
    ];
    let rows = read(&csv(&list, &COLUMNS, true));
    assert_eq!(rows.len(), 3);
    let keys: Vec<&str> = COLUMNS.iter().map(|column| column.key).collect();
    assert_eq!(rows[0], keys);
    for (row, view) in rows[1..].iter().zip(&list) {
        assert_eq!(row.len(), COLUMNS.len());
        let expected = [
            view.id.to_string(),
            clean(&view.name).into_owned(),
            clean(&view.user).into_owned(),
            clean(&view.application).into_owned(),
        ];
        assert_eq!(row[..4], expected);
        let reason = view.reason.as_deref().unwrap_or_default();
        assert_eq!(row[COLUMNS.len() - 1], clean(reason));
    }
    let sum = views::sum(&mut text);
    let rows = read(&sums::csv(std::slice::from_ref(&sum), SumBy::User, true));
    assert_eq!((rows.len(), &*rows[1][0]), (2, &*clean(&sum.key)));
    // Lines of any texts, all as long as the first.
    let width = usize::from(choice % 5) + 1;
    let lines: Vec<Vec<String>> = texts.chunks_exact(width).map(<[String]>::to_vec).collect();
    let rows = read(&csv_lines(&lines));
    let expected = lines
        .iter()
        .map(|line| line.iter().map(|cell| clean(cell).into_owned()));
    let expected: Vec<Vec<String>> = expected.map(Iterator::collect).collect();
    assert_eq!(rows, expected);
}

fn read(text: &str) -> Vec<Vec<String>> {
    shown_safely(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}
