//! The `zoe` binary: time, environment and seeds enter here; everything else is in the library.

fn main() {}
