//! Images: what `images ls` prints.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid};
use super::schema::pretty;
use super::text::{ago, rfc3339};
use crate::model::Bytes;

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Docker's id.
    pub id: String,
    /// Its names.
    pub names: Vec<String>,
    /// Its size, shared layers included.
    pub size: Bytes,
    /// When it was made.
    pub made_at: Timestamp,
    /// What the site's registry has under each of its names: `same`, `other`, `missing` or `unknown`; empty where there is
    /// no registry.
    pub registry: BTreeMap<String, &'static str>,
}

#[derive(Serialize)]
struct Json<'a> {
    id: &'a str,
    names: &'a [String],
    size_bytes: u64,
    created_at: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    registry: &'a BTreeMap<String, &'static str>,
}

/// As a table, a row for each image with all its names; with what the registry has where there is one: a word, or one for each
/// name where they differ.
pub fn table(images: &[Row], look: &Look) -> String {
    let with_registry = images.iter().any(|image| !image.registry.is_empty());
    let mut columns = vec![
        ("NAME", Fit::Wrap),
        ("ID", Fit::Whole),
        ("SIZE", Fit::Number),
        ("MADE", Fit::Whole),
    ];
    if with_registry {
        columns.push(("REGISTRY", Fit::Whole));
    }
    let mut grid = Grid::new(&columns);
    for image in images {
        let id: String = image
            .id
            .trim_start_matches("sha256:")
            .chars()
            .take(12)
            .collect();
        let mut row = vec![
            Cell::plain(image.names.join(", ")),
            Cell::plain(&id),
            Cell::plain(image.size.to_string()),
            Cell::plain(ago(look.now, image.made_at)),
        ];
        if with_registry {
            row.push(Cell::plain(registry(image)));
        }
        grid.row(row);
    }
    grid.render(look)
}

fn registry(image: &Row) -> String {
    let names = image.names.iter();
    let words: Vec<&str> = names
        .map(|name| image.registry.get(name).copied().unwrap_or_default())
        .collect();
    match words.split_first() {
        Some((first, rest)) if rest.iter().all(|word| word == first) => (*first).to_owned(),
        _ => words.join(", "),
    }
}

/// As a JSON array, an object for each image.
pub fn json(images: &[Row]) -> String {
    let rows: Vec<Json<'_>> = images
        .iter()
        .map(|image| Json {
            id: &image.id,
            names: &image.names,
            size_bytes: image.size.get(),
            created_at: rfc3339(image.made_at),
            registry: &image.registry,
        })
        .collect();
    pretty(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_listed_once_with_all_its_names() {
        let names = ["zoe/dask:latest", "reg:5000/zoe/dask:latest"];
        let row = |words: [&'static str; 2]| Row {
            id: "sha256:0123456789abcdef".to_owned(),
            names: names.map(str::to_owned).to_vec(),
            size: Bytes::from_mib(3),
            made_at: Timestamp::UNIX_EPOCH,
            registry: names.map(str::to_owned).into_iter().zip(words).collect(),
        };
        let rows = [row(["same", "same"]), row(["missing", "same"])];
        assert_eq!(rows.each_ref().map(registry), ["same", "missing, same"]);
        let look = Look {
            columns: None,
            color: false,
            header: true,
            now: Timestamp::UNIX_EPOCH,
        };
        let table = table(&rows[..1], &look);
        assert_eq!(table.lines().count(), 2, "{table}");
        assert!(table.contains(&names.join(", ")), "{table}");
    }
}
