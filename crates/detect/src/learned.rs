//! What a model's learning period taught: reference counts, how windows vary, rates, traffic.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use crate::{
    groups::{Groups, WHOLE},
    measure::Measure,
    noise::Noise,
    rate::{Rate, RateLearning},
    second::{Fact, Second},
    traffic_baseline::{TrafficBaseline, TrafficLearning},
    window::{CodeCounts, Scale, Table},
};

/// Facts whose rates are learned.
const FACTS: [Fact; 4] = [Fact::Failed, Fact::OverP50, Fact::OverP90, Fact::OverP99];

/// What is gathered while learning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learning {
    rates: Vec<[RateLearning; FACTS.len()]>,
    /// Traffic by minute.
    pub(crate) traffic: TrafficLearning,
    /// Codes by measure and group.
    pub(crate) reference: Table,
}

/// What was learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learned {
    /// The learning period.
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// Events in it.
    pub(crate) events: u64,
    /// Failures in it.
    pub(crate) failures: u64,
    /// Codes by measure and group.
    pub(crate) reference: Table,
    /// How windows vary: by scale, by measure.
    pub(crate) noise: Vec<Vec<Option<Noise>>>,
    rates: Vec<[Option<Rate>; FACTS.len()]>,
    /// How much traffic is normal.
    pub(crate) traffic: TrafficBaseline,
    /// Whether a weekend, and whether a working day was part of it.
    pub(crate) saw_weekend: bool,
    pub(crate) saw_weekday: bool,
    /// What a reader should know of it.
    pub(crate) remarks: Vec<String>,
}

impl Learning {
    /// Takes a second.
    pub(crate) fn observe(&mut self, second: &Second) {
        self.traffic.observe(second.start, second.whole.events());
        for &group in std::iter::once(&WHOLE).chain(&second.touched) {
            let counts = if group == WHOLE { second.whole } else { second.of(group) };
            if self.rates.len() <= group as usize {
                self.rates.resize(group as usize + 1, Default::default());
            }
            for (learning, fact) in self.rates[group as usize].iter_mut().zip(FACTS) {
                let (events, yes) = counts.share(fact);
                if events > 0 {
                    learning.observe(events, yes);
                }
            }
        }
    }

    /// Forgets what depends on codes and thresholds, when these change.
    pub(crate) fn forget_codes(&mut self) {
        self.reference = Table::default();
        for rates in &mut self.rates {
            for learning in &mut rates[1..] {
                *learning = RateLearning::default();
            }
        }
    }

    /// Ends learning.
    pub(crate) fn finish(
        &self,
        from: Timestamp,
        until: Timestamp,
        measures: &[Measure],
        scales: &[Scale],
        groups: &Groups,
    ) -> Learned {
        let whole: Vec<Option<Rate>> =
            (0..FACTS.len()).map(|fact| self.rates.first().and_then(|rates| rates[fact].finish(None))).collect();
        let rates = self
            .rates
            .iter()
            .enumerate()
            .map(|(group, learned)| {
                let mut rates = [None; FACTS.len()];
                for (fact, rate) in rates.iter_mut().enumerate() {
                    let parent = whole[fact];
                    *rate = if group == WHOLE as usize {
                        parent
                    } else {
                        parent.and_then(|parent| learned[fact].finish(Some(&parent)))
                    };
                }
                rates
            })
            .collect();
        let failed = self.rates.first().map(|rates| rates[0]).unwrap_or_default();
        let noise = scales.iter().map(|scale| noise_of(scale, &self.reference, measures)).collect();
        let mut learned = Learned {
            from,
            until,
            events: failed.events(),
            failures: failed.yes(),
            reference: self.reference.clone(),
            noise,
            rates,
            traffic: self.traffic.finish(from, until),
            saw_weekend: false,
            saw_weekday: false,
            remarks: Vec::new(),
        };
        learned.saw_weekend = (0..168).any(|hour| hour >= 120 && learned.traffic.seen[hour]);
        learned.saw_weekday = (0..168).any(|hour| hour < 120 && learned.traffic.seen[hour]);
        learned.remarks = learned.remarks_on(groups);
        learned
    }
}

fn noise_of(scale: &Scale, reference: &Table, measures: &[Measure]) -> Vec<Option<Noise>> {
    measures
        .iter()
        .enumerate()
        .map(|(index, measure)| {
            let windows: Vec<CodeCounts> =
                scale.learned.kept().iter().filter_map(|window| window.get(index).copied()).collect();
            Noise::learn(&reference.of(index, WHOLE), windows.iter(), measure.is_numeric())
        })
        .collect()
}

impl Learned {
    /// What is normal for a fact in a group; a group that the learning did not see inherits the whole's.
    pub(crate) fn rate(&self, group: u16, fact: Fact) -> Option<Rate> {
        let index = FACTS.iter().position(|&known| known == fact)?;
        let own = self.rates.get(group as usize).and_then(|rates| rates[index]);
        own.or_else(|| self.rates.first().and_then(|rates| rates[index]))
    }

    fn remarks_on(&self, groups: &Groups) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.events < 1_000 {
            remarks.push(format!("it rests on only {} events: small changes cannot be told from chance", self.events));
        }
        if self.until.since(self.from) < Timestamp::DAY {
            remarks.push("it is shorter than a day: the hours of the day are not known".to_owned());
        } else if !self.saw_weekend || !self.saw_weekday {
            let missing = if self.saw_weekend { "working day" } else { "weekend" };
            remarks.push(format!("it holds no {missing}: what is normal then is not known"));
        }
        if self.noise.iter().flatten().all(Option::is_none) {
            remarks.push(
                "it has too few windows to know how distributions vary: drift is judged only between versions"
                    .to_owned(),
            );
        }
        if self.failures as f64 > 0.05 * self.events as f64 {
            remarks.push(format!(
                "{:.1} % of its predictions failed: it may not be normal",
                100.0 * self.failures as f64 / self.events.max(1) as f64
            ));
        }
        let left_out = groups.left_out();
        if !left_out.is_empty() {
            remarks.push(format!("not sliced by {}: too many values", left_out.join(", ")));
        }
        remarks
    }
}
