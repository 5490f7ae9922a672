//! An alert: the findings of one cause, told to a person once.

use serde::{Deserialize, Serialize};

use crate::{Carrier, Finding, FindingKind, Severity, Slice, Timestamp};

/// Whether what an alert tells still goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// It goes on, as far as the data tell.
    Open,
    /// Nothing new for the time that the grouping waits.
    Closed,
}

/// The findings of one cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// From its first finding.
    pub id: String,
    /// When it was raised, on the stream's clock.
    pub time: Timestamp,
    /// When a finding last joined it.
    pub updated: Timestamp,
    /// Whether it goes on.
    pub status: AlertStatus,
    /// What is wrong: the kind of its leading finding.
    pub kind: FindingKind,
    /// Highest of its findings' severities.
    pub severity: Severity,
    /// The model.
    pub model: String,
    /// The version, where one carries it.
    pub version: Option<String>,
    /// The slice of its leading finding.
    pub slice: Slice,
    /// Earliest onset of its findings.
    pub onset: Timestamp,
    /// What happened, in one sentence.
    pub title: String,
    /// ATLAS techniques of its findings.
    pub atlas: Vec<String>,
    /// Slices that carry it.
    pub responsible: Vec<Carrier>,
    /// Features that carry it.
    pub features: Vec<Carrier>,
    /// How many findings it holds; repeats of one finding count.
    pub n_findings: u64,
    /// Its findings, the leading one first; at most [`Alert::MAX_FINDINGS`] are kept here.
    pub findings: Vec<Finding>,
}

impl Alert {
    /// The most findings that an alert carries; all of them are in the `finding` table.
    pub const MAX_FINDINGS: usize = 50;

    /// A closed alert of one finding that concerns nobody's grouping: a decision, told once.
    pub fn of_decision(finding: Finding) -> Self {
        Self {
            id: finding.id.replacen("f-", "a-", 1),
            time: finding.time,
            updated: finding.time,
            status: AlertStatus::Closed,
            kind: finding.kind,
            severity: finding.severity,
            model: finding.model.clone(),
            version: finding.version.clone(),
            slice: finding.slice.clone(),
            onset: finding.onset,
            title: finding.title.clone(),
            atlas: finding.atlas.clone(),
            responsible: finding.responsible.clone(),
            features: finding.features.clone(),
            n_findings: 1,
            findings: vec![finding],
        }
    }

    /// What it names, the most responsible first: the conditions of its slice, slices that carry it, features.
    pub fn names(&self) -> Vec<String> {
        let conditions = self.slice.conditions().iter().map(|(dimension, value)| format!("{dimension}={value}"));
        let responsible = self.responsible.iter().map(|carrier| carrier.name.clone());
        let features = self.features.iter().map(|carrier| format!("feature={}", carrier.name));
        conditions.chain(responsible).chain(features).collect()
    }
}

/// What grouping did with a finding.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertChange {
    /// A new alert.
    Raised(Alert),
    /// A finding joined an open alert.
    Extended(Alert),
    /// An alert was closed.
    Closed(Alert),
}

impl AlertChange {
    /// The alert as it is after the change.
    pub const fn alert(&self) -> &Alert {
        match self {
            Self::Raised(alert) | Self::Extended(alert) | Self::Closed(alert) => alert,
        }
    }
}
