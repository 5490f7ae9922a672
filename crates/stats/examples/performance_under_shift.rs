//! Estimated performance under planted covariate shift: errors beside those of CBPE, and how often the
//! interval covers the truth. `cargo run --release -p wardline-stats --example performance_under_shift [seeds [first]]`.

#[path = "promised/random.rs"]
mod random;

use wardline_stats::interval::Estimate;
use wardline_stats::learn::Features;
use wardline_stats::performance::{BinaryMetric, Cbpe, Confusion, ShiftReference, area_under_roc};

use random::Random;

fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

/// A world: how inputs lie, how the outcome depends on them, and what the model believes.
struct World {
    name: &'static str,
    row: fn(&mut Random, bool) -> [f64; 8],
    truth: fn(&[f64; 8]) -> f64,
    model: fn(&[f64; 8]) -> f64,
}

fn plain(stream: &mut Random) -> [f64; 8] {
    std::array::from_fn(|_| stream.normal())
}

const WORLDS: [World; 7] = [
    World {
        name: "no shift",
        row: |stream, _| plain(stream),
        truth: |x| x[0] + 0.8 * x[1] - 0.6 * x[2] * x[3],
        model: |x| x[0] + 0.8 * x[1],
    },
    World {
        name: "a mean moves, the model lacks a curve",
        row: |stream, shifted| {
            let mut x = plain(stream);
            x[0] += if shifted { 0.8 } else { 0.0 };
            x
        },
        truth: |x| 1.2 * x[0] - 0.5 * x[0] * x[0] + 0.8 * x[1],
        model: |x| 0.9 * x[0] + 0.8 * x[1] - 0.4,
    },
    World {
        name: "a feature moves that the model ignores",
        row: |stream, shifted| {
            let mut x = plain(stream);
            x[4] += if shifted { 1.0 } else { 0.0 };
            x
        },
        truth: |x| 1.2 * x[0] + 0.8 * x[1] + 1.0 * x[4],
        model: |x| 1.0 * x[0] + 0.7 * x[1],
    },
    World {
        name: "a noisy region grows",
        row: |stream, shifted| {
            let mut x = plain(stream);
            x[2] = stream.unit().powf(if shifted { 0.5 } else { 1.5 });
            x
        },
        truth: |x| (2.5 * x[0] + 1.5 * x[1]) * (1.0 - x[2]),
        model: |x| 1.6 * x[0] + 1.0 * x[1],
    },
    World {
        name: "a segment grows where the model is wrong",
        row: |stream, shifted| {
            let mut x = plain(stream);
            x[5] = f64::from(u8::from(stream.unit() < if shifted { 0.5 } else { 0.15 }));
            x
        },
        truth: |x| if x[5] > 0.5 { -0.8 * x[0] + 0.8 * x[1] } else { 1.5 * x[0] + 0.8 * x[1] },
        model: |x| 1.2 * x[0] + 0.8 * x[1],
    },
    World {
        name: "variance doubles, an interaction is missed",
        row: |stream, shifted| plain(stream).map(|x| if shifted { 1.3 * x } else { x }),
        truth: |x| x[0] + x[1] + 0.7 * x[0] * x[1],
        model: |x| x[0] + x[1],
    },
    World {
        name: "rare positives, a mean moves",
        row: |stream, shifted| {
            let mut x = plain(stream);
            x[1] += if shifted { 0.7 } else { 0.0 };
            x[3] -= if shifted { 0.5 } else { 0.0 };
            x
        },
        truth: |x| -2.8 + x[0] + 0.9 * x[1] + 0.5 * x[3] + 0.4 * x[1] * x[1],
        model: |x| -2.6 + x[0] + 0.6 * x[1],
    },
];

struct Sample {
    columns: Vec<Vec<f64>>,
    scores: Vec<f64>,
    decisions: Vec<bool>,
    labels: Vec<bool>,
}

fn sample(world: &World, rows: usize, shifted: bool, seed: u64) -> Sample {
    let mut stream = Random::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(u64::from(shifted)));
    let inputs: Vec<[f64; 8]> = (0..rows).map(|_| (world.row)(&mut stream, shifted)).collect();
    let labels = inputs.iter().map(|x| stream.unit() < sigmoid((world.truth)(x))).collect();
    let scores: Vec<f64> = inputs.iter().map(|x| sigmoid((world.model)(x))).collect();
    let decisions =
        scores.iter().map(|score| *score >= 0.5 || (world.name.starts_with("rare") && *score >= 0.2)).collect();
    let columns = (0..8).map(|at| inputs.iter().map(|x| x[at]).collect()).collect();
    Sample { columns, scores, decisions, labels }
}

/// Sums over seeds of one metric.
#[derive(Clone, Copy, Default)]
struct Tally {
    cbpe: f64,
    ours: f64,
    covered: f64,
    cbpe_covered: f64,
    standard_error: f64,
    runs: f64,
}

impl Tally {
    fn add(&mut self, truth: f64, plain: Estimate, ours: Estimate) {
        let covers =
            |estimate: Estimate| estimate.share_interval(0.95).is_some_and(|interval| interval.contains(truth));
        self.cbpe += (plain.value - truth).abs();
        self.ours += (ours.value - truth).abs();
        self.covered += f64::from(u8::from(covers(ours)));
        self.cbpe_covered += f64::from(u8::from(covers(plain)));
        self.standard_error += ours.standard_error;
        self.runs += 1.0;
    }
}

const METRICS: [(&str, BinaryMetric); 5] = [
    ("accuracy", BinaryMetric::Accuracy),
    ("precision", BinaryMetric::Precision),
    ("recall", BinaryMetric::Recall),
    ("F1", BinaryMetric::F1),
    ("balanced", BinaryMetric::BalancedAccuracy),
];

fn table(sample: &Sample) -> Option<Features<'_>> {
    Features::new(sample.columns.iter().map(Vec::as_slice).collect())
}

/// One reference and one window; tells as how many rows the reference counts.
fn run(world: &World, seed: u64, tallies: &mut [Tally; 6]) -> Option<f64> {
    let before = sample(world, 20_000, false, 2 * seed + 1);
    let after = sample(world, 5_000, true, 7_919 * seed + 13);
    let reference =
        ShiftReference::fit(&table(&before)?, &before.scores, &before.decisions, &before.labels, seed).ok()?;
    let window = reference.window(&table(&after)?, &after.scores, &after.decisions).ok()?;
    let plain = Cbpe::fit(&before.scores, &before.labels)?.window(&after.scores, &after.decisions)?;
    let truth = Confusion::of(&after.decisions, &after.labels)?;
    for ((_, metric), tally) in METRICS.iter().zip(tallies.iter_mut()) {
        tally.add(truth.metric(*metric)?, plain.metric(*metric)?, window.metric(*metric)?);
    }
    let area = area_under_roc(&after.scores, &after.labels)?.value;
    tallies[5].add(area, plain.area_under_roc()?, window.area_under_roc()?);
    Some(window.effective_rows())
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seeds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(20_u64);
    let first = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    let mut overall = Tally::default();
    for world in &WORLDS {
        let mut tallies = [Tally::default(); 6];
        let counts: Vec<f64> = (first..first + seeds).filter_map(|seed| run(world, seed, &mut tallies)).collect();
        let effective = counts.iter().sum::<f64>() / counts.len().max(1) as f64;
        println!("{} (the reference counts as {effective:.0} of 20000 rows)", world.name);
        for (name, tally) in METRICS.iter().map(|(name, _)| *name).chain(["area"]).zip(tallies) {
            let n = tally.runs.max(1.0);
            println!(
                "  {name:<10} CBPE off {:.4} covers {:3.0} %   ours off {:.4} covers {:3.0} %  ratio {:.2}  standard error {:.4}",
                tally.cbpe / n,
                100.0 * tally.cbpe_covered / n,
                tally.ours / n,
                100.0 * tally.covered / n,
                tally.ours / tally.cbpe,
                tally.standard_error / n
            );
            if world.name != "no shift" {
                overall.cbpe += tally.cbpe;
                overall.ours += tally.ours;
                overall.covered += tally.covered;
                overall.runs += tally.runs;
            }
        }
    }
    println!(
        "under shift: error {:.2} of CBPE's, interval covers {:.1} % of {}",
        overall.ours / overall.cbpe,
        100.0 * overall.covered / overall.runs,
        overall.runs
    );
}
