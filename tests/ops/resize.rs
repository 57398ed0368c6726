//! Resizing.
