//! Whole tables: how often an unchanged window alarms, over 25 columns or many categories, and whether a moved column is
//! named.

use serde_json::{Value, json};
use wardline_stats::drift::{Column, Correction, Policy, Reference};
use wardline_stats::two_sample::jensen_shannon;

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const REFERENCE: usize = 5_000;
const WINDOW: usize = 1_000;
const NUMERIC: usize = 20;
/// Different values of the categorical columns, as often as of Zipf.
const CATEGORIES: [usize; 5] = [2, 10, 50, 200, 1_000];

struct Columns {
    numeric: Vec<Vec<f64>>,
    codes: Vec<Vec<u32>>,
}

/// Cumulative shares of categories.
fn shares(count: usize) -> Vec<f64> {
    let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-1.1)).collect();
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    weights
        .iter()
        .map(|weight| {
            sum += weight / total;
            sum
        })
        .collect()
}

/// Rows of which the first numeric column moves by `shift` and the second spreads by as much.
fn draw(rows: usize, shift: f64, random: &mut Random) -> Columns {
    let number = |column: usize, random: &mut Random| match column {
        0 => random.normal() + shift,
        1 => random.normal() * (1.0 + shift),
        column if column % 2 == 0 => random.normal(),
        _ => -(1.0 - random.unit()).ln(),
    };
    let numeric = (0..NUMERIC).map(|column| (0..rows).map(|_| number(column, random)).collect()).collect();
    let codes = CATEGORIES.map(|count| {
        let shares = shares(count);
        let code = |u: f64| shares.partition_point(|share| *share <= u).min(count - 1) as u32;
        (0..rows).map(|_| code(random.unit())).collect()
    });
    Columns { numeric, codes: codes.into() }
}

fn columns(drawn: &Columns) -> Vec<Column<'_>> {
    let numeric = drawn.numeric.iter().map(|values| Column::Numeric(values));
    numeric.chain(drawn.codes.iter().map(|codes| Column::Codes(codes))).collect()
}

/// Which columns drifted.
fn judge(reference: &Reference, current: &Columns, policy: &Policy) -> Option<Vec<usize>> {
    let mut window = reference.window();
    window.observe(&columns(current)).ok()?;
    Some(reference.compare(&window, policy).ok()?.drifted().collect())
}

/// The rule of a fixed threshold on categories: any Jensen-Shannon distance of 0.1.
fn any_far(reference: &Columns, current: &Columns) -> bool {
    let counts = |codes: &[u32], cells: usize| {
        let mut counts = vec![0_u64; cells];
        codes.iter().for_each(|code| counts[*code as usize] += 1);
        counts
    };
    CATEGORIES.iter().enumerate().any(|(place, cells)| {
        let (a, b) = (counts(&reference.codes[place], *cells), counts(&current.codes[place], *cells));
        jensen_shannon(&a, &b).is_some_and(|distance| distance >= 0.1)
    })
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let runs = effort.pairs / 2;
    let strict = Policy::default();
    let any_effect = Policy { least_effect: 0.0, ..strict };
    let uncorrected = Policy { alpha: 0.05, correction: Correction::None, least_effect: 0.0 };
    let shares_of_false = Policy { alpha: 0.05, correction: Correction::BenjaminiHochberg, least_effect: 0.0 };
    let policies = [
        ("default policy: Holm, alpha 0.01, effect of 0.02", strict, Some(strict.alpha)),
        ("Holm, alpha 0.01, any effect", any_effect, Some(any_effect.alpha)),
        ("Benjamini-Hochberg, 0.05, any effect", shares_of_false, Some(shares_of_false.alpha)),
        ("each column at 0.05, not corrected", uncorrected, None),
    ];
    let mut random = Random::new(23);
    let mut counts = [[0_usize; 3]; 4];
    let mut far = 0;
    for _ in 0..runs {
        let kept = draw(REFERENCE, 0.0, &mut random);
        let Ok(reference) = Reference::new(&columns(&kept)) else { continue };
        let unchanged = draw(WINDOW, 0.0, &mut random);
        let moved = draw(WINDOW, 0.3, &mut random);
        far += usize::from(any_far(&kept, &unchanged));
        for ((_, policy, _), counts) in policies.iter().zip(&mut counts) {
            counts[0] += usize::from(judge(&reference, &unchanged, policy).is_some_and(|found| !found.is_empty()));
            let found = judge(&reference, &moved, policy).unwrap_or_default();
            counts[1] += usize::from(found.contains(&0)) + usize::from(found.contains(&1));
            counts[2] += found.iter().filter(|column| **column > 1).count();
        }
    }
    let mut table = Table::new(&[
        "rule",
        "promises",
        "unchanged windows that alarm",
        "moved columns named",
        "false columns a window",
        "",
    ]);
    let mut all = Vec::new();
    for ((name, _, promised), [alarms, named, false_columns]) in policies.iter().zip(counts) {
        let share = |count: usize| count as f64 / runs as f64;
        let verdict = match promised {
            None => "-",
            Some(alpha) if share(alarms) <= alpha + 3.0 * (alpha * (1.0 - alpha) / runs as f64).sqrt() => "kept",
            Some(_) => "BROKEN",
        };
        if verdict == "BROKEN" {
            broken.push(format!("25 columns, {name}: {:.3} of unchanged windows alarm", share(alarms)));
        }
        table.row([
            (*name).to_owned(),
            promised.map_or("nothing".to_owned(), |alpha| format!("<= {alpha}")),
            format!("{:.1} %", 100.0 * share(alarms)),
            format!("{:.1} %", 50.0 * share(named)),
            format!("{:.2}", share(false_columns)),
            verdict.to_owned(),
        ]);
        all.push(json!({"rule": name, "promised": promised, "alarms": share(alarms), "named": 0.5 * share(named),
                        "false_columns": share(false_columns), "verdict": verdict}));
    }
    let far = far as f64 / runs as f64;
    table.row([
        "rule of Evidently: Jensen-Shannon >= 0.1".to_owned(),
        "nothing".to_owned(),
        format!("{:.1} %", 100.0 * far),
        String::new(),
        String::new(),
        "-".to_owned(),
    ]);
    all.push(json!({"rule": "rule of Evidently: Jensen-Shannon >= 0.1", "alarms": far}));
    println!(
        "Tables of 25 columns, 5 of them with 2 to 1,000 categories; {REFERENCE} rows against {WINDOW}, {runs} pairs\n\n{table}"
    );
    Value::Array(all)
}
