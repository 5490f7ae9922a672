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

/// What was seen of one rule, as shares of the runs.
struct Seen {
    unchanged_that_alarm: f64,
    moved_columns_named: f64,
    false_columns: f64,
}

/// What a rule is called, the rule, and whether its alpha is a promise about unchanged windows.
fn rules() -> [(&'static str, Policy, bool); 4] {
    let rule = |alpha, correction| Policy { alpha, correction, least_effect: 0.0 };
    [
        ("default policy: Holm, alpha 0.01, effect of 0.02", Policy::default(), true),
        ("Holm, alpha 0.01, any effect", rule(0.01, Correction::Holm), true),
        ("Benjamini-Hochberg, 0.05, any effect", rule(0.05, Correction::BenjaminiHochberg), true),
        ("each column at 0.05, not corrected", rule(0.05, Correction::None), false),
    ]
}

/// Every rule on the same pairs of tables, and the rule of a fixed threshold.
fn simulate(runs: usize) -> ([Seen; 4], f64) {
    let mut random = Random::new(23);
    let mut counts = [[0_usize; 3]; 4];
    let mut far = 0;
    for _ in 0..runs {
        let kept = draw(REFERENCE, 0.0, &mut random);
        let Ok(reference) = Reference::new(&columns(&kept)) else { continue };
        let unchanged = draw(WINDOW, 0.0, &mut random);
        let moved = draw(WINDOW, 0.3, &mut random);
        far += usize::from(any_far(&kept, &unchanged));
        for ((_, policy, _), counts) in rules().iter().zip(&mut counts) {
            counts[0] += usize::from(judge(&reference, &unchanged, policy).is_some_and(|found| !found.is_empty()));
            let found = judge(&reference, &moved, policy).unwrap_or_default();
            counts[1] += usize::from(found.contains(&0)) + usize::from(found.contains(&1));
            counts[2] += found.iter().filter(|column| **column > 1).count();
        }
    }
    let share = |count: usize| count as f64 / runs as f64;
    let seen = counts.map(|[alarms, named, false_columns]| Seen {
        unchanged_that_alarm: share(alarms),
        moved_columns_named: 0.5 * share(named),
        false_columns: share(false_columns),
    });
    (seen, share(far))
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let runs = effort.pairs / 2;
    let (seen, far) = simulate(runs);
    let head =
        ["rule", "promises", "unchanged windows that alarm", "moved columns named", "false columns a window", ""];
    let mut table = Table::new(&head);
    let mut all = Vec::new();
    for ((name, Policy { alpha, .. }, promised), seen) in rules().into_iter().zip(seen) {
        let most = alpha + 3.0 * (alpha * (1.0 - alpha) / runs as f64).sqrt();
        let verdict = match promised {
            false => "-",
            true if seen.unchanged_that_alarm <= most => "kept",
            true => "BROKEN",
        };
        if verdict == "BROKEN" {
            broken.push(format!("25 columns, {name}: {:.3} of unchanged windows alarm", seen.unchanged_that_alarm));
        }
        table.row([
            name.to_owned(),
            if promised { format!("<= {alpha}") } else { "nothing".to_owned() },
            format!("{:.1} %", 100.0 * seen.unchanged_that_alarm),
            format!("{:.1} %", 100.0 * seen.moved_columns_named),
            format!("{:.2}", seen.false_columns),
            verdict.to_owned(),
        ]);
        all.push(json!({"rule": name, "promised": promised.then_some(alpha), "alarms": seen.unchanged_that_alarm,
                        "named": seen.moved_columns_named, "false_columns": seen.false_columns, "verdict": verdict}));
    }
    let fixed = "rule of Evidently: Jensen-Shannon >= 0.1".to_owned();
    all.push(json!({"rule": fixed, "alarms": far}));
    let (none, alarms) = (String::new, format!("{:.1} %", 100.0 * far));
    table.row([fixed, "nothing".to_owned(), alarms, none(), none(), "-".to_owned()]);
    println!(
        "Tables of 25 columns, 5 of them with 2 to 1,000 categories; {REFERENCE} rows against {WINDOW}, {runs} pairs\n\n\
         {table}"
    );
    Value::Array(all)
}
