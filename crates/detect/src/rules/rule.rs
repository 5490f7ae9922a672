//! A rule as it runs, with what a finding says of it.

use rsigma_parser::Level;
use wardline_domain::{FindingKind, RecordKind, Severity};

use super::{condition::Condition, correlation::Correlation, field::Field, item::Tests};

/// A compiled rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The file that it was read from.
    pub file: String,
    /// Its name, else its file's.
    pub name: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// What it is about, in a few words.
    pub title: String,
    /// What it looks for, as its author describes it.
    pub description: String,
    /// `level`, such as `high`; empty where none is written.
    pub level: &'static str,
    /// What a person should do about a finding.
    pub severity: Severity,
    /// What is wrong where it matches.
    pub kind: FindingKind,
    /// MITRE ATLAS techniques, such as `AML.T0051.000`.
    pub atlas: Vec<String>,
    /// The kind of record that it reads; of a correlation, that of its first rule.
    pub record_kind: RecordKind,
    /// Whether matches are told, or only counted by correlations.
    pub tells: bool,
    /// Fields that part its matches into groups, by name.
    pub(crate) group_by: Vec<(String, Field)>,
    /// Tells this rule from others and from its own earlier forms.
    pub(crate) fingerprint: u64,
    pub(crate) body: Body,
}

/// What a rule does.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Tests single records.
    Records { tests: Tests, condition: Condition<u32> },
    /// Joins the matches of other rules.
    Correlation(Box<Correlation>),
}

impl Rule {
    /// Whether it joins the matches of other rules.
    pub const fn is_correlation(&self) -> bool {
        matches!(self.body, Body::Correlation(_))
    }

    /// What one should know of how it runs.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Body::Correlation(correlation) = &self.body {
            notes.extend(correlation.note());
        }
        if self.severity == Severity::Info && self.tells {
            notes.push("its findings are on record only: the level is below medium".to_owned());
        }
        notes
    }
}

/// What a level asks of a person. Only what is surely acute wakes one, and what is usual is on record only.
pub(crate) const fn severity_of(level: Option<Level>) -> Severity {
    match level {
        Some(Level::Critical) => Severity::Page,
        Some(Level::High | Level::Medium) => Severity::Ticket,
        Some(Level::Low | Level::Informational) | None => Severity::Info,
    }
}

/// ATLAS techniques among tags: `atlas.aml.t0051.000` is `AML.T0051.000`.
pub(crate) fn atlas_of(tags: &[String]) -> Vec<String> {
    let mut found: Vec<String> = tags
        .iter()
        .filter_map(|tag| tag.to_ascii_lowercase().strip_prefix("atlas.").map(str::to_ascii_uppercase))
        .filter(|id| id.starts_with("AML.T") && id[5..].starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    found.dedup();
    found
}

/// What is wrong, by technique.
const KINDS: &[(&str, FindingKind)] = &[
    ("AML.T0005", FindingKind::Extraction),
    ("AML.T0010", FindingKind::Integrity),
    ("AML.T0013", FindingKind::Extraction),
    ("AML.T0015", FindingKind::Adversarial),
    ("AML.T0018", FindingKind::Integrity),
    ("AML.T0020", FindingKind::Poisoning),
    ("AML.T0024", FindingKind::Extraction),
    ("AML.T0029", FindingKind::Cost),
    ("AML.T0031", FindingKind::Poisoning),
    ("AML.T0034", FindingKind::Cost),
    ("AML.T0040", FindingKind::Extraction),
    ("AML.T0042", FindingKind::Adversarial),
    ("AML.T0043", FindingKind::Adversarial),
    ("AML.T0046", FindingKind::Adversarial),
    ("AML.T0047", FindingKind::Extraction),
    ("AML.T0051", FindingKind::Injection),
    ("AML.T0053", FindingKind::Injection),
    ("AML.T0054", FindingKind::Injection),
    ("AML.T0056", FindingKind::Extraction),
    ("AML.T0057", FindingKind::Extraction),
    ("AML.T0059", FindingKind::Poisoning),
    ("AML.T0061", FindingKind::Injection),
    ("AML.T0063", FindingKind::Extraction),
    ("AML.T0068", FindingKind::Injection),
    ("AML.T0070", FindingKind::Poisoning),
    ("AML.T0077", FindingKind::Injection),
    ("AML.T0080", FindingKind::Injection),
    ("AML.T0086", FindingKind::Injection),
];

/// Every kind of finding, for names in rules.
const ALL_KINDS: [FindingKind; 16] = [
    FindingKind::Traffic,
    FindingKind::Errors,
    FindingKind::SloBurn,
    FindingKind::Latency,
    FindingKind::Saturation,
    FindingKind::DataDrift,
    FindingKind::PredictionDrift,
    FindingKind::DataQuality,
    FindingKind::Performance,
    FindingKind::Fairness,
    FindingKind::Adversarial,
    FindingKind::Poisoning,
    FindingKind::Extraction,
    FindingKind::Injection,
    FindingKind::Cost,
    FindingKind::Integrity,
];

/// The kind that a rule names.
pub(crate) fn kind_named(name: &str) -> Option<FindingKind> {
    ALL_KINDS.into_iter().find(|kind| kind.name() == name)
}

/// The kind that a rule's techniques stand for.
pub(crate) fn kind_of(atlas: &[String]) -> FindingKind {
    let of = |id: &String| KINDS.iter().find(|(technique, _)| id.starts_with(technique)).map(|(_, kind)| *kind);
    atlas.iter().find_map(of).unwrap_or(FindingKind::Integrity)
}
