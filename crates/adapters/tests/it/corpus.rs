//! What the fuzz targets start from holds in ordinary tests too.

#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

use replay::replay;

use crate::checks;

/// Places where each seed is cut and damaged.
const PARTS: usize = 8;

#[test]
fn ndjson() {
    replay("ndjson", PARTS, checks::ndjson);
}

#[test]
fn framing() {
    replay("framing", PARTS, checks::framing);
}

#[test]
fn csv() {
    replay("csv", PARTS, checks::csv);
}

#[test]
fn parquet() {
    replay("parquet", PARTS, checks::parquet);
}
