//! Any bytes, read as a segment of the journal: no panic, no byte left out, none read twice.
//!
//! The parser's files are included by path, so that the fuzzer does not build the query engine.

#![no_main]
#![allow(dead_code, unreachable_pub)]

#[path = "../../crates/store/src/journal/payload.rs"]
mod payload;
#[path = "../../crates/store/src/journal/record.rs"]
mod record;
#[path = "../../crates/store/src/journal/scan.rs"]
mod scan;
#[path = "../../crates/store/src/journal/storage.rs"]
mod storage;

use libfuzzer_sys::fuzz_target;

// The first eight bytes are the segment's marker; wherever they turn up again, a record may start.
fuzz_target!(|bytes: &[u8]| {
    let Some((marker, _)) = bytes.split_first_chunk() else { return };
    scan::count_records(bytes, u64::from_le_bytes(*marker));
});
