//! Who is behind findings: users, keys, channels and the like, with the decayed sum of the severities of what names them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Severity, Slice, Span, Timestamp};

/// The dimensions that are somebody or something that acts.
const DIMENSIONS: [&str; 10] =
    ["user", "user_hash", "account", "api_key", "client", "client_ip", "session", "channel", "store", "tenant"];
/// A finding weighs half after this long.
const HALF_LIFE: Span = 7 * Timestamp::DAY;
/// Most entities of one model that are remembered; the least risky goes first.
const MOST_KEPT: usize = 1_000;
/// Most entities in a list.
pub(crate) const MOST_LISTED: usize = 1_000;
/// Kinds of finding within the half-life that make an entity's risk an alert.
const MANY_KINDS: usize = 3;
pub(crate) const DETECTOR: &str = "entity_risk";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Risk {
    score: f64,
    updated: Timestamp,
    first: Timestamp,
    /// When a kind was last seen.
    kinds: BTreeMap<FindingKind, Timestamp>,
    atlas: BTreeSet<String>,
    n_findings: u64,
    /// The last finding's id, so that one that is told again weighs once.
    last: String,
    alerted: Option<Timestamp>,
}

/// Risks by model and `dimension=value`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Risks {
    models: BTreeMap<String, BTreeMap<String, Risk>>,
}

/// An entity and how much findings say about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityRisk {
    /// `dimension=value`.
    pub entity: String,
    /// The model at which it was seen.
    pub model: String,
    /// Sum of severities (record 1, ticket 3, page 10), each halved every seven days.
    pub score: f64,
    /// Kinds of finding.
    pub kinds: Vec<String>,
    /// ATLAS techniques of the findings.
    pub atlas: Vec<String>,
    /// How many findings name it.
    pub n_findings: u64,
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

fn decayed(score: f64, span: Span) -> f64 {
    score * (-(span.max(0) as f64 / HALF_LIFE as f64)).exp2()
}

/// Entities that a finding names: in its slice, and as the carriers of most of the effect.
fn entities(finding: &Finding) -> BTreeSet<String> {
    let is_entity = |dimension: &str| DIMENSIONS.contains(&dimension);
    let of_slice = finding.slice.conditions().iter().filter(|(dimension, _)| is_entity(dimension));
    let mut named: BTreeSet<String> = of_slice.map(|(dimension, value)| format!("{dimension}={value}")).collect();
    let carriers = finding.responsible.iter().filter(|carrier| carrier.share >= 0.5);
    named.extend(
        carriers
            .map(|carrier| carrier.name.clone())
            .filter(|name| name.split_once('=').is_some_and(|(dimension, _)| is_entity(dimension))),
    );
    named
}

impl Risks {
    /// Takes a finding; answers one on an entity that has come to cross several kinds.
    pub(crate) fn take(&mut self, finding: &Finding) -> Option<Finding> {
        let weight = match finding.severity {
            Severity::Info => 1.0,
            Severity::Ticket => 3.0,
            Severity::Page => 10.0,
        };
        let mut risen = None;
        for entity in entities(finding) {
            let known = self.models.entry(finding.model.clone()).or_default();
            let fresh = || Risk {
                score: 0.0,
                updated: finding.time,
                first: finding.time,
                kinds: BTreeMap::new(),
                atlas: BTreeSet::new(),
                n_findings: 0,
                last: String::new(),
                alerted: None,
            };
            let risk = known.entry(entity.clone()).or_insert_with(fresh);
            if risk.last == finding.id {
                continue;
            }
            risk.score = decayed(risk.score, finding.time.since(risk.updated)) + weight;
            risk.updated = risk.updated.max(finding.time);
            risk.last.clone_from(&finding.id);
            risk.n_findings += 1;
            risk.kinds.insert(finding.kind, finding.time);
            risk.kinds.retain(|_, last| finding.time.since(*last) <= HALF_LIFE);
            risk.atlas.extend(finding.atlas.iter().cloned());
            let is_due = risk.alerted.is_none_or(|alerted| finding.time.since(alerted) > HALF_LIFE);
            if risk.kinds.len() >= MANY_KINDS && is_due {
                risk.alerted = Some(finding.time);
                risen = risen.or_else(|| Some(told(finding, &entity, risk)));
            }
            drop_least(known, finding.time);
        }
        risen
    }

    /// All entities, the riskiest first.
    pub(crate) fn listed(&self, now: Timestamp) -> Vec<EntityRisk> {
        let of_model = |(model, risks): (&String, &BTreeMap<String, Risk>)| {
            let listed = risks.iter().map(|(entity, risk)| EntityRisk {
                entity: entity.clone(),
                model: model.clone(),
                score: decayed(risk.score, now.since(risk.updated)),
                kinds: risk.kinds.keys().map(|kind| kind.name().to_owned()).collect(),
                atlas: risk.atlas.iter().cloned().collect(),
                n_findings: risk.n_findings,
                first: risk.first,
                last: risk.updated,
            });
            listed.collect::<Vec<_>>()
        };
        let mut listed: Vec<EntityRisk> = self.models.iter().flat_map(of_model).collect();
        listed.sort_by(|left, right| right.score.total_cmp(&left.score).then_with(|| left.entity.cmp(&right.entity)));
        listed
    }
}

fn drop_least(known: &mut BTreeMap<String, Risk>, now: Timestamp) {
    if known.len() <= MOST_KEPT {
        return;
    }
    let score = |risk: &Risk| decayed(risk.score, now.since(risk.updated));
    let least = known.iter().min_by(|left, right| score(left.1).total_cmp(&score(right.1)));
    if let Some(name) = least.map(|(name, _)| name.clone()) {
        known.remove(&name);
    }
}

/// The finding on an entity, of the kind that completed it.
fn told(finding: &Finding, entity: &str, risk: &Risk) -> Finding {
    let kinds: Vec<&str> = risk.kinds.keys().map(|kind| kind.name()).collect();
    let (dimension, value) = entity.split_once('=').unwrap_or(("entity", entity));
    let slice = Slice::of(dimension, value);
    Finding {
        id: Finding::identify(DETECTOR, entity, &finding.model, None, &slice, finding.time),
        detector: DETECTOR.to_owned(),
        measure: "risk".to_owned(),
        version: None,
        slice,
        onset: risk.first,
        onset_interval: (risk.first, finding.time),
        observed: risk.score,
        expected: 0.0,
        unit: "points".to_owned(),
        n_observed: risk.n_findings,
        n_expected: 0,
        effect: kinds.len() as f64,
        effect_name: "kinds".to_owned(),
        p_value: None,
        severity: Severity::Ticket,
        atlas: risk.atlas.iter().cloned().collect(),
        responsible: Vec::new(),
        features: Vec::new(),
        title: format!(
            "{entity} is named by {} findings of {} kinds: {}",
            risk.n_findings,
            kinds.len(),
            kinds.join(", ")
        ),
        p_limit: None,
        held_back: None,
        ..finding.clone()
    }
}
