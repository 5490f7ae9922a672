//! MITRE ATLAS: the catalogue of attacks on AI that detectors, rules and hunts refer to.
//!
//! The facts of one release are built in (ids, names and relations, from MITRE's data under the Apache License 2.0;
//! `data/` says more). Another release is read from a file that MITRE publishes: see [`Atlas::read`].

mod bounded;
mod built_in;
mod coverage;
mod error;
mod layer;
mod read;
mod stix;
mod telemetry;
mod yaml;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub use coverage::{Claim, Coverage, Covered, Means};
pub use error::AtlasError;
pub use layer::{LayerRow, layer};
pub use telemetry::{Trace, traces};

/// A column of the matrix: what an attacker is after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tactic {
    /// `AML.TA0002`.
    pub id: String,
    /// `Reconnaissance`.
    pub name: String,
}

impl Tactic {
    /// The name in layers and in STIX: `resource-development`.
    pub fn short_name(&self) -> String {
        self.name.to_lowercase().replace(' ', "-")
    }
}

/// A way to attack, or a special form of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technique {
    /// `AML.T0051`, or `AML.T0051.000` of a sub-technique.
    pub id: String,
    /// Its own name; a sub-technique's says little without its parent's: see [`Atlas::full_name`].
    pub name: String,
    /// Ids of the tactics it serves; a sub-technique has those of its parent.
    pub tactics: Vec<String>,
    /// The technique that a sub-technique is a form of.
    pub parent: Option<String>,
}

/// Something that helps against techniques.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mitigation {
    /// `AML.M0015`.
    pub id: String,
    /// `Adversarial Input Detection`.
    pub name: String,
    /// Ids of the techniques that it helps against.
    pub techniques: Vec<String>,
}

/// One release of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Atlas {
    /// The release, such as `5.6.0`.
    pub version: String,
    /// Columns of the matrix, in its order.
    pub tactics: Vec<Tactic>,
    /// By id, a technique before its sub-techniques.
    pub techniques: Vec<Technique>,
    /// By id.
    pub mitigations: Vec<Mitigation>,
}

impl Atlas {
    /// The release that is built in.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<Atlas> = OnceLock::new();
        BUILT_IN.get_or_init(built_in::read)
    }

    /// The technique of an id, in any case of its letters.
    pub fn technique(&self, id: &str) -> Option<&Technique> {
        let id = id.to_ascii_uppercase();
        let place = self.techniques.binary_search_by(|technique| technique.id.as_str().cmp(&id)).ok()?;
        self.techniques.get(place)
    }

    /// The tactic of an id.
    pub fn tactic(&self, id: &str) -> Option<&Tactic> {
        self.tactics.iter().find(|tactic| tactic.id == id)
    }

    /// The special forms of a technique.
    pub fn sub_techniques(&self, id: &str) -> impl Iterator<Item = &Technique> {
        self.techniques.iter().filter(move |technique| technique.parent.as_deref() == Some(id))
    }

    /// What helps against a technique.
    pub fn mitigations_of(&self, id: &str) -> impl Iterator<Item = &Mitigation> {
        self.mitigations.iter().filter(move |mitigation| mitigation.techniques.iter().any(|other| other == id))
    }

    /// `LLM Prompt Injection: Direct`.
    pub fn full_name(&self, technique: &Technique) -> String {
        match technique.parent.as_deref().and_then(|parent| self.technique(parent)) {
            Some(parent) => format!("{}: {}", parent.name, technique.name),
            None => technique.name.clone(),
        }
    }
}
