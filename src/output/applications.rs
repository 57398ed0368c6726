//! Applications: what `app ls` prints.

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid};
use super::schema::pretty;
use crate::model::Application;

#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    description: &'a str,
    components: Vec<&'a str>,
    core_members: u32,
    cores: Option<serde_json::Number>,
    memory_bytes: u64,
}

fn members(application: &Application) -> u32 {
    application
        .components
        .iter()
        .map(|c| c.core)
        .fold(0, u32::saturating_add)
}

/// As a table; the amounts are those of all core members together.
pub fn table(applications: &[Application], look: &Look) -> String {
    let columns = [
        ("NAME", Fit::Whole),
        ("MEMBERS", Fit::Number),
        ("CORES", Fit::Number),
        ("MEMORY", Fit::Number),
        ("DESCRIPTION", Fit::Wrap),
    ];
    let mut grid = Grid::new(&columns);
    for application in applications {
        let needed = application.core_reservation();
        grid.row(vec![
            Cell::plain(&application.name),
            Cell::plain(members(application).to_string()),
            Cell::plain(needed.cores.to_string()),
            Cell::plain(needed.memory.to_string()),
            Cell::plain(&application.description),
        ]);
    }
    grid.render(look)
}

/// As a JSON array.
pub fn json(applications: &[Application]) -> String {
    let rows: Vec<Json<'_>> = applications
        .iter()
        .map(|application| {
            let needed = application.core_reservation();
            Json {
                name: &application.name,
                description: &application.description,
                components: application
                    .components
                    .iter()
                    .map(|c| c.name.as_str())
                    .collect(),
                core_members: members(application),
                cores: needed.cores.to_string().parse().ok(),
                memory_bytes: needed.memory.get(),
            }
        })
        .collect();
    pretty(&rows)
}
