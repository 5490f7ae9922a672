//! Which changes explain an onset, the likeliest first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{FindingKind, Span, Timestamp};
use wardline_stats::distribution::normal;

use super::{Change, ChangeKind, Onset};
use crate::{
    correlation::{CorrelationSettings, chances_upstream},
    lineage::Lineage,
};

/// How far back a change may lie.
const LOOK_BACK: Span = 7 * Timestamp::DAY;
/// Onsets are never known better than this.
const LEAST_BLUR: Span = 5 * Timestamp::MINUTE;
/// Chance that a change of a node that nothing connects matters all the same: no graph knows everything.
const UNCONNECTED: f64 = 0.03;
/// What one name in common says, at most three of them.
const SHARED_NAME: f64 = 3.0;
/// Weight of "none of these", in troubles of which changes explain most.
const NONE: f64 = 0.25;
/// Most changes that are listed.
const MAX_SUSPECTS: usize = 50;

/// A change that may explain it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The change.
    pub change: Change,
    /// Share of the chance, among all changes and "none of these".
    pub share: f64,
    /// How long before the onset it was; negative where the onset's interval begins before it.
    pub before: Span,
    /// Chance that trouble of its node reaches the node of the onset: 1 where they are the same.
    pub reaches: f64,
    /// What both name.
    pub shared: Vec<String>,
    /// Why it stands where it stands, in a sentence.
    pub reason: String,
}

/// Changes, the likeliest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// At most fifty.
    pub suspects: Vec<Suspect>,
    /// Share of "none of these".
    pub none: f64,
}

/// Ranks changes by how well they explain an onset. The order of the changes does not matter.
pub fn rank(onset: &Onset, changes: &[Change], lineage: &Lineage) -> Ranking {
    let reaches = reach(onset, lineage);
    let mut weighed: Vec<(f64, Suspect)> = changes
        .iter()
        .filter_map(|change| {
            let reaches = reaches.get(change.node.as_str()).copied().unwrap_or(UNCONNECTED);
            weigh(onset, change, reaches)
        })
        .collect();
    let hours = LOOK_BACK as f64 / Timestamp::HOUR as f64;
    let none = NONE / hours;
    let sum: f64 = none + weighed.iter().map(|(weight, _)| weight).sum::<f64>();
    weighed.sort_by(|(one_weight, one), (other_weight, other)| {
        let key = |suspect: &Suspect| (suspect.change.time, suspect.change.node.clone(), suspect.change.what.clone());
        other_weight.total_cmp(one_weight).then_with(|| key(one).cmp(&key(other)))
    });
    let suspects = weighed.into_iter().take(MAX_SUSPECTS);
    Ranking {
        suspects: suspects.map(|(weight, suspect)| Suspect { share: weight / sum, ..suspect }).collect(),
        none: none / sum,
    }
}

/// Chance, by name, that trouble of a node reaches the node of the onset.
fn reach(onset: &Onset, lineage: &Lineage) -> BTreeMap<String, f64> {
    let mut reaches: BTreeMap<String, f64> = BTreeMap::new();
    let node = lineage.nodes().iter().position(|node| node.to_string() == onset.node);
    if let Some(node) = node {
        for (source, chance) in chances_upstream(lineage, node as u32, &CorrelationSettings::default()) {
            reaches.extend(lineage.node(source).map(|node| (node.to_string(), chance)));
        }
        // What serves a model is in trouble with it.
        for (target, _) in lineage.outgoing(node as u32) {
            reaches.extend(lineage.node(target).map(|node| (node.to_string(), 0.5)));
        }
    }
    reaches.insert(onset.node.clone(), 1.0);
    reaches
}

fn weigh(onset: &Onset, change: &Change, reaches: f64) -> Option<(f64, Suspect)> {
    let (from, to) = onset.interval;
    let blur = (to.since(from) / 2).clamp(LEAST_BLUR, Timestamp::DAY);
    let before = onset.time.since(change.time);
    if before < -blur || LOOK_BACK < before {
        return None;
    }
    let hours = |span: Span| span as f64 / Timestamp::HOUR as f64;
    let delay = delay_density(change.kind, hours(before), hours(blur));
    let shared: Vec<String> = change.entities.intersection(&onset.entities).cloned().collect();
    let names = SHARED_NAME.powi(shared.len().min(3) as i32);
    let weight = prior(change.kind, onset.kind) * delay * reaches * names;
    let when = if before < 0 { "as it began".to_owned() } else { format!("{:.1} h before it began", hours(before)) };
    let how = match reaches {
        1.0 => "on the same node".to_owned(),
        UNCONNECTED => "on a node that nothing known connects".to_owned(),
        _ => format!("on a node from which trouble gets here with chance {reaches:.2}"),
    };
    let both = if shared.is_empty() { String::new() } else { format!(", and both name {}", shared.join(", ")) };
    let reason = format!("{}: {when}, {how}{both}", change.kind.name());
    Some((weight, Suspect { change: change.clone(), share: 0.0, before, reaches, shared, reason }))
}

/// Density of the delay in hours. What serves acts at once: exponential, mean two hours, and half an hour for traffic.
/// Data act when they are next read or learned from: lognormal, median six hours, factor 4.5.
fn delay_density(kind: ChangeKind, hours: f64, blur: f64) -> f64 {
    let below = |x: f64| {
        if x <= 0.0 {
            return 0.0;
        }
        match kind {
            ChangeKind::Data => normal::cdf((x / 6.0).ln() / 4.5f64.ln()),
            ChangeKind::Traffic => -(-x / 0.5).exp_m1(),
            ChangeKind::Deployment | ChangeKind::Configuration | ChangeKind::Infrastructure => -(-x / 2.0).exp_m1(),
        }
    };
    ((below(hours + blur) - below(hours - blur)) / (2.0 * blur)).max(1e-6)
}

/// How often such a change is behind such a trouble. A statement, not a fit: rows add up to one.
fn prior(change: ChangeKind, trouble: FindingKind) -> f64 {
    use FindingKind as Kind;
    // Deployment, data, traffic, configuration, infrastructure.
    let row: [f64; 5] = match trouble {
        Kind::Rollback | Kind::Promote => [0.9, 0.03, 0.02, 0.03, 0.02],
        Kind::Traffic => [0.15, 0.05, 0.4, 0.2, 0.2],
        Kind::Errors | Kind::SloBurn => [0.4, 0.1, 0.1, 0.2, 0.2],
        Kind::Latency | Kind::Saturation | Kind::Cost => [0.25, 0.05, 0.3, 0.15, 0.25],
        Kind::DataDrift | Kind::DataQuality => [0.1, 0.6, 0.15, 0.1, 0.05],
        Kind::PredictionDrift | Kind::Performance | Kind::Fairness | Kind::Cascade => [0.4, 0.4, 0.08, 0.1, 0.02],
        Kind::Poisoning | Kind::Adversarial => [0.05, 0.7, 0.2, 0.03, 0.02],
        Kind::Extraction | Kind::Injection => [0.2, 0.1, 0.5, 0.18, 0.02],
        Kind::Integrity => [0.45, 0.3, 0.02, 0.18, 0.05],
    };
    match change {
        ChangeKind::Deployment => row[0],
        ChangeKind::Data => row[1],
        ChangeKind::Traffic => row[2],
        ChangeKind::Configuration => row[3],
        ChangeKind::Infrastructure => row[4],
    }
}
