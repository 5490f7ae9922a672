//! What `version_errors` and `version_latency` share: cells, coins and when to tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{Severity, Timestamp};

use crate::{
    model_state::ModelState,
    repeats::Repeats,
    second::Fact,
    version_pair::{ArmCounts, OpenCell, RenewedCoin, standing_version},
};

/// One version on trial, judged by some facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trial<const FACTS: usize> {
    standing: u16,
    cell: OpenCell<FACTS>,
    coins: Vec<RenewedCoin>,
    totals: Vec<ArmCounts>,
    first: Timestamp,
    told: Option<Repeats>,
    told_page: bool,
}

/// Judges every version that serves beside the standing one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct VersionJudge<const FACTS: usize> {
    alpha: f64,
    tolerated_ratio: f64,
    facts: Vec<Fact>,
    trials: BTreeMap<u16, Trial<FACTS>>,
}

/// A version that is worse.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Worse {
    pub(crate) trial: u16,
    pub(crate) standing: u16,
    /// The fact with the most evidence, and all counts of it.
    pub(crate) fact: Fact,
    pub(crate) counts: ArmCounts,
    /// Since when both serve.
    pub(crate) first: Timestamp,
    pub(crate) evidence: f64,
    pub(crate) severity: Severity,
}

impl<const FACTS: usize> VersionJudge<FACTS> {
    pub(crate) fn new(facts: [Fact; FACTS], alpha: f64, tolerated_ratio: f64) -> Self {
        Self { alpha, tolerated_ratio, facts: facts.to_vec(), trials: BTreeMap::new() }
    }

    /// Takes a second; answers versions that are now known to be worse.
    pub(crate) fn on_second(&mut self, state: &ModelState) -> Vec<Worse> {
        let Some(standing) = standing_version(state) else { return Vec::new() };
        let versions: Vec<u16> =
            state.groups.versions().map(|(_, group)| group).filter(|&group| group != standing).collect();
        let mut worse = Vec::new();
        for trial in versions {
            worse.extend(self.judge(state, trial, standing));
        }
        worse
    }

    fn judge(&mut self, state: &ModelState, version: u16, standing: u16) -> Option<Worse> {
        let now = state.second.start;
        let (mine, theirs) = (state.second.of(version), state.second.of(standing));
        if state.is_retired(version) {
            self.trials.remove(&version);
            return None;
        }
        if !self.trials.contains_key(&version) && mine.events() == 0 {
            return None;
        }
        let fresh = || Trial {
            standing,
            cell: OpenCell::new(),
            coins: vec![RenewedCoin::new(self.tolerated_ratio); FACTS],
            totals: vec![ArmCounts::default(); FACTS],
            first: now,
            told: None,
            told_page: false,
        };
        let trial = self.trials.entry(version).or_insert_with(fresh);
        if trial.standing != standing {
            *trial = Trial { standing, ..fresh() };
        }
        let mut counts = [ArmCounts::default(); FACTS];
        for (counts, &fact) in counts.iter_mut().zip(&self.facts) {
            *counts = ArmCounts { trial: mine.share(fact), standing: theirs.share(fact) };
        }
        let closed = trial.cell.observe(now, counts)?;
        for ((coin, total), cell) in trial.coins.iter_mut().zip(&mut trial.totals).zip(&closed) {
            coin.observe(cell);
            if cell.trial.0 > 0 && cell.standing.0 > 0 {
                total.trial = (total.trial.0 + cell.trial.0, total.trial.1 + cell.trial.1);
                total.standing = (total.standing.0 + cell.standing.0, total.standing.1 + cell.standing.1);
            }
        }
        // Old evidence is told again only while the version serves.
        let serves = closed.iter().any(|cell| cell.trial.0 > 0);
        if serves { self.tell(version, now) } else { None }
    }

    fn tell(&mut self, version: u16, now: Timestamp) -> Option<Worse> {
        let trial = self.trials.get_mut(&version)?;
        let evidences: Vec<f64> = trial.coins.iter().map(RenewedCoin::evidence).collect();
        let evidence = evidences.iter().sum::<f64>() / evidences.len().max(1) as f64;
        if evidence < 1.0 / self.alpha {
            return None;
        }
        let is_page = evidence >= 10.0 / self.alpha;
        let is_due = match &mut trial.told {
            Some(told) => told.again(now) || (is_page && !trial.told_page),
            None => {
                trial.told = Some(Repeats::begin(now, trial.first, (trial.first, now)));
                true
            }
        };
        if !is_due {
            return None;
        }
        trial.told_page |= is_page;
        let fact = (0..FACTS).max_by(|&left, &right| evidences[left].total_cmp(&evidences[right]))?;
        Some(Worse {
            trial: version,
            standing: trial.standing,
            fact: self.facts[fact],
            counts: trial.totals[fact],
            first: trial.first,
            evidence,
            severity: Severity::Page,
        })
    }
}
