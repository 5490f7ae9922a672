//! Deployments put together into releases.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{DeploymentRecord, DoraInputs};

/// What became of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It serves, or was followed by the next one.
    Good,
    /// It was taken back before it had all traffic.
    Contained,
    /// It failed with all traffic.
    Escaped,
    /// It has yet to get all traffic.
    UnderWay,
}

/// One version of a model, from its first traffic on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// The version.
    pub version: String,
    /// First traffic.
    pub started: Timestamp,
    /// All traffic, at the first site.
    pub full: Option<Timestamp>,
    /// When it was taken back.
    pub rolled_back: Option<Timestamp>,
    /// What became of it.
    pub fate: Fate,
    /// The commit of its code, and when it was made.
    pub commit: Option<String>,
    /// See `commit`.
    pub committed_at: Option<Timestamp>,
    /// The data that it was trained on, and when that was complete.
    pub dataset_version: Option<String>,
    /// See `dataset_version`.
    pub data_at: Option<Timestamp>,
    /// Sites that it serves at, at least one.
    pub sites: usize,
    /// Whether the code is that of the release before it and the data is not: training on a schedule.
    pub is_retraining: bool,
    /// Whether it was made because something was wrong.
    pub is_unplanned: bool,
}

/// One step that matters, whoever told it.
struct Step {
    time: Timestamp,
    version: String,
    kind: Kind,
    record: DeploymentRecord,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// It has some of the traffic.
    Part,
    /// It has all of it.
    Full,
    /// It was taken back.
    Back,
    /// It takes over again from what was taken back.
    TakesOver,
    /// It has served its time.
    Retired,
}

/// Releases of a model that began before a moment, in order.
pub(super) fn of(model: &str, inputs: &DoraInputs, to: Timestamp) -> Vec<Release> {
    let mut steps = steps(model, inputs);
    steps.retain(|step| step.time <= to);
    steps.sort_by_key(|step| step.time);
    let mut story = Story { releases: Vec::new(), serving: None, sites: Vec::new() };
    for step in &steps {
        story.take(step);
    }
    let mut releases = story.releases;
    for release in &mut releases {
        let snapshot = inputs.snapshots.iter().find(|snapshot| {
            snapshot.model == model && Some(&snapshot.dataset_version) == release.dataset_version.as_ref()
        });
        release.data_at = snapshot.map(|snapshot| snapshot.time);
    }
    mark_retraining(&mut releases);
    mark_troubles(model, &mut releases, inputs);
    releases
}

fn steps(model: &str, inputs: &DoraInputs) -> Vec<Step> {
    let deployed = inputs.deployments.iter().filter(|record| record.model == model).filter_map(|record| {
        let kind = kind(record)?;
        Some(Step { time: record.time, version: record.version.clone(), kind, record: record.clone() })
    });
    let mut steps: Vec<Step> = deployed.collect();
    for moved in inputs.alias_moves.iter().filter(|moved| moved.model == model) {
        // A rollout moves the alias as well: that is the same release told twice.
        let is_told = steps.iter().any(|step| {
            step.version == moved.version
                && matches!(step.kind, Kind::Full | Kind::TakesOver)
                && step.time.since(moved.time).abs() <= Timestamp::HOUR
        });
        if !is_told {
            let record =
                DeploymentRecord { time: moved.time, version: moved.version.clone(), ..DeploymentRecord::default() };
            steps.push(Step { time: moved.time, version: moved.version.clone(), kind: Kind::Full, record });
        }
    }
    steps
}

fn kind(record: &DeploymentRecord) -> Option<Kind> {
    let weight = record.weight.filter(|weight| !weight.is_nan());
    let by_weight = |weight: f64| match weight {
        // Mirrored traffic answers nobody.
        weight if weight <= 0.0 => None,
        weight if weight >= 100.0 => Some(Kind::Full),
        _ => Some(Kind::Part),
    };
    match record.action.as_str() {
        "deploy" | "promote" => by_weight(weight.unwrap_or(100.0)),
        "canary_start" | "canary_step" => weight.map_or(Some(Kind::Part), by_weight),
        "rollback" if weight.is_some_and(|weight| weight > 0.0) => Some(Kind::TakesOver),
        "rollback" => Some(Kind::Back),
        "retire" => Some(Kind::Retired),
        _ => None,
    }
}

/// Releases so far, and which of them has the traffic.
struct Story {
    releases: Vec<Release>,
    serving: Option<usize>,
    /// Names of sites by release.
    sites: Vec<BTreeSet<String>>,
}

impl Story {
    fn take(&mut self, step: &Step) {
        match step.kind {
            Kind::Part => {
                self.going(step);
            }
            Kind::Full => self.fill(step),
            Kind::Back => self.take_back(&step.version, step.time),
            Kind::TakesOver => {
                if let Some(failed) = self.newest_but(&step.version) {
                    self.take_back(&failed, step.time);
                }
                if let Some(before) = self.releases.iter().rposition(|release| release.version == step.version) {
                    self.serving = Some(before);
                }
            }
            Kind::Retired => {
                // An unfinished version that is retired was given up.
                if self.unfinished(&step.version).is_some() {
                    self.take_back(&step.version, step.time);
                }
            }
        }
    }

    /// The release of a version that has not been taken back, a new one where there is none.
    fn going(&mut self, step: &Step) -> usize {
        let known = self.unfinished(&step.version).or_else(|| {
            self.serving
                .filter(|&index| self.releases.get(index).is_some_and(|release| release.version == step.version))
        });
        let index = known.unwrap_or_else(|| self.begin(step));
        if let (Some(release), Some(sites)) = (self.releases.get_mut(index), self.sites.get_mut(index)) {
            let record = &step.record;
            release.commit = release.commit.take().or_else(|| record.commit.clone());
            release.committed_at = release.committed_at.or(record.committed_at);
            release.dataset_version = release.dataset_version.take().or_else(|| record.dataset_version.clone());
            release.is_unplanned |= record.is_unplanned;
            sites.extend(record.site.clone());
            release.sites = sites.len().max(1);
        }
        index
    }

    fn begin(&mut self, step: &Step) -> usize {
        // A version that served before and is brought out again is a way back, not a plan.
        let is_again = self.releases.iter().any(|release| release.version == step.version && release.full.is_some());
        self.releases.push(Release {
            version: step.version.clone(),
            started: step.time,
            full: None,
            rolled_back: None,
            fate: Fate::UnderWay,
            commit: None,
            committed_at: None,
            dataset_version: None,
            data_at: None,
            sites: 1,
            is_retraining: false,
            is_unplanned: is_again,
        });
        self.sites.push(BTreeSet::new());
        self.releases.len() - 1
    }

    fn fill(&mut self, step: &Step) {
        let index = self.going(step);
        if let Some(release) = self.releases.get_mut(index)
            && release.full.is_none()
        {
            release.full = Some(step.time);
            release.fate = Fate::Good;
        }
        self.serving = Some(index);
    }

    fn take_back(&mut self, version: &str, time: Timestamp) {
        let found =
            self.releases.iter().rposition(|release| release.version == version && release.rolled_back.is_none());
        let Some(index) = found else { return };
        if let Some(release) = self.releases.get_mut(index) {
            release.rolled_back = Some(time);
            release.fate = if release.full.is_some() { Fate::Escaped } else { Fate::Contained };
        }
        if self.serving == Some(index) {
            self.serving = (0..index).rev().find(|&before| {
                self.releases.get(before).is_some_and(|release| release.full.is_some() && release.rolled_back.is_none())
            });
        }
    }

    fn unfinished(&self, version: &str) -> Option<usize> {
        self.releases.iter().rposition(|release| release.version == version && release.fate == Fate::UnderWay)
    }

    fn newest_but(&self, version: &str) -> Option<String> {
        let others = self.releases.iter().rev().filter(|release| release.version != version);
        others.into_iter().find(|release| release.rolled_back.is_none()).map(|release| release.version.clone())
    }
}

/// Training on a schedule: the code of the release before, and other data.
fn mark_retraining(releases: &mut [Release]) {
    for index in 1..releases.len() {
        let (before, rest) = releases.split_at_mut(index);
        let (Some(before), Some(release)) = (before.last(), rest.first_mut()) else { continue };
        let same_code = release.commit.is_some() && release.commit == before.commit;
        let other_data = release.dataset_version.is_some() && release.dataset_version != before.dataset_version;
        release.is_retraining = same_code && other_data && !release.is_unplanned;
    }
}

/// A release that trouble followed has escaped; one that was begun during a trouble is rework.
fn mark_troubles(model: &str, releases: &mut [Release], inputs: &DoraInputs) {
    let spans: Vec<(Timestamp, Option<Timestamp>)> = (0..releases.len())
        .map(|index| {
            let next = releases.iter().skip(index + 1).filter_map(|release| release.full).min();
            (releases[index].started, next)
        })
        .collect();
    for trouble in inputs.troubles.iter().filter(|trouble| trouble.model == model) {
        let served = releases.iter().zip(&spans).rposition(|(release, &(_, next))| {
            let is_full = release.full.is_some_and(|full| full <= trouble.began);
            let is_its_time = next.is_none_or(|next| trouble.began < next);
            let is_its = trouble.version.as_ref().is_none_or(|version| *version == release.version);
            is_full && is_its_time && is_its && release.rolled_back.is_none_or(|back| trouble.began <= back)
        });
        if let Some(release) = served.and_then(|index| releases.get_mut(index)) {
            release.fate = Fate::Escaped;
        }
        for release in releases.iter_mut() {
            let until = trouble.restored.unwrap_or_else(|| trouble.detected.plus(Timestamp::DAY));
            if trouble.detected <= release.started && release.started <= until {
                release.is_unplanned = true;
                release.is_retraining = false;
            }
        }
    }
}
