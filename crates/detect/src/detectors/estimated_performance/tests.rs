use wardline_domain::{Finding, Timestamp};

use crate::outcomes::stream::{Case, Said, batches, findings_of, findings_with_restart, settings};
use crate::stream::Dice;

const DAY: i64 = Timestamp::DAY;

/// Scores 12 an hour for 70 days, 28 of them learned from, with labels for these only; `width` is how far scores are from
/// even, day by day, with some difference from day to day.
fn cases(seed: u64, width: impl Fn(f64) -> f64) -> Vec<Case> {
    let mut dice = Dice(seed);
    let daily: Vec<f64> = (0..70).map(|_| 1.0 + 0.05 * dice.normal()).collect();
    (0..70 * 288_i64)
        .map(|index| {
            let time = 1_800_000_000 * Timestamp::SECOND + index * 5 * Timestamp::MINUTE;
            let days = index as f64 / 288.0 - 28.0;
            let spread = width(days) * daily[(index / 288) as usize];
            let score = 1.0 / (1.0 + (-spread * dice.normal()).exp());
            let name = |yes: bool| if yes { "good" } else { "bad" }.to_owned();
            let label = name(dice.next() < score);
            let outcome = (days < 0.0).then(|| (time + DAY, Said::Label(label)));
            Case {
                time,
                texts: vec![("version", "1.0".to_owned()), ("decision", name(score > 0.5))],
                numbers: vec![("score".to_owned(), score)],
                outcome,
            }
        })
        .collect()
}

fn found(cases: &[Case], size: usize) -> Vec<Finding> {
    findings_of("estimated_performance", settings(cases[0].time + 28 * DAY, Some("good")), &batches(cases, size))
}

/// Goal: scores that get less sure are told as a fall of what to expect; whatever the cut, and after a restart.
#[test]
fn alerts_on_scores_that_are_less_sure() {
    let bad = cases(1, |days| if days > 10.0 { 1.5 } else { 2.0 });
    let findings = found(&bad, 3_000);
    let first = findings.first().expect("a finding");
    println!("{}", first.title);
    assert!(first.title.contains("estimated") && first.expected > first.observed, "{}", first.title);
    assert!(first.time.micros() < bad[0].time + 50 * DAY);
    assert_eq!(found(&bad, 501), findings);
    let setting = settings(bad[0].time + 28 * DAY, Some("good"));
    assert_eq!(findings_with_restart("estimated_performance", setting, &batches(&bad, 1_000)), findings);
}

/// Goal: 14 models over six weeks in which nothing changes, 84 weeks in all, are nearly quiet.
#[test]
fn stays_quiet_on_steady_scores() {
    let told = (10..24).filter(|&seed| !found(&cases(seed, |_| 2.0), 5_000).is_empty()).count();
    assert!(told <= 2, "{told} of 14");
}

/// Goal: one client that asks at the border of the model is no fall of the model.
#[test]
fn one_client_at_the_border_is_no_fall() {
    let mut asked = cases(3, |_| 2.0);
    let mut dice = Dice(9);
    for (index, case) in asked.iter_mut().enumerate() {
        let probes = index > 40 * 288 && dice.next() < 0.15;
        let user = if probes { "prober".to_owned() } else { format!("u{}", (dice.next() * 40.0) as u32) };
        case.texts.push(("user", user));
        if probes {
            case.numbers[0].1 = 0.45 + 0.1 * dice.next();
        }
    }
    assert_eq!(found(&asked, 3_000), []);
}
