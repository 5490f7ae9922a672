//! How fast telemetry becomes batches: inference events of about 545 bytes, made from a seed.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on panics; its entry points are macros")]

use std::{hint::black_box, io::Write as _, path::PathBuf, sync::Arc};

use arrow::{array::RecordBatch, compute::cast, datatypes::Schema};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use wardline_adapters::{
    Arrival, SchemaRegistry,
    files::{Files, FilesSettings},
    ndjson::Decoder,
};
use wardline_domain::{Timestamp, schema};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const SEED: u64 = 545;

/// A number below `below` that depends on the event and on what it is for.
fn number(event: u64, purpose: &str, below: u64) -> u64 {
    xxh3_64_with_seed(purpose.as_bytes(), SEED ^ event.wrapping_mul(0x9e37_79b9_7f4a_7c15)) % below
}

fn write_event(event: u64, lines: &mut Vec<u8>) {
    let time = Timestamp::from_micros(1_793_601_365_995_000 + event as i64 * 37_000);
    let of = |purpose: &str, below: u64| number(event, purpose, below);
    let written = writeln!(
        lines,
        "{{\"kind\":\"inference\",\"time\":\"{time}\",\"id\":\"{:016x}\",\"model\":\"credit-{}\",\"version\":\"2.{}.0\",\
         \"role\":\"stable\",\"service\":\"scoring\",\"environment\":\"prod\",\"instance\":\"scoring-{}\",\"status\":\"ok\",\
         \"http_status\":200,\"latency_ms\":{}.{},\"input_tokens\":{},\"features\":{{\"age\":{},\"income\":{}.{:02},\
         \"balance\":{},\"tenure\":{},\"job\":\"job-{}\",\"owner\":{},\"amount\":{}.5}},\"score\":0.{:04},\"decision\":\"{}\",\
         \"user\":\"u{:06}\",\"session\":\"{:012x}\",\"channel\":\"{}\",\"attributes\":{{\"store\":\"S{:02}\",\"country\":\"{}\"}},\
         \"trace_id\":\"{:032x}\"}}",
        of("id", u64::MAX),
        event / 20_000 % 4,
        of("version", 2),
        of("instance", 4),
        of("latency", 200),
        of("tenth", 10),
        of("tokens", 900),
        18 + of("age", 70),
        of("income", 90_000),
        of("cent", 100),
        of("balance", 40_000),
        of("tenure", 480),
        of("job", 30),
        of("owner", 2) == 1,
        of("amount", 5_000),
        of("score", 10_000),
        ["approve", "reject", "review"][of("decision", 3) as usize],
        of("user", 50_000),
        of("session", 1 << 48),
        ["web", "app", "partner"][of("channel", 3) as usize],
        of("store", 40),
        ["DE", "FR", "PL", "ES"][of("country", 4) as usize],
        of("trace", u64::MAX),
    );
    assert!(written.is_ok(), "memory takes every byte");
}

fn lines(n_events: u64) -> Vec<u8> {
    let mut lines = Vec::new();
    (0..n_events).for_each(|event| write_event(event, &mut lines));
    lines
}

fn arrival() -> Arrival<'static> {
    Arrival { received: Timestamp::from_micros(1_793_601_366_000_000), sender: "bench", source: "bench", offset: 0 }
}

fn decode_lines(criterion: &mut Criterion) {
    let n_events = 8_192;
    let lines = lines(n_events);
    eprintln!("{:.1} bytes an event", lines.len() as f64 / n_events as f64);
    let mut group = criterion.benchmark_group("ndjson");
    group.throughput(Throughput::ElementsAndBytes { elements: n_events, bytes: lines.len() as u64 });
    let mut decoder = Decoder::new(Arc::new(SchemaRegistry::new()));
    group.bench_function("decode", |bencher| bencher.iter(|| decoder.decode(black_box(&lines), &arrival())));
    let small: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').take(100).collect();
    let small = small.concat();
    group.throughput(Throughput::ElementsAndBytes { elements: 100, bytes: small.len() as u64 });
    group.bench_function("decode 100 events", |bencher| bencher.iter(|| decoder.decode(black_box(&small), &arrival())));
    group.throughput(Throughput::ElementsAndBytes { elements: n_events, bytes: lines.len() as u64 });
    group.bench_function("peer: simd-json to its tape, no columns", |bencher| {
        let mut buffers = simd_json::Buffers::default();
        bencher.iter(|| {
            let mut nodes = 0;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let mut line = line.to_vec();
                nodes += simd_json::to_tape_with_buffers(&mut line, &mut buffers).map_or(0, |tape| tape.0.len());
            }
            nodes
        });
    });
    group.finish();
}

/// A file as the lake writes it: plain text, zstd, sorted by time.
fn parquet_file(folder: &tempfile::TempDir, n_events: u64) -> PathBuf {
    let path = folder.path().join("events.parquet");
    let mut decoder = Decoder::new(Arc::new(SchemaRegistry::new()));
    let decoded = decoder.decode(&lines(n_events), &arrival());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(131_072))
        .build();
    let mut writer: Option<ArrowWriter<std::fs::File>> = None;
    for batch in &decoded.batches {
        let records = &batch.records;
        let fields: Vec<_> = records
            .schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_data_type(schema::table_type(field.data_type())))
            .collect();
        let plain = Arc::new(Schema::new(fields));
        let columns = records.columns().iter().zip(plain.fields()).map(|(array, field)| cast(array, field.data_type()));
        let records = RecordBatch::try_new(Arc::clone(&plain), columns.collect::<Result<_, _>>().unwrap()).unwrap();
        let writer = writer.get_or_insert_with(|| {
            let file = std::fs::File::create(&path).unwrap();
            ArrowWriter::try_new(file, plain, Some(properties.clone())).unwrap()
        });
        writer.write(&records).unwrap();
    }
    writer.unwrap().close().unwrap();
    path
}

fn read_files(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let n_events = 262_144;
    let parquet = parquet_file(&folder, n_events);
    let ndjson = folder.path().join("events.ndjson");
    std::fs::write(&ndjson, lines(n_events)).unwrap();
    let gzip = folder.path().join("events.ndjson.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(std::fs::File::create(&gzip).unwrap(), flate2::Compression::default());
    encoder.write_all(&lines(n_events)).unwrap();
    encoder.finish().unwrap();
    let mut group = criterion.benchmark_group("files");
    group.sample_size(10).throughput(Throughput::Elements(n_events));
    for (name, path) in [("parquet", parquet), ("ndjson", ndjson), ("ndjson.gz", gzip)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let registry = Arc::new(SchemaRegistry::new());
                let files = Files::open(std::slice::from_ref(&path), registry, FilesSettings::default()).unwrap();
                let events: u64 = files.map(|decoded| decoded.unwrap().events()).sum();
                assert_eq!(events, n_events);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode_lines, read_files);
criterion_main!(benches);
