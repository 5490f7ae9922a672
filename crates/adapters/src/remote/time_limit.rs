//! How long another system may take.

use std::time::Duration;

use serde::Deserialize;

/// Longest time that something may take, all its steps together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct TimeLimit(Duration);

impl TimeLimit {
    const MOST_MS: u64 = 600_000;

    /// A limit of so many milliseconds.
    pub(crate) const fn milliseconds(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// A limit of so many seconds, as a default of settings.
    pub(crate) const fn seconds<const N: u64>() -> Self {
        Self::milliseconds(1_000 * N)
    }

    /// As a duration.
    pub(crate) const fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<u64> for TimeLimit {
    type Error = String;

    fn try_from(milliseconds: u64) -> Result<Self, String> {
        if 1 <= milliseconds && milliseconds <= Self::MOST_MS {
            return Ok(Self::milliseconds(milliseconds));
        }
        Err(format!("`time_limit_ms` is {milliseconds}, and must lie between 1 and {}", Self::MOST_MS))
    }
}
