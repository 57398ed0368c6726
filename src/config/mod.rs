//! Layers of configuration (defaults, file, environment, flags) become one `Config`; all errors at once.
