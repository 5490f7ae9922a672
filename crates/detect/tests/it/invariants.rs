//! What must hold for every stream.

use proptest::prelude::*;
use wardline_detect::Watch;
use wardline_domain::Timestamp;

use crate::stream::{Event, Told, batch, events, monday, settings, watched};

/// An hour of learning, then a replica that fails and slows, another version, and other inputs.
fn troubled(seed: u64) -> Vec<Event> {
    let trouble = monday().plus(90 * Timestamp::MINUTE);
    let mut stream = events(seed, 7_200.0, monday(), monday().plus(150 * Timestamp::MINUTE), |event, dice| {
        if event.time < trouble {
            return;
        }
        if event.instance == "api-2" {
            event.latency_ms *= 4.0;
            event.failed |= dice.next() < 0.1;
        }
        if dice.next() < 0.2 {
            event.version = "1.1";
            event.score = event.score.powi(3);
        }
        event.age += 15.0;
        event.segment = if dice.next() < 0.1 { None } else { event.segment };
    });
    // Some events arrive late, and one comes from a broken clock.
    for index in (50..stream.len()).step_by(97) {
        stream[index].time = stream[index].time.plus(-3 * Timestamp::SECOND);
    }
    stream[1_000].time = stream[1_000].time.plus(900 * Timestamp::DAY);
    stream
}

fn learned() -> Timestamp {
    monday().plus(60 * Timestamp::MINUTE)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Stream = batch: any way of cutting gives the same findings and alerts, to the last byte.
    #[test]
    fn cutting_changes_nothing(seed in 0..1_000_u64, sizes in proptest::collection::vec(1..3_000_usize, 1..12)) {
        let stream = troubled(seed);
        let whole = watched(settings(learned()), &stream, stream.len());
        let mut watch = Watch::new(settings(learned()));
        let mut told = Told::default();
        let mut rest = stream.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, after) = rest.split_at((*size).min(rest.len()));
            told.take(watch.observe(&batch(part)));
            rest = after;
        }
        told.take(watch.finish());
        prop_assert!(!whole.findings.is_empty());
        prop_assert_eq!(&whole.findings, &told.findings);
        prop_assert_eq!(&whole.changes, &told.changes);
    }

    /// A restart in the middle changes nothing either.
    #[test]
    fn a_restart_changes_nothing(seed in 0..1_000_u64, cut in 0.0..1.0_f64) {
        let stream = troubled(seed);
        let whole = watched(settings(learned()), &stream, 500);
        let (before, after) = stream.split_at((cut * stream.len() as f64) as usize / 500 * 500);
        let mut watch = Watch::new(settings(learned()));
        let mut told = Told::default();
        for part in before.chunks(500) {
            told.take(watch.observe(&batch(part)));
        }
        let mut watch = Watch::restore(settings(learned()), &watch.snapshot()).unwrap();
        for part in after.chunks(500) {
            told.take(watch.observe(&batch(part)));
        }
        told.take(watch.finish());
        prop_assert_eq!(whole.findings, told.findings);
    }
}

#[test]
fn a_damaged_snapshot_is_refused() {
    assert!(Watch::restore(settings(learned()), b"").is_err());
    assert!(Watch::restore(settings(learned()), &[9, 0, 0, 0, 1]).is_err());
    let mut bytes = Watch::new(settings(learned())).snapshot();
    bytes.truncate(5);
    assert!(Watch::restore(settings(learned()), &bytes).is_err());
}

/// One model's events of a piece, under another model's name.
fn renamed(part: &[Event]) -> wardline_domain::EventBatch {
    wardline_domain::EventBatch { model: Some("another".into()), ..batch(part) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Two models in one stream: what is found does not depend on where bodies and pieces of files end.
    #[test]
    fn cutting_a_stream_of_two_models_changes_nothing(seed in 0..1_000_u64, size in 100..4_000_usize) {
        // Late events of one model are another minute's for the other, so both streams are in order here.
        let mut stream = troubled(seed);
        stream.retain(|event| event.time < monday().plus(Timestamp::DAY));
        stream.sort_by_key(|event| event.time);
        let found = |size: usize| {
            let mut watch = Watch::new(settings(learned()));
            let mut told = Told::default();
            for part in stream.chunks(size) {
                told.take(watch.observe_together(&[batch(part), renamed(part)]));
            }
            told.take(watch.finish());
            let mut ids: Vec<String> = told.findings.iter().map(|finding| format!("{} {}", finding.id, finding.title)).collect();
            ids.sort();
            ids
        };
        let whole = found(stream.len());
        prop_assert!(!whole.is_empty());
        prop_assert_eq!(whole, found(size));
    }
}

/// Two models with deployments between, under a budget that holds most back, and a silence.
fn tight() -> wardline_detect::WatchSettings {
    let mut settings = settings(learned());
    settings.budget.all = wardline_detect::FalseAlerts { pages: 0.5, tickets: 1.5 };
    settings.silences.push(wardline_detect::Silence {
        name: "upgrade".to_owned(),
        kind: Some(wardline_domain::FindingKind::Latency),
        until: Some(monday().plus(100 * Timestamp::MINUTE)),
        ..wardline_detect::Silence::default()
    });
    settings
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Restarts at any places give the same findings and alerts, to the last byte: with every detector and rule, the budget,
    /// silences and deployments.
    #[test]
    fn restarts_anywhere_change_nothing(seed in 0..1_000_u64, cuts in proptest::collection::vec(0..40_usize, 1..6)) {
        let stream = troubled(seed);
        let told = |cuts: &[usize]| {
            let mut watch = Watch::new(tight());
            let mut told = Told::default();
            for (index, part) in stream.chunks(500).enumerate() {
                if cuts.contains(&index) {
                    watch = Watch::restore(tight(), &watch.snapshot()).unwrap();
                }
                if index % 7 == 5 {
                    told.take(watch.observe_together(&[crate::stream::deployment(part[0].time, "1.1", "canary_started")]));
                }
                told.take(watch.observe_together(&[batch(part), renamed(part)]));
            }
            told.take(watch.finish());
            told
        };
        let (whole, cut) = (told(&[]), told(&cuts));
        prop_assert!(whole.findings.iter().any(|finding| finding.held_back.is_some()));
        let json = |told: &Told| {
            let alerts: Vec<_> = told.changes.iter().map(|change| change.alert()).collect();
            serde_json::to_string(&(&told.findings, alerts)).unwrap()
        };
        prop_assert_eq!(json(&whole), json(&cut));
    }
}
