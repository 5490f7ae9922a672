use wardline_domain::Timestamp;

use crate::outcomes::stream::{Case, Said, batches, findings_of, settings};
use crate::stream::Dice;

const DAY: i64 = Timestamp::DAY;

/// Stars for a fifth of the answers, at once; `low` is the chance of one or two stars.
fn cases(seed: u64, low: impl Fn(f64, &str) -> f64) -> Vec<Case> {
    let mut dice = Dice(seed);
    (0..40 * 24 * 12)
        .map(|index| {
            let time = 1_800_000_000 * Timestamp::SECOND + index * 5 * Timestamp::MINUTE;
            let days = index as f64 / 288.0 - 20.0;
            let version = if days > 5.0 && dice.next() < 0.3 { "2.0" } else { "1.0" };
            let is_low = dice.next() < low(days, version);
            let stars = if is_low { 1.0 } else { 3.0 } + (2.99 * dice.next()).floor().min(2.0);
            let outcome = (dice.next() < 0.2).then_some((time + Timestamp::MINUTE, Said::Feedback(stars)));
            Case {
                time,
                texts: vec![("version", version.to_owned()), ("decision", "film".to_owned())],
                numbers: Vec::new(),
                outcome,
            }
        })
        .collect()
}

#[test]
fn alerts_on_a_version_that_is_liked_less() {
    let until = |cases: &[Case]| cases[0].time + 20 * DAY;
    let bad = cases(1, |_, version| if version == "2.0" { 0.4 } else { 0.15 });
    let found = findings_of("feedback", settings(until(&bad), None), &batches(&bad, 300));
    let first = found.first().expect("a finding");
    let named = first.responsible.iter().any(|carrier| carrier.name == "version=2.0");
    assert!(named || first.version.as_deref() == Some("2.0"), "{first:?}");
    assert!(first.title.contains("feedback"), "{}", first.title);
}

#[test]
fn stays_quiet_on_steady_feedback() {
    let until = |cases: &[Case]| cases[0].time + 20 * DAY;
    let good = cases(2, |_, _| 0.15);
    assert_eq!(findings_of("feedback", settings(until(&good), None), &batches(&good, 300)), []);
}
