//! Estimated errors of regressions under planted covariate shift: beside those of the reference taken as they
//! are, and how often the interval covers. `cargo run --release -p wardline-stats --example errors_under_shift [seeds]`.

#[path = "promised/random.rs"]
mod random;

use wardline_stats::learn::Features;
use wardline_stats::performance::{DirectLoss, RegressionErrors, RegressionMetric};

use random::Random;

/// Inputs, what the model says, and what comes true.
type Row = ([f64; 5], f64, f64);

struct World {
    name: &'static str,
    row: fn(&mut Random, bool) -> Row,
}

const WORLDS: [World; 5] = [
    World {
        name: "no shift",
        row: |stream, _| {
            let x = std::array::from_fn(|_| stream.normal());
            (x, 30.0 + 4.0 * x[0], 30.0 + 4.0 * x[0] + (1.0 + x[1].abs()) * stream.normal())
        },
    },
    World {
        name: "noise grows with a feature that grows",
        row: |stream, shifted| {
            let mut x = std::array::from_fn(|_| stream.normal());
            x[1] = stream.unit().powf(if shifted { 0.5 } else { 1.5 });
            (x, 30.0 + 4.0 * x[0], 30.0 + 4.0 * x[0] + (0.5 + 4.0 * x[1]) * stream.normal())
        },
    },
    World {
        name: "a curve is missed",
        row: |stream, shifted| {
            let mut x: [f64; 5] = std::array::from_fn(|_| stream.normal());
            x[2] += if shifted { 0.8 } else { 0.0 };
            (x, 31.0 + 4.0 * x[0], 30.0 + 4.0 * x[0] + x[2] * x[2] + 1.5 * stream.normal())
        },
    },
    World {
        name: "a segment grows that the model does not know",
        row: |stream, shifted| {
            let mut x: [f64; 5] = std::array::from_fn(|_| stream.normal());
            x[3] = f64::from(u8::from(stream.unit() < if shifted { 0.5 } else { 0.1 }));
            (x, 30.0 + 4.0 * x[0], 30.0 + 4.0 * x[0] - 5.0 * x[3] + 2.0 * stream.normal())
        },
    },
    World {
        name: "all grows, errors with it",
        row: |stream, shifted| {
            let x: [f64; 5] = std::array::from_fn(|_| stream.normal() + if shifted { 0.4 } else { 0.0 });
            let size = (3.0 + 0.5 * x[0] + 0.3 * x[1]).exp();
            (x, size, size * (0.2 * stream.normal()).exp())
        },
    },
];

const METRICS: [(&str, RegressionMetric); 5] = [
    ("MAE", RegressionMetric::MeanAbsoluteError),
    ("MSE", RegressionMetric::MeanSquaredError),
    ("RMSE", RegressionMetric::RootMeanSquaredError),
    ("MAPE", RegressionMetric::MeanAbsolutePercentageError),
    ("RMSLE", RegressionMetric::RootMeanSquaredLogError),
];

fn sample(world: &World, rows: usize, shifted: bool, seed: u64) -> (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
    let mut stream = Random::new(seed);
    let all: Vec<Row> = (0..rows).map(|_| (world.row)(&mut stream, shifted)).collect();
    let columns = (0..5).map(|at| all.iter().map(|row| row.0[at]).collect()).collect();
    (columns, all.iter().map(|row| row.1).collect(), all.iter().map(|row| row.2).collect())
}

fn table(columns: &[Vec<f64>]) -> Option<Features<'_>> {
    Features::new(columns.iter().map(Vec::as_slice).collect())
}

/// Relative errors of one seed for each metric: of the reference, and ours, and whether the interval covers.
fn run(world: &World, seed: u64) -> Option<Vec<(f64, f64, bool)>> {
    let metrics = METRICS.map(|(_, metric)| metric);
    let (columns, predicted, actual) = sample(world, 20_000, false, 2 * seed + 1);
    let reference = DirectLoss::fit(&table(&columns)?, &predicted, &actual, &metrics, seed).ok()?;
    let before = RegressionErrors::of(&actual, &predicted)?;
    let (columns, predicted, actual) = sample(world, 5_000, true, 7_919 * seed + 13);
    let window = reference.window(&table(&columns)?, &predicted).ok()?;
    let truth = RegressionErrors::of(&actual, &predicted)?;
    let of_metric = |metric: &RegressionMetric| {
        let (truth, found) = (truth.metric(*metric)?.value, window.metric(*metric)?);
        let before = before.metric(*metric)?.value;
        let covers = found.interval(0.95)?.contains(truth);
        Some(((before / truth - 1.0).abs(), (found.value / truth - 1.0).abs(), covers))
    };
    metrics.iter().map(of_metric).collect()
}

fn main() {
    let seeds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20_u64);
    for world in &WORLDS {
        println!("{}", world.name);
        let runs: Vec<Vec<(f64, f64, bool)>> = (0..seeds).filter_map(|seed| run(world, seed)).collect();
        let n = runs.len().max(1) as f64;
        for (at, (name, _)) in METRICS.iter().enumerate() {
            let of = |each: fn(&(f64, f64, bool)) -> f64| runs.iter().map(|run| each(&run[at])).sum::<f64>() / n;
            println!(
                "  {name:<6} reference off {:5.1} %   ours off {:5.1} %   covers {:5.1} % of {n}",
                100.0 * of(|row| row.0),
                100.0 * of(|row| row.1),
                100.0 * of(|row| f64::from(u8::from(row.2)))
            );
        }
    }
}
