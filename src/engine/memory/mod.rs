//! A backend in memory that a file can hold: for tests, and for trying zoe out.
