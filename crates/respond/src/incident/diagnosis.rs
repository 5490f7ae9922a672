//! What an incident keeps of its diagnosis: whole percent, so that no reader rounds a number differently.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use crate::{
    correlation::Origin,
    what_changed::{ChangeKind, Ranking},
};

/// Where an incident probably began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OriginFacts {
    /// The node: `channel=partner-7`.
    pub node: String,
    /// Chance that it began there, in percent.
    pub percent: u8,
    /// When it began there.
    pub onset: Timestamp,
    /// Other nodes where it may have begun, with their chances in percent; at most four.
    pub others: Vec<(String, u8)>,
}

impl OriginFacts {
    /// Most other nodes that are kept.
    const MAX_OTHERS: usize = 4;

    /// What is kept of an origin; nothing where there is no candidate.
    pub fn of(origin: &Origin) -> Option<Self> {
        let (first, others) = origin.candidates.split_first()?;
        let others = others.iter().take(Self::MAX_OTHERS);
        Some(Self {
            node: first.node.clone(),
            percent: percent(first.confidence),
            onset: first.onset,
            others: others.map(|candidate| (candidate.node.clone(), percent(candidate.confidence))).collect(),
        })
    }
}

/// A change that may be the cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankedChange {
    /// When.
    pub time: Timestamp,
    /// What sort.
    pub kind: ChangeKind,
    /// The node that changed.
    pub node: String,
    /// What changed, in a sentence.
    pub what: String,
    /// Its share of the chance, in percent; what is missing to a hundred is "none of these".
    pub percent: u8,
    /// How long before the onset it was; negative where the onset's interval begins before it.
    pub before: Span,
    /// SQL that shows it.
    pub sql: String,
}

impl RankedChange {
    /// Most changes that are kept.
    const MOST: usize = 5;

    /// What is kept of a ranking.
    pub fn of(ranking: &Ranking) -> Vec<Self> {
        let kept = ranking.suspects.iter().take(Self::MOST).filter(|suspect| 0.005 <= suspect.share);
        kept.map(|suspect| Self {
            time: suspect.change.time,
            kind: suspect.change.kind,
            node: suspect.change.node.clone(),
            what: suspect.change.what.clone(),
            percent: percent(suspect.share),
            before: suspect.before,
            sql: suspect.change.sql.clone(),
        })
        .collect()
    }
}

/// An evidence pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenPack {
    /// Its name in the folder of evidence.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Fingerprint of the key that signed it.
    pub fingerprint: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Why it was made.
    pub reason: String,
}

fn percent(share: f64) -> u8 {
    (100.0 * share.clamp(0.0, 1.0)).round() as u8
}
