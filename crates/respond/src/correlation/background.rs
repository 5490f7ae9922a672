//! How often things happen by themselves: alerts on a node, and names in alerts.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// Counts forget with this half-life, so that what was once loud does not stay suspect for ever.
const HALF_LIFE: Span = 30 * Timestamp::DAY;
/// Most names that are counted.
const MAX_NAMES: usize = 100_000;
/// How often two alerts of one cause name the same entity.
const SHARED_BY_CAUSE: f64 = 0.3;
/// The most that naming the same can say.
const MOST_EVIDENCE: f64 = 100.0;

/// A count that forgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Fading {
    count: f64,
    at: Timestamp,
}

impl Fading {
    fn value(self, now: Timestamp) -> f64 {
        let age = now.since(self.at).max(0) as f64;
        self.count * (-std::f64::consts::LN_2 * age / HALF_LIFE as f64).exp()
    }

    fn add(&mut self, now: Timestamp) {
        self.count = self.value(now) + 1.0;
        self.at = self.at.max(now);
    }
}

/// How often things happen by themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Background {
    roots: FxHashMap<u32, Fading>,
    names: FxHashMap<String, Fading>,
    alerts: Fading,
    since: Option<Timestamp>,
}

impl Background {
    /// Nodes have other numbers in another graph.
    pub(super) fn rename_nodes(&mut self, numbers: &FxHashMap<u32, u32>) {
        let roots = std::mem::take(&mut self.roots);
        self.roots =
            roots.into_iter().map(|(node, count)| (numbers.get(&node).copied().unwrap_or(node), count)).collect();
    }

    /// Counts an alert that nothing before explains.
    pub(super) fn add_root(&mut self, node: u32, now: Timestamp) {
        self.roots.entry(node).or_default().add(now);
    }

    /// Counts an alert and what it names.
    pub(super) fn add_alert<'a>(&mut self, names: impl Iterator<Item = &'a String>, now: Timestamp) {
        self.since.get_or_insert(now);
        self.alerts.add(now);
        for name in names {
            if let Some(count) = self.names.get_mut(name) {
                count.add(now);
            } else if self.names.len() < MAX_NAMES {
                self.names.insert(name.clone(), Fading { count: 1.0, at: now });
            }
        }
    }

    /// Alerts an hour that start something on a node.
    pub(super) fn rate(&self, node: u32, now: Timestamp, prior: Span) -> f64 {
        let hours = |span: Span| span as f64 / Timestamp::HOUR as f64;
        let count = self.roots.get(&node).map_or(0.0, |roots| roots.value(now));
        // What an endless stream would leave of its hours, seen through the same forgetting.
        let watched = self.since.map_or(0, |since| now.since(since).max(0)) as f64;
        let memory = HALF_LIFE as f64 / std::f64::consts::LN_2;
        let remembered = memory * -(-watched / memory).exp_m1();
        (count + 1.0) / (remembered / Timestamp::HOUR as f64 + hours(prior))
    }

    /// How much more likely one cause makes it that two alerts both name an entity.
    pub(super) fn evidence(&self, name: &str, now: Timestamp) -> f64 {
        let named = self.names.get(name).map_or(0.0, |count| count.value(now));
        let share = (named + 0.5) / (self.alerts.value(now) + 10.0);
        (SHARED_BY_CAUSE / share).clamp(1.0, MOST_EVIDENCE)
    }

    /// The same for all entities that both name.
    pub(super) fn shared<'a>(&self, both: impl Iterator<Item = &'a String>, now: Timestamp) -> f64 {
        both.fold(1.0, |product: f64, name| (product * self.evidence(name, now)).min(MOST_EVIDENCE))
    }
}
