//! The traffic of one model in order of time: deployments, visits, predictions, labels, metrics.

use std::{cmp::Ordering, collections::BinaryHeap};

use wardline_domain::Timestamp;

use crate::{
    json_line::JsonLine,
    model::{ModelPlan, Role, VersionSpec},
    prediction::{Predictor, Visit},
    random::mix,
    stream::Record,
};

/// One model's records in order of time.
#[derive(Debug)]
pub(crate) struct Traffic {
    plan: ModelPlan,
    predictor: Predictor,
    until: Timestamp,
    waiting: BinaryHeap<Waiting>,
    sequence: u64,
}

#[derive(Debug)]
struct Waiting {
    time: Timestamp,
    /// Breaks ties, so that the order never depends on the heap.
    sequence: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Line(Vec<u8>),
    NextVisit,
    Prediction(Visit),
    Metrics,
}

impl Traffic {
    /// A model's traffic between two moments.
    pub(crate) fn new(plan: ModelPlan, seed: u64, from: Timestamp, until: Timestamp) -> Self {
        let predictor = Predictor::new(&plan.spec, seed);
        let mut traffic = Self { plan, predictor, until, waiting: BinaryHeap::new(), sequence: 0 };
        for (time, line) in deployments(&traffic.plan, from, until) {
            traffic.wait(time, What::Line(line));
        }
        if let Some(every) = traffic.plan.spec.serving.metrics_every {
            traffic.wait(from.plus(every), What::Metrics);
        }
        let first = traffic.predictor.next_visit(&traffic.plan.spec, from);
        traffic.wait(first, What::NextVisit);
        traffic
    }

    fn wait(&mut self, time: Timestamp, what: What) {
        // Labels may arrive after the stream's end: they are somebody else's tomorrow.
        if time < self.until {
            self.sequence += 1;
            self.waiting.push(Waiting { time, sequence: self.sequence, what });
        }
    }

    fn visit(&mut self, time: Timestamp) {
        let visit = self.predictor.visit(&self.plan.spec);
        self.wait(time, What::Prediction(visit));
        let next = self.predictor.next_visit(&self.plan.spec, time);
        self.wait(next, What::NextVisit);
    }

    fn prediction(&mut self, time: Timestamp, visit: Visit) -> Option<Record> {
        let predicted = self.predictor.predict(&self.plan, time, &visit);
        if let Some(gap) = self.predictor.next_in_visit(self.plan.spec.visit_length) {
            self.wait(time.plus(gap), What::Prediction(visit));
        }
        let predicted = predicted?;
        if let Some((arrives, line)) = predicted.outcome {
            self.wait(arrives, What::Line(line));
        }
        Some(Record { time, line: predicted.line })
    }

    fn metrics(&mut self, time: Timestamp) {
        let Some(every) = self.plan.spec.serving.metrics_every else { return };
        for line in self.predictor.metrics(&self.plan, time, every) {
            self.wait(time, What::Line(line));
        }
        self.wait(time.plus(every), What::Metrics);
    }
}

impl Iterator for Traffic {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            let Waiting { time, what, .. } = self.waiting.pop()?;
            match what {
                What::Line(line) => return Some(Record { time, line }),
                What::NextVisit => self.visit(time),
                What::Metrics => self.metrics(time),
                What::Prediction(visit) => {
                    if let Some(record) = self.prediction(time, visit) {
                        return Some(record);
                    }
                }
            }
        }
    }
}

impl Ord for Waiting {
    /// Reversed: the heap gives the greatest first, and the earliest is wanted.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.sequence).cmp(&(self.time, self.sequence))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Waiting {}

fn deployments(plan: &ModelPlan, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Vec<u8>)> {
    let mut lines = Vec::new();
    for version in &plan.spec.versions {
        let begins = version.from.max(from);
        let (action, weight) = match version.role {
            Role::Stable => ("deploy", 100.0),
            Role::Canary => ("canary_start", version.weight * 100.0),
        };
        lines.push((begins, deployment_line(plan, version, begins, action, weight)));
        if let Some(ends) = version.until.filter(|ends| *ends < until) {
            lines.push((ends, deployment_line(plan, version, ends, "retire", 0.0)));
        }
    }
    lines
}

fn deployment_line(plan: &ModelPlan, version: &VersionSpec, time: Timestamp, action: &str, weight: f64) -> Vec<u8> {
    let commit = version.name.bytes().fold(0, |sum, byte| mix(sum ^ u64::from(byte)));
    let mut line = JsonLine::new(time);
    line.text("kind", "deployment");
    line.text("model", plan.spec.name);
    line.text("version", &version.name);
    line.text("action", action);
    line.number("weight", weight, 1);
    line.text("commit", &format!("{:07x}", commit >> 36));
    line.text("by", "release-bot");
    line.finish()
}
