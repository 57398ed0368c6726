//! The model written to and read from Docker labels: versioned and lossless.
