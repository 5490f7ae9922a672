use proptest::prelude::*;

use super::*;

fn chain(n: u64) -> Chain<String> {
    let mut chain = Chain::default();
    for number in 0..n {
        chain.append(format!("what happened at {number}, \"quoted\" and\nbroken")).unwrap();
    }
    chain
}

#[test]
fn a_record_is_a_line_that_any_tool_can_check() {
    let mut chain = Chain::default();
    chain.append("first").unwrap();
    let line = &chain.links()[0].line;
    let body = format!(r#"{{"sequence":0,"previous":"{GENESIS}","entry":"first""#);
    assert_eq!(*line, format!(r#"{body},"hash":"{}"}}"#, sha256(body.as_bytes())));
    assert!(serde_json::from_str::<serde_json::Value>(line).is_ok());
}

#[test]
fn what_was_written_reads_back() {
    let written = chain(20);
    let read = Chain::from_lines(written.to_lines().as_bytes(), Some(&written.head())).unwrap();
    assert_eq!(written, read);
    assert_eq!(verify(b"", Some(&Head::default())), []);
}

#[test]
fn a_record_that_is_too_long_is_refused_and_the_chain_goes_on() {
    let mut chain = chain(1);
    let error = chain.append("x".repeat(MAX_RECORD_BYTES)).unwrap_err().to_string();
    assert!(error.contains("put the content into a file"), "{error}");
    chain.append("short".to_owned()).unwrap();
    assert_eq!(verify(chain.to_lines().as_bytes(), Some(&chain.head())), []);
}

/// Goal: the damage is named with its record, whoever did it with whatever care.
#[test]
fn damage_is_named() {
    let whole = chain(6);
    let lines: Vec<&str> = whole.links().iter().map(|link| link.line.as_str()).collect();
    let found = |lines: &[&str]| -> Vec<(u64, Damage)> {
        let breaks = verify(lines.join("\n").as_bytes(), Some(&whole.head()));
        breaks.into_iter().map(|found| (found.sequence, found.damage)).collect()
    };
    assert_eq!(found(&lines), []);
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat();
    for at in 0..6 {
        assert_eq!(found(&without(at)), [(at as u64, Damage::Missing)], "{at}");
    }
    // A forger who computes the hash anew is betrayed by the record that follows, or by the end that was noted.
    for at in 0..6 {
        let previous = if at == 0 { GENESIS } else { &whole.links()[at - 1].hash };
        let body = format!(r#"{{"sequence":{at},"previous":"{previous}","entry":"nothing happened""#);
        let forged = format!(r#"{body},"hash":"{}"}}"#, sha256(body.as_bytes()));
        let mut lines = lines.clone();
        lines[at] = &forged;
        assert_eq!(found(&lines), [(at as u64, Damage::Replaced)], "{at}");
    }
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert_eq!(found(&swapped)[..2], [(2, Damage::Missing), (2, Damage::OutOfOrder)]);
    let doubled = [&lines[..3], &lines[2..]].concat();
    assert_eq!(found(&doubled)[0], (2, Damage::OutOfOrder));
    let longer = chain(8);
    let breaks = verify(longer.to_lines().as_bytes(), Some(&whole.head()));
    assert_eq!(breaks.len(), 2);
    assert!(breaks.iter().all(|found| found.damage == Damage::BeyondTheEnd));
}

#[test]
fn a_number_that_is_far_away_lists_no_more_than_it_must() {
    let body = format!(r#"{{"sequence":{},"previous":"{GENESIS}","entry":1"#, u64::MAX);
    let line = format!(r#"{body},"hash":"{}"}}"#, sha256(body.as_bytes()));
    let breaks = verify(line.as_bytes(), Some(&Head { length: u64::MAX, hash: GENESIS.to_owned() }));
    assert_eq!(breaks.len(), 1_000);
}

proptest! {
    #[test]
    fn every_flipped_bit_is_found_at_its_record(n in 1u64..8, place in 0.0f64..1.0, bit in 0u32..8) {
        let whole = chain(n);
        let mut bytes = whole.to_lines().into_bytes();
        let at = (place * bytes.len() as f64) as usize;
        let record = bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        let was_line_feed = bytes[at] == b'\n';
        bytes[at] ^= 1 << bit;
        let breaks = verify(&bytes, Some(&whole.head()));
        prop_assert!(!breaks.is_empty());
        let names_it = breaks.iter().any(|found| found.sequence == record);
        prop_assert!(names_it || was_line_feed, "{breaks:?}");
        prop_assert_eq!(breaks[0].sequence, record);
    }

    #[test]
    fn any_bytes_are_checked_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = verify(&bytes, None);
        let _ = Chain::<String>::from_lines(&bytes, Some(&Head { length: 3, hash: String::new() }));
    }
}
