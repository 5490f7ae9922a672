//! Deployments that are known, so that a finding that begins with one names it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Finding, Span, Timestamp};

/// Most deployments of one model that are remembered.
const MOST_KEPT: usize = 8;
/// What begins so soon after a deployment is told with it.
const SOON: Span = Timestamp::HOUR;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Deployment {
    time: Timestamp,
    version: String,
    action: String,
}

/// The latest deployments of each model; as many models as are watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deployments {
    models: BTreeMap<String, VecDeque<Deployment>>,
}

impl Deployments {
    /// Remembers one row of a batch of deployments.
    pub(crate) fn observe(&mut self, model: &str, batch: &EventBatch, row: usize, time: Timestamp) {
        let text = |name: &str| batch.text(name).and_then(|column| column.get(row)).unwrap_or_default().to_owned();
        let known = self.models.entry(model.to_owned()).or_default();
        known.push_back(Deployment { time, version: text("version"), action: text("action") });
        if known.len() > MOST_KEPT {
            known.pop_front();
        }
    }

    /// Names in a finding the deployment after which it began, the last one before the onset.
    pub(crate) fn name_in(&self, finding: &mut Finding) {
        let Some(known) = self.models.get(&finding.model) else { return };
        let before = known.iter().filter(|deployment| {
            let begins = finding.onset.max(finding.onset_interval.1);
            deployment.time <= begins && begins.since(deployment.time) <= SOON
        });
        let Some(last) = before.max_by_key(|deployment| deployment.time) else { return };
        let action = if last.action.is_empty() { "deployment".to_owned() } else { last.action.replace('_', " ") };
        let version = if last.version.is_empty() { String::new() } else { format!(" of version {}", last.version) };
        finding.title = format!("{} (began after the {action}{version} at {})", finding.title, last.time);
    }
}
