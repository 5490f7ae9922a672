//! Every technique with what looks for it, whether it could be seen, and what was found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::{
    Timestamp,
    atlas::{Atlas, Claim, Coverage, traces},
};

use super::seen::Found;
use crate::hunts;

/// The catalogue as this program sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AtlasReport {
    /// The release.
    pub(crate) version: String,
    /// The time of visibility and findings; none where no telemetry was looked at.
    pub(crate) from: Option<Timestamp>,
    /// Its end.
    pub(crate) to: Option<Timestamp>,
    /// By id.
    pub(crate) techniques: Vec<TechniqueReport>,
    /// What names techniques that the release does not have: `name: id`.
    pub(crate) unknown: Vec<String>,
}

/// One technique.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TechniqueReport {
    /// Its id.
    pub(crate) id: String,
    /// Its name, behind that of its parent.
    pub(crate) name: String,
    /// Names of its tactics.
    pub(crate) tactics: Vec<String>,
    /// The technique that it is a form of.
    pub(crate) parent: Option<String>,
    /// What helps against it: `AML.M0004 Restrict Number of AI Model Queries`.
    pub(crate) mitigations: Vec<String>,
    /// Detectors that look for it.
    pub(crate) detectors: BTreeSet<String>,
    /// Rules that look for it.
    pub(crate) rules: BTreeSet<String>,
    /// Hunts that look for it.
    pub(crate) hunts: BTreeSet<String>,
    /// Whether it could be seen in the telemetry; none where nothing is known of its traces, or none was looked at.
    pub(crate) visible: Option<bool>,
    /// What shows where it is visible.
    pub(crate) shows: Vec<String>,
    /// Fields that would make it visible.
    pub(crate) missing: Vec<String>,
    /// Findings that may be a sign of it.
    pub(crate) findings: u64,
    /// The last of them.
    pub(crate) last_finding: Option<String>,
    /// Models that they are of.
    pub(crate) models: BTreeSet<String>,
}

impl AtlasReport {
    /// What looks for what.
    pub(super) fn new(atlas: &Atlas, claims: impl IntoIterator<Item = Claim>) -> Self {
        let mut coverage = Coverage::of(atlas, claims);
        let unknown = coverage.unknown.iter().map(|(name, id)| format!("{name}: {id}")).collect();
        let one = |technique: &wardline_domain::atlas::Technique| {
            let covered = coverage.by_technique.remove(&technique.id).unwrap_or_default();
            let tactics = technique.tactics.iter().filter_map(|id| atlas.tactic(id));
            let helps = atlas.mitigations_of(&technique.id);
            TechniqueReport {
                id: technique.id.clone(),
                name: atlas.full_name(technique),
                tactics: tactics.map(|tactic| tactic.name.clone()).collect(),
                parent: technique.parent.clone(),
                mitigations: helps.map(|helps| format!("{} {}", helps.id, helps.name)).collect(),
                detectors: covered.detectors,
                rules: covered.rules,
                hunts: covered.hunts,
                ..TechniqueReport::default()
            }
        };
        let techniques = atlas.techniques.iter().map(one).collect();
        Self { version: atlas.version.clone(), from: None, to: None, techniques, unknown }
    }

    /// Whether each technique could be seen, given the fields that telemetry has, as `table.column`.
    pub(super) fn add_visibility(&mut self, present: &BTreeSet<String>) {
        let mut ways: BTreeMap<&str, Vec<(String, Vec<String>)>> = BTreeMap::new();
        for trace in traces() {
            ways.entry(&trace.technique).or_default().push((trace.shows.clone(), trace.fields.clone()));
        }
        for hunt in hunts::all() {
            let heading = &hunt.heading;
            let fields: Vec<String> = heading.fields.iter().map(|field| heading.field_by_default(field)).collect();
            for technique in &heading.atlas {
                ways.entry(technique).or_default().push((heading.title.clone(), fields.clone()));
            }
        }
        for technique in &mut self.techniques {
            let Some(ways) = ways.get(technique.id.as_str()) else { continue };
            let lacking = |fields: &[String]| -> Vec<String> {
                fields.iter().filter(|field| !present.contains(*field)).cloned().collect()
            };
            let shows = ways.iter().filter(|(_, fields)| lacking(fields).is_empty());
            technique.shows = shows.map(|(shows, _)| shows.clone()).collect();
            technique.visible = Some(!technique.shows.is_empty());
            if technique.shows.is_empty() {
                let fewest = ways.iter().map(|(_, fields)| lacking(fields)).min_by_key(Vec::len);
                technique.missing = fewest.unwrap_or_default();
            }
        }
    }

    /// What was found.
    pub(super) fn add_findings(&mut self, found: &[Found]) {
        for Found { techniques, model, count, last } in found {
            for technique in self.techniques.iter_mut().filter(|technique| techniques.contains(&technique.id)) {
                technique.findings += count;
                technique.models.insert(model.clone());
                technique.last_finding = technique.last_finding.take().max(Some(last.clone()));
            }
        }
    }
}
