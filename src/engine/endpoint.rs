//! Finds Docker as the docker CLI does.
