//! Confidence sequences: how often the truth is outside at any look, of many.

use serde_json::{Value, json};
use wardline_stats::sequential::{
    BernsteinMean, BettingMean, DistributionBand, NormalMixture, bernoulli_confidence_sequence,
    hoeffding_mixture_radius, quantile_sequence_ranks,
};

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const ALPHA: f64 = 0.05;

struct Subject {
    name: &'static str,
    /// Whether the truth is outside at some look of one run; then the width at the end.
    run: fn(&mut Random, usize) -> Option<(bool, f64)>,
    thrift: usize,
}

/// Looks at the first 100 values and then at each 1 % more.
fn is_look(n: u64, next: &mut u64) -> bool {
    let look = n >= *next;
    if look {
        *next = (n + n / 100).max(n + 1);
    }
    look
}

/// Drives a sequence over values: takes in one, and at a look says whether the truth is outside and how wide it is.
fn over(values: usize, mut take: impl FnMut(u64, bool) -> Option<(bool, f64)>) -> Option<(bool, f64)> {
    let (mut next, mut missed, mut width) = (1, false, f64::NAN);
    for n in 1..=values as u64 {
        let look = is_look(n, &mut next) || n == values as u64;
        if let Some((outside, wide)) = take(n, look) {
            missed |= outside;
            width = wide;
        }
    }
    Some((missed, width))
}

fn subjects() -> Vec<Subject> {
    let mut all = of_means();
    all.extend(of_laws());
    all
}

fn subject(name: &'static str, run: fn(&mut Random, usize) -> Option<(bool, f64)>) -> Subject {
    Subject { name, run, thrift: 1 }
}

fn of_means() -> Vec<Subject> {
    vec![
        subject("share of 5 %", |random, values| {
            let mut successes = 0;
            over(values, |n, look| {
                successes += u64::from(random.unit() < 0.05);
                let interval = look.then(|| bernoulli_confidence_sequence(successes, n, ALPHA)).flatten()?;
                Some((!interval.contains(0.05), interval.high - interval.low))
            })
        }),
        subject("bounded mean, Hoeffding mixture", |random, values| {
            let mut sum = 0.0;
            over(values, |n, look| {
                sum += random.unit();
                let radius = look.then(|| hoeffding_mixture_radius(n, 10.0, ALPHA)).flatten()?;
                Some(((sum / n as f64 - 0.5).abs() > radius, 2.0 * radius))
            })
        }),
        subject("bounded mean, empirical Bernstein", |random, values| {
            let mut mean = BernsteinMean::new(ALPHA)?;
            over(values, |_, look| {
                mean.observe(random.unit());
                let interval = look.then(|| mean.interval()).flatten()?;
                Some((!interval.contains(0.5), interval.high - interval.low))
            })
        }),
        Subject {
            name: "bounded mean by betting",
            thrift: 4,
            run: |random, values| {
                let mut mean = BettingMean::new(ALPHA, 1_000)?;
                over(values / 10, |_, look| {
                    mean.observe(random.unit());
                    let interval = look.then(|| mean.interval()).flatten()?;
                    Some((!interval.contains(0.5), interval.high - interval.low))
                })
            },
        },
        subject("normal mean", |random, values| {
            let mut mean = NormalMixture::new(0.0, 1.0, 0.01)?;
            over(values, |_, look| {
                mean.observe(random.normal());
                let interval = look.then(|| mean.confidence_sequence(ALPHA)).flatten()?;
                Some((!interval.contains(0.0), interval.high - interval.low))
            })
        }),
    ]
}

fn of_laws() -> Vec<Subject> {
    vec![
        subject("quantile of 95 %, as a share of values", |random, values| {
            let mut below = 0;
            over(values, |n, look| {
                below += u64::from(random.unit() < 0.95);
                let (low, high) = look.then(|| quantile_sequence_ranks(n, 0.95, ALPHA)).flatten()?;
                // The true quantile lies between the values of these ranks if so many values are below it.
                Some((below < low || high <= below, (high - low) as f64 / n as f64))
            })
        }),
        Subject {
            name: "whole distribution",
            thrift: 4,
            run: |random, values| {
                let band = DistributionBand::new(ALPHA)?;
                let mut all: Vec<f64> = Vec::new();
                over(values / 10, |n, look| {
                    all.push(random.unit());
                    let radius = look.then(|| band.radius(n)).flatten()?;
                    all.sort_by(f64::total_cmp);
                    let away = |(rank, value): (usize, &f64)| {
                        let (before, after) = (rank as f64 / n as f64, (rank + 1) as f64 / n as f64);
                        (after - value).max(value - before)
                    };
                    let greatest = all.iter().enumerate().map(away).fold(0.0, f64::max);
                    Some((greatest > radius, 2.0 * radius))
                })
            },
        },
    ]
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut table = Table::new(&["confidence sequence", "promises", "missed at any look", "width at the end", ""]);
    let mut all = Vec::new();
    for subject in subjects().iter().filter(|subject| effort.wants(subject.name)) {
        let runs = (effort.quiet_runs / subject.thrift).max(10);
        let mut random = Random::new(17);
        let found: Vec<(bool, f64)> = (0..runs).filter_map(|_| (subject.run)(&mut random, effort.looks)).collect();
        let missed = found.iter().filter(|(missed, _)| *missed).count() as f64 / runs as f64;
        let width = found.iter().map(|(_, width)| width).sum::<f64>() / runs as f64;
        let most = ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / runs as f64).sqrt();
        let verdict = if missed <= most && found.len() == runs { "kept" } else { "BROKEN" };
        if verdict == "BROKEN" {
            broken.push(format!("confidence sequence, {}: misses {missed:.3} at a stated {ALPHA}", subject.name));
        }
        let values = [subject.name.to_owned(), "ever <= 0.05".to_owned(), format!("{:.1} %", 100.0 * missed)];
        let [name, promise, rate] = values;
        table.row([name, promise, rate, format!("{width:.4}"), verdict.to_owned()]);
        all.push(json!({"sequence": subject.name, "alpha": ALPHA, "runs": runs, "missed": missed, "width": width}));
    }
    println!("Confidence sequences over {} values (a tenth for the two slow ones)\n\n{table}", effort.looks);
    Value::Array(all)
}
