//! Puts the seeds of a fuzz target through its check in an ordinary test, whole and damaged.

use std::{fs, path::Path};

/// Checks each seed, and each cut short and damaged in `parts - 1` places, because files arrive so.
pub(super) fn replay(target: &str, parts: usize, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut n_inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        check(&bytes);
        for part in 1..parts {
            let at = bytes.len() * part / parts;
            check(&bytes[..at]);
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            check(&damaged);
        }
        n_inputs += 1;
    }
    assert!(n_inputs > 0, "`{target}` has seeds");
}
