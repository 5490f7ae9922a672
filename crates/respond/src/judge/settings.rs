//! What may be said of a trial; nothing need be.

use serde::{Deserialize, Serialize};

/// What a measure that says "worse" leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guardrail {
    /// It sends the traffic back, and must be passed for a promotion.
    #[default]
    RollBack,
    /// It is on record only.
    Observe,
}

/// Who the version on trial answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// People, beside the standing version.
    #[default]
    People,
    /// No one: it gets copies of requests.
    Copies,
}

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Requests that failed.
    Errors,
    /// Latency, from the median to the far tail.
    Latency,
    /// Answers that refuse.
    Refusals,
    /// Where scores lie.
    Scores,
    /// How often each decision is taken.
    Decisions,
    /// Decisions that turned out wrong.
    Labels,
    /// Decisions that differ from the standing version's on the same request.
    Flips,
    /// Which of the two was right where they differ.
    Pairs,
    /// The unfavourable decision, segment by segment.
    Fairness,
}

impl Measure {
    /// Every measure, with its part of the error rate in a trial that answers people, and in one that answers copies
    /// of requests only. Parts of measures that a trial cannot have go to the others.
    pub const ALL: [(Self, f64, f64); 9] = [
        (Self::Errors, 0.36, 0.0),
        (Self::Latency, 0.20, 0.0),
        (Self::Refusals, 0.03, 0.0),
        (Self::Scores, 0.07, 0.0),
        (Self::Decisions, 0.04, 0.0),
        (Self::Labels, 0.14, 0.0),
        (Self::Flips, 0.04, 0.6),
        (Self::Pairs, 0.06, 0.4),
        (Self::Fairness, 0.06, 0.0),
    ];

    /// Its name in settings, records and sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Refusals => "refusals",
            Self::Scores => "scores",
            Self::Decisions => "decisions",
            Self::Labels => "labels",
            Self::Flips => "flips",
            Self::Pairs => "pairs",
            Self::Fairness => "fairness",
        }
    }
}

/// How a trial is judged. The defaults suit a model of which nothing is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JudgeSettings {
    /// The chance that a version which is no worse is ever sent back, over all measures and looks.
    pub alpha: f64,
    /// The chance that a version is promoted which is worse than `excluded_ratio` and `margin` allow.
    pub beta: f64,
    /// A version that fails up to so many times as often is no worse: 1.0, or 1.1 to overlook trifles.
    pub tolerated_ratio: f64,
    /// The same for the places of the score's distribution and for the shares of decisions, which every
    /// retraining moves a little.
    pub tolerated_output_ratio: f64,
    /// A promotion excludes versions that fail so many times as often...
    pub excluded_ratio: f64,
    /// ...unless they fail less often than this in any case.
    pub margin: f64,
    /// Share of decisions that may differ from the standing version's on the same request.
    pub tolerated_flips: f64,
    /// Requests of a new replica whose latency does not count.
    pub warm_up_requests: u32,
    /// Least requests of the canary before a promotion.
    pub least_requests: u64,
    /// Whether everything a user or session asks goes to one version; found out where it is not said.
    pub sticky: Option<bool>,
    /// Share of requests that must succeed: an objective that the canary alone may break.
    pub success: Option<f64>,
    /// Latency that requests must stay under, in ms, but for `latency_budget`.
    pub latency_ms: Option<f64>,
    /// Share of requests that may be slower.
    pub latency_budget: f64,
    /// The decision that is good for the person it is about; all others are unfavourable.
    pub favourable_decision: Option<String>,
    /// The class whose probability the score is; without a favourable decision, the one that is counted.
    pub positive_class: Option<String>,
    /// Attributes whose values are the segments of fairness.
    pub segments: Vec<String>,
    /// Measures that do not send back.
    pub observe_only: Vec<Measure>,
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            beta: 0.05,
            tolerated_ratio: 1.0,
            tolerated_output_ratio: 1.1,
            excluded_ratio: 2.0,
            margin: 0.005,
            tolerated_flips: 0.02,
            warm_up_requests: 10,
            least_requests: 100,
            sticky: None,
            success: None,
            latency_ms: None,
            latency_budget: 0.01,
            favourable_decision: None,
            positive_class: None,
            segments: Vec::new(),
            observe_only: Vec::new(),
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("`{key}` is {found}, and must be {expected}")]
pub struct SettingError {
    /// The key.
    pub key: &'static str,
    /// What was written.
    pub found: f64,
    /// What would do.
    pub expected: &'static str,
}

impl JudgeSettings {
    /// Whether a measure sends back.
    pub fn guardrail(&self, measure: Measure) -> Guardrail {
        if self.observe_only.contains(&measure) { Guardrail::Observe } else { Guardrail::RollBack }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first [`SettingError`].
    pub fn check(&self) -> Result<(), SettingError> {
        let share = "a share between 0 and 1, such as 0.01";
        let half = "at most 0.5 and above zero, such as 0.01";
        let ratio = "a ratio of at least 1 and at most 10";
        let is_error_rate = |rate: f64| 0.0 < rate && rate <= 0.5;
        let is_share = |share: f64| 0.0 < share && share < 1.0;
        let is_ratio = |ratio: f64| (1.0..=10.0).contains(&ratio);
        let rules = [
            ("alpha", self.alpha, is_error_rate(self.alpha), half),
            ("beta", self.beta, is_error_rate(self.beta), half),
            ("tolerated_ratio", self.tolerated_ratio, is_ratio(self.tolerated_ratio), ratio),
            ("tolerated_output_ratio", self.tolerated_output_ratio, is_ratio(self.tolerated_output_ratio), ratio),
            (
                "excluded_ratio",
                self.excluded_ratio,
                1.0 < self.excluded_ratio && is_ratio(self.excluded_ratio),
                "a ratio above 1 and at most 10, such as 2",
            ),
            ("margin", self.margin, is_share(self.margin), share),
            ("tolerated_flips", self.tolerated_flips, is_share(self.tolerated_flips), share),
            ("success", self.success.unwrap_or(0.5), self.success.is_none_or(is_share), share),
            (
                "latency_ms",
                self.latency_ms.unwrap_or(1.0),
                self.latency_ms.is_none_or(|ms| ms > 0.0 && ms.is_finite()),
                "a number of milliseconds above zero",
            ),
            ("latency_budget", self.latency_budget, is_share(self.latency_budget), share),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((key, found, _, expected)) => Err(SettingError { key, found, expected }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_and_what_cannot_be_is_named() {
        assert_eq!(JudgeSettings::default().check(), Ok(()));
        let wrong = JudgeSettings { alpha: 0.0, ..JudgeSettings::default() };
        assert_eq!(
            wrong.check().unwrap_err().to_string(),
            "`alpha` is 0, and must be at most 0.5 and above zero, such as 0.01"
        );
        let nan = JudgeSettings { margin: f64::NAN, ..JudgeSettings::default() };
        assert_eq!(nan.check().unwrap_err().key, "margin");
    }

    #[test]
    fn parts_of_the_error_rate_sum_to_one() {
        let people: f64 = Measure::ALL.iter().map(|(_, people, _)| people).sum();
        let copies: f64 = Measure::ALL.iter().map(|(_, _, copies)| copies).sum();
        assert!((people - 1.0).abs() < 1e-9 && (copies - 1.0).abs() < 1e-9);
    }
}
