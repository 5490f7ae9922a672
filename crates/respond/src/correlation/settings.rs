//! What the correlation takes for granted before it has seen anything.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// What the correlation takes for granted. Defaults are statements about systems, not fits to data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorrelationSettings {
    /// How long after its onset an alert can still have consequences.
    pub horizon: Span,
    /// Alerts of independent causes on one node: one in this time, until more is known.
    pub background: Span,
    /// Chance that trouble crosses an edge between systems and is noticed behind it.
    pub crossing: f64,
    /// Chance that a node in trouble raises no alert.
    pub silence: f64,
    /// How far off an onset is at least.
    pub onset_blur: Span,
    /// Odds above which an alert joins; 1 means: more likely than not.
    pub odds: f64,
    /// How much better another parent must explain an alert to take it over.
    pub takeover: f64,
}

impl Default for CorrelationSettings {
    fn default() -> Self {
        Self {
            horizon: 7 * Timestamp::DAY,
            background: 14 * Timestamp::DAY,
            crossing: 0.7,
            silence: 0.15,
            onset_blur: 15 * Timestamp::MINUTE,
            odds: 1.0,
            takeover: 3.0,
        }
    }
}

/// A setting out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`correlation.{key}` is {written}, and must lie between {low} and {high}")]
pub struct SettingsError {
    key: &'static str,
    written: f64,
    low: f64,
    high: f64,
}

impl CorrelationSettings {
    /// Checks every range.
    ///
    /// # Errors
    /// Every setting that is out of its range.
    pub fn check(&self) -> Result<(), Vec<SettingsError>> {
        let seconds = |span: Span| span as f64 / Timestamp::SECOND as f64;
        let ranges = [
            ("horizon", seconds(self.horizon), 60.0, 90.0 * 86_400.0),
            ("background", seconds(self.background), 60.0, 3_650.0 * 86_400.0),
            ("crossing", self.crossing, 0.01, 0.99),
            ("silence", self.silence, 0.001, 0.9),
            ("onset_blur", seconds(self.onset_blur), 1.0, 86_400.0),
            ("odds", self.odds, 0.01, 1_000.0),
            ("takeover", self.takeover, 1.0, 1_000.0),
        ];
        let outside = |&(_, written, low, high): &(_, f64, f64, f64)| !(low <= written && written <= high);
        let wrong = ranges.into_iter().filter(outside);
        let errors: Vec<_> = wrong.map(|(key, written, low, high)| SettingsError { key, written, low, high }).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}
