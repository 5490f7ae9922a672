//! An edge: data flow from one node to another, at some times, after some delay.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// How data flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// A job reads it.
    Read,
    /// A job writes it.
    Written,
    /// A model learns from it.
    Trained,
    /// It is a part of the other: a feature of a dataset, a version of a model.
    Part,
    /// It serves the other, or is called by it.
    Serves,
    /// One was made from the other: a model from a base model.
    Derived,
}

/// How long an effect takes to cross an edge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// Half of the effects take no longer.
    pub median: Span,
    /// Two thirds of the effects lie within this factor of the median, above or below; more than 1.
    pub factor: f64,
}

impl Lag {
    /// A lag of which little is known: six hours, give or take a factor of 4.5, so from a quarter of an hour to five days.
    pub const UNKNOWN: Self = Self { median: 6 * Timestamp::HOUR, factor: 4.5 };
    /// A lag that is known about as well as a schedule tells: within a factor of 1.8.
    pub const SCHEDULE_FACTOR: f64 = 1.8;

    /// A lag that a schedule or an operator tells.
    pub const fn about(median: Span) -> Self {
        Self { median, factor: Self::SCHEDULE_FACTOR }
    }
}

/// When an edge was used: disjoint stretches in order; a moment is a stretch of no length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses(Vec<(Timestamp, Timestamp)>);

impl Uses {
    /// Most stretches of an edge. Beyond it, the two that lie closest become one: a blast radius may then come out too
    /// large, and never too small.
    pub const MAX_STRETCHES: usize = 1_024;

    /// Used all the time.
    pub fn always() -> Self {
        Self(vec![(Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX))])
    }

    /// Used at a moment.
    pub fn at(time: Timestamp) -> Self {
        Self(vec![(time, time)])
    }

    /// Used from one moment to another, whichever comes first.
    pub fn between(one: Timestamp, other: Timestamp) -> Self {
        Self(vec![(one.min(other), one.max(other))])
    }

    /// The stretches.
    pub fn stretches(&self) -> &[(Timestamp, Timestamp)] {
        &self.0
    }

    /// The first use at or after a moment.
    pub fn first_from(&self, time: Timestamp) -> Option<Timestamp> {
        let at = self.0.partition_point(|(_, to)| *to < time);
        self.0.get(at).map(|(from, _)| time.max(*from))
    }

    /// Also used when another one was.
    pub fn add(&mut self, other: &Self) {
        for &stretch in &other.0 {
            self.add_stretch(stretch);
        }
    }

    fn add_stretch(&mut self, (from, to): (Timestamp, Timestamp)) {
        let start = self.0.partition_point(|(_, end)| *end < from);
        let end = self.0.partition_point(|(begin, _)| *begin <= to);
        if start < end {
            let joined = (self.0[start].0.min(from), self.0[end - 1].1.max(to));
            self.0.splice(start..end, [joined]);
        } else {
            self.0.insert(start, (from, to));
        }
        if Self::MAX_STRETCHES < self.0.len() {
            self.join_closest();
        }
    }

    fn join_closest(&mut self) {
        let gaps = self.0.windows(2).map(|pair| pair[1].0.since(pair[0].1)).enumerate();
        if let Some((at, _)) = gaps.min_by_key(|(_, gap)| *gap) {
            let joined = (self.0[at].0, self.0[at + 1].1);
            self.0.splice(at..at + 2, [joined]);
        }
    }
}

/// Data flow from one node to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// How.
    pub kind: EdgeKind,
    /// How long an effect takes, where it is known.
    pub lag: Option<Lag>,
    /// When it was used.
    pub uses: Uses,
    /// Share of what the target takes in that comes this way, 0 to 1, where it was counted.
    pub weight: Option<f64>,
}

impl Edge {
    /// An edge of a kind with its uses.
    pub const fn new(kind: EdgeKind, uses: Uses) -> Self {
        Self { kind, lag: None, uses, weight: None }
    }

    /// The same edge with a lag.
    #[must_use]
    pub const fn with_lag(mut self, lag: Lag) -> Self {
        self.lag = Some(lag);
        self
    }

    /// What is said of the same edge elsewhere.
    pub(super) fn join(&mut self, other: Self) {
        self.uses.add(&other.uses);
        self.lag = other.lag.or(self.lag);
        self.weight = other.weight.or(self.weight);
    }
}
