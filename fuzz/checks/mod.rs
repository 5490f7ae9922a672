//! What holds for every input of a decoder: no panic, every record in a batch or a dead letter, valid batches.
//!
//! The fuzz targets and the ordinary tests, which replay the corpus, share these.

use std::{io::Write as _, sync::Arc};

use arrow::array::Array as _;
use wardline_adapters::{
    Arrival, Decoded, SchemaRegistry,
    files::{Files, FilesSettings, LineChunks, decompressed, time_span},
    ndjson::{Decoder, Limits},
};
use wardline_domain::{Timestamp, schema};

/// Small, so that inputs of a fuzzer reach it.
const MAX_LINE_BYTES: usize = 512;

fn arrival(offset: u64) -> Arrival<'static> {
    Arrival { received: Timestamp::from_micros(1_793_601_366_000_000), sender: "fuzz", source: "fuzz", offset }
}

/// Lines as they stand.
pub(crate) fn ndjson(bytes: &[u8]) {
    let registry = Arc::new(SchemaRegistry::new());
    let mut decoder = Decoder::with_limits(Arc::clone(&registry), Limits { max_line_bytes: MAX_LINE_BYTES });
    let first = decoder.decode(bytes, &arrival(0));
    check(&first);
    // What was learned from the first time must not make the second one differ.
    let second = decoder.decode(bytes, &arrival(0));
    check(&second);
    assert_eq!(first.records, second.records);
    assert!(second.events() <= first.events(), "a type that was refused once is refused again");
}

/// gzip, zstd or neither, split into lines.
pub(crate) fn framing(bytes: &[u8]) {
    let Ok(reader) = decompressed(bytes) else { return };
    let mut chunks = LineChunks::new(reader, 64, MAX_LINE_BYTES);
    let mut decoder = Decoder::with_limits(Arc::default(), Limits { max_line_bytes: MAX_LINE_BYTES });
    let mut end = 0;
    // A bomb of a few kilobytes holds gigabytes; a part of it is enough.
    while let Ok(Some(chunk)) = chunks.next_chunk() {
        assert!(chunk.offset >= end, "chunks come in order");
        end = chunk.offset + chunk.bytes.len() as u64;
        assert!(chunk.bytes.len() <= 64 + MAX_LINE_BYTES + 2 * 128 * 1024, "no more is held than a line and a read");
        check(&decoder.decode(&chunk.bytes, &arrival(chunk.offset)));
        if end > 1 << 22 {
            break;
        }
    }
}

/// A CSV file.
pub(crate) fn csv(bytes: &[u8]) {
    file(".csv", bytes);
}

/// A Parquet file.
pub(crate) fn parquet(bytes: &[u8]) {
    file(".parquet", bytes);
}

fn file(ending: &str, bytes: &[u8]) {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().expect("a temporary file can be made");
    file.write_all(bytes).expect("a temporary file can be written");
    let paths = [file.path().to_owned()];
    let _ = time_span(&paths);
    let settings =
        FilesSettings { max_line_bytes: MAX_LINE_BYTES, received: Timestamp::from_micros(1_793_601_366_000_000) };
    let Ok(files) = Files::open(&paths, Arc::default(), settings) else { return };
    files.flatten().for_each(|decoded| check(&decoded));
}

fn check(decoded: &Decoded) {
    assert_eq!(decoded.records, decoded.events() + decoded.dead_letters.len() as u64, "no record is lost or doubled");
    for batch in &decoded.batches {
        let base = schema::base(batch.kind);
        let fields = batch.records.schema_ref().fields();
        assert!(!batch.is_empty(), "an empty batch says nothing");
        for (field, wanted) in fields.iter().zip(base.fields()) {
            assert_eq!((field.name(), field.data_type()), (wanted.name(), wanted.data_type()));
        }
        assert!(fields.len() >= base.fields().len(), "the fixed columns are all there");
        assert_eq!(batch.model.is_some(), batch.kind.is_per_model());
        assert!(batch.times().is_ok_and(|times| times.null_count() == 0), "every event has a time");
        for array in batch.records.columns() {
            assert!(array.to_data().validate_full().is_ok(), "{:?}", array.data_type());
        }
    }
}
