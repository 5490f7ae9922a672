//! How many events a second of one processor the watch takes with every detector: `cargo run --release -p
//! wardline-detect --example watch_speed [part of a name]`. Each figure is the best of three, in processor time.

#![allow(clippy::unwrap_used, missing_docs, reason = "a tool of the repository")]

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray, new_null_array,
    },
    datatypes::{Field, Int32Type, Schema},
};
use wardline_detect::{Watch, WatchSettings};
use wardline_domain::{EventBatch, Learning, ModelSettings, RecordKind, Timestamp, schema};

/// A stream to be watched.
struct Stream {
    name: &'static str,
    models: u64,
    /// Events in one second of the stream's time, over all models.
    per_second: i64,
    /// Events that come together, over all models.
    at_once: u64,
    /// Whether they are questions to a language model rather than rows of a table.
    texts: bool,
    events: u64,
}

const STREAMS: [Stream; 5] = [
    Stream { name: "live, 8 models", models: 8, per_second: 150_000, at_once: 2_000, texts: false, events: 3_000_000 },
    Stream {
        name: "live, 1,000 models",
        models: 1_000,
        per_second: 150_000,
        at_once: 20_000,
        texts: false,
        events: 3_000_000,
    },
    Stream {
        name: "history, 8 models",
        models: 8,
        per_second: 2_000,
        at_once: 65_536,
        texts: false,
        events: 3_000_000,
    },
    Stream { name: "history, sparse", models: 4, per_second: 2, at_once: 8_192, texts: false, events: 300_000 },
    Stream { name: "texts, 8 models", models: 8, per_second: 2_000, at_once: 8_192, texts: true, events: 500_000 },
];

const WORDS: [&str; 16] = [
    "please",
    "summarise",
    "the",
    "report",
    "about",
    "sales",
    "in",
    "march",
    "and",
    "write",
    "a",
    "table",
    "of",
    "all",
    "stores",
    "quickly",
];

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for stream in STREAMS.iter().filter(|stream| stream.name.contains(&wanted)) {
        let best = (0..3).map(|_| run(stream)).min_by(|left, right| left.0.total_cmp(&right.0)).unwrap();
        println!(
            "{}: {:.0} events/s of one processor; state saved: {:.1} MiB; {} findings",
            stream.name,
            stream.events as f64 / best.0,
            best.1 as f64 / 1_048_576.0,
            best.2
        );
    }
}

fn run(stream: &Stream) -> (f64, usize, usize) {
    let start = Timestamp::parse("2026-11-02T10:00:00Z").unwrap();
    let span = stream.events as i64 * Timestamp::SECOND / stream.per_second;
    let learning = Learning::Until(start.plus(span / 3));
    let default_model = ModelSettings { learning, ..ModelSettings::default() };
    let mut watch = Watch::new(WatchSettings { default_model, ..WatchSettings::default() });
    let (mut seconds, mut findings) = (0.0, 0);
    for from in (0..stream.events).step_by(stream.at_once as usize) {
        let batches = batches(stream, from, start);
        let before = processor_seconds();
        let observed = watch.observe_together(&batches);
        seconds += processor_seconds() - before;
        findings += observed.findings.len();
        if std::env::var_os("TELL").is_some() {
            observed.findings.iter().for_each(|finding| {
                println!("{} {:?} {:?}: {}", finding.detector, finding.severity, finding.held_back, finding.title)
            });
        }
    }
    (seconds, watch.snapshot().len(), findings)
}

/// Seconds that this process has run on a processor.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The events from a number on that come together, by model.
fn batches(stream: &Stream, from: u64, start: Timestamp) -> Vec<EventBatch> {
    let mut of_model: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for number in from..(from + stream.at_once).min(stream.events) {
        of_model.entry(mixed(number) % stream.models).or_default().push(number);
    }
    of_model.into_iter().map(|(model, rows)| batch(stream, model, &rows, start)).collect()
}

fn batch(stream: &Stream, model: u64, rows: &[u64], start: Timestamp) -> EventBatch {
    let coded = |name: &dyn Fn(u64) -> String| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = rows
            .iter()
            .map(|&row| Some(name(mixed(row ^ 7))))
            .map(|name| name.unwrap_or_default())
            .collect::<Vec<_>>()
            .iter()
            .map(|name| Some(name.as_str()))
            .collect();
        Arc::new(array)
    };
    let plain = |name: &dyn Fn(u64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|&row| name(row))))
    };
    // About log-normal, from the bits of the row.
    let number = |seed: u64, median: f64, spread: f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|&row| {
            let bits = mixed(row ^ (seed << 48));
            let normal: f64 =
                (0..4).map(|place| f64::from((bits >> (16 * place)) as u16) / 65_536.0 - 0.5).sum::<f64>() * 1.73;
            median * (spread * normal).exp()
        })))
    };
    let times = rows.iter().map(|&row| start.micros() + row as i64 * Timestamp::SECOND / stream.per_second);
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    let mut columns: BTreeMap<&str, ArrayRef> = BTreeMap::new();
    columns.insert("received", Arc::new(times.clone()));
    columns.insert("time", Arc::new(times));
    columns.insert("sender", coded(&|_| "bench".to_owned()));
    columns.insert("id", plain(&|row| format!("{:032x}", mixed(row))));
    columns.insert("model", coded(&|_| format!("model-{model}")));
    columns.insert("version", coded(&|bits| format!("3.{}", u8::from(bits % 10 == 0))));
    columns.insert("role", coded(&|bits| if bits % 10 == 0 { "canary" } else { "stable" }.to_owned()));
    columns.insert("service", coded(&|_| "api".to_owned()));
    columns.insert("instance", coded(&|bits| format!("api-{}", bits % 4)));
    columns.insert("status", coded(&|bits| if bits >> 16 & 1_023 == 1 { "error" } else { "ok" }.to_owned()));
    columns.insert("http_status", Arc::new(Int32Array::from_iter_values(rows.iter().map(|_| 200))));
    columns.insert("latency_ms", number(1, 31.0, 0.35));
    columns.insert("queue_ms", number(2, 0.4, 0.8));
    columns.insert("user", coded(&|bits| format!("{:016x}", mixed(bits % 50_000))));
    columns.insert("session", plain(&|row| format!("{:016x}", mixed(row / 6))));
    columns.insert("channel", coded(&|bits| format!("channel-{}", bits % 4)));
    if stream.texts {
        let words = |row: u64, n: u64| {
            (0..n)
                .map(|place| WORDS[(mixed(row + place / 16) >> (4 * (place % 16)) & 15) as usize])
                .collect::<Vec<_>>()
                .join(" ")
        };
        columns.insert("prompt", plain(&|row| words(row, 40)));
        columns.insert("output", plain(&|row| words(row ^ 99, 60)));
        columns.insert("input_tokens", Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| 50))));
        columns.insert("output_tokens", Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| 80))));
        columns.insert("api_key", coded(&|bits| format!("key-{}", bits % 300)));
    } else {
        columns.insert("score", number(3, 0.06, 1.0));
        columns.insert("decision", coded(&|bits| if bits >> 8 & 63 == 3 { "fraud" } else { "legit" }.to_owned()));
    }
    let fixed = schema::base(RecordKind::Inference);
    let mut fields: Vec<Field> = fixed.fields().iter().map(|field| field.as_ref().clone()).collect();
    let mut arrays: Vec<ArrayRef> = fields
        .iter()
        .map(|field| {
            let array = columns.get(field.name().as_str()).map(Arc::clone);
            array.unwrap_or_else(|| new_null_array(field.data_type(), rows.len()))
        })
        .collect();
    let mut own = |name: &str, array: ArrayRef| {
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    };
    if !stream.texts {
        own("feature_amount", number(4, 38.0, 1.0));
        own("feature_card_age_days", number(5, 620.0, 0.8));
        own("feature_payments_last_hour", number(6, 1.2, 0.7));
        own("feature_distance_km", number(7, 6.0, 1.5));
        own("feature_device_risk", number(8, 0.21, 0.5));
        own("feature_merchant", coded(&|bits| format!("merchant-{}", bits % 12)));
        own("feature_chip_used", Arc::new(BooleanArray::from_iter(rows.iter().map(|&row| Some(mixed(row) & 1 == 0)))));
    }
    own("attribute_country", coded(&|bits| format!("C{}", (bits >> 20) % 16)));
    EventBatch {
        kind: RecordKind::Inference,
        model: Some(format!("model-{model}").into()),
        records: RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap(),
    }
}
