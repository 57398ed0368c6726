//! All executions of an array, by the name that it was given.

use super::context::Context;
use super::error::OpsError;
use super::resolve::Found;
use super::submit::resubmit;
use crate::model::{ExecutionId, Snapshot};
use crate::store::Query;

/// The most that are looked for in history.
const MOST_OF_ARRAY: u32 = 10_000;

/// The members of the newest array of that name, alive or over.
pub(super) async fn members(
    context: &Context,
    snapshot: &Snapshot,
    name: &str,
) -> Result<Vec<Found>, OpsError> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for execution in snapshot.executions.values() {
        let place = execution.ticket.terms.array;
        let place = place.map(|place| (place.array, place.index));
        let at = execution.ticket.submitted_at;
        let one = || Found::Alive(Box::new(execution.clone()));
        found.extend(member(name, execution.ticket.name.as_str(), place).map(|p| (p, at, one())));
    }
    let query = Query {
        name_prefix: Some(format!("{name}-")),
        limit: Some(MOST_OF_ARRAY),
        ..Query::default()
    };
    let past = match context.history.open().await {
        Ok(store) => store.find(&context.settings.deployment, &query).await,
        Err(error) => Err(error),
    };
    match past {
        // Those that are alive are in both.
        Ok(records) => found.extend(
            records
                .into_iter()
                .filter(|record| !snapshot.executions.contains_key(&record.id))
                .filter_map(|record| {
                    let place = resubmit::shown(record.terms.as_deref()).array;
                    let place = member(name, &record.name, place)?;
                    Some((place, record.submitted_at, Found::Past(Box::new(record))))
                }),
        ),
        Err(error) if found.is_empty() => return Err(error.into()),
        Err(_) => {}
    }
    let newest = found.iter().max_by_key(|(_, at, _)| *at);
    let Some(array) = newest.map(|((array, _), ..)| *array) else {
        return Ok(Vec::new());
    };
    found.retain(|((of, _), ..)| *of == array);
    found.sort_by_key(|((_, index), ..)| *index);
    Ok(found.into_iter().map(|(.., one)| one).collect())
}

/// Whether that is the name of the member at this place of the array that is called `array`.
fn member(
    array: &str,
    name: &str,
    place: Option<(ExecutionId, u32)>,
) -> Option<(ExecutionId, u32)> {
    place.filter(|(_, index)| {
        let rest = name.strip_prefix(array);
        rest.and_then(|rest| rest.strip_prefix('-')) == Some(index.to_string().as_str())
    })
}
