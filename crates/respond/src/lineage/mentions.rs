//! Systems that begin to speak of what an alert names: they act on what the model says.
//!
//! Systems of a business often tell nothing of what they read. Their logs do: an item that an alert names, and that a
//! service never logged before the trouble began, came to that service from the model. Such an edge is taken for granted
//! from then on; whether an alert of the service follows from the trouble is still a matter of times.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, BatchError, EventBatch, RecordKind, Span, Timestamp};

use super::{Edge, EdgeKind, Flow, Node, NodeKind, Uses};

/// Most names of alerts that are looked for: the newest.
const MAX_NAMES: usize = 2_000;
/// Most names of logs that are remembered.
const MAX_MENTIONS: usize = 50_000;
/// A service must have logged for so long before a name is new to it.
const LISTENED: Span = Timestamp::DAY;
/// Most characters of a value that is a name.
const MAX_VALUE: usize = 100;

/// What logs mention.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Mentions {
    /// Names of alerts: model, and since when.
    named: BTreeMap<String, (String, Timestamp)>,
    /// When a service first mentioned a name.
    first: BTreeMap<(String, String), Timestamp>,
    /// Since when a service is heard.
    heard: BTreeMap<String, Timestamp>,
}

impl Mentions {
    /// Takes in what logs mention, and says which services begin to speak of what alerts name.
    ///
    /// # Errors
    /// [`BatchError`] where the batch breaks the event schema.
    pub fn observe(&mut self, batch: &EventBatch) -> Result<Vec<Flow>, BatchError> {
        let (Some(service), Some(attributes)) = (batch.text("service"), batch.text("attributes")) else {
            return Ok(Vec::new());
        };
        if batch.kind != RecordKind::Log {
            return Ok(Vec::new());
        }
        let times = batch.times()?;
        let mut flows = Vec::new();
        for row in 0..batch.len() {
            let (Some(service), Some(attributes)) = (service.get(row), attributes.get(row)) else { continue };
            let time = Timestamp::from_micros(times.value(row));
            self.heard.entry(service.to_owned()).or_insert(time);
            for name in names_of(attributes) {
                if self.mention(service, &name, time) {
                    flows.extend(self.flow(service, &name, time));
                }
            }
        }
        Ok(flows)
    }

    /// Notes a mention; says whether it is the first.
    fn mention(&mut self, service: &str, name: &str, time: Timestamp) -> bool {
        let key = (service.to_owned(), name.to_owned());
        if self.first.contains_key(&key) || MAX_MENTIONS <= self.first.len() {
            return false;
        }
        self.first.insert(key, time);
        true
    }

    /// The flow that a first mention shows.
    fn flow(&self, service: &str, name: &str, time: Timestamp) -> Option<Flow> {
        let (model, onset) = self.named.get(name)?;
        let heard = *self.heard.get(service)?;
        if time < *onset || time.since(heard) < LISTENED || service == model {
            return None;
        }
        let from = Node::new(NodeKind::Model, model.as_str()).ok()?;
        let to = Node::new(NodeKind::Endpoint, service).ok()?;
        Some((from, to, Edge::new(EdgeKind::Read, Uses::between(*onset, Timestamp::from_micros(i64::MAX)))))
    }

    /// Takes in what an alert names, and says which services began to speak of it before the alert was raised.
    pub fn observe_alert(&mut self, alert: &Alert) -> Vec<Flow> {
        let mut flows = Vec::new();
        for name in alert.names().into_iter().filter(|name| is_of_a_thing(name)) {
            if MAX_NAMES <= self.named.len()
                && let Some(oldest) =
                    self.named.iter().min_by_key(|(_, (_, onset))| *onset).map(|(name, _)| name.clone())
            {
                self.named.remove(&oldest);
            }
            self.named.entry(name.clone()).or_insert_with(|| (alert.model.clone(), alert.onset));
            let mentions = self.first.iter().filter(|((_, mentioned), _)| *mentioned == name);
            flows.extend(mentions.filter_map(|((service, _), time)| self.flow(service, &name, *time)));
        }
        flows
    }
}

/// Whether a name is of one thing among many, such as an item, and not of a way or a part of the serving.
fn is_of_a_thing(name: &str) -> bool {
    let of_serving = ["channel=", "version=", "dataset_version=", "feature=", "instance=", "endpoint=", "role="];
    !of_serving.iter().any(|prefix| name.starts_with(prefix))
}

/// Names in the attributes of a log line: those that are texts.
fn names_of(attributes: &str) -> Vec<String> {
    let Ok(serde_json::Value::Object(read)) = serde_json::from_str(attributes) else { return Vec::new() };
    let named = read.into_iter().filter_map(|(key, value)| match value {
        serde_json::Value::String(text) if text.len() <= MAX_VALUE => Some(format!("{key}={text}")),
        _ => None,
    });
    named.collect()
}
