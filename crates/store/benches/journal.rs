//! How fast the journal makes events durable: events of a fraud model, about 400 bytes each as NDJSON.
#![allow(clippy::expect_used, reason = "a bench that cannot go on has failed")]

use std::{hint::black_box, sync::Arc, time::Duration};

use arrow::{
    array::{
        ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
    },
    datatypes::{DataType, Field, Int32Type, Schema},
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use wardline_domain::{EventBatch, RecordKind, schema};
use wardline_store::{
    dedupe::Fingerprinter,
    journal::{Journal, JournalSettings},
};

const ROWS: usize = 1_000;

/// Inferences with ids of their own, ten features, and the usual repeated text.
fn batch(number: u64) -> EventBatch {
    let base = schema::base(RecordKind::Inference);
    let rows = 0..ROWS as u64;
    let times: ArrayRef = Arc::new(
        TimestampMicrosecondArray::from_iter_values(rows.clone().map(|row| (number * 1_000 + row) as i64))
            .with_timezone("UTC"),
    );
    let floats = |scale: f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.clone().map(|row| (row as f64 * scale).fract())))
    };
    let repeated = |n: u64| -> ArrayRef {
        let values: Vec<String> = rows.clone().map(|row| format!("value-{}", row % n)).collect();
        Arc::new(values.iter().map(|value| Some(value.as_str())).collect::<DictionaryArray<Int32Type>>())
    };
    let texts = |prefix: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.clone().map(|row| format!("{prefix}{number:012x}{row:012x}"))))
    };
    let mut fields: Vec<Field> = base.fields().iter().map(|field| field.as_ref().clone()).collect();
    let mut columns: Vec<ArrayRef> = base
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "time" | "received" => Arc::clone(&times),
            "id" => texts("01JC"),
            "trace_id" => texts("7b21c0de"),
            "latency_ms" | "score" => floats(0.137),
            "sender" | "model" => repeated(1),
            "version" | "role" | "service" | "environment" | "status" | "decision" | "channel" => repeated(3),
            "instance" => repeated(40),
            "user" => repeated(800),
            _ => new_null_array(field.data_type(), ROWS),
        })
        .collect();
    for feature in 0..10 {
        fields.push(Field::new(format!("feature_{feature}"), DataType::Float64, true));
        columns.push(floats(0.011 * f64::from(feature + 1)));
    }
    let records = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns fit their schema");
    EventBatch { kind: RecordKind::Inference, model: Some(Arc::from("fraud")), records }
}

fn journal(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = JournalSettings { queue_bytes: 1 << 30, ..JournalSettings::default() };
    let journal = Journal::open(folder.path(), settings).expect("the journal opens");
    let mut number = 0;
    let mut fresh = || {
        number += 1;
        batch(number)
    };
    let mut group = c.benchmark_group("journal");
    group.measurement_time(Duration::from_secs(5)).sample_size(20);
    group.throughput(Throughput::Elements(16 * ROWS as u64));
    group.bench_function("16 appends of 1,000 events, durable", |bench| {
        bench.iter_batched(
            || (0..16).map(|_| fresh()).collect::<Vec<_>>(),
            |batches| {
                let (sender, receiver) = std::sync::mpsc::channel();
                for batch in batches {
                    let sender = sender.clone();
                    journal.append_then(vec![batch], move |result| {
                        let _ = sender.send(result.expect("space is left").n_written());
                    });
                }
                drop(sender);
                assert_eq!(receiver.iter().sum::<usize>(), 16 * ROWS);
                journal.release(u64::MAX);
            },
            BatchSize::PerIteration,
        );
    });
    group.throughput(Throughput::Elements(ROWS as u64));
    let one = batch(0);
    group.bench_function("fingerprints of 1,000 inferences", |bench| {
        bench.iter(|| black_box(Fingerprinter::new(7).fingerprints(black_box(&one))));
    });
    group.finish();
}

criterion_group!(benches, journal);
criterion_main!(benches);
