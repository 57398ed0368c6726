//! Reads an access log as `zoe watch` does, and prints how many executions and bad lines are in it. For `scripts/bench`.

#![allow(clippy::print_stdout, reason = "a program for the benchmark")]

use std::path::Path;

use zoe::proxy::access_log::read_on;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("say which log")?;
    let (seen, mark) = read_on(Path::new(&path), "/zoe", None)?;
    println!(
        "{{\"executions\": {}, \"bad\": {}, \"mark\": \"{mark}\"}}",
        seen.last.len(),
        seen.bad
    );
    Ok(())
}
