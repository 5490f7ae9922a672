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
