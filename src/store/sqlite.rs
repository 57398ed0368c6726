//! SQLite: what is used when nothing is configured.
