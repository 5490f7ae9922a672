//! A scenario: a fleet of models, what goes wrong with it, and how long it is watched.

use std::collections::BTreeMap;

use wardline_domain::{Learning, ModelSettings, Timestamp};

use crate::{Events, Record, SCENARIOS, Truth, configuration, model::ModelPlan, random::Random, traffic::Traffic};

/// How long a scenario lasts, and how much traffic it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The stream's first moment.
    pub from: Timestamp,
    /// Days in which nothing goes wrong.
    pub learning_days: u32,
    /// Days after them.
    pub watched_days: u32,
    /// Factor on the traffic.
    pub volume: f64,
}

/// A story that telemetry can tell.
#[derive(Debug)]
pub struct Scenario {
    /// The name on the command line.
    pub name: &'static str,
    /// What happens, in one sentence.
    pub about: &'static str,
    /// How long it lasts unless told otherwise.
    pub options: Options,
    pub(crate) plan: fn(&mut Random, &Options) -> Vec<ModelPlan>,
}

impl Options {
    /// From Monday, 2 November 2026, 00:00 UTC.
    pub(crate) const fn days(learning_days: u32, watched_days: u32) -> Self {
        Self { from: Timestamp::from_micros(1_793_577_600_000_000), learning_days, watched_days, volume: 1.0 }
    }

    /// When learning ends.
    pub const fn learning_until(&self) -> Timestamp {
        self.from.plus(self.learning_days as i64 * Timestamp::DAY)
    }

    /// When the stream ends.
    pub const fn until(&self) -> Timestamp {
        self.learning_until().plus(self.watched_days as i64 * Timestamp::DAY)
    }

    /// A moment of the watched time: so many hours after learning.
    pub(crate) fn hours_in(&self, hours: f64) -> Timestamp {
        self.learning_until().plus((hours * Timestamp::HOUR as f64) as i64)
    }
}

impl Scenario {
    /// The scenario of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().copied().find(|scenario| scenario.name == name)
    }

    /// Its lines in order of time, without line feeds.
    pub fn events(&self, seed: u64, options: &Options) -> impl Iterator<Item = Vec<u8>> + use<> {
        self.records(seed, options).map(|record: Record| record.line)
    }

    /// Its lines with their times.
    pub fn records(&self, seed: u64, options: &Options) -> Events {
        let traffic = self
            .models(seed, options)
            .into_iter()
            .map(|plan| Traffic::new(plan, seed, options.from, options.until()))
            .collect();
        Events::merge(traffic)
    }

    /// What is in the stream of the same seed and options.
    pub fn truth(&self, seed: u64, options: &Options) -> Truth {
        let models = self.models(seed, options);
        let mut injections: Vec<_> = models.iter().flat_map(|model| model.injections.clone()).collect();
        injections.sort_by_key(|injection| injection.from);
        Truth {
            scenario: self.name,
            seed,
            from: options.from,
            learning_until: options.learning_until(),
            until: options.until(),
            injections,
            harmless: models.iter().flat_map(|model| model.harmless.clone()).collect(),
        }
    }

    /// What an operator knows of its models.
    pub fn settings(&self, seed: u64, options: &Options) -> BTreeMap<String, ModelSettings> {
        let models = self.models(seed, options);
        models.into_iter().map(|plan| (plan.spec.name.to_owned(), plan.spec.settings)).collect()
    }

    /// The same as Wardline's configuration file.
    pub fn configuration(&self, seed: u64, options: &Options) -> String {
        configuration::toml(self, options, &self.settings(seed, options))
    }

    pub(crate) fn models(&self, seed: u64, options: &Options) -> Vec<ModelPlan> {
        let mut models = (self.plan)(&mut Random::new(seed, self.name), options);
        for model in &mut models {
            model.spec.rhythm.peak_per_hour *= options.volume;
            model.spec.settings.learning = Learning::Until(options.learning_until());
            model.spec.settings.positive_class = model.spec.decision.positive().map(str::to_owned);
        }
        models
    }
}
