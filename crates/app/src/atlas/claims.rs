//! What this program looks for by itself.

use wardline_detect::DETECTORS;
use wardline_domain::atlas::{Claim, Means};

use crate::hunts;

/// Detectors and hunts.
pub(super) fn built_in() -> Vec<Claim> {
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
    detectors.chain(hunts).collect()
}
