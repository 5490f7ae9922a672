//! How much is simulated.

/// Counts of runs; the short form says less, in seconds.
pub(crate) struct Effort {
    pub(crate) quiet_runs: usize,
    pub(crate) looks: usize,
    pub(crate) change_runs: usize,
    pub(crate) most_delay: usize,
    /// Pairs of samples for each two-sample test.
    pub(crate) pairs: usize,
    /// Only what has this in its name.
    pub(crate) only: Option<String>,
}

impl Effort {
    pub(crate) fn new(quick: bool, only: Option<String>) -> Self {
        if quick {
            Self { quiet_runs: 20, looks: 20_000, change_runs: 10, most_delay: 20_000, pairs: 100, only }
        } else {
            Self { quiet_runs: 200, looks: 100_000, change_runs: 100, most_delay: 60_000, pairs: 1_000, only }
        }
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}
