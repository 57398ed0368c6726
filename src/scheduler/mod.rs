//! Decides what is to be done next: pure functions of a snapshot.
