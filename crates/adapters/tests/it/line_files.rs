//! NDJSON files, compressed and not.

use std::io::Write as _;

use wardline_adapters::files::{Files, FilesSettings, SourceError, time_span};
use wardline_domain::{DeadLetterReason, Timestamp};

use crate::samples::{Folder, decode, lines, read, read_one, rows_of};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_or_not_the_events_are_the_same() {
    let folder = Folder::new();
    let text = lines(500);
    let (first, second) = text.split_at(text.len() / 2);
    let files = [
        folder.write("a.ndjson", &text),
        folder.write("a.jsonl.gz", gzip(&text)),
        folder.write("members.json.gz", [gzip(first), gzip(second)].concat()),
        folder.write("a.ndjson.zst", zstd::encode_all(text.as_bytes(), 3).unwrap()),
        folder.write("b.ndjson", format!("\u{feff}{text}")),
    ];
    let expected = rows_of(&[decode(&text)], Some("n"));
    for file in &files {
        let decoded = read_one(file);
        assert_eq!(decoded.iter().map(|decoded| decoded.records).sum::<u64>(), 500, "{}", file.display());
        let rows = rows_of(&decoded, Some("n"));
        assert_eq!(rows.column_by_name("feature_income"), expected.column_by_name("feature_income"));
        assert_eq!(rows.num_columns(), expected.num_columns());
        let span = time_span(std::slice::from_ref(file)).unwrap().unwrap();
        assert_eq!(span.0, Timestamp::from_micros(1_793_601_365_000_000), "{}", file.display());
        assert_eq!(span.1.since(span.0), 499 * Timestamp::SECOND, "{}", file.display());
    }
}

#[test]
fn a_span_is_found_in_files_larger_than_their_ends() {
    let folder = Folder::new();
    let text = lines(5_000);
    let files = [folder.write("a.ndjson", &text), folder.write("a.ndjson.gz", gzip(&text))];
    for file in files {
        let (first, last) = time_span(&[file]).unwrap().unwrap();
        assert_eq!(last.since(first), 4_999 * Timestamp::SECOND);
    }
}

#[test]
fn files_come_in_the_order_of_their_first_events() {
    let folder = Folder::new();
    let at =
        |hour: u32| format!("{{\"time\":\"2026-11-02T{hour:02}:00:00Z\",\"model\":\"m\",\"version\":\"{hour}\"}}\n");
    folder.write("a/late.ndjson", at(9));
    folder.write("z/early.ndjson.gz", gzip(&at(3)));
    folder.write("middle.jsonl", at(6));
    folder.write("no-time.ndjson", "{}\n");
    folder.write("settings.json", "{\n \"models\": []\n}\n");
    folder.write("prices.csv", "item,price\na,1\n");
    folder.write(".hidden.ndjson", at(1));
    folder.write("readme.txt", "hello");
    let decoded: Vec<_> = read(&[folder.path()]).into_iter().map(Result::unwrap).collect();
    let versions: Vec<&str> = decoded
        .iter()
        .flat_map(|decoded| &decoded.batches)
        .map(|batch| batch.text("version").unwrap().get(0).unwrap())
        .collect();
    assert_eq!(versions, ["3", "6", "9"]);
    assert_eq!(decoded.iter().map(|decoded| decoded.dead_letters.len()).sum::<usize>(), 1);
}

#[test]
fn a_damaged_file_gives_what_stands_before_the_damage_and_the_next_file_still_comes() {
    let folder = Folder::new();
    let whole = gzip(&lines(3_000));
    folder.write("a.ndjson.gz", &whole[..whole.len() / 2]);
    folder.write("b.ndjson", lines(10).replace("2026", "2027"));
    let read = read(&[folder.path()]);
    let errors: Vec<&SourceError> = read.iter().filter_map(|read| read.as_ref().err()).collect();
    assert!(matches!(errors[..], [SourceError::Damaged { read, .. }] if *read > 0), "{errors:?}");
    let events: u64 = read.iter().flatten().map(wardline_adapters::Decoded::events).sum();
    assert!(1_000 < events && events < 3_010, "{events}");
    let last = read.last().unwrap().as_ref().unwrap();
    assert_eq!(last.events(), 10);
    assert!(read.iter().flatten().all(|decoded| decoded.dead_letters.is_empty()));
}

#[test]
fn dead_letters_name_the_file_and_the_byte() {
    let folder = Folder::new();
    let good = lines(1);
    let long = "x".repeat(9 << 20);
    let path = folder.write("a.ndjson", format!("{good}oops\n{long}\n{good}"));
    let decoded = read_one(&path);
    let letters: Vec<_> = decoded.iter().flat_map(|decoded| &decoded.dead_letters).collect();
    let offset = good.len() as u64;
    assert_eq!(letters.iter().map(|letter| letter.offset).collect::<Vec<_>>(), [offset, offset + 5]);
    assert_eq!(letters[0].source, path.display().to_string());
    assert_eq!(letters[1].reason, DeadLetterReason::TooLong { bytes: 9 << 20, most: 1 << 20 });
    assert_eq!(letters[1].record.len(), 64 * 1024);
    assert_eq!(decoded.iter().map(|decoded| decoded.records).sum::<u64>(), 4);
}

#[test]
fn ids_are_the_same_each_time_a_file_is_read() {
    let folder = Folder::new();
    let path = folder.write("a.ndjson", lines(100).replace("\"id\"", "\"other\""));
    let ids = || rows_of(&read_one(&path), Some("m")).column_by_name("id").unwrap().clone();
    assert_eq!(&ids(), &ids());
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = Folder::new();
    let open =
        |path| Files::open(&[path], std::sync::Arc::default(), FilesSettings::default()).err().unwrap().to_string();
    assert!(open(folder.path().join("missing.ndjson")).contains("missing.ndjson`: No such file"));
    let unknown = open(folder.write("a.xlsx", ""));
    assert!(unknown.ends_with("of no known format: its name must end in one of .ndjson[.gz|.zst], .jsonl[.gz|.zst], .json[.gz|.zst], .parquet, .csv[.gz|.zst]"), "{unknown}");
    let empty = Folder::new();
    assert!(open(empty.path()).starts_with("no telemetry below"));
}

#[test]
fn a_reader_that_is_dropped_early_ends_its_threads() {
    let folder = Folder::new();
    let path = folder.write("a.ndjson", lines(50_000));
    let mut files = Files::open(&[path], std::sync::Arc::default(), FilesSettings::default()).unwrap();
    assert!(files.next().unwrap().is_ok());
    drop(files);
}
