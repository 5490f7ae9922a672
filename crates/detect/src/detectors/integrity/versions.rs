//! Versions that serve although no deployment says so.

use std::collections::BTreeMap;

use arrow::array::Array;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Span, Timestamp};

use crate::model_state::{ModelState, Phase};

/// A record of a deployment may come so late, and an old version may go on serving for so long.
const GRACE: Span = Timestamp::HOUR;
/// The least predictions of a version that count.
const LEAST_EVENTS: u64 = 20;
const MOST_VERSIONS: usize = 200;
/// After so many versions without a record, records are not kept.
const MOST_TOLD: u32 = 3;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Serving {
    first: Timestamp,
    events: u64,
    /// It served before anything could be said of it.
    is_usual: bool,
    told: bool,
    /// Predictions since it should have stopped.
    since_retired: u64,
    told_retired: bool,
}

/// What deployments and predictions say of versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Versions {
    /// The earliest deployment of each version.
    deployed: BTreeMap<String, Timestamp>,
    retired: BTreeMap<String, Timestamp>,
    serving: BTreeMap<String, Serving>,
    told: u32,
}

/// A version that should not serve.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stray {
    pub(super) version: String,
    pub(super) since: Timestamp,
    pub(super) events: u64,
    /// Versions whose deployment is on record.
    pub(super) deployed: usize,
    pub(super) is_retired: bool,
}

impl Versions {
    pub(super) fn deploy(&mut self, batch: &EventBatch, row: usize, time: Timestamp) {
        let of = |name: &str| batch.text(name).and_then(|text| text.get(row));
        let Some(version) = of("version") else { return };
        if self.deployed.len() < MOST_VERSIONS {
            let known = self.deployed.entry(version.to_owned()).or_insert(time);
            *known = time.min(*known);
        }
        let weights = batch.number("weight").filter(|weights| weights.is_valid(row));
        let serves = weights.is_some_and(|weights| weights.value(row) > 0.0);
        if of("action") == Some("retire") && !serves {
            if self.retired.len() < MOST_VERSIONS {
                self.retired.insert(version.to_owned(), time);
            }
        } else {
            self.retired.remove(version);
        }
    }

    /// Takes the second that ended.
    pub(super) fn on_second(&mut self, state: &ModelState, strays: &mut Vec<Stray>) {
        let now = state.second.start;
        let mut versions: Vec<(String, u16)> =
            state.second.touched.iter().filter_map(|group| Some((state.groups.version_of(*group)?, *group))).collect();
        versions.sort();
        for (version, group) in versions {
            if version.is_empty() {
                continue;
            }
            if self.serving.len() >= MOST_VERSIONS && !self.serving.contains_key(&version) {
                continue;
            }
            let events = u64::from(state.second.of(group).events());
            let is_usual = state.phase != Phase::Watching;
            let serving = self.serving.entry(version.clone()).or_insert_with(|| Serving {
                first: now,
                is_usual,
                ..Serving::default()
            });
            serving.events += events;
            let retired = self.retired.get(&version).filter(|since| now.since(**since) > GRACE);
            serving.since_retired = if retired.is_some() { serving.since_retired + events } else { 0 };
            if let Some(since) = retired
                && serving.since_retired >= LEAST_EVENTS
                && !std::mem::replace(&mut serving.told_retired, true)
            {
                let (since, events) = (*since, serving.since_retired);
                strays.push(Stray { version, since, events, deployed: self.deployed.len(), is_retired: true });
                continue;
            }
            if let Some(stray) = self.without_record(state, &version, now) {
                strays.push(stray);
            }
        }
    }

    fn without_record(&mut self, state: &ModelState, version: &str, now: Timestamp) -> Option<Stray> {
        if self.deployed.is_empty() || self.deployed.contains_key(version) || self.told >= MOST_TOLD {
            return None;
        }
        let serving = self.serving.get(version)?;
        let first = serving.first;
        let is_due = !serving.is_usual && !serving.told && serving.events >= LEAST_EVENTS && now.since(first) >= GRACE;
        // Records began before, and they are about versions that did serve.
        let kept = |(name, time): (&String, &Timestamp)| *time < first && self.serving.contains_key(name);
        if !is_due
            || !self.deployed.iter().any(kept)
            || state.settings.canary_versions.iter().any(|name| name == version)
        {
            return None;
        }
        let (events, deployed) = (serving.events, self.deployed.len());
        if let Some(serving) = self.serving.get_mut(version) {
            serving.told = true;
        }
        self.told += 1;
        Some(Stray { version: version.to_owned(), since: first, events, deployed, is_retired: false })
    }
}
