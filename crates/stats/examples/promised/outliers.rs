//! Outlier models behind conformal p-values: how often a usual row is called unusual, beside what was asked.

use serde_json::{Value, json};
use wardline_stats::learn::Features;
use wardline_stats::outlier::{
    Calibration, ExtendedForest, ForestSettings, IsolationForest, OnlineForest, OnlineForestSettings,
    SlidingCalibration,
};

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const ALPHAS: [f64; 4] = [0.1, 0.05, 0.01, 0.001];
const WIDTH: usize = 4;
const FITTED: usize = 2_000;
const CALIBRATED: usize = 4_999;
const JUDGED: usize = 4_000;

type Columns = Vec<Vec<f64>>;
type Law = fn(&mut Random) -> [f64; WIDTH];

const LAWS: [(&str, Law); 3] = [
    ("normal, one column the sum of two", |random| {
        let [a, b, c] = std::array::from_fn(|_| random.normal());
        [a, b, a + b, c]
    }),
    ("heavy tails", |random| std::array::from_fn(|_| random.normal() / (0.05 + random.unit()))),
    ("whole numbers, two clusters", |random| {
        let middle = if random.unit() < 0.8 { 0.0 } else { 9.0 };
        std::array::from_fn(|_| (middle + 2.0 * random.normal()).round())
    }),
];

/// The p-values of usual rows; nothing where a model cannot be had.
type Judge = fn(Law, &mut Random, u64) -> Option<Vec<f64>>;

const JUDGES: [(&str, Judge); 3] = [
    ("isolation forest", |law, random, seed| {
        let settings = ForestSettings { seed, trees: 50, ..ForestSettings::default() };
        let model = IsolationForest::fit(&features(&draw(law, FITTED, random))?, &settings)?;
        batch(law, random, |rows| model.score(rows))
    }),
    ("extended isolation forest", |law, random, seed| {
        let settings = ForestSettings { seed, trees: 50, ..ForestSettings::default() };
        let model = ExtendedForest::fit(&features(&draw(law, FITTED, random))?, WIDTH, &settings)?;
        batch(law, random, |rows| model.score(rows))
    }),
    ("online forest, sliding window", |law, random, seed| {
        let settings = OnlineForestSettings { seed, ..OnlineForestSettings::default() };
        let mut forest = OnlineForest::new(WIDTH, &settings)?;
        let mut window = SlidingCalibration::new(CALIBRATED)?;
        let mut p_values = Vec::with_capacity(JUDGED);
        for row in 0..FITTED + CALIBRATED + JUDGED {
            let Some(score) = forest.observe(&law(random))? else { continue };
            if row >= FITTED + CALIBRATED {
                p_values.extend(window.p_value(score));
            }
            window.insert(score);
        }
        Some(p_values)
    }),
];

fn draw(law: Law, rows: usize, random: &mut Random) -> Columns {
    let mut columns = vec![Vec::with_capacity(rows); WIDTH];
    for _ in 0..rows {
        for (column, value) in columns.iter_mut().zip(law(random)) {
            column.push(value);
        }
    }
    columns
}

fn features(columns: &Columns) -> Option<Features<'_>> {
    Features::new(columns.iter().map(Vec::as_slice).collect())
}

fn batch(law: Law, random: &mut Random, score: impl Fn(&Features<'_>) -> Option<Vec<f64>>) -> Option<Vec<f64>> {
    let calibration = Calibration::new(&score(&features(&draw(law, CALIBRATED, random))?)?)?;
    let scores = score(&features(&draw(law, JUDGED, random))?)?;
    scores.iter().map(|score| calibration.p_value(*score)).collect()
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut table = Table::new(&["model", "rows", "asked 10 %", "asked 5 %", "asked 1 %", "asked 0.1 %", ""]);
    let mut all = Vec::new();
    for (model, judge) in JUDGES.into_iter().filter(|(model, _)| effort.wants(model)) {
        for (law_name, law) in LAWS {
            let mut random = Random::new(61);
            let (mut alarms, mut rows) = ([0_usize; 4], 0);
            for run in 0..effort.quiet_runs {
                let p_values = judge(law, &mut random, run as u64 + 1).unwrap_or_default();
                rows += p_values.len();
                for (count, alpha) in alarms.iter_mut().zip(ALPHAS) {
                    *count += p_values.iter().filter(|p| **p <= alpha).count();
                }
            }
            let rates = alarms.map(|count| count as f64 / rows.max(1) as f64);
            // Scores that tie are ranked against the row, so that a rate may lie below.
            let kept = rates.iter().zip(ALPHAS).all(|(rate, alpha)| *rate <= 1.2 * alpha)
                && (law_name.starts_with("whole")
                    || rates.iter().zip(ALPHAS).all(|(rate, alpha)| 0.8 * alpha <= *rate));
            if !kept {
                broken.push(format!("{model}, {law_name}: false alarms {rates:?} where {ALPHAS:?} were asked"));
            }
            let percent = |at: usize| format!("{:.3} %", 100.0 * rates[at]);
            let verdict = if kept { "kept" } else { "BROKEN" };
            table.row([
                model.to_owned(),
                law_name.to_owned(),
                percent(0),
                percent(1),
                percent(2),
                percent(3),
                verdict.to_owned(),
            ]);
            all.push(json!({"model": model, "law": law_name, "asked": ALPHAS, "observed": rates, "rows": rows}));
        }
    }
    println!(
        "usual rows called unusual, {} calibrations of {CALIBRATED} rows, {JUDGED} rows each\n\n{table}",
        effort.quiet_runs
    );
    Value::Array(all)
}
