//! The five clocks of an incident.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// When an incident began to hurt, and when people got hold of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// When it began to do harm: the earliest onset of its alerts, unless somebody stated another moment.
    pub impact_start: Option<Timestamp>,
    /// When the first of its alerts was raised; of one that a person opened without an alert, when that was.
    pub detected: Option<Timestamp>,
    /// When somebody first took it.
    pub acknowledged: Option<Timestamp>,
    /// When the harm was stopped.
    pub mitigated: Option<Timestamp>,
    /// When it was over.
    pub resolved: Option<Timestamp>,
}

impl Clocks {
    /// From the first harm to its detection.
    pub fn to_detect(&self) -> Option<Span> {
        between(self.impact_start, self.detected)
    }

    /// From detection until somebody took it.
    pub fn to_acknowledge(&self) -> Option<Span> {
        between(self.detected, self.acknowledged)
    }

    /// From detection until the harm was stopped.
    pub fn to_mitigate(&self) -> Option<Span> {
        between(self.detected, self.mitigated)
    }

    /// From detection to the end.
    pub fn to_resolve(&self) -> Option<Span> {
        between(self.detected, self.resolved)
    }

    /// How long it did harm.
    pub fn impact(&self) -> Option<Span> {
        between(self.impact_start, self.mitigated.or(self.resolved))
    }
}

/// Nothing where the later moment is the earlier one: clocks of two machines may differ, and no span is negative.
fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Span> {
    let span = to?.since(from?);
    (0 <= span).then_some(span)
}
