//! Docker, through its API.
