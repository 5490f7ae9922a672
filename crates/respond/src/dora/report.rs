//! The metrics, from releases and troubles.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use super::{
    DoraInputs, Trouble,
    releases::{Fate, Release},
};

/// Lengths of time: how many, and how they are spread, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Half are no longer.
    pub median_seconds: f64,
    /// The longest.
    pub longest_seconds: f64,
}

/// How often versions go out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frequency {
    /// Releases that got all traffic, without retraining on a schedule.
    pub changes: usize,
    /// Retraining on a schedule: the code of the release before, and other data.
    pub retrainings: usize,
    /// Changes a day.
    pub changes_a_day: f64,
}

/// How long until a change has all traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeadTime {
    /// From the commit.
    pub from_commit: Option<Spread>,
    /// From the data.
    pub from_data: Option<Spread>,
    /// From the later of both.
    pub from_both: Option<Spread>,
    /// Of that, from first traffic to all of it.
    pub rollout: Option<Spread>,
}

/// How many releases failed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeFailure {
    /// Releases that ended one way or another.
    pub releases: usize,
    /// Taken back before they had all traffic.
    pub contained: usize,
    /// Failed with all traffic.
    pub escaped: usize,
    /// Share of both; none where there were no releases.
    pub share: Option<f64>,
    /// Predictions that contained releases served, where they are counted.
    pub predictions_of_contained: u64,
}

/// How long until it was well again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// From the first bad event until it was well again.
    pub whole: Option<Spread>,
    /// Of that, until somebody was told.
    pub detection: Option<Spread>,
    /// Of that, from there on.
    pub action: Option<Spread>,
    /// Troubles that go on, or whose end nobody knows.
    pub unrestored: usize,
}

/// How much is rework.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rework {
    /// Rollbacks of versions that had all traffic, and releases made because something was wrong.
    pub unplanned: usize,
    /// Those, and all other releases that got all traffic.
    pub all: usize,
    /// The share; none where there was nothing.
    pub share: Option<f64>,
}

/// The five metrics of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoraReport {
    /// The model.
    pub model: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Deployment frequency.
    pub deployment_frequency: Frequency,
    /// Lead time for changes.
    pub lead_time: LeadTime,
    /// Change fail rate.
    pub change_failure: ChangeFailure,
    /// Failed deployment recovery time.
    pub recovery: Recovery,
    /// Deployment rework rate.
    pub rework: Rework,
    /// What it was made from.
    pub releases: Vec<Release>,
}

pub(super) fn of(model: &str, all: &[Release], inputs: &DoraInputs, from: Timestamp, to: Timestamp) -> DoraReport {
    let is_in = |time: Timestamp| from <= time && time <= to;
    let releases: Vec<Release> = all.iter().filter(|release| is_in(release.started)).cloned().collect();
    DoraReport {
        model: model.to_owned(),
        from,
        to,
        deployment_frequency: frequency(&releases, from, to),
        lead_time: lead_time(&releases),
        change_failure: change_failure(model, &releases, inputs),
        recovery: recovery(model, all, inputs, &is_in),
        rework: rework(&releases),
        releases,
    }
}

fn frequency(releases: &[Release], from: Timestamp, to: Timestamp) -> Frequency {
    let full = releases.iter().filter(|release| release.full.is_some());
    let (retrainings, changes) =
        full.fold(
            (0, 0),
            |(retrainings, changes), release| {
                if release.is_retraining { (retrainings + 1, changes) } else { (retrainings, changes + 1) }
            },
        );
    let days = (to.since(from) as f64 / Timestamp::DAY as f64).max(1.0);
    Frequency { changes, retrainings, changes_a_day: changes as f64 / days }
}

fn lead_time(releases: &[Release]) -> LeadTime {
    let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for release in releases.iter().filter(|release| !release.is_retraining) {
        let Some(full) = release.full else { continue };
        times[0].extend(release.committed_at.map(|made| full.since(made)));
        times[1].extend(release.data_at.map(|made| full.since(made)));
        times[2].extend(release.committed_at.max(release.data_at).map(|made| full.since(made)));
        times[3].push(full.since(release.started));
    }
    let [commit, data, both, rollout] = times;
    LeadTime { from_commit: spread(commit), from_data: spread(data), from_both: spread(both), rollout: spread(rollout) }
}

fn change_failure(model: &str, releases: &[Release], inputs: &DoraInputs) -> ChangeFailure {
    let of = |fate: Fate| releases.iter().filter(move |release| release.fate == fate);
    let (contained, escaped) = (of(Fate::Contained).count(), of(Fate::Escaped).count());
    let ended = releases.len() - of(Fate::UnderWay).count();
    let served = |version: &str| {
        let mut exposures = inputs.exposures.iter();
        exposures
            .find(|exposure| exposure.model == model && exposure.version == version)
            .map_or(0, |one| one.predictions)
    };
    ChangeFailure {
        releases: ended,
        contained,
        escaped,
        share: (ended > 0).then(|| (contained + escaped) as f64 / ended as f64),
        predictions_of_contained: of(Fate::Contained).map(|release| served(&release.version)).sum(),
    }
}

/// When a trouble ended: as it is told, or at the first way back or forward after it was noticed.
fn restored(trouble: &Trouble, releases: &[Release]) -> Option<Timestamp> {
    let is_its = |release: &&Release| trouble.version.as_ref().is_none_or(|version| *version == release.version);
    let back = releases.iter().filter(is_its).filter_map(|release| release.rolled_back);
    let forward = releases
        .iter()
        .filter(|release| !is_its(release) || trouble.version.is_none())
        .filter_map(|release| release.full);
    trouble.restored.or_else(|| back.chain(forward).filter(|time| *time >= trouble.began).min())
}

fn recovery(model: &str, releases: &[Release], inputs: &DoraInputs, is_in: &dyn Fn(Timestamp) -> bool) -> Recovery {
    let troubles = inputs.troubles.iter().filter(|trouble| trouble.model == model && is_in(trouble.began));
    let (mut whole, mut detection, mut action, mut unrestored) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for trouble in troubles {
        detection.push(trouble.detected.since(trouble.began).max(0));
        match restored(trouble, releases) {
            Some(restored) => {
                whole.push(restored.since(trouble.began).max(0));
                action.push(restored.since(trouble.detected).max(0));
            }
            None => unrestored += 1,
        }
    }
    Recovery { whole: spread(whole), detection: spread(detection), action: spread(action), unrestored }
}

fn rework(releases: &[Release]) -> Rework {
    let full = releases.iter().filter(|release| release.full.is_some());
    let (mut unplanned, mut all) = (0, 0);
    for release in full {
        all += 1;
        unplanned += usize::from(release.is_unplanned);
        // Taking back what had all traffic deploys the version before it once more.
        let was_taken_back = usize::from(release.rolled_back.is_some());
        (unplanned, all) = (unplanned + was_taken_back, all + was_taken_back);
    }
    Rework { unplanned, all, share: (all > 0).then(|| unplanned as f64 / all as f64) }
}

fn spread(mut times: Vec<Span>) -> Option<Spread> {
    times.sort_unstable();
    let seconds = |span: Span| span as f64 / Timestamp::SECOND as f64;
    let (lower, upper) = (times.get((times.len().max(1) - 1) / 2)?, times.get(times.len() / 2)?);
    Some(Spread {
        count: times.len(),
        median_seconds: f64::midpoint(seconds(*lower), seconds(*upper)),
        longest_seconds: seconds(*times.last()?),
    })
}
