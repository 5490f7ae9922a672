//! What this program looks for by itself.

use wardline_detect::{DETECTORS, rules::RuleSet};
use wardline_domain::atlas::{Claim, Means};

use crate::hunts;

/// Detectors, hunts, and the rules that are in use.
pub(super) fn with_rules(set: &RuleSet) -> Vec<Claim> {
    let detectors = DETECTORS.iter().map(|detector| Claim {
        means: Means::Detector,
        name: detector.name.to_owned(),
        techniques: detector.atlas.iter().map(|id| (*id).to_owned()).collect(),
    });
    let hunts = hunts::all().iter().map(|hunt| Claim {
        means: Means::Hunt,
        name: hunt.heading.name.clone(),
        techniques: hunt.heading.atlas.clone(),
    });
    let rules = set.rules().iter().map(|rule| Claim {
        means: Means::Rule,
        name: rule.name.clone(),
        techniques: rule.atlas.clone(),
    });
    detectors.chain(hunts).chain(rules).collect()
}
