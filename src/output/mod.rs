//! Views for people and for programs: tables, JSON, templates.
