//! A figure of another system moves and stays there: what is promoted, in stock, shown, sold.
//!
//! - **Method:** for each service, instance and metric, hourly means. The learning period gives the season (hour of the
//!   day, kind of day, hour of the week, as far as hours came back), the memory of one value to the next, and the ranks
//!   of what is new in each value; every day is held against the others, so that what was learned is not judged by
//!   itself. Then sums of rank scores (CUSUM, both ways) tell a lasting shift; where the days vary more than their
//!   hours tell, scores shrink by as much. The onset is the likeliest split, with its 95 % interval. The level follows
//!   the series slowly; a shift that lasts as long as the learning did is normal from then on.
//! - **Fields:** `service`, `instance`, `name` and `value` of `metric` records.
//! - **False alarms:** by design 0.02 in a year of one series, from the run length of the sum. Simulated series with
//!   season and with skewed, heavy-tailed or two-valued noise gave none in 30 years of each law where neighbouring hours
//!   correlate by up to 0.5, and up to 0.1 a year (two-valued) where they correlate by 0.7. A shift alone is only put on
//!   record (`info`): it is evidence for an incident, and takes nothing of the budget.
//! - **Least effect:** one standard deviation of single hours. Two of them are found within two days where neighbouring
//!   hours are independent, three to five days where they correlate by 0.5, after two weeks of learning.
//! - **Blind spots:** the first week, fewer than 96 hours with values, and fewer than are worth 60 independent ones, which
//!   leaves out most series whose neighbouring hours correlate by 0.8 and all by 0.9; series that wander without a level,
//!   grow without end, or moved while they were learned from; a change of spread alone; spikes; metrics of the serving
//!   stack of a model (processor, memory, queues, times), which the watch on saturation has.
//! - **ATLAS:** none: a consequence, not an attack.

mod course;
mod normal;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, EventBatch, Finding, FindingKind, Learning, Severity, Slice, Timestamp};

use self::course::{Course, Shift};
use super::{Detector, DetectorSpec};
use crate::{
    draft::sealed_as,
    evidence,
    wording::{clock_time, number},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "service_shift",
    // It tells nothing that anybody is alerted by, so it takes nothing from the others.
    budget_share: 0.0,
    method: "rank CUSUM on hourly means, season and memory taken out",
    atlas: &[],
    build: |_| Box::new(OfServices),
};

/// Most series of all services together.
const MOST_SERIES: usize = 2_048;
/// Parts of names of what the watch on saturation has.
const SERVING_STACK: [&str; 21] = [
    "cpu",
    "gpu",
    "memory",
    "heap",
    "swap",
    "gc_",
    "garbage",
    "queue",
    "thread",
    "contention",
    "disk",
    "network",
    "connection",
    "file_descriptor",
    "bytes",
    "latency",
    "duration",
    "_ms",
    "_seconds",
    "replica",
    "restart",
];

/// Services are no models: the watch runs one [`ServiceShiftWatch`] for all of them, and a model's own has nothing to do.
struct OfServices;

impl Detector for OfServices {
    fn save(&self) -> Result<Vec<u8>, postcard::Error> {
        Ok(Vec::new())
    }

    fn load(&mut self, _bytes: &[u8]) -> Result<(), postcard::Error> {
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    service: String,
    instance: String,
    name: String,
}

/// Watches the figures of all services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceShiftWatch {
    series: BTreeMap<Key, Course>,
    /// Services of which something was told that may have ended since.
    told: BTreeSet<String>,
    /// The latest time of all.
    latest: Option<Timestamp>,
}

/// A service, the models that it serves, and when those have learned.
pub(crate) struct Served {
    /// Names of models; none for a system that is no serving stack.
    pub(crate) models: Vec<String>,
    /// When learning ends.
    pub(crate) learning: Learning,
}

impl ServiceShiftWatch {
    /// Takes metric records.
    pub(crate) fn observe(&mut self, batch: &EventBatch, served: impl Fn(&str) -> Served) -> Vec<Finding> {
        let (Ok(times), Some(values)) = (batch.times(), batch.number("value")) else { return Vec::new() };
        let (Some(services), Some(names)) = (batch.text("service"), batch.text("name")) else { return Vec::new() };
        let instances = batch.text("instance");
        let mut findings = Vec::new();
        let mut known: BTreeMap<String, Served> = BTreeMap::new();
        for row in 0..batch.len() {
            let (Some(service), Some(name)) = (services.get(row), names.get(row)) else { continue };
            let value = values.value(row);
            if arrow::array::Array::is_null(values, row) || !value.is_finite() || 1e100 < value.abs() {
                continue;
            }
            if !known.contains_key(service) {
                known.insert(service.to_owned(), served(service));
            }
            let Some(served) = known.get(service) else { continue };
            if !served.models.is_empty() && is_of_the_serving_stack(name) {
                continue;
            }
            let instance = instances.as_ref().and_then(|instances| instances.get(row)).unwrap_or_default();
            let key = Key { service: service.to_owned(), instance: instance.to_owned(), name: name.to_owned() };
            if MOST_SERIES <= self.series.len() && !self.series.contains_key(&key) {
                continue;
            }
            let time = Timestamp::from_micros(times.value(row));
            self.latest = self.latest.max(Some(time));
            let course = self.series.entry(key.clone()).or_default();
            if let Some(shift) = course.observe(time, value, served.learning) {
                if served.models.is_empty() {
                    self.told.insert(key.service.clone());
                }
                findings.extend(findings_of(&key, &shift, time, &served.models));
            }
        }
        findings
    }

    /// No more records come: hours that are open are judged.
    pub(crate) fn finish(&mut self, served: impl Fn(&str) -> Served) -> Vec<Finding> {
        let Some(now) = self.latest else { return Vec::new() };
        let mut findings = Vec::new();
        for (key, course) in &mut self.series {
            if let Some(shift) = course.finish() {
                findings.extend(findings_of(key, &shift, now, &served(&key.service).models));
            }
        }
        findings
    }

    /// Services that have alerts of their own, and the latest time: no model's clock closes those.
    pub(crate) fn told(&self) -> Vec<(String, Timestamp)> {
        let told = |now| self.told.iter().map(|service| (service.clone(), now)).collect();
        self.latest.map(told).unwrap_or_default()
    }

    /// The alerts of a service are closed.
    pub(crate) fn closed(&mut self, service: &str) {
        self.told.remove(service);
    }
}

fn is_of_the_serving_stack(name: &str) -> bool {
    let name = name.to_lowercase();
    SERVING_STACK.iter().any(|part| name.contains(part))
}

/// A shift is told of each model that the service serves, else of the service itself.
fn findings_of(key: &Key, shift: &Shift, now: Timestamp, models: &[String]) -> Vec<Finding> {
    let service = std::slice::from_ref(&key.service);
    let about = if models.is_empty() { service } else { models };
    about.iter().map(|about| finding(key, shift, now, about)).collect()
}

fn finding(key: &Key, shift: &Shift, now: Timestamp, about: &str) -> Finding {
    let mut finding = Finding::draft(about, SPEC.name, FindingKind::Cascade, &key.name, now);
    let of_instance = !key.instance.is_empty();
    finding.slice = if of_instance { Slice::of("instance", &key.instance) } else { Slice::whole() };
    finding.onset = shift.onset;
    finding.onset_interval = shift.interval;
    (finding.observed, finding.expected, finding.unit) = (shift.observed, shift.expected, key.name.clone());
    (finding.n_observed, finding.n_expected) = (shift.n_observed, shift.n_expected);
    finding.effect = (shift.observed - shift.expected) / shift.spread;
    finding.effect_name = "standard deviations of an hour".to_owned();
    finding.p_value = Some(shift.p_value);
    finding.p_limit = Some(shift.p_limit);
    finding.severity = Severity::Info;
    finding.responsible = vec![Carrier { name: format!("endpoint={}", key.service), share: 1.0, interval: None }];
    finding.title = format!(
        "{} of {}{} {} from {} to {} since {} (n={}, normal from n={})",
        key.name,
        key.service,
        if of_instance { format!(" ({})", key.instance) } else { String::new() },
        if shift.expected < shift.observed { "rose" } else { "fell" },
        number(shift.expected),
        number(shift.observed),
        clock_time(shift.onset, now),
        shift.n_observed,
        shift.n_expected,
    );
    let from = shift.onset.plus(-2 * now.since(shift.onset).clamp(Timestamp::DAY, 7 * Timestamp::DAY));
    finding.evidence = evidence::figure(&key.service, &key.name, from, now);
    sealed_as(finding, &format!("{} {} {}", key.service, key.instance, key.name))
}

#[cfg(test)]
mod tests;
