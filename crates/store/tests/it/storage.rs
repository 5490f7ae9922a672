//! How small events are on disk.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::Int32Type,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use wardline_domain::{EventBatch, RecordKind, Timestamp};
use wardline_store::Lake;

use crate::rows::{monday, quiet};

const ROWS: usize = 131_072;

/// One event of a fraud model behind REST, as its service writes it: 545 bytes of JSON, with a random id
/// and hashed session and user.
struct Event {
    time: Timestamp,
    id: String,
    session: String,
    user: String,
    instance: usize,
    latency_ms: f64,
    score: f64,
    amount: f64,
    age: f64,
    velocity: f64,
    merchant: usize,
    is_foreign: bool,
}

const INSTANCES: [&str; 4] = ["api-0", "api-1", "api-2", "api-3"];
const MERCHANTS: [&str; 8] = ["grocery", "fuel", "travel", "online", "restaurant", "cash", "gaming", "pharmacy"];

/// Goal: events take at most an eighth of their NDJSON.
#[tokio::test(flavor = "multi_thread")]
async fn events_take_an_eighth_of_their_json() {
    let events = events();
    let ndjson: usize = events.iter().map(|event| json_of(event).len() + 1).sum();
    let bytes_an_event = ndjson / ROWS;
    assert!((530..=560).contains(&bytes_an_event), "{bytes_an_event} bytes an event");

    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    let batch = batch_of(&events);
    for (sequence, from) in (0..ROWS).step_by(4_096).enumerate() {
        let records = batch.slice(from, 4_096);
        lake.observe(
            sequence as u64,
            &[EventBatch { kind: RecordKind::Inference, model: Some("fraud".into()), records }],
        )
        .await
        .unwrap();
    }
    lake.flush().await.unwrap();
    let files = std::fs::read_dir(folder.path().join("inference/fraud")).unwrap();
    let stored: u64 = files
        .map(|file| file.unwrap().metadata().unwrap())
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
        .sum();
    let ratio = ndjson as f64 / stored as f64;
    assert!(ratio >= 8.0, "{ratio:.2} times smaller, {:.1} bytes an event", stored as f64 / ROWS as f64);
}

fn events() -> Vec<Event> {
    let mut random = StdRng::seed_from_u64(7);
    let hex = |random: &mut StdRng, digits: usize| -> String {
        (0..digits).map(|_| char::from_digit(random.random_range(0..16), 16).unwrap()).collect()
    };
    let users: Vec<String> = (0..20_000).map(|_| hex(&mut random, 32)).collect();
    let mut time = monday();
    let mut session = hex(&mut random, 16);
    (0..ROWS)
        .map(|_| {
            time = time.plus(random.random_range(100..12_000));
            if random.random_range(0..6) == 0 {
                session = hex(&mut random, 16);
            }
            let id = format!(
                "{}-{}-{}-{}-{}",
                hex(&mut random, 8),
                hex(&mut random, 4),
                hex(&mut random, 4),
                hex(&mut random, 4),
                hex(&mut random, 12)
            );
            Event {
                time: Timestamp::from_micros(time.micros() / 1_000 * 1_000),
                id,
                session: session.clone(),
                user: users[random.random_range(0..users.len())].clone(),
                instance: random.random_range(0..4),
                latency_ms: (random.random::<f64>() * 4_000.0).round() / 100.0 + 12.0,
                score: (random.random::<f64>().powi(4) * 10_000.0).round() / 10_000.0,
                amount: (random.random::<f64>().powi(3) * 90_000.0).round() / 100.0,
                age: f64::from(random.random_range(18..90)),
                velocity: f64::from(random.random_range(0..30)),
                merchant: random.random_range(0..8),
                is_foreign: random.random_range(0..10) == 0,
            }
        })
        .collect()
}

fn json_of(event: &Event) -> String {
    json!({
        "kind": "inference", "id": event.id, "time": event.time.to_string(), "model": "fraud", "version": "2026.11.1",
        "role": "stable", "service": "fraud-api", "environment": "prod", "instance": INSTANCES[event.instance],
        "status": "ok", "http_status": 200, "latency_ms": event.latency_ms,
        "features": {
            "amount": event.amount, "age": event.age, "velocity": event.velocity,
            "merchant": MERCHANTS[event.merchant], "is_foreign": event.is_foreign,
        },
        "score": event.score, "decision": if event.score > 0.5 { "deny" } else { "allow" }, "batch_size": 1,
        "user": event.user, "session": event.session, "channel": "web",
        "attributes": { "store": INSTANCES[event.instance], "country": "DE" },
    })
    .to_string()
}

fn batch_of(events: &[Event]) -> RecordBatch {
    let number = |of: fn(&Event) -> f64| -> ArrayRef {
        Arc::new(events.iter().map(|event| Some(of(event))).collect::<Float64Array>())
    };
    let repeated = |of: &dyn Fn(&Event) -> &str| -> ArrayRef {
        Arc::new(events.iter().map(|event| Some(of(event))).collect::<DictionaryArray<Int32Type>>())
    };
    let text = |of: fn(&Event) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(events.iter().map(of))) };
    let times = |delay: i64| -> ArrayRef {
        let times = events.iter().map(|event| event.time.micros() + delay * (20_000 + event.time.micros() % 977));
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("time", times(0)),
        ("received", times(1)),
        ("sender", repeated(&|_| "fraud-team")),
        ("id", text(|event| &event.id)),
        ("model", repeated(&|_| "fraud")),
        ("version", repeated(&|_| "2026.11.1")),
        ("role", repeated(&|_| "stable")),
        ("service", repeated(&|_| "fraud-api")),
        ("environment", repeated(&|_| "prod")),
        ("instance", repeated(&|event| INSTANCES[event.instance])),
        ("status", repeated(&|_| "ok")),
        ("http_status", Arc::new(Int32Array::from(vec![200; events.len()]))),
        ("latency_ms", number(|event| event.latency_ms)),
        ("batch_size", Arc::new(Int64Array::from(vec![1; events.len()]))),
        ("score", number(|event| event.score)),
        ("decision", repeated(&|event| if event.score > 0.5 { "deny" } else { "allow" })),
        ("user", repeated(&|event| event.user.as_str())),
        ("session", text(|event| &event.session)),
        ("channel", repeated(&|_| "web")),
        ("attribute_store", repeated(&|event| INSTANCES[event.instance])),
        ("attribute_country", repeated(&|_| "DE")),
        ("feature_amount", number(|event| event.amount)),
        ("feature_age", number(|event| event.age)),
        ("feature_velocity", number(|event| event.velocity)),
        ("feature_merchant", repeated(&|event| MERCHANTS[event.merchant])),
        ("feature_is_foreign", Arc::new(events.iter().map(|event| Some(event.is_foreign)).collect::<BooleanArray>())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}
