//! Whether a segment is refused more often than by the standing version.

use serde::{Deserialize, Serialize};
use wardline_stats::{
    multiple::{e_benjamini_hochberg, e_bonferroni},
    sequential::{Coin, Renewed},
};

use super::{
    baseline::Frozen,
    event::{JudgedEvent, Role},
    guard::{Ballot, Counts, arm},
    key::Key,
    settings::JudgeSettings,
};

/// Chance of any false alarm over all segments and looks, and share of false entries in the list.
pub(crate) const FAMILY_ALPHA: f64 = 0.05;

/// Unfavourable decisions of each segment that was known before the trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fairness {
    favourable: Key,
    unfavourable: Key,
    segments: Vec<Key>,
    worse: Vec<Renewed<Coin>>,
    counts: Vec<Counts>,
}

impl Fairness {
    /// `None` unless segments were seen and a favourable decision (or the class that is refused) is known.
    pub(crate) fn new(frozen: &Frozen, settings: &JudgeSettings) -> Option<Self> {
        let key = |class: &Option<String>| class.as_deref().map_or(Key::NONE, Key::of_class);
        let (favourable, unfavourable) = (key(&settings.favourable_decision), key(&settings.positive_class));
        if frozen.segments.is_empty() || (favourable.is_none() && unfavourable.is_none()) {
            return None;
        }
        let coin = Coin::fine(settings.tolerated_ratio)?;
        let n = frozen.segments.len();
        Some(Self {
            favourable,
            unfavourable,
            segments: frozen.segments.clone(),
            worse: vec![Renewed::new(coin); n],
            counts: vec![Counts::default(); n],
        })
    }

    pub(crate) fn observe(&mut self, ballot: Ballot, event: &JudgedEvent) -> bool {
        if event.decision.is_none() || !ballot.is_counted {
            return false;
        }
        let is_bad = if self.favourable.is_none() {
            event.decision == self.unfavourable
        } else {
            event.decision != self.favourable
        };
        for segment in event.segments.iter().filter(|segment| !segment.is_none()) {
            let Some(place) = self.segments.iter().position(|known| known == segment) else { continue };
            self.counts[place].add(ballot.role, is_bad);
            if ballot.role != Role::Standing {
                self.worse[place].count(1);
            }
            if is_bad {
                for coin in self.worse[place].copies_mut() {
                    coin.observe(arm(ballot.role), ballot.bounds.high);
                }
            }
        }
        is_bad
    }

    fn log_es(&self) -> Vec<f64> {
        self.worse.iter().map(|coins| coins.e(Coin::log_e).ln()).collect()
    }

    /// The mean over the segments: what a decision for the whole trial rests on.
    pub(crate) fn e(&self) -> f64 {
        self.worse.iter().map(|coins| coins.e(Coin::log_e)).sum::<f64>() / self.worse.len() as f64
    }

    pub(crate) fn at_most(&self) -> f64 {
        self.worse.iter().map(|coins| coins.at_most(Coin::at_most)).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether some segment is worse off, with a chance of any false alarm of at most [`FAMILY_ALPHA`].
    pub(crate) fn has_alarm(&self) -> bool {
        let least = (self.worse.len() as f64 / FAMILY_ALPHA).ln();
        self.at_most() >= least && !e_bonferroni(&self.log_es(), FAMILY_ALPHA).is_empty()
    }

    /// Segments that are worse off, the surest first; of a list of many, 5 % are wrong.
    pub(crate) fn worse_off(&self) -> Vec<(Key, f64, Counts)> {
        let logs = self.log_es();
        let found = e_benjamini_hochberg(&logs, FAMILY_ALPHA);
        found.into_iter().map(|place| (self.segments[place], logs[place], self.counts[place])).collect()
    }

    /// The segment with the most evidence.
    pub(crate) fn strongest(&self) -> Option<(Key, Counts)> {
        let logs = self.log_es();
        let place = (0..logs.len()).max_by(|l, r| logs[*l].total_cmp(&logs[*r]))?;
        Some((self.segments[place], self.counts[place]))
    }
}
