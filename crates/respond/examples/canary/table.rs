//! Many runs on all processors, and what came of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// One rule on one stream.
pub(crate) struct Row {
    stream: String,
    rule: String,
    fired: f64,
    median: f64,
    p90: f64,
    runs: usize,
}

/// Runs each seed once.
pub(crate) fn runs(n: u64, one: impl Fn(u64) -> Vec<f64> + Sync) -> Vec<Vec<f64>> {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut found = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= n {
                return found;
            }
            found.push((seed, one(seed)));
        }
    };
    let mut all: Vec<(u64, Vec<f64>)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).flatten().collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, found)| found).collect()
}

/// A row for each rule.
pub(crate) fn rows(stream: &str, rules: &[&str], found: Vec<Vec<f64>>) -> Vec<Row> {
    let row = |(place, rule): (usize, &&str)| {
        let mut values: Vec<f64> = found.iter().filter_map(|run| run.get(place).copied()).collect();
        values.sort_by(f64::total_cmp);
        let at = |p: f64| {
            values.get(((values.len() as f64 * p).ceil() as usize).saturating_sub(1)).copied().unwrap_or(f64::NAN)
        };
        let fired = values.iter().filter(|value| value.is_finite()).count() as f64 / values.len().max(1) as f64;
        Row {
            stream: stream.to_owned(),
            rule: (*rule).to_owned(),
            fired,
            median: at(0.5),
            p90: at(0.9),
            runs: values.len(),
        }
    };
    rules.iter().enumerate().map(row).collect()
}

/// Prints rows as a table.
pub(crate) fn print(rows: Vec<Row>) {
    let number = |value: f64| if value.is_finite() { format!("{value:.1}") } else { "never".to_owned() };
    for row in rows {
        println!(
            "| {} | {} | {:.2} % | {} | {} | {} |",
            row.stream,
            row.rule,
            row.fired * 100.0,
            number(row.median),
            number(row.p90),
            row.runs
        );
    }
}
