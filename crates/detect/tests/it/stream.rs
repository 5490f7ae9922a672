//! Streams of one model, made from a seed: for the tests of the crate and of its detectors.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "each side uses its part")]

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::Int32Type,
};
use wardline_detect::{Observed, Watch, WatchSettings};
use wardline_domain::{
    Alert, AlertChange, EventBatch, Finding, Learning, ModelSettings, Objectives, RecordKind, Severity, Timestamp,
};

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    pub time: Timestamp,
    pub version: &'static str,
    pub instance: &'static str,
    pub failed: bool,
    pub latency_ms: f64,
    pub score: f64,
    pub age: f64,
    pub segment: Option<&'static str>,
}

/// Small and good enough: splitmix64.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, nearly: the sum of twelve uniform ones.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// Monday.
pub fn monday() -> Timestamp {
    Timestamp::parse("2026-11-02T00:00:00Z").unwrap()
}

/// Events at a rate, `change` applied to each.
pub fn events(
    seed: u64,
    per_hour: f64,
    from: Timestamp,
    until: Timestamp,
    change: impl Fn(&mut Event, &mut Dice),
) -> Vec<Event> {
    let mut dice = Dice(seed);
    let mut time = from;
    let mut events = Vec::new();
    loop {
        let gap = -dice.next().max(1e-12).ln() * 3_600.0 / per_hour;
        time = time.plus((gap * Timestamp::SECOND as f64) as i64);
        if time >= until {
            return events;
        }
        let mut event = Event {
            time,
            version: "1.0",
            instance: ["api-0", "api-1", "api-2", "api-3"][(dice.next() * 4.0) as usize],
            failed: dice.next() < 0.001,
            latency_ms: (3.7 + 0.4 * dice.normal()).exp(),
            score: 1.0 / (1.0 + (-dice.normal()).exp()),
            age: 40.0 + 12.0 * dice.normal(),
            segment: Some(["retail", "business", "student"][(dice.next() * 3.0) as usize]),
        };
        change(&mut event, &mut dice);
        events.push(event);
    }
}

/// A batch of events.
pub fn batch(events: &[Event]) -> EventBatch {
    let text = |values: Vec<Option<&str>>| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = values.into_iter().collect();
        Arc::new(array)
    };
    let number =
        |of: fn(&Event) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(events.iter().map(of))) };
    let times = TimestampMicrosecondArray::from_iter_values(events.iter().map(|event| event.time.micros()))
        .with_timezone("UTC");
    let decisions: StringArray =
        events.iter().map(|event| Some(if event.score > 0.5 { "yes" } else { "no" })).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("time", Arc::new(times)),
        ("version", text(events.iter().map(|event| Some(event.version)).collect())),
        ("instance", text(events.iter().map(|event| Some(event.instance)).collect())),
        ("status", text(events.iter().map(|event| Some(if event.failed { "error" } else { "ok" })).collect())),
        ("latency_ms", number(|event| event.latency_ms)),
        ("score", number(|event| event.score)),
        ("decision", Arc::new(decisions)),
        ("feature_age", number(|event| event.age)),
        ("feature_segment", text(events.iter().map(|event| event.segment).collect())),
    ];
    EventBatch {
        kind: RecordKind::Inference,
        model: Some("scorer".into()),
        records: RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .unwrap(),
    }
}

/// One deployment.
pub fn deployment(time: Timestamp, version: &str, action: &str) -> EventBatch {
    let text = |value: &str| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = [Some(value)].into_iter().collect();
        Arc::new(array)
    };
    let times = TimestampMicrosecondArray::from_iter_values([time.micros()]).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 4] =
        [("time", Arc::new(times)), ("model", text("scorer")), ("version", text(version)), ("action", text(action))];
    EventBatch {
        kind: RecordKind::Deployment,
        model: None,
        records: RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .unwrap(),
    }
}

/// Settings that learn until a moment, with an objective of 99.5 % unless told otherwise.
pub fn settings(until: Timestamp) -> WatchSettings {
    let default_model = ModelSettings {
        learning: Learning::Until(until),
        objectives: Some(Objectives { success: Some(0.995), ..Objectives::default() }),
        ..ModelSettings::default()
    };
    WatchSettings { default_model, ..WatchSettings::default() }
}

/// Everything that was told of a stream.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    pub findings: Vec<Finding>,
    pub changes: Vec<AlertChange>,
}

impl Told {
    pub fn take(&mut self, observed: Observed) {
        self.findings.extend(observed.findings);
        self.changes.extend(observed.alerts);
    }

    /// Alerts that a person hears of, as they were raised.
    pub fn raised(&self) -> Vec<&Alert> {
        let mut raised: Vec<&Alert> = Vec::new();
        for change in &self.changes {
            let alert = change.alert();
            if alert.severity > Severity::Info {
                match raised.iter().position(|known| known.id == alert.id) {
                    Some(index) => raised[index] = alert,
                    None => raised.push(alert),
                }
            }
        }
        raised
    }

    pub fn titles(&self) -> Vec<&str> {
        self.raised().into_iter().map(|alert| alert.title.as_str()).collect()
    }
}

/// Watches a whole stream in batches of a size.
pub fn watched(settings: WatchSettings, events: &[Event], size: usize) -> Told {
    let mut watch = Watch::new(settings);
    let mut told = Told::default();
    for part in events.chunks(size) {
        told.take(watch.observe(&batch(part)));
    }
    told.take(watch.finish());
    told
}

/// Four hours at two events a second, learned from; then two hours with a change.
pub fn changed(change: impl Fn(&mut Event, &mut Dice)) -> Told {
    let learned = monday().plus(4 * Timestamp::HOUR);
    let stream = events(11, 7_200.0, monday(), learned.plus(2 * Timestamp::HOUR), |event, dice| {
        if event.time >= learned {
            change(event, dice);
        }
    });
    watched(settings(learned), &stream, 2_000)
}

/// The channel of the event at a place of a stream: a fourteenth of them come from kiosks.
pub fn channel(index: usize) -> &'static str {
    ["web", "app", "kiosk"][if index.is_multiple_of(14) { 2 } else { index % 2 }]
}

/// A day with a channel by event, twelve hours of learning.
pub fn channels(change: impl Fn(&mut Event, &str)) -> Told {
    let learned = monday().plus(12 * Timestamp::HOUR);
    let mut stream = events(13, 7_200.0, monday(), monday().plus(Timestamp::DAY), |_, _| {});
    for (index, event) in stream.iter_mut().enumerate().filter(|(_, event)| event.time >= learned) {
        change(event, channel(index));
    }
    watched_in_channels(settings(learned), &stream)
}

/// Watches a whole stream whose events came through channels.
pub fn watched_in_channels(settings: WatchSettings, stream: &[Event]) -> Told {
    const SIZE: usize = 2_000;
    let mut watch = Watch::new(settings);
    let mut told = Told::default();
    for (part, events) in stream.chunks(SIZE).enumerate() {
        let names: DictionaryArray<Int32Type> = (0..events.len()).map(|row| Some(channel(SIZE * part + row))).collect();
        let plain = batch(events);
        let (schema, mut columns, _) = plain.records.into_parts();
        columns.push(Arc::new(names));
        let fields = schema.fields().iter().map(|field| field.name().as_str()).chain(["channel"]);
        let named = fields.zip(columns).map(|(name, array)| (name, array, true));
        let records = RecordBatch::try_from_iter_with_nullable(named).unwrap();
        told.take(watch.observe(&EventBatch { records, kind: plain.kind, model: plain.model }));
    }
    told.take(watch.finish());
    told
}

/// The same, with a tenth of the events served by another version that has a change.
pub fn on_trial(change: impl Fn(&mut Event, &mut Dice)) -> Told {
    changed(move |event, dice| {
        if dice.next() < 0.1 {
            event.version = "1.1";
            change(event, dice);
        }
    })
}

/// Whether a detector told something that a person hears of.
pub fn found(told: &Told, detector: &str) -> bool {
    told.findings.iter().any(|finding| finding.detector == detector && finding.severity > Severity::Info)
}
