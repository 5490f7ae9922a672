//! The responsible slice: is the planted one first, how many are false, and do the intervals hold the share?

use serde_json::{Value, json};
use wardline_stats::slice::{Attributes, Baseline, Condition, ResponsibleSlice, Settings, responsible_slices};

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const ROWS: usize = 20_000;
/// Rows from which a slice's true size is known.
const PILOT: usize = 100_000;
const NORMAL: f64 = 0.05;
/// Everywhere but in the slice, so that it does not explain all.
const EVERYWHERE: f64 = 0.06;
const PLANTED: f64 = 0.25;
const ALPHA: f64 = 0.05;

/// How a run's attributes are drawn: 10 to 25 of 2 to 30 values, skewed, every third one mostly a copy of its neighbour.
struct World {
    values: Vec<u32>,
}

impl World {
    fn new(random: &mut Random) -> Self {
        let n = 10 + (random.unit() * 16.0) as usize;
        Self { values: (0..n).map(|_| 2 + (random.unit() * 29.0) as u32).collect() }
    }

    fn columns(&self, random: &mut Random, rows: usize) -> Vec<Vec<u32>> {
        let mut columns: Vec<Vec<u32>> = Vec::new();
        for (place, values) in self.values.iter().enumerate() {
            let column = (0..rows).map(|row| {
                if place % 3 == 2 && random.unit() < 0.7 {
                    columns[place - 1][row] % values
                } else {
                    (f64::from(*values) * random.unit().powi(2)) as u32
                }
            });
            let column: Vec<u32> = column.collect();
            columns.push(column);
        }
        columns
    }
}

fn meets(columns: &[Vec<u32>], row: usize, slice: &[Condition]) -> bool {
    slice.iter().all(|condition| columns[condition.attribute][row] == condition.value)
}

/// A slice of 1 to 10 % of the rows, in which no condition follows from the others; and its size.
fn plant(random: &mut Random, pilot: &[Vec<u32>], conditions: usize) -> (Vec<Condition>, f64) {
    let size = |slice: &[Condition]| (0..PILOT).filter(|row| meets(pilot, *row, slice)).count() as f64 / PILOT as f64;
    loop {
        let row = (random.unit() * PILOT as f64) as usize;
        let mut attributes: Vec<usize> =
            (0..conditions).map(|_| (random.unit() * pilot.len() as f64) as usize).collect();
        attributes.sort_unstable();
        attributes.dedup();
        let slice: Vec<Condition> =
            attributes.iter().map(|place| Condition { attribute: *place, value: pilot[*place][row] }).collect();
        let own = size(&slice);
        let follows = |place: usize| {
            let mut wider = slice.clone();
            wider.remove(place);
            own > 0.6 * size(&wider)
        };
        if slice.len() == conditions && (0.01..=0.1).contains(&own) && !(0..conditions).any(follows) {
            return (slice, own);
        }
    }
}

fn failed(random: &mut Random, columns: &[Vec<u32>], planted: Option<&[Condition]>) -> Vec<f64> {
    let rate = |row| if planted.is_some_and(|slice| meets(columns, row, slice)) { PLANTED } else { EVERYWHERE };
    (0..columns[0].len()).map(|row| f64::from(u8::from(random.unit() < rate(row)))).collect()
}

/// Slices that are no worse than the rows outside them and all before, by the true rates.
fn n_false(pilot: &[Vec<u32>], planted: &[Condition], named: &[ResponsibleSlice]) -> usize {
    let mut left: Vec<usize> = (0..PILOT).collect();
    let mut found = 0;
    for slice in named {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|row| meets(pilot, **row, &slice.conditions));
        let share = |rows: &[usize]| {
            rows.iter().filter(|row| meets(pilot, **row, planted)).count() as f64 / rows.len().max(1) as f64
        };
        found += usize::from(share(&inside) <= share(&outside));
        left = outside;
    }
    found
}

#[derive(Default)]
struct Tally {
    runs: usize,
    first: usize,
    held: usize,
    shares: usize,
    false_share: Vec<f64>,
}

fn planted_runs(runs: usize, conditions: usize) -> Tally {
    let mut tally = Tally { runs, ..Tally::default() };
    for run in 0..runs {
        let mut random = Random::new((1_000 * conditions + run) as u64);
        let world = World::new(&mut random);
        let pilot = world.columns(&mut random, PILOT);
        let (planted, size) = plant(&mut random, &pilot, conditions);
        let columns = world.columns(&mut random, ROWS);
        let effect = failed(&mut random, &columns, Some(&planted));
        let baseline = Some(Baseline { mean: NORMAL, standard_error: 0.0 });
        let settings = Settings { baseline, seed: run as u64, ..Settings::default() };
        let Some(found) =
            Attributes::new(&columns).and_then(|attributes| responsible_slices(&attributes, &effect, settings).ok())
        else {
            continue;
        };
        tally.false_share.push(n_false(&pilot, &planted, &found.slices) as f64 / found.slices.len().max(1) as f64);
        let Some(first) = found.slices.first().filter(|first| first.conditions == planted) else { continue };
        tally.first += 1;
        if let Some(share) = first.share {
            let excess = size * (PLANTED - NORMAL);
            let truth = excess / (excess + (1.0 - size) * (EVERYWHERE - NORMAL));
            tally.shares += 1;
            tally.held += usize::from(share.interval.0 <= truth && truth <= share.interval.1);
        }
    }
    tally
}

/// Runs without a slice in which one is named.
fn quiet_runs(runs: usize) -> usize {
    let names = |run: &usize| {
        let mut random = Random::new(500_000 + *run as u64);
        let world = World::new(&mut random);
        let columns = world.columns(&mut random, 3_000);
        let effect = failed(&mut random, &columns, None);
        let settings = Settings { seed: *run as u64, ..Settings::default() };
        let found =
            Attributes::new(&columns).and_then(|attributes| responsible_slices(&attributes, &effect, settings).ok());
        found.is_some_and(|found| !found.slices.is_empty())
    };
    (0..runs).filter(names).count()
}

fn error_of(rate: f64, runs: usize) -> f64 {
    (rate * (1.0 - rate) / runs.max(1) as f64).sqrt()
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut table = Table::new(&["what", "promises", "observed", "runs", ""]);
    let mut all = Vec::new();
    let mut tell = |what: String, promise: String, (rate, error, runs): (f64, f64, usize), kept: bool| {
        let verdict = if kept { "kept" } else { "BROKEN" };
        let observed = format!("{:.1} % +- {:.1}", 100.0 * rate, 100.0 * error);
        table.row([what.clone(), promise.clone(), observed, runs.to_string(), verdict.to_owned()]);
        all.push(json!({"what": what, "promises": promise, "observed": rate, "error": error, "runs": runs, "verdict": verdict}));
        if !kept {
            broken.push(format!("slices, {what}: {rate:.3} at a stated {promise}"));
        }
    };
    let runs = 2 * effort.change_runs;
    for conditions in 1..=3 {
        let tally = planted_runs(runs, conditions);
        let rate = tally.first as f64 / tally.runs as f64;
        let what = format!("planted slice of {conditions} is first");
        // Of three conditions the last is often worth less than chance, and its wider slice comes first.
        let stated = if conditions < 3 { 0.95 } else { 0.8 };
        tell(what, format!(">= {:.0} %", 100.0 * stated), (rate, error_of(rate, runs), runs), rate >= stated);
        let held = tally.held as f64 / tally.shares.max(1) as f64;
        let error = error_of(0.95, tally.shares);
        let what = format!("share explained is in its interval, {conditions}");
        tell(what, "95 %".to_owned(), (held, error, tally.shares), (held - 0.95).abs() <= 3.0 * error);
        let n = tally.false_share.len();
        let wrong = tally.false_share.iter().sum::<f64>() / n.max(1) as f64;
        let square = tally.false_share.iter().map(|share| (share - wrong).powi(2)).sum::<f64>();
        let error = (square / (n * n.saturating_sub(1)).max(1) as f64).sqrt();
        let what = format!("false among the named, {conditions} planted");
        tell(what, "<= 5 %".to_owned(), (wrong, error, n), wrong <= ALPHA + 3.0 * error);
    }
    let rate = quiet_runs(effort.pairs) as f64 / effort.pairs as f64;
    let error = error_of(ALPHA, effort.pairs);
    let what = "any slice named where there is none".to_owned();
    tell(what, "<= 5 %".to_owned(), (rate, error, effort.pairs), rate <= ALPHA + 3.0 * error);
    println!(
        "{ROWS} rows, 10 to 25 attributes of 2 to 30 values; {PLANTED} of a slice's rows fail and {EVERYWHERE} of the others, {NORMAL} is normal\n\n{table}"
    );
    Value::Array(all)
}
