//! Detectors of errors on one long stream of many changes, scored as a search, beside one that always alarms.

use serde_json::{Value, json};

use crate::detectors::subjects;
use crate::effort::Effort;
use crate::random::Random;
use crate::streams::{Kind, Shape, Stream};
use crate::table::Table;

/// A change counts as found by an alarm within so many events, and alarms elsewhere as false.
const NEAR: usize = 2_500;
/// Alarms are counted by stretches, so that one that always alarms is not counted for each event.
const STRETCH: usize = 500;

/// Where the error rate changes: from 5 % to `rate` and back, after 4,000 to 8,000 events each.
fn stream(rate: f64, changes: usize, seed: u64) -> (Vec<f64>, Vec<usize>) {
    let mut random = Random::new(seed);
    let mut source = Stream::new(Kind::Bits, Shape::Independent, seed + 1);
    let mut values = Vec::new();
    let mut at = Vec::new();
    for change in 0..=changes {
        source.parameter = if change % 2 == 0 { Kind::Bits.unchanged() } else { rate };
        if change > 0 {
            at.push(values.len());
        }
        let length = 4_000 + (random.unit() * 4_000.0) as usize;
        values.extend((0..length).map(|_| source.next()));
    }
    (values, at)
}

/// Changes found, and false stretches.
fn score(alarms: &[usize], changes: &[usize]) -> (usize, usize) {
    let near = |alarm: usize, change: usize| change <= alarm && alarm < change + NEAR;
    let found = changes.iter().filter(|change| alarms.iter().any(|alarm| near(*alarm, **change))).count();
    let mut stretches: Vec<usize> = alarms
        .iter()
        .filter(|alarm| !changes.iter().any(|change| near(**alarm, *change)))
        .map(|alarm| alarm / STRETCH)
        .collect();
    stretches.dedup();
    (found, stretches.len())
}

pub(crate) fn report(effort: &Effort, _broken: &mut Vec<String>) -> Value {
    let mut table = Table::new(&["detector", "5 and 7 %", "5 and 10 %", "5 and 20 %"]);
    let mut all = Vec::new();
    for subject in subjects().iter().filter(|subject| subject.kind == Kind::Bits && subject.before > 0) {
        let scores = Kind::Bits.changes().map(|rate| {
            let (values, changes) = stream(rate, 2 * effort.change_runs.min(50), 5);
            let alarms: Vec<usize> = (subject.build)(6)
                .map(|mut detector| (0..values.len()).filter(|at| detector.watch(values[*at])).collect())
                .unwrap_or_default();
            let (found, false_stretches) = score(&alarms, &changes);
            let f1 = 2.0 * found as f64 / (found + changes.len() + false_stretches) as f64;
            (rate, found as f64 / changes.len() as f64, false_stretches, f1)
        });
        let [small, middle, large] = scores.map(|(_, _, _, f1)| format!("{f1:.3}"));
        table.row([subject.name.to_owned(), small, middle, large]);
        let scores = scores.map(|(rate, found, false_stretches, f1)| {
            json!({"rate": rate, "found": found, "false_stretches": false_stretches, "f1": f1})
        });
        all.push(json!({"detector": subject.name, "scores": scores}));
    }
    println!("F1 on a stream that goes to and fro: alarms within {NEAR} events of a change, others false\n\n{table}");
    Value::Array(all)
}
