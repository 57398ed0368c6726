//! One file per command: its arguments, one call to `ops`, its view.
