//! Application descriptions and labels, from outside: what is read, what is refused and in which words, what comes of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod any;
mod builtins;
mod errors;
mod expansion;
mod labels;
mod settings;
