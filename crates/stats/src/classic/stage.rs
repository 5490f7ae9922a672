//! What a detector of error rates says after an event.

use serde::{Deserialize, Serialize};

/// Quiet, warned, or sure of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// As before.
    #[default]
    Quiet,
    /// Perhaps a change: the time from which a new model would learn.
    Warning,
    /// A change; the detector has started anew.
    Change,
}

impl Stage {
    /// How far it has gone: whether the limit of a change is reached, and if not, that of a warning.
    pub(super) fn reached(change: f64, warning: f64, is_reached: impl Fn(f64) -> bool) -> Self {
        if is_reached(change) {
            Self::Change
        } else if is_reached(warning) {
            Self::Warning
        } else {
            Self::Quiet
        }
    }
}
