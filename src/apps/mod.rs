//! Application descriptions: the TOML/JSON format, the built-in ones, settings, and their expansion.
