use wardline_domain::{Finding, Timestamp};

use crate::outcomes::stream::{Case, batches, findings_of, findings_with_restart, settings};
use crate::stream::Dice;

const DAY: i64 = Timestamp::DAY;

/// Pictures of 5 by 5, blurred, of one of three shapes; 200 people in ten stores, `a_day` pictures in all. In `patched` of
/// a person's pictures two pixels are at full contrast.
fn cases(seed: u64, (days, a_day): (i64, i64), patched: impl Fn(f64, usize) -> f64) -> Vec<Case> {
    let mut dice = Dice(seed);
    (0..days * a_day)
        .map(|index| {
            let time = 1_800_000_000 * Timestamp::SECOND + index * (DAY / a_day);
            let after = index as f64 / a_day as f64 - 14.0;
            let person = (dice.next() * 200.0) as usize;
            let (shape, light) = ((dice.next() * 3.0) as usize, 2.0 * dice.normal());
            let mut pixels: Vec<f64> = (0..25)
                .map(|pixel| 8.0 + light + 4.0 * ((pixel * (shape + 2)) as f64 / 5.0).sin() + dice.normal())
                .collect();
            if dice.next() < patched(after, person) {
                (pixels[7], pixels[12]) = (16.0, 0.0);
            }
            let numbers = pixels.into_iter().enumerate().map(|(at, value)| (format!("feature_p{at:02}"), value));
            Case {
                time,
                texts: vec![
                    ("version", "1.0".to_owned()),
                    ("attribute_store", format!("S{}", person / 20)),
                    ("attribute_employee", format!("E{person:03}")),
                    ("decision", shape.to_string()),
                ],
                numbers: numbers.collect(),
                outcome: None,
            }
        })
        .collect()
}

fn found(cases: &[Case], size: usize) -> Vec<Finding> {
    findings_of("adversarial_inputs", settings(cases[0].time + 14 * DAY, None), &batches(cases, size))
}

/// Goal: a person whose pictures have stickers in a tenth is the first one named, within 200 of their pictures; whatever the
/// cut of the stream, and after a restart.
#[test]
fn alerts_on_a_person_with_stickers_first() {
    let bad = cases(1, (34, 2_000), |after, person| if after > 2.0 && person == 77 { 0.1 } else { 0.0 });
    let findings = found(&bad, 4_000);
    let first = findings.first().expect("a finding");
    println!("{}", first.title);
    assert_eq!(first.slice.to_string(), "employee=E077");
    assert!(first.n_observed <= 200, "{}", first.n_observed);
    assert!(first.features.iter().any(|feature| feature.name == "p07" || feature.name == "p12"), "{first:?}");
    assert_eq!(found(&bad, 777), findings);
    let setting = settings(bad[0].time + 14 * DAY, None);
    assert_eq!(findings_with_restart("adversarial_inputs", setting, &batches(&bad, 1_500)), findings);
}

/// Goal: over 200 people at most one false accusation in 90 days; a change that is everywhere accuses nobody.
#[test]
fn stays_quiet_on_chance_or_of_what_happens_to_all() {
    let quiet = cases(2, (104, 1_000), |_, _| 0.01);
    assert_eq!(found(&quiet, 5_000).len(), 0);
    let everywhere = cases(3, (40, 1_000), |after, _| if after > 2.0 { 0.08 } else { 0.01 });
    assert_eq!(found(&everywhere, 5_000).len(), 0);
}
