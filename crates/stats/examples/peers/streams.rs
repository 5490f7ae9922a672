//! Detectors that take one value at a time, a million times.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::classic::{Adwin, PageHinkley};
use wardline_stats::sequential::{BernoulliE, Direction, EAlarm, EDetector, Monitor, Stop, default_detector};

use crate::data::numbers;
use crate::measure::{measured, told};

/// How often the million is repeated, so that the clock's grain does not matter.
const TIMES: usize = 10;

type Answer = Result<Value, Box<dyn Error>>;

pub(crate) fn adwin_bits(folder: &Path) -> Answer {
    stream(folder, "adwin_bits", "stream-bits", || Adwin::new(0.002))
}

pub(crate) fn adwin_normal(folder: &Path) -> Answer {
    stream(folder, "adwin_normal", "stream-normal", || Adwin::new(0.002))
}

pub(crate) fn page_hinkley_bits(folder: &Path) -> Answer {
    stream(folder, "page_hinkley_bits", "stream-bits", || PageHinkley::new(0.005, 50.0))
}

pub(crate) fn page_hinkley_normal(folder: &Path) -> Answer {
    stream(folder, "page_hinkley_normal", "stream-normal", || PageHinkley::new(0.005, 50.0))
}

/// A fresh detector for each repetition, as river's sees the million once.
fn stream<M: Monitor>(folder: &Path, job: &str, file: &str, make: fn() -> Option<M>) -> Answer {
    let values = numbers(folder, file)?;
    let (alarms, mut cost) =
        measured(|| (0..TIMES).map(|_| make().map(|detector| alarms(detector, &values))).sum::<Option<usize>>());
    let alarms = alarms.ok_or("no such detector")?;
    per_repetition(&mut cost);
    cost["updates"] = json!(values.len());
    Ok(told(job, cost, json!({"alarms": alarms / TIMES})))
}

fn alarms(mut detector: impl Monitor, values: &[f64]) -> usize {
    values.iter().filter(|value| detector.watch(**value)).count()
}

fn per_repetition(cost: &mut Value) {
    for field in ["cpu_s", "wall_s"] {
        if let Some(seconds) = cost[field].as_f64() {
            cost[field] = json!(seconds / TIMES as f64);
        }
    }
}

/// Updates a second of the sequential detectors of errors; the job's time is that of the default one.
pub(crate) fn sequential(folder: &Path) -> Answer {
    let values = numbers(folder, "stream-bits")?;
    let mut rates = serde_json::Map::new();
    let mut rate = |name: &str, detector: Option<Box<dyn Monitor>>| -> Option<Value> {
        let mut detector = detector?;
        let (_, mut cost) = measured(|| {
            for _ in 0..TIMES {
                values.iter().for_each(|value| {
                    std::hint::black_box(detector.watch(*value));
                });
            }
        });
        per_repetition(&mut cost);
        rates.insert(name.to_owned(), json!(values.len() as f64 / cost["cpu_s"].as_f64()? / 1e6));
        Some(cost)
    };
    let process = || BernoulliE::new(0.05, Direction::Increase);
    rate("Bernoulli e-process", process().and_then(|process| boxed(Stop::new(process, 1e-9)?)));
    rate("e-detector", EDetector::new(0.05, Direction::Increase).and_then(|e| boxed(EAlarm::new(e, 1e6)?)));
    let mut cost = rate("default detector", boxed(default_detector(1))).ok_or("no default detector")?;
    cost["updates"] = json!(values.len());
    Ok(told("sequential", cost, json!({"million_updates_per_s": rates})))
}

fn boxed(detector: impl Monitor + 'static) -> Option<Box<dyn Monitor>> {
    Some(Box::new(detector))
}
