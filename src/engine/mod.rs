//! The trait between zoe and whatever runs containers, and its implementations.
