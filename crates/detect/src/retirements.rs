//! Versions that deployments took back.

use std::collections::BTreeMap;

use arrow::array::Array;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Timestamp};

/// Most versions that are remembered.
const MOST_VERSIONS: usize = 200;

/// What the latest deployment of each version did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Retirements {
    /// By version: since when, and whether it serves from then on.
    latest: BTreeMap<String, (Timestamp, bool)>,
}

impl Retirements {
    /// Takes the deployment in a row of a batch.
    pub(crate) fn observe(&mut self, batch: &EventBatch, row: usize, time: Timestamp) {
        let of = |name: &str| batch.text(name).and_then(|text| text.get(row));
        let (Some(version), Some(action)) = (of("version"), of("action")) else { return };
        let weights = batch.number("weight").filter(|weights| weights.is_valid(row));
        let weight = weights.map_or(0.0, |weights| weights.value(row));
        let serves = match action {
            "retire" => false,
            // Some name the version that is taken back, others the one that takes over with its new weight.
            "rollback" => weight > 0.0,
            _ => true,
        };
        self.note(version, time, serves);
    }

    fn note(&mut self, version: &str, time: Timestamp, serves: bool) {
        let is_later = self.latest.get(version).is_none_or(|&(known, _)| known <= time);
        if is_later && (self.latest.len() < MOST_VERSIONS || self.latest.contains_key(version)) {
            self.latest.insert(version.to_owned(), (time, serves));
        }
    }

    /// Whether a version was taken back by a moment.
    pub(crate) fn is_retired(&self, version: &str, now: Timestamp) -> bool {
        self.latest.get(version).is_some_and(|&(since, serves)| !serves && since <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_deployment_counts() {
        let at = Timestamp::from_micros;
        let mut retirements = Retirements::default();
        retirements.note("2", at(10), false);
        assert!(!retirements.is_retired("2", at(9)) && retirements.is_retired("2", at(10)));
        retirements.note("2", at(20), true);
        retirements.note("2", at(15), false);
        assert!(!retirements.is_retired("2", at(30)) && !retirements.is_retired("1", at(30)));
    }
}
