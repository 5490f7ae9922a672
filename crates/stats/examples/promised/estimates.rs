//! Estimated performance when inputs shift: how far off, and how often the interval holds what came true.

use serde_json::{Value, json};
use wardline_stats::interval::Estimate;
use wardline_stats::learn::Features;
use wardline_stats::performance::{BinaryMetric, Cbpe, Confusion, ShiftReference, area_under_roc};

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const REFERENCE: usize = 10_000;
const WINDOW: usize = 5_000;
const METRICS: [&str; 3] = ["accuracy", "F1", "area under the curve"];

/// How inputs move: the model knows of the first, the outcome depends on all three.
struct Scenario {
    name: &'static str,
    moved: [f64; 3],
    stretched: f64,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "no shift", moved: [0.0, 0.0, 0.0], stretched: 1.0 },
    Scenario { name: "an input the model ignores moves by 0.7", moved: [0.0, 0.7, 0.0], stretched: 1.0 },
    Scenario { name: "all inputs move by 0.5", moved: [0.5, 0.5, -0.5], stretched: 1.0 },
    Scenario { name: "inputs spread less and move by 0.5", moved: [0.0, 0.5, 0.5], stretched: 0.8 },
];

struct Rows {
    columns: [Vec<f64>; 3],
    scores: Vec<f64>,
    decisions: Vec<bool>,
    labels: Vec<bool>,
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn draw(rows: usize, scenario: &Scenario, random: &mut Random) -> Rows {
    let mut drawn = Rows { columns: [vec![], vec![], vec![]], scores: vec![], decisions: vec![], labels: vec![] };
    for _ in 0..rows {
        let x: [f64; 3] = scenario.moved.map(|moved| moved + scenario.stretched * random.normal());
        let truth = logistic(1.2 * x[0] + 0.9 * x[1] + 0.6 * x[0] * x[2] - 0.3);
        let score = logistic(1.2 * x[0] + 0.2 * x[2] - 0.2);
        drawn.columns.iter_mut().zip(x).for_each(|(column, value)| column.push(value));
        drawn.scores.push(score);
        drawn.decisions.push(score >= 0.5);
        drawn.labels.push(random.unit() < truth);
    }
    drawn
}

fn features(rows: &Rows) -> Option<Features<'_>> {
    Features::new(rows.columns.iter().map(Vec::as_slice).collect())
}

/// What came true, and both estimates of it.
struct Judged {
    truth: [f64; 3],
    plain: [Estimate; 3],
    weighted: [Estimate; 3],
}

fn judge(scenario: &Scenario, seed: u64) -> Option<Judged> {
    let mut random = Random::new(seed);
    let reference = draw(REFERENCE, &SCENARIOS[0], &mut random);
    let window = draw(WINDOW, scenario, &mut random);
    let table = Confusion::of(&window.decisions, &window.labels)?;
    let truth = [
        table.metric(BinaryMetric::Accuracy)?,
        table.metric(BinaryMetric::F1)?,
        area_under_roc(&window.scores, &window.labels)?.value,
    ];
    let plain = Cbpe::fit(&reference.scores, &reference.labels)?.window(&window.scores, &window.decisions)?;
    let plain = [plain.metric(BinaryMetric::Accuracy)?, plain.metric(BinaryMetric::F1)?, plain.area_under_roc()?];
    let learned =
        ShiftReference::fit(&features(&reference)?, &reference.scores, &reference.decisions, &reference.labels, seed);
    let weighted = learned.ok()?.window(&features(&window)?, &window.scores, &window.decisions).ok()?;
    let weighted =
        [weighted.metric(BinaryMetric::Accuracy)?, weighted.metric(BinaryMetric::F1)?, weighted.area_under_roc()?];
    Some(Judged { truth, plain, weighted })
}

/// The mean absolute error of estimates, and the share whose 95 % interval holds what came true.
fn quality(judged: &[Judged], metric: usize, of: fn(&Judged) -> &[Estimate; 3]) -> (f64, f64) {
    let away = |one: &Judged| (of(one)[metric].value - one.truth[metric]).abs();
    let error = judged.iter().map(away).sum::<f64>() / judged.len() as f64;
    let held = judged.iter().filter(|one| away(one) <= 1.96 * of(one)[metric].standard_error).count();
    (error, held as f64 / judged.len() as f64)
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut table = Table::new(&[
        "inputs",
        "metric",
        "CBPE: error",
        "interval holds",
        "weighted: error",
        "interval holds",
        "ratio",
    ]);
    let mut all = Vec::new();
    let runs = (effort.quiet_runs / 2).max(4);
    let mut held_of_all = Vec::new();
    let (mut plain_of_shifted, mut weighted_of_shifted) = (0.0, 0.0);
    for scenario in SCENARIOS.iter().filter(|scenario| effort.wants(scenario.name)) {
        let judged: Vec<Judged> = (0..runs).filter_map(|run| judge(scenario, 1_000 + run as u64)).collect();
        for (metric, name) in METRICS.into_iter().enumerate() {
            let (plain, plain_held) = quality(&judged, metric, |one| &one.plain);
            let (weighted, held) = quality(&judged, metric, |one| &one.weighted);
            held_of_all.push(held);
            if scenario.name != SCENARIOS[0].name {
                plain_of_shifted += plain;
                weighted_of_shifted += weighted;
            }
            table.row([
                scenario.name.to_owned(),
                name.to_owned(),
                format!("{plain:.4}"),
                format!("{:.0} %", 100.0 * plain_held),
                format!("{weighted:.4}"),
                format!("{:.0} %", 100.0 * held),
                format!("{:.2}", weighted / plain),
            ]);
            all.push(json!({
                "scenario": scenario.name, "metric": name, "runs": judged.len(), "plain_error": plain,
                "plain_held": plain_held, "weighted_error": weighted, "weighted_held": held,
            }));
        }
    }
    let held = held_of_all.iter().sum::<f64>() / held_of_all.len().max(1) as f64;
    // Metrics of one run hang together: the runs of all scenarios are the sample.
    let error = (0.95_f64 * 0.05 / (runs * SCENARIOS.len()) as f64).sqrt();
    if !held_of_all.is_empty() && held < 0.95 - 3.0 * error {
        broken.push(format!("estimates under shift: intervals of 95 % hold what came true in {:.1} %", 100.0 * held));
    }
    let ratio = weighted_of_shifted / plain_of_shifted;
    println!(
        "Estimates for {WINDOW} rows after {REFERENCE}, {runs} runs: weighted intervals hold {:.1} %, and under shift the \
         error is {ratio:.2} of that of CBPE\n\n{table}",
        100.0 * held
    );
    all.push(json!({"error_ratio_of_all_shifted": ratio, "held_of_all": held}));
    Value::Array(all)
}
