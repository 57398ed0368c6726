//! Zoe's words as plain values: no I/O, no clock, no serialisation.
