//! A model's learned profile, as people and other tools read it.

use serde::Serialize;
use wardline_domain::Timestamp;
use wardline_stats::sketch::LogHistogram;

use crate::{
    measure::{Measure, Role},
    model_state::{ModelState, Phase},
    traffic_baseline::Season,
};

/// What is normal for a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The model.
    pub model: String,
    /// Whether learning is over.
    pub is_complete: bool,
    /// The learning period.
    pub from: Option<Timestamp>,
    /// Its end; for a baseline that is not complete, the latest event.
    pub until: Option<Timestamp>,
    /// Events in it.
    pub events: u64,
    /// Share of predictions that failed.
    pub error_rate: Option<f64>,
    /// How the season was learned.
    pub season: Option<Season>,
    /// Events per hour by hour of the week in UTC, Monday 00:00 first.
    pub events_per_hour: Vec<f64>,
    /// Latency in ms.
    pub latency_ms: Option<Quantiles>,
    /// Every measure: outputs first, then inputs.
    pub measures: Vec<LearnedMeasure>,
    /// Versions seen.
    pub versions: Vec<LearnedShare>,
    /// Slices by dimension and value, with their share of events.
    pub slices: Vec<LearnedShare>,
    /// What a reader should know of it.
    pub remarks: Vec<String>,
}

/// Percentiles of a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Quantiles {
    pub count: u64,
    pub mean: f64,
    pub min: f64,
    pub p05: f64,
    pub p25: f64,
    pub p50: f64,
    pub p75: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// A measure's normal distribution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedMeasure {
    /// The column.
    pub name: String,
    /// `output`, `input` or `timing`.
    pub role: &'static str,
    /// For numbers.
    pub quantiles: Option<Quantiles>,
    /// For numbers: counts in ten equal stretches from p1 to p99, for a small plot.
    pub shape: Vec<u64>,
    /// For categories: their shares, the most frequent first.
    pub categories: Vec<LearnedShare>,
    /// Share of events that normally move between windows (95 % of windows stay below).
    pub normal_shift: Option<f64>,
}

/// A value and its share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedShare {
    /// The value.
    pub name: String,
    /// Its share of events.
    pub share: f64,
    /// Events.
    pub events: u64,
}

impl Baseline {
    /// Reads it off a model's state.
    pub(crate) fn of(state: &ModelState) -> Self {
        let learned = state.learned.as_ref();
        let mut measures: Vec<LearnedMeasure> =
            state.measures_by_name().map(|(index, measure)| learned_measure(state, index, measure)).collect();
        measures.sort_by(|left, right| right.role.cmp(left.role).then_with(|| left.name.cmp(&right.name)));
        let latency =
            state.measure_index.get("latency_ms").and_then(|&index| quantiles(&state.measures[index].histogram));
        let mut remarks = learned.map(|learned| learned.remarks.clone()).unwrap_or_default();
        if learned.is_none() {
            remarks.push("learning is not over: nothing is judged against it yet".to_owned());
        }
        Self {
            model: state.name.clone(),
            is_complete: state.phase == Phase::Watching,
            from: state.started,
            until: learned.map(|learned| learned.until).or_else(|| state.clock.now()),
            events: learned.map_or(state.events, |learned| learned.events),
            error_rate: learned
                .filter(|learned| learned.events > 0)
                .map(|learned| learned.failures as f64 / learned.events as f64),
            season: learned.map(|learned| learned.traffic.season),
            events_per_hour: learned
                .map(|learned| learned.traffic.rates.iter().map(|rate| rate * 3_600.0).collect())
                .unwrap_or_default(),
            latency_ms: latency,
            measures,
            versions: shares(state, state.groups.versions().map(|(_, group)| group)),
            slices: state.groups.sliced().flat_map(|(_, groups)| shares(state, groups)).collect(),
            remarks,
        }
    }

    /// As text for a terminal.
    pub fn to_text(&self) -> String {
        crate::baseline_text::render(self)
    }
}

fn shares(state: &ModelState, groups: impl Iterator<Item = u16>) -> Vec<LearnedShare> {
    let total = state.learned_events(0).max(1);
    let mut shares: Vec<LearnedShare> = groups
        .filter_map(|group| {
            let events = state.learned_events(group);
            let known = state.groups.get(group);
            let name = format!("{}={}", known.dimension, known.value);
            (events > 0).then(|| LearnedShare { name, share: (events as f64 / total as f64).min(1.0), events })
        })
        .collect();
    shares.sort_by(|left, right| right.events.cmp(&left.events).then_with(|| left.name.cmp(&right.name)));
    shares
}

fn learned_measure(state: &ModelState, index: usize, measure: &Measure) -> LearnedMeasure {
    let noise = state
        .learned
        .as_ref()
        .and_then(|learned| learned.noise.iter().rev().find_map(|scale| scale.get(index).copied().flatten()));
    let total: u64 = measure.categories.values().sum();
    let mut categories: Vec<LearnedShare> = measure
        .categories
        .iter()
        .map(|(name, &events)| LearnedShare { name: name.clone(), share: events as f64 / total.max(1) as f64, events })
        .collect();
    categories.sort_by(|left, right| right.events.cmp(&left.events).then_with(|| left.name.cmp(&right.name)));
    categories.truncate(20);
    LearnedMeasure {
        name: measure.name.clone(),
        role: match measure.role {
            Role::Output => "output",
            Role::Input => "input",
            Role::Timing => "timing",
        },
        quantiles: quantiles(&measure.histogram),
        shape: shape(&measure.histogram),
        categories,
        normal_shift: noise.map(|noise| noise.shift),
    }
}

fn quantiles(histogram: &LogHistogram) -> Option<Quantiles> {
    let at = |p: f64| histogram.quantile(p);
    Some(Quantiles {
        count: histogram.count(),
        mean: histogram.mean()?,
        min: histogram.min()?,
        p05: at(0.05)?,
        p25: at(0.25)?,
        p50: at(0.5)?,
        p75: at(0.75)?,
        p95: at(0.95)?,
        p99: at(0.99)?,
        max: histogram.max()?,
    })
}

fn shape(histogram: &LogHistogram) -> Vec<u64> {
    const STRETCHES: usize = 10;
    let (Some(low), Some(high)) = (histogram.quantile(0.01), histogram.quantile(0.99)) else { return Vec::new() };
    if high <= low {
        return vec![histogram.count()];
    }
    let above: Vec<u64> = (0..=STRETCHES)
        .map(|edge| histogram.count_above(low + (high - low) * edge as f64 / STRETCHES as f64))
        .collect();
    above.windows(2).map(|pair| pair[0].saturating_sub(pair[1])).collect()
}
