//! Where an incident stands, how grave it is, and of which class.

use std::fmt;

use serde::{Deserialize, Serialize};
use wardline_domain::{FindingKind, Severity};

/// Where an incident stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Nobody has taken it yet.
    Open,
    /// Somebody works on it.
    Acknowledged,
    /// What it does to people is stopped; the cause may still be there.
    Mitigated,
    /// It is over.
    Resolved,
    /// It goes on as part of another one.
    Merged {
        /// The other one.
        into: String,
    },
}

impl Status {
    /// Whether it takes alerts and work.
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged | Self::Mitigated)
    }

    /// Functions and outcomes of NIST CSF 2.0 that the work of this status serves, as SP 800-61r3 arranges incident
    /// response: not as phases one after the other, but as what is being done.
    pub const fn csf(&self) -> &'static [&'static str] {
        match self {
            // Adverse events are analysed, and an incident is declared; its report is triaged and categorised.
            Self::Open => &["DE.AE-02", "DE.AE-08", "RS.MA-02", "RS.MA-03"],
            // The plan is carried out; causes are looked for; what is done is recorded and kept whole.
            Self::Acknowledged => &["RS.MA-01", "RS.MA-04", "RS.AN-03", "RS.AN-06", "RS.AN-07", "RS.AN-08", "RS.CO-02"],
            // Contained and eradicated; recovery begins.
            Self::Mitigated => &["RS.MI-01", "RS.MI-02", "RS.MA-05", "RC.RP-01", "RC.RP-02", "RC.CO-03"],
            // The end of recovery is declared, and what was learned is put to use.
            Self::Resolved => &["RC.RP-06", "ID.IM-03", "ID.IM-04"],
            Self::Merged { .. } => &["RS.MA-03"],
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Acknowledged => f.write_str("acknowledged"),
            Self::Mitigated => f.write_str("mitigated"),
            Self::Resolved => f.write_str("resolved"),
            Self::Merged { into } => write!(f, "merged into {into}"),
        }
    }
}

/// How grave an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentSeverity {
    /// On record.
    Low,
    /// Work for office hours.
    Medium,
    /// Work for now.
    High,
    /// Work for now and for many; only people say so.
    Critical,
}

impl IncidentSeverity {
    /// The name in JSON and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl From<Severity> for IncidentSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Low,
            Severity::Ticket => Self::Medium,
            Severity::Page => Self::High,
        }
    }
}

/// What sort of harm an incident does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The model or its service does its work badly.
    Performance,
    /// Somebody attacks the model, its data or its users.
    Security,
    /// Groups of people are treated unequally.
    Fairness,
    /// The model is used for what it is not there for.
    Misuse,
}

impl Class {
    /// The name in JSON and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Performance => "performance",
            Self::Security => "security",
            Self::Fairness => "fairness",
            Self::Misuse => "misuse",
        }
    }
}

impl From<FindingKind> for Class {
    fn from(kind: FindingKind) -> Self {
        use FindingKind as Kind;
        match kind {
            Kind::Traffic | Kind::Errors | Kind::SloBurn | Kind::Latency | Kind::Saturation | Kind::DataDrift => {
                Self::Performance
            }
            Kind::PredictionDrift | Kind::DataQuality | Kind::Performance | Kind::Cascade => Self::Performance,
            Kind::Rollback | Kind::Promote => Self::Performance,
            Kind::Adversarial | Kind::Poisoning | Kind::Extraction | Kind::Injection | Kind::Integrity => {
                Self::Security
            }
            Kind::Fairness => Self::Fairness,
            Kind::Cost => Self::Misuse,
        }
    }
}
