//! What the standing version was like, frozen before the trial: where latencies and scores lie, and what there is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_stats::sketch::{Kll, LogHistogram};

use super::{event::JudgedEvent, key::Key};

/// Events of one generation; what is frozen comes from the last one or two.
const GENERATION: u64 = 50_000;
/// Events that are enough to freeze.
pub(crate) const LEAST_EVENTS: u64 = 500;
/// Most decisions and segments that are told apart.
const MOST_DECISIONS: usize = 64;
const MOST_CLASSES: usize = 8;
const MOST_SEGMENTS: usize = 64;
const MOST_REPLICAS: usize = 1_024;
/// Least share of a decision that is watched, and of a segment.
const LEAST_SHARE: f64 = 0.01;
/// Precision of the scores' sketch.
const SKETCH: u16 = 512;

/// The standing version's events so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    current: Generation,
    previous: Option<Generation>,
    replicas: BTreeSet<Key>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Generation {
    events: u64,
    texts: u64,
    latency: LogHistogram,
    scores: Option<Kll>,
    decisions: BTreeMap<Key, u64>,
    segments: BTreeMap<Key, u64>,
}

/// What a trial is compared with beyond the standing version itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// From so many events.
    pub events: u64,
    /// p50, p90, p99 and p99.9 of the latency, in ms; empty where there is none.
    #[serde(with = "exact")]
    pub latency_ms: Vec<f64>,
    /// p50, p75, p90 and p99 of the score.
    #[serde(with = "exact")]
    pub scores_above: Vec<f64>,
    /// p1, p10, p25 and p50 of the score.
    #[serde(with = "exact")]
    pub scores_below: Vec<f64>,
    /// The decisions that are usual, the most frequent first, with their share.
    pub decisions: Vec<(Key, f64)>,
    /// Whether answers are texts.
    pub has_texts: bool,
    /// Segments of fairness that are not too small.
    pub segments: Vec<Key>,
    /// Replicas that have served before.
    pub replicas: Vec<Key>,
}

/// Numbers that come back to the last digit: a value that equals its threshold must fall on the same side again,
/// and readers of JSON may round the last digit of a number.
mod exact {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return values.serialize(serializer);
        }
        let texts: Vec<String> = values.iter().map(f64::to_string).collect();
        texts.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer);
        }
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

impl Learning {
    /// Takes in one event of the standing version.
    pub fn observe(&mut self, event: &JudgedEvent) {
        if self.current.events >= GENERATION {
            self.previous = Some(std::mem::take(&mut self.current));
        }
        if !event.instance.is_none() && self.replicas.len() < MOST_REPLICAS {
            self.replicas.insert(event.instance);
        }
        self.current.observe(event);
    }

    /// Events that freezing would rest on.
    pub fn events(&self) -> u64 {
        self.current.events + self.previous.as_ref().map_or(0, |previous| previous.events)
    }

    /// What was learned; `None` where it is too little.
    pub fn freeze(&self) -> Option<Frozen> {
        if self.events() < LEAST_EVENTS {
            return None;
        }
        let mut all = self.current.clone();
        if let Some(previous) = &self.previous {
            all.join(previous);
        }
        Some(all.freeze(self.replicas.iter().copied().collect()))
    }
}

impl Generation {
    fn observe(&mut self, event: &JudgedEvent) {
        self.events += 1;
        self.texts += u64::from(event.is_refusal.is_some());
        tally(&mut self.decisions, event.decision, MOST_DECISIONS);
        for segment in event.segments {
            tally(&mut self.segments, segment, MOST_SEGMENTS);
        }
        if event.is_error {
            return;
        }
        self.latency.insert(event.latency_ms);
        if event.score.is_finite() {
            if self.scores.is_none() {
                self.scores = Kll::new(SKETCH, 1);
            }
            if let Some(scores) = &mut self.scores {
                scores.insert(event.score);
            }
        }
    }

    fn join(&mut self, other: &Self) {
        self.events += other.events;
        self.texts += other.texts;
        self.latency.merge(&other.latency);
        for (mine, theirs) in [(&mut self.decisions, &other.decisions), (&mut self.segments, &other.segments)] {
            theirs.iter().for_each(|(key, count)| *mine.entry(*key).or_insert(0) += count);
        }
        match (&mut self.scores, &other.scores) {
            // Sketches of one precision always join.
            (Some(mine), Some(theirs)) => {
                let _ = mine.merge(theirs);
            }
            (mine @ None, theirs) => *mine = theirs.clone(),
            _ => {}
        }
    }

    fn freeze(&self, replicas: Vec<Key>) -> Frozen {
        let at = |p: &[f64], quantile: &dyn Fn(f64) -> Option<f64>| {
            let mut values: Vec<f64> = p.iter().filter_map(|p| quantile(*p)).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            values
        };
        let score = |p: f64| self.scores.as_ref().filter(|scores| 2 * scores.count() >= self.events)?.quantile(p);
        let is_measured = 2 * self.latency.count() >= self.events;
        let latency = |p: f64| if is_measured { self.latency.quantile(p) } else { None };
        let usual = |counts: &BTreeMap<Key, u64>| {
            let mut usual: Vec<(Key, f64)> = counts
                .iter()
                .map(|(key, count)| (*key, *count as f64 / self.events as f64))
                .filter(|(_, share)| *share >= LEAST_SHARE)
                .collect();
            usual.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
            usual
        };
        let mut decisions = usual(&self.decisions);
        // Decisions that are as many as requests are texts or names, and say nothing together.
        let covered: f64 = decisions.iter().map(|(_, share)| share).sum();
        decisions.truncate(if covered < 0.5 { 0 } else { MOST_CLASSES });
        Frozen {
            events: self.events,
            latency_ms: at(&[0.5, 0.9, 0.99, 0.999], &latency),
            scores_above: at(&[0.5, 0.75, 0.9, 0.99], &score),
            scores_below: at(&[0.01, 0.1, 0.25, 0.5], &score),
            decisions,
            has_texts: 10 * self.texts >= self.events,
            segments: usual(&self.segments).into_iter().map(|(segment, _)| segment).collect(),
            replicas,
        }
    }
}

/// Counts a key, as long as there is room.
fn tally(counts: &mut BTreeMap<Key, u64>, key: Key, most: usize) {
    if key.is_none() {
        return;
    }
    if let Some(count) = counts.get_mut(&key) {
        *count += 1;
    } else if counts.len() < most {
        counts.insert(key, 1);
    }
}

#[cfg(test)]
mod tests {
    use wardline_domain::Timestamp;

    use super::{super::event::Role, *};

    #[test]
    fn quantiles_and_what_is_usual_are_frozen() {
        let mut learning = Learning::default();
        for at in 0..120_000_u64 {
            let mut event = JudgedEvent::good(Timestamp::from_micros(at as i64), Role::Standing, Key::numbered(at));
            event.latency_ms = (at % 100) as f64 + 1.0;
            event.score = (at % 1_000) as f64 / 1_000.0;
            event.decision = Key::of_class(if at % 5 == 0 { "decline" } else { "approve" });
            event.segments[0] = Key::of_segment("sex", if at % 2 == 0 { "f" } else { "m" });
            learning.observe(&event);
            assert_eq!(learning.freeze().is_some(), at + 1 >= LEAST_EVENTS || at == u64::MAX, "at {at}");
            if at == LEAST_EVENTS {
                break;
            }
        }
        let mut more = learning.clone();
        (0..120_000_u64).for_each(|at| {
            let mut event = JudgedEvent::good(Timestamp::from_micros(0), Role::Standing, Key::NONE);
            event.latency_ms = (at % 100) as f64 + 1.0;
            more.observe(&event);
        });
        assert!(more.events() <= 2 * GENERATION);
        let frozen = learning.freeze().unwrap();
        assert!((frozen.latency_ms[0] - 50.0).abs() < 1.5 && (frozen.latency_ms[2] - 99.0).abs() < 2.0, "{frozen:?}");
        assert!((frozen.scores_above[2] - 0.45).abs() < 0.02, "{frozen:?}");
        assert_eq!(frozen.decisions[0].0, Key::of_class("approve"));
        assert_eq!(frozen.segments.len(), 2);
        assert!(!frozen.has_texts && more.freeze().unwrap().scores_above.is_empty());
    }
}
