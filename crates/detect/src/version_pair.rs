//! A version on trial against the one that serves beside it.
//!
//! Two-arm coin: given a bad event, whose was it? Counts come in cells in which both versions served. Under
//! "the trial version is no worse", the bad events of a cell fall to it as draws without replacement,
//! which are less spread than independent ones, so the coin with the cell's own traffic share keeps
//! `E[E] <= 1` (Hoeffding 1963, theorem 4). Fresh coins start at each doubling of the trial's events, with
//! weights `1 / ((k + 1)(k + 2))`, so a version that turns bad late is found as soon.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};
use wardline_stats::sequential::Coin;

use crate::{groups::LEFT_OUT, model_state::ModelState};

/// A cell closes at once with so many events of each arm, or later with fewer.
const EVENTS_AT_ONCE: u32 = 20;
const LEAST_EVENTS: u32 = 5;
const LEAST_SPAN: Span = 10 * Timestamp::SECOND;
const MOST_SPAN: Span = Timestamp::MINUTE;

/// The version that the others are compared with: the one that is not on trial and has served longest.
pub(crate) fn standing_version(state: &ModelState) -> Option<u16> {
    state
        .groups
        .versions()
        .filter(|(name, _)| !state.settings.canary_versions.iter().any(|canary| canary == name))
        .filter_map(|(_, group)| Some((serving_since(state, group)?, group)))
        .min()
        .map(|(_, group)| group)
}

fn serving_since(state: &ModelState, group: u16) -> Option<Timestamp> {
    if group <= LEFT_OUT {
        return None;
    }
    state.groups.get(group).first_seen
}

/// Events and bad ones of a cell, the trial's and the standing version's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArmCounts {
    pub(crate) trial: (u32, u32),
    pub(crate) standing: (u32, u32),
}

/// Coins that start at each doubling of the trial's events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RenewedCoin {
    tolerated_ratio: f64,
    coins: Vec<Coin>,
    trial_events: u64,
}

impl RenewedCoin {
    pub(crate) const fn new(tolerated_ratio: f64) -> Self {
        Self { tolerated_ratio, coins: Vec::new(), trial_events: 0 }
    }

    /// Takes a closed cell.
    pub(crate) fn observe(&mut self, counts: &ArmCounts) {
        let (n_trial, n_standing) = (counts.trial.0, counts.standing.0);
        if n_trial == 0 || n_standing == 0 {
            return;
        }
        // The first coin starts at once, the next after 2^6 events of the trial, then at each doubling.
        let wanted = 1 + (self.trial_events >> 6).checked_ilog2().map_or(0, |doublings| doublings as usize + 1);
        while self.coins.len() < wanted.min(24) {
            self.coins.push(Coin::new(self.tolerated_ratio).unwrap_or_default());
        }
        let share = f64::from(n_trial) / f64::from(n_trial + n_standing);
        for coin in &mut self.coins {
            coin.observe_counts(u64::from(counts.trial.1), u64::from(counts.standing.1), share);
        }
        self.trial_events += u64::from(n_trial);
    }

    /// The evidence that the trial is worse, `E`.
    pub(crate) fn evidence(&self) -> f64 {
        self.coins
            .iter()
            .enumerate()
            .map(|(index, coin)| coin.log_e().min(700.0).exp() / ((index + 1) * (index + 2)) as f64)
            .sum()
    }
}

/// A cell that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenCell<const FACTS: usize> {
    start: Option<Timestamp>,
    #[serde(with = "counts_as_vec")]
    counts: [ArmCounts; FACTS],
}

mod counts_as_vec {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::ArmCounts;

    pub(super) fn serialize<S: Serializer, const N: usize>(
        counts: &[ArmCounts; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        counts.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[ArmCounts; N], D::Error> {
        let counts = Vec::<ArmCounts>::deserialize(deserializer)?;
        counts.try_into().map_err(|_| D::Error::custom("a cell of another length"))
    }
}

impl<const FACTS: usize> OpenCell<FACTS> {
    pub(crate) const fn new() -> Self {
        Self { start: None, counts: [ArmCounts { trial: (0, 0), standing: (0, 0) }; FACTS] }
    }

    /// Adds a second's counts; answers the cell when it is complete.
    pub(crate) fn observe(&mut self, now: Timestamp, counts: [ArmCounts; FACTS]) -> Option<[ArmCounts; FACTS]> {
        let start = *self.start.get_or_insert(now);
        let mut closed = None;
        if now.since(start) >= MOST_SPAN {
            closed = Some(std::mem::replace(&mut self.counts, [ArmCounts::default(); FACTS]));
            self.start = Some(now);
        }
        for (mine, more) in self.counts.iter_mut().zip(counts) {
            mine.trial = (mine.trial.0 + more.trial.0, mine.trial.1 + more.trial.1);
            mine.standing = (mine.standing.0 + more.standing.0, mine.standing.1 + more.standing.1);
        }
        if closed.is_some() {
            return closed;
        }
        let least = |counts: &[ArmCounts; FACTS]| {
            counts.iter().map(|cell| cell.trial.0.min(cell.standing.0)).max().unwrap_or(0)
        };
        let n = least(&self.counts);
        let age = now.since(self.start.unwrap_or(now));
        if n >= EVENTS_AT_ONCE || (n >= LEAST_EVENTS && age >= LEAST_SPAN) {
            self.start = None;
            return Some(std::mem::replace(&mut self.counts, [ArmCounts::default(); FACTS]));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(trial_bad: u32, n: usize) -> f64 {
        let mut coin = RenewedCoin::new(1.0);
        for _ in 0..n {
            coin.observe(&ArmCounts { trial: (20, trial_bad), standing: (180, 2) });
        }
        coin.evidence()
    }

    #[test]
    fn a_trial_with_twenty_times_the_errors_is_found_and_an_equal_one_is_not() {
        assert!(cells(4, 10) > 1_000.0);
        assert!(cells(0, 100) < 1.0);
    }

    #[test]
    fn a_trial_that_turns_bad_late_is_found_soon() {
        let mut coin = RenewedCoin::new(1.0);
        for _ in 0..200 {
            coin.observe(&ArmCounts { trial: (20, 0), standing: (180, 2) });
        }
        let cells = (1..100).find(|_| {
            coin.observe(&ArmCounts { trial: (20, 4), standing: (180, 2) });
            coin.evidence() > 100.0
        });
        assert!(cells.is_some_and(|cells| cells <= 10), "{cells:?}");
    }
}
