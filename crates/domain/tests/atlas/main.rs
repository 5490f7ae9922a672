//! No file that claims to be a release of MITRE ATLAS makes its reader panic.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use proptest::prelude::*;

#[path = "../../../../fuzz/checks/atlas.rs"]
mod checks;

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/atlas");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.collect()
}

#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let files = corpus();
    assert!(3 <= files.len());
    files.iter().for_each(|file| checks::atlas(file));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Goal: damage of every sort is an error or a catalogue that holds together.
    /// Method: a file of the corpus loses a stretch, gets another's stretch in its place, and some bytes change.
    #[test]
    fn damaged_files_are_refused_or_hold_together(
        which in 0usize..3,
        other in 0usize..3,
        cut in (0.0f64..1.0, 0.0f64..0.2),
        paste in (0.0f64..1.0, 0.0f64..0.2),
        changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..6),
    ) {
        let files = corpus();
        let (file, other) = (&files[which], &files[other]);
        let stretch = |bytes: &[u8], (from, length): (f64, f64)| {
            let start = (from * bytes.len() as f64) as usize;
            start..(start + (length * bytes.len() as f64) as usize).min(bytes.len())
        };
        let mut damaged = file.clone();
        damaged.splice(stretch(file, cut), other[stretch(other, paste)].iter().copied());
        for (place, byte) in changes {
            if let Some(target) = damaged.get_mut((place * file.len() as f64) as usize) {
                *target = byte;
            }
        }
        checks::atlas(&damaged);
    }

    #[test]
    fn any_text_is_refused_or_holds_together(text in "\\PC{0,200}") {
        checks::atlas(text.as_bytes());
        checks::atlas(format!("version: 5.0\nmatrices:\n- tactics:\n  - {text}").as_bytes());
        checks::atlas(format!("{{\"type\":\"bundle\",\"objects\":[{text}]}}").as_bytes());
    }
}
