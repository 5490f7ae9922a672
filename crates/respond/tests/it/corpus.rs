//! What the fuzz targets start from holds in ordinary tests too.

#[path = "../../../../fuzz/checks/respond.rs"]
mod checks;
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

use replay::replay;

/// Places where each seed is cut and damaged.
const PARTS: usize = 64;

#[test]
fn evidence() {
    replay("evidence", PARTS, checks::pack);
}

#[test]
fn chain() {
    replay("chain", PARTS, checks::log);
}

#[test]
fn playbook() {
    replay("playbook", PARTS, checks::playbook);
}

#[test]
fn lineage() {
    replay("lineage", PARTS, checks::lineage);
}
