//! Metrics of the serving stack that rise above what was learned: processor, memory, garbage collection,
//! queues.
//!
//! - **Method:** for each service, instance and metric, means of five samples; the learning period's own
//!   means give centre, spread and greatest value. A rise is told when Student's prediction tail is below
//!   the level and the mean lies above everything learned.
//! - **Fields:** `service`, `instance`, `name` and `value` of `metric` records.
//! - **False alarms:** the level is the budget's part a week, divided by the number of metrics; and a
//!   saturation alone is only put on record (`info`). It joins the latency or error alert of its models.
//! - **Least effect:** a quarter more than the learned mean.
//! - **Blind spots:** metrics whose trouble is a fall; metrics that nobody sends.
//! - **ATLAS:** none: a symptom of operations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Learning, Timestamp};

use crate::tails::student_above;

/// Samples in a mean.
const SAMPLES: u32 = 5;
/// Least ratio to the learned mean.
const LEAST_RATIO: f64 = 1.25;
/// False findings that are accepted in a week of one service; they are no alerts of their own.
const WEEKLY: f64 = 0.1;
/// Most metrics of all services together.
const MOST_METRICS: usize = 4_096;
/// Fewer learned means do not say how a metric varies.
const LEAST_MEANS: u32 = 12;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    service: String,
    instance: String,
    name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Metric {
    first: Option<Timestamp>,
    block: (Option<Timestamp>, f64, u32),
    means: u32,
    mean: f64,
    squares: f64,
    greatest: f64,
    /// Since when it is high, and the high means so far.
    high: Option<(Timestamp, f64, u32)>,
    told: u32,
}

/// A metric that rose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Saturation {
    pub(crate) time: Timestamp,
    pub(crate) onset: Timestamp,
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) name: String,
    pub(crate) observed: f64,
    pub(crate) expected: f64,
    pub(crate) n_observed: u64,
    pub(crate) n_expected: u64,
    pub(crate) p_value: f64,
}

/// Watches the metrics of all services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SaturationWatch {
    metrics: BTreeMap<Key, Metric>,
}

impl SaturationWatch {
    /// Takes metric records; `learning` is that of the models that a service serves.
    pub(crate) fn observe(&mut self, batch: &EventBatch, learning: impl Fn(&str) -> Learning) -> Vec<Saturation> {
        let (Ok(times), Some(values)) = (batch.times(), batch.number("value")) else { return Vec::new() };
        let (Some(services), Some(names)) = (batch.text("service"), batch.text("name")) else { return Vec::new() };
        let instances = batch.text("instance");
        let mut found = Vec::new();
        for row in 0..batch.len() {
            let (Some(service), Some(name)) = (services.get(row), names.get(row)) else { continue };
            let value = values.value(row);
            if arrow::array::Array::is_null(values, row) || !value.is_finite() {
                continue;
            }
            let instance = instances.as_ref().and_then(|instances| instances.get(row)).unwrap_or_default();
            let key = Key { service: service.to_owned(), instance: instance.to_owned(), name: name.to_owned() };
            let n_metrics = self.metrics.len();
            if n_metrics >= MOST_METRICS && !self.metrics.contains_key(&key) {
                continue;
            }
            let metric = self.metrics.entry(key.clone()).or_default();
            let time = Timestamp::from_micros(times.value(row));
            if let Some(rise) = metric.observe(time, value, learning(service), n_metrics) {
                found.push(Saturation { service: key.service, instance: key.instance, name: key.name, ..rise });
            }
        }
        found
    }
}

impl Metric {
    fn observe(&mut self, time: Timestamp, value: f64, learning: Learning, n_metrics: usize) -> Option<Saturation> {
        let first = *self.first.get_or_insert(time);
        let start = *self.block.0.get_or_insert(time);
        self.block.1 += value;
        self.block.2 += 1;
        if self.block.2 < SAMPLES {
            return None;
        }
        let mean = self.block.1 / f64::from(SAMPLES);
        self.block = (None, 0.0, 0);
        let is_learning = match learning {
            Learning::Until(until) if until > first => time < until,
            Learning::Until(_) => time < first.plus(Timestamp::DAY),
            Learning::For { span, .. } => time < first.plus(span),
        };
        if is_learning || self.means < LEAST_MEANS {
            self.learn(mean);
            return None;
        }
        self.judge(start, time, mean, n_metrics)
    }

    fn learn(&mut self, mean: f64) {
        self.means += 1;
        let delta = mean - self.mean;
        self.mean += delta / f64::from(self.means);
        self.squares += delta * (mean - self.mean);
        self.greatest = if self.means == 1 { mean } else { self.greatest.max(mean) };
    }

    fn judge(&mut self, start: Timestamp, now: Timestamp, mean: f64, n_metrics: usize) -> Option<Saturation> {
        let count = f64::from(self.means);
        // A metric that never moved while learning still has the resolution of its samples.
        let spread = (self.squares / (count - 1.0)).sqrt().max(0.02 * self.mean.abs()).max(1e-9);
        let p_value = student_above((mean - self.mean) / (spread * (1.0 + 1.0 / count).sqrt()), count - 1.0);
        let seconds = (now.since(start) as f64 / Timestamp::SECOND as f64).max(1.0);
        let level = WEEKLY * (seconds / 604_800.0).min(1.0) / n_metrics.max(1) as f64;
        let is_high = mean > self.greatest && mean >= LEAST_RATIO * self.mean && p_value <= level.max(1e-9);
        if !is_high {
            // One mean that is normal ends it only when it is well within what was learned.
            if mean <= self.greatest {
                (self.high, self.told) = (None, 0);
            }
            return None;
        }
        let (since, sum, n) = self.high.map_or((start, mean, 1), |(since, sum, n)| (since, sum + mean, n + 1));
        self.high = Some((since, sum, n));
        // Told at the first high mean and at each doubling of their number.
        if n < 2_u32.pow(self.told.min(20)) {
            return None;
        }
        self.told += 1;
        Some(Saturation {
            time: now,
            onset: since,
            service: String::new(),
            instance: String::new(),
            name: String::new(),
            observed: sum / f64::from(n),
            expected: self.mean,
            n_observed: u64::from(n * SAMPLES),
            n_expected: u64::from(self.means * SAMPLES),
            p_value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a value every five seconds; answers what was told.
    fn told(values: impl Iterator<Item = f64>) -> usize {
        let start = Timestamp::from_micros(1_800_000_000_000_000);
        let learning = Learning::Until(start.plus(Timestamp::HOUR));
        let mut metric = Metric::default();
        values
            .enumerate()
            .filter_map(|(index, value)| {
                metric.observe(start.plus(index as i64 * 5 * Timestamp::SECOND), value, learning, 10)
            })
            .count()
    }

    fn normal(index: u32) -> f64 {
        40.0 + f64::from(index * 7 % 11)
    }

    #[test]
    fn a_doubling_is_told_and_normal_wiggle_is_not() {
        assert_eq!(told((0..5_000).map(normal)), 0);
        assert!(told((0..1_500).map(|index| if index < 1_000 { normal(index) } else { 2.0 * normal(index) })) >= 1);
        assert_eq!(told((0..1_500).map(|index| if index < 1_000 { normal(index) } else { 1.1 * normal(index) })), 0);
    }
}
