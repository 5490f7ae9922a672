//! Scenarios as telemetry made from a seed
