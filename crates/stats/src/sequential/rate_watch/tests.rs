use proptest::prelude::*;

use super::*;
use crate::classic::Adwin;

fn bits(seed: u64) -> SplitMix {
    SplitMix::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Goal: the promise, for shares that the detector does not know. Method: 400,000 events at a run
/// length of 2,000, so at most 200 alarms in the mean; 245 is more than three deviations above.
#[test]
fn keeps_its_run_length_whatever_the_share() {
    for (seed, rate) in [0.003, 0.05, 0.5, 0.97].into_iter().enumerate() {
        let mut detector = RateWatch::new(2_000.0, seed as u64).unwrap();
        let mut stream = bits(seed as u64 + 10);
        let alarms = (0..400_000).filter(|_| detector.observe(stream.unit() < rate)).count();
        assert!(alarms <= 245, "{alarms} alarms at {rate}");
        assert!(alarms >= 40, "so few alarms at {rate} that power is wasted: {alarms}");
    }
}

/// Goal: a baseline that is known wrongly costs power, never false alarms.
#[test]
fn a_wrong_expectation_raises_no_alarm() {
    for expected in [0.01, 0.2] {
        let mut detector = RateWatch::expecting(expected, 2_000.0, 3).unwrap();
        let mut stream = bits(4);
        let alarms = (0..400_000).filter(|_| detector.observe(stream.unit() < 0.05)).count();
        assert!(alarms <= 245, "{alarms} alarms when {expected} was expected");
    }
}

/// The mean delay of this detector at one alarm in a million, and of ADWIN as in river, after 20,000
/// unchanged events at 5 %.
fn delays(after: f64, runs: u64) -> (f64, f64) {
    let (mut ours, mut adwins) = (0, 0);
    for run in 0..runs {
        let mut stream = bits(run);
        let mut detector = default_detector(run);
        let mut adwin = Adwin::new(0.002).unwrap();
        for _ in 0..20_000 {
            let bad = stream.unit() < 0.05;
            detector.observe(bad);
            if adwin.observe(f64::from(u8::from(bad))) {
                adwin = Adwin::new(0.002).unwrap();
            }
        }
        let change: Vec<bool> = (0..30_000).map(|_| stream.unit() < after).collect();
        let delay = |found: Option<usize>| found.map_or(change.len(), |at| at + 1);
        ours += delay(change.iter().position(|bad| detector.observe(*bad)));
        adwins += delay(change.iter().position(|bad| adwin.observe(f64::from(u8::from(*bad)))));
    }
    (ours as f64 / runs as f64, adwins as f64 / runs as f64)
}

/// Goal: no later than ADWIN on the three stated changes. The least of them must be found too.
#[test]
fn is_no_later_than_adwin() {
    for (after, runs) in [(0.07, 30), (0.1, 60), (0.2, 60)] {
        let (ours, adwins) = delays(after, runs);
        assert!(ours <= adwins, "to {after}: {ours} events, ADWIN {adwins}");
    }
}

#[test]
fn an_alarm_keeps_the_baseline_and_relearning_drops_it() {
    let mut detector = RateWatch::expecting(0.05, 1_000.0, 1).unwrap();
    let mut stream = bits(2);
    (0..20_000).for_each(|_| {
        detector.observe(stream.unit() < 0.05);
    });
    let alarms = (0..1_000).filter(|_| detector.observe(stream.unit() < 0.5)).count();
    assert!(alarms > 10, "{alarms}: a lasting change alarms again and again");
    assert!(detector.baseline().unwrap() < 0.08);
    detector.relearn();
    assert!(detector.is_learning() && detector.baseline().is_none());
    let alarms = (0..20_000).filter(|_| detector.observe(stream.unit() < 0.5)).count();
    assert!(alarms < 60, "{alarms}: the new share is the new normal");
}

#[test]
fn finds_a_fall_too() {
    let mut detector = RateWatch::expecting(0.2, 1e4, 1).unwrap();
    let mut stream = bits(8);
    (0..10_000).for_each(|_| {
        detector.observe(stream.unit() < 0.2);
    });
    assert!((0..500).any(|_| detector.observe(stream.unit() < 0.05)));
}

#[test]
fn bad_settings_and_values_are_refused() {
    assert_eq!(RateWatch::new(0.5, 1), None);
    assert_eq!(RateWatch::new(f64::NAN, 1), None);
    assert_eq!(RateWatch::expecting(1.0, 1e6, 1), None);
    let mut detector = RateWatch::expecting(0.05, 1e6, 1).unwrap();
    let before = detector.clone();
    assert!(!detector.watch(f64::NAN) && !detector.watch(0.3));
    assert_eq!(detector, before);
}

proptest! {
    /// Saved and restored in the middle of a stream, it goes on as if nothing had been.
    #[test]
    fn a_saved_state_goes_on_the_same(events in proptest::collection::vec(any::<bool>(), 1..600), cut in 0..600_usize) {
        let mut whole = RateWatch::new(50.0, 5).unwrap();
        let mut halves = whole.clone();
        let (first, second) = events.split_at(cut.min(events.len()));
        let alarms: Vec<bool> = events.iter().map(|bad| whole.observe(*bad)).collect();
        let mut parts: Vec<bool> = first.iter().map(|bad| halves.observe(*bad)).collect();
        let saved = serde_json::to_string(&halves).unwrap();
        let mut restored: RateWatch = serde_json::from_str(&saved).unwrap();
        parts.extend(second.iter().map(|bad| restored.observe(*bad)));
        prop_assert_eq!(alarms, parts);
        prop_assert!(whole.evidence().is_finite());
    }
}
