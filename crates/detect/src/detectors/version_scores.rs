//! A version answers differently from the one that serves beside it.
//!
//! - **Method:** in windows in which both versions served: for each output, coins
//!   ([`crate::version_pair`]) on eight thresholds of a score (the reference's p1 to p99), or on the eight
//!   most frequent decisions, each for more and for less in the version on trial; the mean of all.
//! - **Fields:** `version` and any of `score`, `decision`, `prediction`.
//! - **False alarms:** at most `version_alpha` (0.01) in one roll-out, however often one looks.
//! - **Least effect:** a ratio of 1.25 is tolerated.
//! - **Blind spots:** answers that are as often right or wrong, but for others.
//! - **ATLAS:** AML.T0031 (erode model integrity).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, Severity, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    coding::Coding,
    draft::{draft, sealed},
    evidence,
    measure::Role,
    model_state::{ModelState, Phase},
    model_watch::ClosedWindow,
    noise,
    repeats::Repeats,
    version_pair::{ArmCounts, RenewedCoin, standing_version},
    window::CodeCounts,
    wording::{clock_time, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "version_scores",
    budget_share: 0.1,
    method: "two-arm coin e-processes of scores and decisions by version",
    atlas: &["AML.T0031"],
    build: |budget: &DetectorBudget| Box::new(VersionScores { alpha: budget.version_alpha, trials: BTreeMap::new() }),
};

/// Tolerated ratio between the versions' shares.
const TOLERATED: f64 = 1.25;
/// Shares of the reference at which scores are cut.
const CUTS: [f64; 8] = [0.01, 0.1, 0.25, 0.5, 0.5, 0.75, 0.9, 0.99];

#[derive(Serialize, Deserialize)]
struct VersionScores {
    alpha: f64,
    /// By version and measure.
    trials: BTreeMap<(u16, usize), Trial>,
}

#[derive(Serialize, Deserialize)]
struct Trial {
    standing: u16,
    coins: Vec<RenewedCoin>,
    mine: Vec<u32>,
    theirs: Vec<u32>,
    first: Timestamp,
    told: Option<Repeats>,
}

impl Detector for VersionScores {
    fn on_window(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        if window.scale != 0 || state.phase == Phase::Sampling {
            return;
        }
        let Some(standing) = standing_version(state) else { return };
        let versions: Vec<u16> =
            state.groups.versions().map(|(_, group)| group).filter(|&group| group != standing).collect();
        for version in versions {
            if state.is_retired(version) {
                self.trials.retain(|&(trial, _), _| trial != version);
                continue;
            }
            for (index, measure) in state.measures_by_name() {
                if measure.role == Role::Output
                    && let Some(finding) = self.judge(state, window, (version, standing), index, now)
                {
                    findings.push(finding);
                }
            }
        }
    }

    saved_whole!();
}

impl VersionScores {
    fn judge(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        pair: (u16, u16),
        index: usize,
        now: Timestamp,
    ) -> Option<Finding> {
        let (version, standing) = pair;
        let (mine, theirs) = (window.table.of(index, version), window.table.of(index, standing));
        let (n, m) = (total(&mine), total(&theirs));
        if n == 0 || m == 0 {
            return None;
        }
        let measure = &state.measures[index];
        let events = events_of(measure.coding.as_ref()?);
        let fresh = || Trial {
            standing,
            coins: vec![RenewedCoin::new(TOLERATED); 2 * events.len()],
            mine: vec![0; mine.len()],
            theirs: vec![0; theirs.len()],
            first: window.start,
            told: None,
        };
        let trial = self.trials.entry((version, index)).or_insert_with(fresh);
        if trial.standing != standing {
            *trial = fresh();
        }
        for (event, codes) in events.iter().enumerate() {
            let within = |counts: &CodeCounts| codes.iter().map(|&code| counts[code as usize]).sum::<u32>();
            let (k, l) = (within(&mine), within(&theirs));
            trial.coins[2 * event].observe(&ArmCounts { trial: (n, k), standing: (m, l) });
            trial.coins[2 * event + 1].observe(&ArmCounts { trial: (m, l), standing: (n, k) });
        }
        for (sum, n) in trial.mine.iter_mut().zip(mine) {
            *sum += n;
        }
        for (sum, n) in trial.theirs.iter_mut().zip(theirs) {
            *sum += n;
        }
        let evidence = trial.coins.iter().map(RenewedCoin::evidence).sum::<f64>() / trial.coins.len().max(1) as f64;
        if evidence < 1.0 / self.alpha {
            return None;
        }
        let is_due = match &mut trial.told {
            Some(told) => told.again(now),
            None => {
                trial.told = Some(Repeats::begin(now, trial.first, (trial.first, now)));
                true
            }
        };
        is_due.then(|| finding(state, trial, (version, index), evidence, now))
    }
}

fn total(counts: &CodeCounts) -> u32 {
    noise::folded(counts).iter().sum::<f64>() as u32
}

/// The sets of codes that are watched.
fn events_of(coding: &Coding) -> Vec<Vec<u8>> {
    match coding {
        Coding::Categorical(_) => (1..=8).map(|code| vec![code]).collect(),
        Coding::Numeric(coding) => {
            // Codes are quantiles of the learning sample.
            let inner = coding.inner_edges().len() as u8 + 1;
            let cut = |share: f64| 1 + (share * f64::from(inner)).floor().min(f64::from(inner) - 1.0) as u8;
            CUTS.iter()
                .enumerate()
                .map(
                    |(place, &share)| {
                        if place < CUTS.len() / 2 { (0..=cut(share)).collect() } else { (cut(share)..=28).collect() }
                    },
                )
                .collect()
        }
    }
}

fn finding(state: &ModelState, trial: &Trial, key: (u16, usize), evidence: f64, now: Timestamp) -> Finding {
    let (version, index) = key;
    let measure = &state.measures[index];
    let counts = |counts: &[u32]| -> CodeCounts { counts.try_into().unwrap_or_default() };
    let (mine, theirs) = (counts(&trial.mine), counts(&trial.theirs));
    let shift = noise::shift(&theirs, &mine, measure.is_numeric()).unwrap_or_default();
    let name = state.groups.version_of(version).unwrap_or_default();
    let other = state.groups.version_of(trial.standing).unwrap_or_default();
    let mut finding = draft(state, SPEC.name, FindingKind::PredictionDrift, &measure.name, now);
    finding.onset = trial.first;
    finding.onset_interval = (trial.first, now);
    (finding.observed, finding.expected, finding.unit) =
        (shift.share, 0.0, "share of predictions that moved".to_owned());
    (finding.n_observed, finding.n_expected) = (u64::from(total(&mine)), u64::from(total(&theirs)));
    (finding.effect, finding.effect_name) = (shift.share, "shift".to_owned());
    finding.p_value = Some((1.0 / evidence).min(1.0));
    finding.severity = Severity::Ticket;
    finding.atlas = vec!["AML.T0031".to_owned()];
    finding.title = format!(
        "version {name} of {} answers differently from {other}: {} of its {} ({}) differ since {} (prediction drift; n={} against {})",
        state.name,
        percent(shift.share),
        measure.label(),
        crate::drift_wording::change(measure, &theirs, &mine),
        clock_time(trial.first, now),
        finding.n_observed,
        finding.n_expected,
    );
    finding.responsible = vec![Carrier { name: format!("version={name}"), share: 1.0, interval: None }];
    finding.evidence = evidence::distribution(&finding, &measure.name, measure.is_numeric());
    finding.version = Some(name);
    sealed(finding)
}

#[cfg(test)]
mod tests;
