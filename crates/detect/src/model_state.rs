//! The state of one model that detectors read: its groups, measures, open windows and baseline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{Learning as LearningSettings, ModelSettings, Span, Timestamp};

use crate::{
    clients,
    clock::StreamClock,
    entities::Entities,
    event_rows::Gates,
    groups::{Groups, VERSION, WHOLE},
    learned::{Learned, Learning},
    measure::Measure,
    rate::Rate,
    recent::RecentLatency,
    retirements::Retirements,
    second::{Fact, Second},
    series::Series,
    slice_windows::SliceWindows,
    window::{Scale, Table},
};

/// What is done with events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Values are sampled, until codes can be chosen.
    Sampling,
    /// Codes are counted, until the baseline is complete.
    Learning,
    /// Windows are compared with the baseline.
    Watching,
}

/// The state of one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelState {
    pub(crate) name: String,
    pub(crate) settings: ModelSettings,
    pub(crate) clock: StreamClock,
    pub(crate) phase: Phase,
    /// The first event.
    pub(crate) started: Option<Timestamp>,
    /// The last second that had an event.
    pub(crate) last_event: Option<Timestamp>,
    /// Serving services, whose metrics are this model's.
    pub(crate) services: Vec<String>,
    pub(crate) events: u64,
    pub(crate) groups: Groups,
    pub(crate) measures: Vec<Measure>,
    pub(crate) measure_index: BTreeMap<String, usize>,
    /// Latency p50, p90 and p99 when codes were chosen.
    pub(crate) thresholds: [f64; 3],
    pub(crate) second: Second,
    pub(crate) scales: Vec<Scale>,
    pub(crate) base: Table,
    pub(crate) learning: Learning,
    pub(crate) learned: Option<Learned>,
    /// Events when codes were chosen, and whether they were checked on a larger sample since.
    pub(crate) sampled_events: u64,
    pub(crate) resampled: bool,
    pub(crate) recent: RecentLatency,
    pub(crate) series: Series,
    /// Versions that a deployment took back, and since when.
    pub(crate) retirements: Retirements,
    pub(crate) slices: SliceWindows,
    /// Who or what predictions come from, to single persons.
    pub(crate) entities: Entities,
    /// Which clients and sessions ask often.
    pub(crate) gates: Gates,
    /// Clients that a detector may remember.
    pub(crate) client_room: usize,
}

impl ModelState {
    pub(crate) fn new(name: &str, settings: ModelSettings) -> Self {
        Self {
            name: name.to_owned(),
            settings,
            clock: StreamClock::default(),
            phase: Phase::Sampling,
            started: None,
            last_event: None,
            services: Vec::new(),
            events: 0,
            groups: Groups::default(),
            measures: Vec::new(),
            measure_index: BTreeMap::new(),
            thresholds: [f64::INFINITY; 3],
            second: Second::default(),
            scales: Vec::new(),
            base: Table::default(),
            learning: Learning::default(),
            learned: None,
            sampled_events: 0,
            resampled: false,
            recent: RecentLatency::default(),
            series: Series::default(),
            retirements: Retirements::default(),
            slices: SliceWindows::default(),
            entities: Entities::default(),
            gates: Gates::default(),
            client_room: clients::room(1),
        }
    }

    /// What is normal for a fact in a group.
    pub(crate) fn rate(&self, group: u16, fact: Fact) -> Option<Rate> {
        self.learned.as_ref()?.rate(group, fact)
    }

    /// When learning should end: as set, or for a model that appears only after that moment, a day after
    /// it appears.
    pub(crate) fn learning_ends(&self, started: Timestamp) -> (Timestamp, u64) {
        match self.settings.learning {
            LearningSettings::Until(until) if until > started => (until, 0),
            LearningSettings::Until(_) => (started.plus(Timestamp::DAY), 1_000),
            LearningSettings::For { span, least_events } => (started.plus(span), least_events),
        }
    }

    /// The length of the learning period as far as it is known beforehand.
    pub(crate) fn learning_span(&self, started: Timestamp) -> Span {
        self.learning_ends(started).0.since(started)
    }

    /// Whether a deployment has taken back the version of a group by the second that is open.
    pub(crate) fn is_retired(&self, group: u16) -> bool {
        let version = &self.groups.get(group).value;
        self.groups.get(group).dimension == VERSION && self.retirements.is_retired(version, self.second.start)
    }

    /// Latency that the objective allows; infinite where none is set.
    pub(crate) fn objective_latency_ms(&self) -> f64 {
        self.settings.objectives.and_then(|objectives| objectives.latency_p99_ms).unwrap_or(f64::INFINITY)
    }

    /// Measures by name, so that nothing depends on the order in which they were met.
    pub(crate) fn measures_by_name(&self) -> impl Iterator<Item = (usize, &Measure)> {
        self.measure_index.values().map(|&index| (index, &self.measures[index]))
    }

    /// Groups of versions that had events in a table.
    pub(crate) fn versions_in<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = (&'a str, u16)> + 'a {
        self.groups.versions().filter(|&(_, group)| table.events(group).0 > 0)
    }

    /// The version of a group, or where only one version served since a moment, that one.
    pub(crate) fn sole_version(&self) -> Option<String> {
        let mut serving = self.second.touched.iter().filter(|&&group| self.groups.get(group).dimension == VERSION);
        match (serving.next(), serving.next()) {
            (Some(&only), None) => self.groups.version_of(only),
            _ => None,
        }
    }

    /// Whether the learning knows days like this one: a weekend is no drift of working days.
    pub(crate) fn knows_kind_of_day(&self, time: Timestamp) -> bool {
        let Some(learned) = &self.learned else { return false };
        if learned.until.since(learned.from) < Timestamp::DAY {
            return true;
        }
        if time.hour_of_week() >= 120 { learned.saw_weekend } else { learned.saw_weekday }
    }

    /// Events of the learning period in a group.
    pub(crate) fn learned_events(&self, group: u16) -> u64 {
        self.learned.as_ref().map_or(0, |learned| {
            if group == WHOLE { learned.events } else { u64::from(learned.reference.events(group).0) }
        })
    }
}
