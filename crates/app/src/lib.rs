//! The Wardline binary: settings, pipeline, HTTP API and commands
