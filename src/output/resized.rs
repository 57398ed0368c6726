//! What came of a resize, as JSON.

use serde::Serialize;

use super::schema::pretty;
use crate::ops::resize::Resized;

#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    component: &'a str,
    before: u32,
    wanted: u32,
    members: u32,
    reason: Option<&'a str>,
}

/// One object.
pub fn json(resized: &Resized) -> String {
    pretty(&Document {
        id: resized.id.as_str(),
        component: resized.component.as_str(),
        before: resized.before,
        wanted: resized.wanted,
        members: resized.members,
        reason: resized.reason.as_deref(),
    })
}
