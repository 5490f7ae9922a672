//! The record of a decision: what it rests on, so that anyone can ask why and compute it again.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_stats::interval::Interval;

use super::{
    baseline::Frozen,
    guard::{Count, Counts},
    key::Key,
    reading::{Deployed, Versions},
    settings::{Audience, JudgeSettings, Measure},
    trace::TracePoint,
    trial::{BadIn, Trial},
    verdict::{Change, Hold, State},
};

/// A bad event of the version on trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadEvent {
    /// The prediction's id.
    pub id: String,
    /// When it counted.
    pub time: Timestamp,
    /// In what it was bad.
    pub measures: Vec<Measure>,
}

impl BadEvent {
    pub(crate) fn new(id: &str, time: Timestamp, bad: BadIn) -> Self {
        let measures = Measure::ALL.iter().enumerate().filter(|(at, _)| bad & (1 << at) != 0);
        Self { id: id.to_owned(), time, measures: measures.map(|(_, (measure, ..))| *measure).collect() }
    }
}

/// A rate of one version.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateOf {
    /// Bad events.
    pub bad: u64,
    /// All events.
    pub all: u64,
    /// Their share.
    pub rate: Option<f64>,
    /// Its 95 % interval, which holds at every look together.
    pub interval: Option<Interval>,
}

impl RateOf {
    fn of(count: Count) -> Self {
        Self { bad: count.bad, all: count.all, rate: count.rate(), interval: count.interval() }
    }
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureRecord {
    /// What is measured.
    pub measure: Measure,
    /// What exactly: `above 212 ms`, `decision decline`.
    pub what: String,
    /// Evidence that the version on trial is worse.
    pub e: f64,
    /// Its part of the error rate.
    pub part: f64,
    /// Evidence that it is not much worse, where a promotion asks.
    pub not_worse_e: Option<f64>,
    /// The version on trial.
    pub canary: RateOf,
    /// The standing version.
    pub standing: RateOf,
}

/// A segment that is worse off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRecord {
    /// Such as `sex=f`.
    pub segment: String,
    /// Evidence.
    pub e: f64,
    /// Unfavourable decisions of the version on trial.
    pub canary: RateOf,
    /// Of the standing version.
    pub standing: RateOf,
}

/// What was decided and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Model and versions.
    pub versions: Versions,
    /// Who or what decided: `wardline`, or a person's name.
    pub by: String,
    /// Where the trial stands.
    pub state: State,
    /// Why it holds, where it does.
    pub hold: Option<Hold>,
    /// In one sentence.
    pub reason: String,
    /// When the trial began.
    pub started: Timestamp,
    /// The event that decided; otherwise the latest one.
    pub time: Option<Timestamp>,
    /// Requests that the version on trial answered.
    pub canary_requests: u64,
    /// Evidence that it is worse.
    pub e: f64,
    /// It is sent back at this much.
    pub least_e: f64,
    /// Each measure.
    pub measures: Vec<MeasureRecord>,
    /// Segments that are worse off; in the long run 5 % of such a list are wrong.
    pub segments: Vec<SegmentRecord>,
    /// Share of the traffic that was asked for, in per cent.
    pub asked_percent: Option<f64>,
    /// Between which shares the counted one lies.
    pub share: Option<(f64, f64)>,
    /// The evidence over time.
    pub trace: Vec<TracePoint>,
    /// Bad events of the version on trial: the first and the last.
    pub bad_events: Vec<BadEvent>,
    /// Further ones.
    pub bad_events_left_out: u64,
    /// Deployments, with commit and data.
    pub deployments: Vec<Deployed>,
    /// How it was judged.
    pub settings: JudgeSettings,
    /// Whom the version answered when the trial began.
    pub audience: Audience,
    /// What it was compared with.
    pub frozen: Frozen,
    /// Whether that was learned from the trial's own first events.
    pub is_learned_within: bool,
}

impl DecisionRecord {
    pub(super) fn of(
        trial: &Trial,
        versions: &Versions,
        started: Timestamp,
        decided: Option<&Change>,
        name: impl Fn(Key) -> String,
    ) -> Self {
        let (e, evidence) = trial.evidence();
        let not_worse = trial.not_worse();
        let measures: Vec<MeasureRecord> = evidence
            .iter()
            .filter_map(|(measure, e)| {
                let (what, counts) = counts_of(trial, *measure, &name)?;
                let asked = not_worse.iter().find(|(asked, _)| asked == measure);
                Some(MeasureRecord {
                    measure: *measure,
                    what,
                    e: *e,
                    part: trial.part(*measure),
                    not_worse_e: asked.map(|(_, log_e)| log_e.min(690.0).exp()),
                    canary: RateOf::of(counts.canary),
                    standing: RateOf::of(counts.standing),
                })
            })
            .collect();
        let segments = trial.worse_off().into_iter().map(|(key, log_e, counts)| SegmentRecord {
            segment: name(key),
            e: log_e.min(690.0).exp(),
            canary: RateOf::of(counts.canary),
            standing: RateOf::of(counts.standing),
        });
        let mut record = Self {
            versions: versions.clone(),
            by: "wardline".to_owned(),
            state: trial.state(),
            hold: trial.hold,
            reason: String::new(),
            started,
            time: None,
            canary_requests: trial.canary_requests,
            e,
            least_e: 1.0 / trial.settings.alpha,
            measures,
            segments: segments.collect(),
            asked_percent: None,
            share: trial.share_bounds().map(|bounds| (bounds.low, bounds.high)),
            trace: trial.trace.points().to_vec(),
            bad_events: Vec::new(),
            bad_events_left_out: 0,
            deployments: Vec::new(),
            settings: trial.settings.clone(),
            frozen: trial.frozen().clone(),
            audience: Audience::People,
            is_learned_within: false,
        };
        record.reason = record.sentence(decided.map_or_else(|| trial.cause(), |change| change.cause));
        record
    }

    /// The decision in one sentence.
    fn sentence(&self, cause: Measure) -> String {
        let Versions { model, standing, canary } = &self.versions;
        let mut text = match (self.state, self.hold) {
            (State::RollBack, _) => format!("{canary} of {model} is worse than {standing}"),
            (State::Promote, _) => {
                return format!(
                    "{canary} of {model} is not worse than {standing}: after {} requests each guardrail excludes {} times \
                     the standing rate, or {} %, with an error of at most {} %",
                    self.canary_requests,
                    self.settings.excluded_ratio,
                    percent(self.settings.margin),
                    percent(self.settings.beta),
                );
            }
            (State::Hold, Some(hold)) => format!("{canary} of {model} is held: {hold}"),
            _ => format!("{canary} of {model} is on trial beside {standing}"),
        };
        if let Some(measure) = self.measures.iter().find(|measure| measure.measure == cause) {
            let rate = |rate: &RateOf| {
                let interval = rate.interval.map_or_else(String::new, |interval| {
                    format!(", {} to {} %", percent(interval.low), percent(interval.high))
                });
                format!("{} of {} ({} %{interval})", rate.bad, rate.all, percent(rate.rate.unwrap_or(0.0)))
            };
            // Writing to a text cannot fail.
            let _ = write!(
                text,
                " by {}: {} against {}; E = {:.3} of {:.0}",
                measure.what,
                rate(&measure.canary),
                rate(&measure.standing),
                self.e,
                self.least_e
            );
        }
        text
    }
}

/// A share in per cent with three digits that say something.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    let digits = if value >= 10.0 || value == 0.0 { 1 } else { (1.0 - value.log10().floor()).clamp(1.0, 6.0) as usize };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn counts_of(trial: &Trial, measure: Measure, name: impl Fn(Key) -> String) -> Option<(String, Counts)> {
    let named = |key: Key, none: &str| if key.is_none() { none.to_owned() } else { name(key) };
    let found = match measure {
        Measure::Errors => ("failed requests".to_owned(), trial.errors.counts),
        Measure::Refusals => ("refusals".to_owned(), trial.refusals.counts),
        Measure::Labels => ("wrong decisions".to_owned(), trial.labels.counts),
        Measure::Latency => {
            let (threshold, counts) = trial.latency.as_ref()?.strongest()?;
            (format!("requests above {threshold:.1} ms"), counts)
        }
        Measure::Scores => trial.scores.as_ref()?.strongest(),
        Measure::Decisions => {
            let (decision, counts) = trial.decisions.as_ref()?.strongest()?;
            (format!("the decision {}", named(decision, "that is unfavourable")), counts)
        }
        Measure::Fairness => {
            let (segment, counts) = trial.fairness.as_ref()?.strongest()?;
            (format!("unfavourable decisions for {}", name(segment)), counts)
        }
        Measure::Flips => {
            let counts = Counts { canary: trial.flip_count, standing: Count::default() };
            ("decisions that differ on the same request".to_owned(), counts)
        }
        Measure::Pairs => {
            let (worse, better) = trial.pair_counts();
            let of = |bad| Count { bad, all: worse + better };
            ("wrong where only one is".to_owned(), Counts { canary: of(worse), standing: of(better) })
        }
    };
    (found.1.canary.all > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_with_the_digits_that_count() {
        assert_eq!(percent(0.05), "5");
        assert_eq!(percent(0.0012), "0.12");
        assert_eq!(percent(0.123_45), "12.3");
        assert_eq!(percent(0.0), "0");
        assert_eq!(percent(1e-5), "0.001");
    }
}
