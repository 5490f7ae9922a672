use std::io::{Cursor, Read as _};

use proptest::prelude::*;
use wardline_domain::Timestamp;

use super::*;
use crate::chain::Chain;

/// Files of a pack, as they are changed by a test.
type Contents<'a> = Vec<(&'a str, Vec<u8>)>;

fn key() -> EvidenceKey {
    EvidenceKey::from_secret([7; 32])
}

fn facts() -> PackFacts {
    PackFacts {
        incident: "i-1".to_owned(),
        created: Timestamp::from_micros(1_793_600_000_000_000),
        created_by: "ana".to_owned(),
        product: "wardline 0.1.0".to_owned(),
        reason: "before the rollback".to_owned(),
    }
}

fn file(path: &str, role: FileRole, bytes: Vec<u8>) -> PackFile {
    PackFile { path: path.to_owned(), role, description: format!("what {path} shows"), bytes }
}

fn log(n: u32) -> Vec<u8> {
    let mut chain = Chain::default();
    for number in 0..n {
        chain.append(format!("action {number} was intended, and then done")).unwrap();
    }
    chain.to_lines().into_bytes()
}

fn files() -> Vec<PackFile> {
    let parquet: Vec<u8> = (0..20_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![
        file("data/inference.parquet", FileRole::Data, parquet),
        file("queries/onset.sql", FileRole::Query, b"select count(*) from inference".to_vec()),
        file("results/onset.csv", FileRole::Result, b"count\n41\n".to_vec()),
        file("audit.jsonl", FileRole::Log, log(40)),
        file("empty", FileRole::Other, Vec::new()),
    ]
}

fn whole() -> Vec<u8> {
    pack(facts(), files(), &key()).unwrap()
}

/// Where each file's content lies.
fn places(bytes: &[u8]) -> Vec<(String, std::ops::Range<usize>)> {
    let start = bytes.as_ptr() as usize;
    let read = archive::read(bytes);
    let place = |content: &[u8]| {
        let from = content.as_ptr() as usize - start;
        from..from + content.len()
    };
    read.files.iter().map(|(path, content)| ((*path).to_owned(), place(content))).collect()
}

#[test]
fn a_pack_is_whole_and_the_same_for_the_same_input() {
    let bytes = whole();
    let verification = verify(&bytes, Some(&key().fingerprint()));
    assert_eq!(verification.alterations, []);
    assert_eq!(verification.manifest.unwrap().files.len(), 5);
    let mut other_order = files();
    other_order.reverse();
    assert_eq!(pack(facts(), other_order, &key()).unwrap(), bytes);
}

#[test]
fn another_tool_opens_it() {
    let mut archive = zip::ZipArchive::new(Cursor::new(whole())).unwrap();
    let mut content = Vec::new();
    archive.by_name("audit.jsonl").unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, log(40));
    assert_eq!(archive.len(), 7);
    for place in 0..7 {
        // Reading to the end also checks the checksum.
        archive.by_index(place).unwrap().read_to_end(&mut Vec::new()).unwrap();
    }
}

/// Goal: one flipped byte at 1,000 places is found 1,000 times, and named where it lies in a file.
#[test]
fn a_flipped_byte_is_found_wherever_it_lies_and_its_file_is_named() {
    let bytes = whole();
    let places = places(&bytes);
    let mut n_named = 0;
    for number in 0..1_000usize {
        let at = number.wrapping_mul(7_919_317) % bytes.len();
        let mut damaged = bytes.clone();
        damaged[at] ^= (number % 255 + 1) as u8;
        let found = verify(&damaged, None).alterations;
        assert!(!found.is_empty(), "byte {at}");
        let Some((path, _)) = places.iter().find(|(_, place)| place.contains(&at)) else { continue };
        let names = |alteration: &Alteration| match alteration {
            Alteration::FileAltered { path: named } => named == path,
            Alteration::Manifest { .. } => path == "manifest.json",
            Alteration::Signature { .. } => path == "manifest.sig.json",
            _ => false,
        };
        assert!(found.iter().any(names), "byte {at} of {path}: {found:?}");
        n_named += 1;
    }
    assert!(800 < n_named, "{n_named}");
}

/// Goal: the same within the log, where the record is named as well.
#[test]
fn a_flipped_byte_of_a_log_names_its_record() {
    let bytes = whole();
    let places = places(&bytes);
    let place = &places.iter().find(|(path, _)| path == "audit.jsonl").unwrap().1;
    for number in 0..1_000usize {
        let at = place.start + number.wrapping_mul(7_919_317) % place.len();
        let mut damaged = bytes.clone();
        damaged[at] ^= (number % 255 + 1) as u8;
        let record = bytes[place.start..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        let found = verify(&damaged, None).alterations;
        let names = |alteration: &Alteration| matches!(alteration, Alteration::Record { path, damage } if path == "audit.jsonl" && damage.sequence == record);
        assert!(found.iter().any(names), "byte {at}, record {record}: {found:?}");
    }
}

/// Packs whose author had no key, or another one.
#[test]
fn what_was_added_taken_or_signed_by_others_is_said() {
    let bytes = whole();
    let read = archive::read(&bytes).files;
    let again = |change: &dyn Fn(&mut Contents<'_>)| {
        let mut files: Vec<(&str, Vec<u8>)> = read.iter().map(|(path, content)| (*path, content.to_vec())).collect();
        change(&mut files);
        let written = archive::write(files.iter().map(|(path, content)| (*path, content.as_slice())));
        verify(&written, Some(&key().fingerprint())).alterations
    };
    assert_eq!(again(&|_| {}), []);
    let path = |path: &str| path.to_owned();
    let missing = again(&|files| files.retain(|(path, _)| *path != "queries/onset.sql"));
    assert_eq!(missing, [Alteration::FileMissing { path: path("queries/onset.sql") }]);
    let added = again(&|files| files.push(("results/late.csv", b"1".to_vec())));
    assert_eq!(added, [Alteration::FileAdded { path: path("results/late.csv") }]);
    let twice = again(&|files| files.push(("results/onset.csv", b"count\n41\n".to_vec())));
    assert_eq!(twice, [Alteration::FileAdded { path: path("results/onset.csv") }]);
    let outside = again(&|files| files.push(("../../etc/passwd", Vec::new())));
    assert_eq!(outside, [Alteration::FileAdded { path: path("../../etc/passwd") }]);
    let unsigned = again(&|files| files.retain(|(path, _)| *path != "manifest.sig.json"));
    assert_eq!(unsigned, [Alteration::FileMissing { path: path("manifest.sig.json") }]);
    let swapped = again(&|files| files.swap(2, 3));
    assert_eq!(swapped, [], "where a file lies is no content");
    let other = EvidenceKey::from_secret([8; 32]);
    let by_other = pack(facts(), files(), &other).unwrap();
    assert!(verify(&by_other, None).is_whole());
    let found = verify(&by_other, Some(&key().fingerprint())).alterations;
    assert_eq!(found, [Alteration::OtherKey { found: other.fingerprint() }]);
}

#[test]
fn what_cannot_be_packed_is_refused_with_what_to_do() {
    let refused = |files: Vec<PackFile>| pack(facts(), files, &key()).unwrap_err().to_string();
    for path in ["", "/etc/passwd", "a/../b", "A.csv", "a//b", ".hidden", "manifest.json", "a\\b", &"x".repeat(201)] {
        let error = refused(vec![file(path, FileRole::Other, Vec::new())]);
        assert!(error.contains("use lower-case letters"), "{path}: {error}");
    }
    let twice = vec![file("a", FileRole::Other, Vec::new()), file("a", FileRole::Other, vec![1])];
    assert!(refused(twice).contains("give each its own"));
    let damaged = String::from_utf8(log(3)).unwrap().replace("action 1", "action 7").into_bytes();
    let error = refused(vec![file("audit.jsonl", FileRole::Log, damaged)]);
    assert!(error.contains("record 1 was altered"), "{error}");
}

#[test]
fn a_compressed_archive_is_not_unpacked() {
    let mut bytes = Vec::new();
    let mut writer = zip::ZipWriter::new(Cursor::new(&mut bytes));
    writer.start_file("bomb", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut writer, &vec![0; 1 << 20]).unwrap();
    writer.finish().unwrap();
    let found = verify(&bytes, None).alterations;
    assert!(found.iter().any(|found| found.to_string().contains("a file is compressed")), "{found:?}");
}

#[test]
fn the_key_is_not_printed() {
    let shown = format!("{:?}", key());
    assert_eq!(shown, format!("EvidenceKey({})", key().fingerprint()));
}

proptest! {
    #[test]
    fn any_bytes_are_checked_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!verify(&bytes, None).is_whole());
    }

    #[test]
    fn stretches_that_are_lost_or_doubled_are_found(from in 0.0f64..1.0, length in 1usize..500, doubles in any::<bool>()) {
        let mut bytes = whole();
        let from = (from * bytes.len() as f64) as usize;
        let to = (from + length).min(bytes.len());
        if doubles {
            let again = bytes[from..to].to_vec();
            bytes.splice(from..from, again);
        } else {
            bytes.drain(from..to);
        }
        prop_assert!(!verify(&bytes, None).is_whole());
    }
}
