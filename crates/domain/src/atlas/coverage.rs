//! Which techniques something looks for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Atlas;

/// By what means a technique is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Means {
    /// A detector, all the time.
    Detector,
    /// A rule, all the time.
    Rule,
    /// A hunt, when somebody runs it.
    Hunt,
}

/// Something that looks for techniques.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What kind of thing it is.
    pub means: Means,
    /// Its name.
    pub name: String,
    /// Ids of the techniques it looks for.
    pub techniques: Vec<String>,
}

/// What looks for one technique, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Detectors.
    pub detectors: BTreeSet<String>,
    /// Rules.
    pub rules: BTreeSet<String>,
    /// Hunts.
    pub hunts: BTreeSet<String>,
}

impl Covered {
    /// Whether nothing looks for it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many things look for it.
    pub fn len(&self) -> usize {
        self.detectors.len() + self.rules.len() + self.hunts.len()
    }
}

/// What looks for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By technique; what nothing looks for is not there.
    pub by_technique: BTreeMap<String, Covered>,
    /// Ids that the catalogue does not have, each with who named it: a rule of another release, or a slip.
    pub unknown: BTreeSet<(String, String)>,
}

impl Coverage {
    /// Gathers claims. A claim of a technique is no claim of its sub-techniques, nor the other way round.
    pub fn of(atlas: &Atlas, claims: impl IntoIterator<Item = Claim>) -> Self {
        let mut coverage = Self::default();
        for claim in claims {
            for id in &claim.techniques {
                let Some(technique) = atlas.technique(id) else {
                    coverage.unknown.insert((claim.name.clone(), id.clone()));
                    continue;
                };
                let covered = coverage.by_technique.entry(technique.id.clone()).or_default();
                let names = match claim.means {
                    Means::Detector => &mut covered.detectors,
                    Means::Rule => &mut covered.rules,
                    Means::Hunt => &mut covered.hunts,
                };
                names.insert(claim.name.clone());
            }
        }
        coverage
    }
}
