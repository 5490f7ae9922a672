//! Alerts in the forms of other systems: OCSF, ECS and STIX 2.1.
//!
//! **Invariant:** the same alert gives the same text, with the same ids, whenever it is written.

mod ecs;
mod name_uuid;
mod ocsf;
mod stix;

use serde_json::Value;
use wardline_domain::{Alert, FindingKind, atlas::Atlas};

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Detection Findings of OCSF 1.8.0, one a line.
    Ocsf,
    /// Documents of the Elastic Common Schema, one a line.
    Ecs,
    /// One bundle of STIX 2.1.
    Stix,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Ocsf, Self::Ecs, Self::Stix];

    /// The name on the command line and in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ocsf => "ocsf",
            Self::Ecs => "ecs",
            Self::Stix => "stix",
        }
    }

    /// What an HTTP answer says it is.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Ocsf | Self::Ecs => "application/x-ndjson",
            Self::Stix => "application/stix+json;version=2.1",
        }
    }
}

/// What is known besides the alerts.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The catalogue that names techniques.
    pub atlas: &'a Atlas,
    /// The version of this program.
    pub product_version: &'a str,
    /// The incident that the alerts are of, where they are of one.
    pub incident: Option<ExportedIncident<'a>>,
}

/// An incident whose alerts are written.
#[derive(Clone, Copy, Debug)]
pub struct ExportedIncident<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is about.
    pub title: &'a str,
}

/// Writes alerts in a form.
pub fn export(format: Format, alerts: &[Alert], context: &Context<'_>) -> String {
    match format {
        Format::Ocsf => lines(alerts.iter().map(|alert| ocsf::finding(alert, context))),
        Format::Ecs => lines(alerts.iter().map(|alert| ecs::document(alert, context))),
        Format::Stix => format!("{:#}\n", stix::bundle(alerts, context)),
    }
}

fn lines(documents: impl Iterator<Item = Value>) -> String {
    documents.map(|document| format!("{document}\n")).collect()
}

/// The detector of rules in Sigma.
const RULES: &str = "rule";

/// Whether somebody attacks, as opposed to something that does not work.
const fn is_attack(kind: FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::Adversarial
            | FindingKind::Poisoning
            | FindingKind::Extraction
            | FindingKind::Injection
            | FindingKind::Integrity
    )
}

/// The page of a technique.
fn atlas_page(technique: &str) -> String {
    format!("https://atlas.mitre.org/techniques/{technique}")
}
