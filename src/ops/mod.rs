//! What zoe can do: typed options in, typed outcome out; knows neither clap nor tables.

pub mod view;
