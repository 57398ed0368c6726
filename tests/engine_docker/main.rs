//! The Docker backend against a real Engine.
//!
//! Each test has a deployment of its own and removes what carries it, so that they run side by side and beside other
//! users of the Engine. What stays is one image of 2 MB, made of a static busybox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod images;
mod lifecycle;
mod output;
mod strangers;
mod support;
mod trouble;
