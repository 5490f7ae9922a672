//! How many events a second of one processor the rules take: `cargo run --release -p wardline-detect --example
//! rule_speed`. Each figure is the best of three, in processor time.

#![allow(clippy::unwrap_used, missing_docs, reason = "a tool of the repository")]

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::Int32Type,
};
use wardline_detect::rules::{Placeholders, RuleSet, RuleSource, RuleWatch};
use wardline_domain::{EventBatch, RecordKind, Timestamp};

const ROWS: usize = 8_192;
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

fn batch(number: u64, distinct: u64, per_second: i64) -> EventBatch {
    let from = number * ROWS as u64;
    let ids = || (from..from + ROWS as u64).map(mixed);
    let coded = |names: Vec<String>| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = names.iter().map(|name| Some(name.as_str())).collect();
        Arc::new(array)
    };
    let start = Timestamp::parse("2026-11-02T10:00:00Z").unwrap().micros();
    let times = TimestampMicrosecondArray::from_iter_values(
        (from..from + ROWS as u64).map(|row| start + row as i64 * Timestamp::SECOND / per_second),
    );
    let prompt: StringArray = ids()
        .map(|id| {
            let words: Vec<&str> = (0..8).map(|place| WORDS[(id >> (4 * place) & 15) as usize]).collect();
            Some(format!("{} {}", words.join(" "), id % distinct))
        })
        .collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("time", Arc::new(times.with_timezone("UTC"))),
        ("prompt", Arc::new(prompt)),
        ("user", coded(ids().map(|id| format!("user-{}", id % 5_000)).collect())),
        ("api_key", coded(ids().map(|id| format!("key-{}", id % 20)).collect())),
        ("decision", coded(ids().map(|id| format!("class-{}", id % 40)).collect())),
        ("latency_ms", Arc::new(Float64Array::from_iter_values(ids().map(|id| (id % 1_000) as f64)))),
        ("input_tokens", Arc::new(Int64Array::from_iter_values(ids().map(|id| (id % 4_000) as i64)))),
    ];
    EventBatch {
        kind: RecordKind::Inference,
        model: Some("model".into()),
        records: RecordBatch::try_from_iter(columns).unwrap(),
    }
}

fn set(text: String) -> Arc<RuleSet> {
    let source = RuleSource { file: "speed.yml".to_owned(), text };
    let (set, errors) = RuleSet::compile(&[source], &Placeholders::new());
    assert!(errors.is_empty(), "{}", errors[0]);
    Arc::new(set)
}

/// A thousand rules of the usual forms, few of which match.
fn thousand() -> String {
    let each = |number: usize| {
        let detection = match number % 5 {
            0 => format!("{{s: {{prompt|contains: ['secret {number}', 'ignore rule {number}']}}, condition: s}}"),
            1 => format!(
                "{{s: {{prompt|startswith: 'order {number}'}}, f: {{user: 'user-{number}'}}, condition: s and not f}}"
            ),
            2 => format!("{{s: {{user: 'nobody-{number}', decision|endswith: '-{}'}}, condition: s}}", number % 40),
            3 => {
                format!("{{s: {{latency_ms|gt: {}, prompt: '*table*row {number}*'}}, condition: s}}", 900 + number % 99)
            }
            _ => format!(
                "{{a: {{input_tokens|gte: 3990}}, b: {{prompt|contains|all: [quickly, 'code {number}']}}, condition: all of them}}"
            ),
        };
        format!(
            "title: rule {number}\nname: rule_{number}\nlogsource: {{product: wardline, category: inference}}\ndetection: {detection}\n"
        )
    };
    (0..1_000).map(each).collect::<Vec<_>>().join("---\n")
}

fn value_count(limit: u64) -> String {
    format!(
        "title: base\nname: base\nlogsource: {{product: wardline, category: inference}}\ndetection: {{s: {{api_key|exists: true}}, condition: s}}\n---\ntitle: many\ncorrelation: {{type: value_count, rules: [base], group-by: [decision], timespan: 1h, condition: {{gte: {limit}, field: prompt}}}}\n"
    )
}

fn measure(name: &str, text: &dyn Fn() -> String, batches: &mut dyn Iterator<Item = EventBatch>) {
    let mut watch = RuleWatch::new(set(text()));
    let (mut seconds, mut events, mut findings) = (0.0, 0, 0);
    for batch in batches {
        let from = processor_seconds();
        findings += watch.observe(&batch).len();
        seconds += processor_seconds() - from;
        events += batch.len();
    }
    println!(
        "{name}: {:.0} events/s ({events} events, {seconds:.2} s, {findings} findings, {} left out)",
        events as f64 / seconds,
        watch.left_out()
    );
}

fn main() {
    let few: Vec<EventBatch> = (0..60).map(|number| batch(number, 1 << 40, 5_000)).collect();
    for _ in 0..3 {
        measure("1,000 rules", &thousand, &mut few.iter().cloned());
    }
    // Ten million different values within the hour.
    for limit in [5_000, 200_000, 20_000_000] {
        let name = format!("value_count over 1 h, 10 million values, limit {limit}");
        for _ in 0..if limit == 5_000 { 3 } else { 1 } {
            measure(&name, &|| value_count(limit), &mut (0..1_230).map(|number| batch(number, 1 << 40, 3_000)));
        }
    }
}
