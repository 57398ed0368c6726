//! Arguments that several commands share, and how single values are read.

pub mod filter;
pub mod launch;
pub mod list;
pub mod terms;
pub mod values;
