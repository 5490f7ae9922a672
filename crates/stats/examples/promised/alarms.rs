//! How often detectors alarm while nothing changes, and how long they take when something does.

use serde_json::{Value, json};
use wardline_stats::sequential::Promise;

use crate::detectors::{Subject, subjects};
use crate::effort::Effort;
use crate::streams::{SHAPES, Shape, Stream};
use crate::table::Table;

/// What was seen of a detector on unchanged streams.
struct Quiet {
    runs: usize,
    /// Runs with at least one alarm.
    runs_with_alarm: usize,
    alarms: u64,
    values: u64,
    /// Values until the first alarm or, without one, the end of the run.
    values_to_first: u64,
}

impl Quiet {
    fn share(&self) -> f64 {
        self.runs_with_alarm as f64 / self.runs as f64
    }

    fn per_million(&self) -> f64 {
        self.alarms as f64 / self.values as f64 * 1e6
    }

    /// The mean run to a first alarm, as of an exponential law cut off at the end of the runs.
    fn run_length(&self) -> Option<f64> {
        (self.runs_with_alarm > 0).then(|| self.values_to_first as f64 / self.runs_with_alarm as f64)
    }
}

/// How often and how late a change was found.
struct Found {
    runs: usize,
    delays: Vec<usize>,
}

impl Found {
    fn mean(&self) -> Option<f64> {
        let sum: usize = self.delays.iter().sum();
        (!self.delays.is_empty()).then(|| sum as f64 / self.delays.len() as f64)
    }

    fn share(&self) -> f64 {
        self.delays.len() as f64 / self.runs as f64
    }
}

fn seed(run: usize, salt: u64) -> u64 {
    (run as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt)
}

fn unchanged(subject: &Subject, shape: Shape, effort: &Effort) -> Quiet {
    let runs = (effort.quiet_runs / subject.thrift).max(1);
    let mut quiet = Quiet { runs, runs_with_alarm: 0, alarms: 0, values: 0, values_to_first: 0 };
    for run in 0..runs {
        let Some(mut detector) = (subject.build)(seed(run, 1)) else { continue };
        let mut stream = Stream::new(subject.kind, shape, seed(run, 2));
        let mut first = None;
        for at in 0..effort.looks {
            if detector.watch(stream.next()) {
                quiet.alarms += 1;
                first.get_or_insert(at + 1);
            }
        }
        quiet.values += effort.looks as u64;
        quiet.runs_with_alarm += usize::from(first.is_some());
        quiet.values_to_first += first.unwrap_or(effort.looks) as u64;
    }
    quiet
}

fn changed(subject: &Subject, parameter: f64, effort: &Effort) -> Found {
    let runs = (effort.change_runs / subject.thrift).max(4);
    let mut delays = Vec::with_capacity(runs);
    for run in 0..runs {
        let Some(mut detector) = (subject.build)(seed(run, 3)) else { continue };
        let mut stream = Stream::new(subject.kind, Shape::Independent, seed(run, 4));
        for _ in 0..subject.before {
            detector.watch(stream.next());
        }
        stream.parameter = parameter;
        // The first value after the change is a delay of one.
        delays.extend((1..=effort.most_delay).find(|_| detector.watch(stream.next())));
    }
    Found { runs, delays }
}

/// Whether a promise was kept, as far as so many runs can tell (three standard errors).
fn verdict(promise: Promise, quiet: &Quiet) -> &'static str {
    let kept = match promise {
        Promise::Nothing => true,
        Promise::Ever(alpha) => quiet.share() <= alpha + 3.0 * (alpha * (1.0 - alpha) / quiet.runs as f64).sqrt(),
        Promise::RunLength(least) => {
            let most = quiet.values as f64 / least;
            quiet.alarms as f64 <= most + 3.0 * most.sqrt() + 1.0
        }
        Promise::AboutRunLength(length) => {
            let error = 3.0 / (quiet.runs_with_alarm.max(1) as f64).sqrt();
            quiet.run_length().is_some_and(|run| (run / length - 1.0).abs() <= 0.2 + error)
        }
    };
    if kept { "kept" } else { "BROKEN" }
}

fn in_words(promise: Promise) -> String {
    match promise {
        Promise::Nothing => "nothing".to_owned(),
        Promise::Ever(alpha) => format!("ever <= {alpha}"),
        Promise::RunLength(least) => format!("run >= {least:.0}"),
        Promise::AboutRunLength(length) => format!("run ~ {length:.0}"),
    }
}

fn plainly(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{value:.0}"))
}

/// Both tables; broken promises are told in the answer.
pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut quiet_table = Table::new(&["detector", "promises", "independent", "autocorrelated", "seasonal", ""]);
    let mut change_table = Table::new(&["detector", "change", "small", "middle", "large"]);
    let mut all = Vec::new();
    for subject in subjects().iter().filter(|subject| effort.wants(subject.name)) {
        let (unchanged, cells, verdict) = quiet(subject, effort, broken);
        let [independent, autocorrelated, seasonal] = cells;
        quiet_table.row([
            subject.name.to_owned(),
            in_words(subject.promise()),
            independent,
            autocorrelated,
            seasonal,
            verdict,
        ]);
        let (changed, cells) = delays(subject, effort);
        let [small, middle, large] = cells;
        let parameter = format!("{} {:?}", subject.kind.parameter(), subject.kind.changes());
        change_table.row([subject.name.to_owned(), parameter, small, middle, large]);
        all.push(json!({
            "detector": subject.name, "kind": format!("{:?}", subject.kind), "promise": in_words(subject.promise()),
            "unchanged": unchanged, "changed": changed,
        }));
    }
    println!(
        "Unchanged streams, {} looks a run: share of runs with an alarm, and mean run to it (* not promised there)\n\n\
         {quiet_table}",
        effort.looks
    );
    println!(
        "A change after 20,000 unchanged values (tests that stop for good: from the start): mean delay, and the share \
         found within {} where it is not all\n\n{change_table}",
        effort.most_delay
    );
    Value::Array(all)
}

/// The three unchanged streams of a detector.
fn quiet(subject: &Subject, effort: &Effort, broken: &mut Vec<String>) -> (Vec<Value>, [String; 3], String) {
    let promise = subject.promise();
    let mut values = Vec::new();
    let mut worst = "-";
    let cells = SHAPES.map(|shape| {
        let quiet = unchanged(subject, shape, effort);
        let promised = subject.holds_for.contains(&shape) && promise != Promise::Nothing;
        let verdict = if promised { verdict(promise, &quiet) } else { "not promised" };
        if verdict == "BROKEN" {
            broken.push(format!("{}, {}: promises {}", subject.name, shape.name(), in_words(promise)));
        }
        if promised && worst != "BROKEN" {
            worst = verdict;
        }
        values.push(json!({
            "stream": shape.name(), "runs": quiet.runs, "looks": effort.looks, "runs_with_alarm": quiet.share(),
            "alarms_per_million": quiet.per_million(), "mean_run": quiet.run_length(), "verdict": verdict,
        }));
        let mark = if promised { "" } else { "*" };
        format!("{:.1} %, {}{mark}", 100.0 * quiet.share(), plainly(quiet.run_length()))
    });
    (values, cells, worst.to_owned())
}

/// The three sizes of change.
fn delays(subject: &Subject, effort: &Effort) -> (Vec<Value>, [String; 3]) {
    let mut values = Vec::new();
    let cells = subject.kind.changes().map(|parameter| {
        let mut found = changed(subject, parameter, effort);
        found.delays.sort_unstable();
        let median = found.delays.get(found.runs / 2).map(|delay| *delay as f64);
        values.push(json!({
            "to": parameter, "runs": found.runs, "found": found.share(), "mean_delay": found.mean(),
            "median_delay": median, "before": subject.before,
        }));
        let all = found.delays.len() == found.runs;
        let share = if all { String::new() } else { format!(" ({:.0} %)", 100.0 * found.share()) };
        plainly(found.mean()) + &share
    });
    (values, cells)
}
