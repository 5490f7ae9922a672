//! Windows to findings to alerts: baselines, detectors and grouping
