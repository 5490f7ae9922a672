//! Silences: what an operator knows of and wants no alert about, such as maintenance.

use wardline_domain::{Finding, FindingKind, Timestamp};

/// Findings that fit every condition are on record and no alert. A silence without a condition fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// Its name, which findings carry.
    pub name: String,
    /// Of this model.
    pub model: Option<String>,
    /// Of this kind.
    pub kind: Option<FindingKind>,
    /// Of this detector or rule.
    pub detector: Option<String>,
    /// In this part of the traffic, or a part of it: `dimension`, `value`.
    pub slice: Option<(String, String)>,
    /// Raised at this time or later.
    pub from: Option<Timestamp>,
    /// Raised before this time.
    pub until: Option<Timestamp>,
}

impl Silence {
    /// Whether a finding is one that it silences.
    pub fn fits(&self, finding: &Finding) -> bool {
        let is_in_slice = |(dimension, value): &(String, String)| {
            finding.slice.conditions().iter().any(|(of, is)| of == dimension && is == value)
                || dimension == "version" && finding.version.as_ref() == Some(value)
        };
        self.model.as_ref().is_none_or(|model| *model == finding.model)
            && self.kind.is_none_or(|kind| kind == finding.kind)
            && self.detector.as_ref().is_none_or(|name| *name == finding.detector || *name == finding.measure)
            && self.slice.as_ref().is_none_or(is_in_slice)
            && self.from.is_none_or(|from| from <= finding.time)
            && self.until.is_none_or(|until| finding.time < until)
    }
}
