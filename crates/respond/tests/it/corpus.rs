//! What the fuzz targets start from holds in ordinary tests too.

use std::{fs, path::Path};

#[path = "../../../../fuzz/checks/respond.rs"]
mod checks;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut n_inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        check(&bytes);
        // Cut and damaged in a few places, because files arrive so.
        for part in 1..64 {
            let at = bytes.len() * part / 64;
            check(&bytes[..at]);
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            check(&damaged);
        }
        n_inputs += 1;
    }
    assert!(n_inputs > 0, "`{target}` has seeds");
}

#[test]
fn evidence() {
    replay("evidence", checks::pack);
}

#[test]
fn chain() {
    replay("chain", checks::log);
}

#[test]
fn playbook() {
    replay("playbook", checks::playbook);
}

#[test]
fn lineage() {
    replay("lineage", checks::lineage);
}
