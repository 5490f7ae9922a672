//! What the fuzz targets start from holds in ordinary tests too.

use std::{fs, path::Path};

use crate::checks;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut n_inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        check(&bytes);
        // Cut and damaged in a few places, because files arrive so.
        for part in 1..8 {
            check(&bytes[..bytes.len() * part / 8]);
            let mut damaged = bytes.clone();
            let at = damaged.len() * part / 8;
            damaged[at] ^= 0x55;
            check(&damaged);
        }
        n_inputs += 1;
    }
    assert!(n_inputs > 0, "`{target}` has seeds");
}

#[test]
fn ndjson() {
    replay("ndjson", checks::ndjson);
}

#[test]
fn framing() {
    replay("framing", checks::framing);
}

#[test]
fn csv() {
    replay("csv", checks::csv);
}

#[test]
fn parquet() {
    replay("parquet", checks::parquet);
}
