//! Where the trouble of a group began.
//!
//! **Method.** For each node and moment where it may have begun, the likelihood of everything that was seen, and was
//! not, all together. One trouble spreads; whatever else is in the group began by itself and stayed where it was. For
//! a beginning `o`, each alert `a` has two intensities: that of what spread from `o`,
//!
//! ```text
//! spread(a) = sum over alerts b of  q(b) * p(b, a) * d(onset of a - onset of b)
//! ```
//!
//! and that of its node's own troubles, `rate`; both go on in later alerts of the node. `q = spread / (spread + rate)` is
//! the chance that an alert is of this trouble, and 1 at the beginning. `p` is the chance of the likeliest path whose
//! inner nodes raised no alert, each of which costs its silence; `d` the density of its lag. Every node right behind an
//! alert of the trouble that should have been reached by now, and raised none that belongs to it, costs
//! `1 - reached * (1 - silence)`. A beginning that no alert told of costs its silence, and is summed over its moments.
//! The likelihoods, with what it says that alerts name the node, are shared out over all beginnings.
//!
//! Alerts of other groups near by are seen too: a node that raised an alert elsewhere is not silent.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use super::{
    CorrelationSettings,
    background::Background,
    correlator::hours,
    forest::Live,
    related::{Along, next_to, through_silent, upstream},
    spread::Spread,
};
use crate::lineage::{Lineage, NodeIndex, NodeKind};

/// Most alerts that are weighed: those that began first.
const MAX_ALERTS: usize = 160;
/// Most silent nodes where it may have begun: those that reach the most alerts.
const MAX_SILENT: usize = 48;
/// The most that names in alerts can say for a node.
const MOST_NAMED: f64 = 1e6;
/// No silence is impossible.
const LEAST_CHANCE: f64 = 1e-12;
/// Times that chances are brought into line with each other.
const SWEEPS: usize = 3;
/// Moments at which a silent beginning is tried, for each alert that it reaches first.
const MOMENTS: [f64; 8] = [-2.0, -1.2, -0.7, -0.25, 0.25, 0.7, 1.2, 2.0];
/// Alerts that say when a silent beginning may have been.
const MAX_REFERENCES: usize = 6;

/// A node where it may have begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The node.
    pub node: String,
    /// The alert with which it began there, of this group or of another one; nothing where none told of it.
    pub alert: Option<String>,
    /// When it began there.
    pub onset: Timestamp,
    /// Chance that it began there, among the candidates.
    pub confidence: f64,
    /// How many alerts of the group name the node.
    pub n_named: u32,
}

/// Where the trouble of a group began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The likeliest first; at most ten.
    pub candidates: Vec<Candidate>,
}

impl Origin {
    /// The likeliest node.
    pub fn likeliest(&self) -> Option<&Candidate> {
        self.candidates.first()
    }
}

/// What is known when the question is asked.
pub(super) struct Known<'a> {
    pub(super) lineage: &'a Lineage,
    pub(super) background: &'a Background,
    pub(super) settings: &'a CorrelationSettings,
    pub(super) now: Timestamp,
}

/// How one alert may come of another one.
#[derive(Clone, Copy)]
struct Link {
    from: usize,
    intensity: f64,
}

/// A node that trouble of an alert's node reaches in one step.
#[derive(Clone, Copy)]
struct Step {
    /// Its place among the nodes right behind alerts.
    target: usize,
    /// Chance that it was reached by now.
    reached: f64,
}

/// Everything that was seen, weighed once for all beginnings.
struct Scene<'a> {
    alerts: Vec<&'a Live>,
    n_members: usize,
    known: Known<'a>,
    rates: Vec<f64>,
    /// Links along paths, by the alert that they lead to.
    links: Vec<Vec<Link>>,
    /// Links to later alerts of the same node.
    repeats: Vec<Vec<Link>>,
    /// Nodes right behind each alert's node.
    steps: Vec<Vec<Step>>,
    /// Alerts of each node that is right behind another one; none of a silent node.
    behind: Vec<Vec<usize>>,
    /// Where a node stands in `behind`.
    places: FxHashMap<NodeIndex, usize>,
    loud: BTreeSet<NodeIndex>,
}

/// A beginning: likelihood in logarithms, and what is told of it.
struct Beginning {
    log_likelihood: f64,
    node: String,
    alert: Option<String>,
    onset: Timestamp,
}

fn path_to(paths: &[Along], node: NodeIndex) -> Option<&Along> {
    paths.iter().find(|along| along.node == node)
}

/// Where a group began: `members` are its alerts, `others` those of other groups near by.
pub(super) fn find(members: &[Live], others: &[Live], known: Known<'_>) -> Option<Origin> {
    let scene = Scene::of(members, others, known);
    let mut beginnings = scene.told_beginnings();
    beginnings.extend(scene.silent_beginnings());
    let greatest = beginnings.iter().map(|one| one.log_likelihood).fold(f64::NEG_INFINITY, f64::max);
    let weight = |one: &Beginning| (one.log_likelihood - greatest).exp();
    let sum: f64 = beginnings.iter().map(weight).sum();
    let mut by_node: BTreeMap<&str, (f64, &Beginning)> = BTreeMap::new();
    for one in &beginnings {
        let entry = by_node.entry(&one.node).or_insert((0.0, one));
        entry.0 += weight(one) / sum;
        if entry.1.log_likelihood < one.log_likelihood {
            entry.1 = one;
        }
    }
    let mut candidates: Vec<Candidate> = by_node
        .into_iter()
        .map(|(node, (confidence, best))| Candidate {
            node: node.to_owned(),
            alert: best.alert.clone(),
            onset: best.onset,
            confidence,
            n_named: scene.n_named(node),
        })
        .collect();
    candidates
        .sort_by(|one, other| other.confidence.total_cmp(&one.confidence).then_with(|| one.node.cmp(&other.node)));
    candidates.truncate(10);
    (!candidates.is_empty()).then_some(Origin { candidates })
}

impl<'a> Scene<'a> {
    fn of(members: &'a [Live], others: &'a [Live], known: Known<'a>) -> Self {
        let mut members: Vec<&Live> = members.iter().collect();
        let key = |live: &&Live| (live.onset, live.id.clone());
        members.sort_by_key(key);
        members.truncate(MAX_ALERTS);
        let n_members = members.len();
        let room = MAX_ALERTS - n_members;
        let mut others: Vec<&Live> = others.iter().collect();
        others.sort_by_key(key);
        let alerts: Vec<&Live> = members.into_iter().chain(others.into_iter().take(room)).collect();
        let rates = alerts.iter().map(|live| known.background.rate(live.node, known.now, known.settings.background));
        let loud: BTreeSet<NodeIndex> = alerts.iter().map(|live| live.node).collect();
        let mut scene = Self {
            rates: rates.collect(),
            links: vec![Vec::new(); alerts.len()],
            repeats: vec![Vec::new(); alerts.len()],
            steps: vec![Vec::new(); alerts.len()],
            behind: Vec::new(),
            places: FxHashMap::default(),
            loud,
            alerts,
            n_members,
            known,
        };
        scene.link_paths();
        scene.link_repeats();
        scene.find_steps();
        scene
    }

    /// Links along paths whose inner nodes are silent.
    fn link_paths(&mut self) {
        let mut of_node: BTreeMap<NodeIndex, Vec<usize>> = BTreeMap::new();
        for (at, live) in self.alerts.iter().enumerate() {
            of_node.entry(live.node).or_default().push(at);
        }
        for (node, sources) in &of_node {
            for along in through_silent(self.known.lineage, *node, self.known.settings, &self.loud) {
                for &to in of_node.get(&along.node).into_iter().flatten() {
                    for &from in sources {
                        if let Some(intensity) = self.intensity_of(&along, from, to) {
                            self.links[to].push(Link { from, intensity });
                        }
                    }
                }
            }
        }
    }

    fn blur(&self, from: usize, to: usize) -> Span {
        self.alerts[from].blur.saturating_add(self.alerts[to].blur)
    }

    /// How likely an alert is at its moment, an hour, where trouble came along a path from another alert.
    fn intensity_of(&self, along: &Along, from: usize, to: usize) -> Option<f64> {
        let (earlier, later, blur) = (self.alerts[from], self.alerts[to], self.blur(from, to));
        if later.onset.since(earlier.onset) < -2 * blur {
            return None;
        }
        let heard = 1.0 - self.known.settings.silence;
        let density = |after| along.spread.density(after, hours(blur));
        Some(heard * along.chance * earlier.leads_to(later.onset, self.known.settings.horizon, density)?)
    }

    /// How likely an alert is at its moment, an hour, where trouble set out along a path at another moment.
    fn intensity(&self, along: &Along, set_out: Timestamp, to: usize, blur: Span) -> Option<f64> {
        let after = self.alerts[to].onset.since(set_out);
        if after < -2 * blur || self.known.settings.horizon < after {
            return None;
        }
        let heard = 1.0 - self.known.settings.silence;
        Some(heard * along.chance * along.spread.density(hours(after), hours(blur)))
    }

    /// Of two alerts of one node the later one may go on with the earlier one.
    fn link_repeats(&mut self) {
        for to in 0..self.alerts.len() {
            for from in 0..self.alerts.len() {
                let (earlier, later) = (self.alerts[from], self.alerts[to]);
                if earlier.node == later.node && (earlier.onset, &earlier.id) < (later.onset, &later.id) {
                    let (after, blur) = (hours(later.onset.since(earlier.onset)), hours(self.blur(from, to)));
                    self.repeats[to].push(Link { from, intensity: 0.95 * Spread::default().density(after, blur) });
                }
            }
        }
    }

    /// Nodes right behind alerts, and the chance that they were reached by now.
    fn find_steps(&mut self) {
        for (at, live) in self.alerts.iter().enumerate() {
            let since = hours(self.known.now.since(live.onset));
            for along in next_to(self.known.lineage, live.node, self.known.settings) {
                let target = *self.places.entry(along.node).or_insert_with(|| {
                    let of_node = |(at, live): (usize, &&Live)| (live.node == along.node).then_some(at);
                    self.behind.push(self.alerts.iter().enumerate().filter_map(of_node).collect());
                    self.behind.len() - 1
                });
                self.steps[at].push(Step { target, reached: along.chance * along.spread.below(since) });
            }
        }
    }

    /// Logarithm of the likelihood of everything, for a beginning that puts these intensities and steps in place.
    fn log_likelihood(
        &self,
        origin: Option<usize>,
        first: &[f64],
        steps: &[Step],
        is_before: impl Fn(usize) -> bool,
    ) -> f64 {
        let n = self.alerts.len();
        let mut of_it = vec![0.0; n];
        let mut totals = vec![0.0; n];
        for _ in 0..SWEEPS {
            for at in 0..n {
                if Some(at) == origin {
                    (of_it[at], totals[at]) = (1.0, 1.0);
                    continue;
                }
                let along: f64 = self.links[at].iter().map(|link| of_it[link.from] * link.intensity).sum();
                let again = self.repeats[at].iter().fold((0.0, 0.0), |(ours, theirs), link| {
                    let ours_part = of_it[link.from] * link.intensity;
                    (ours + ours_part, theirs + link.intensity - ours_part)
                });
                let spread = if is_before(at) { 0.0 } else { first.get(at).copied().unwrap_or(0.0) + along + again.0 };
                totals[at] = spread + self.rates[at] + again.1;
                of_it[at] = spread / totals[at];
            }
        }
        let seen: f64 = totals.iter().map(|total: &f64| total.max(f64::MIN_POSITIVE).ln()).sum();
        let mut missed = vec![1.0; self.behind.len()];
        let of_alerts =
            self.steps.iter().zip(&of_it).flat_map(|(steps, of_it)| steps.iter().map(move |step| (step, *of_it)));
        for (step, surety) in of_alerts.chain(steps.iter().map(|step| (step, 1.0))) {
            missed[step.target] *= 1.0 - surety * step.reached;
        }
        let heard = 1.0 - self.known.settings.silence;
        let unseen = missed.iter().zip(&self.behind).map(|(missed, alerts)| {
            let none_of_it: f64 = alerts.iter().map(|at| 1.0 - of_it[*at]).product();
            (1.0 - (1.0 - missed) * heard * none_of_it).max(LEAST_CHANCE).ln()
        });
        seen + unseen.sum::<f64>()
    }

    /// Beginnings that an alert told of.
    fn told_beginnings(&self) -> Vec<Beginning> {
        let heard = 1.0 - self.known.settings.silence;
        (0..self.alerts.len())
            .map(|at| {
                let live = self.alerts[at];
                // What came before on the same node was something else.
                let is_before = |other: usize| {
                    let other = self.alerts[other];
                    other.node == live.node && (other.onset, &other.id) < (live.onset, &live.id)
                };
                Beginning {
                    log_likelihood: heard.ln()
                        + self.log_likelihood(Some(at), &[], &[], is_before)
                        + self.named(&live.about).ln(),
                    node: live.about.clone(),
                    alert: Some(live.id.clone()),
                    onset: live.onset,
                }
            })
            .collect()
    }

    /// Beginnings that no alert told of, each at its likeliest moments.
    fn silent_beginnings(&self) -> Vec<Beginning> {
        let mut reached: BTreeMap<NodeIndex, u32> = BTreeMap::new();
        for node in self.alerts[..self.n_members].iter().map(|live| live.node).collect::<BTreeSet<_>>() {
            if self.known.lineage.node(node).is_some() {
                for along in upstream(self.known.lineage, node, self.known.settings) {
                    *reached.entry(along.node).or_default() += 1;
                }
            }
        }
        // Versions and features are parts: their trouble is that of the whole, unless alerts name them.
        reached.retain(|node, _| {
            let is_part = self
                .known
                .lineage
                .node(*node)
                .is_some_and(|node| matches!(node.kind, NodeKind::Version | NodeKind::Feature));
            !self.loud.contains(node) && !is_part
        });
        let mut nodes: Vec<(NodeIndex, u32)> = reached.into_iter().collect();
        nodes.sort_by_key(|(node, n_reached)| (std::cmp::Reverse(*n_reached), *node));
        nodes.truncate(MAX_SILENT);
        nodes.into_iter().filter_map(|(node, _)| self.silent_beginning(node)).collect()
    }

    fn silent_beginning(&self, node: NodeIndex) -> Option<Beginning> {
        let paths = through_silent(self.known.lineage, node, self.known.settings, &self.loud);
        let next = next_to(self.known.lineage, node, self.known.settings);
        let moments = self.moments(&paths);
        let likelihoods: Vec<f64> = moments
            .iter()
            .map(|moment| {
                let of_alert = |at: usize| {
                    let along = path_to(&paths, self.alerts[at].node)?;
                    self.intensity(along, *moment, at, 2 * self.alerts[at].blur)
                };
                let first: Vec<f64> = (0..self.alerts.len()).map(|at| of_alert(at).unwrap_or(0.0)).collect();
                let (steps, silent) = self.steps_of(&next, *moment);
                silent + self.log_likelihood(None, &first, &steps, |_| false)
            })
            .collect();
        let best = (0..moments.len()).max_by(|one, other| likelihoods[*one].total_cmp(&likelihoods[*other]))?;
        let (greatest, onset) = (likelihoods[best], moments[best]);
        // The sum over moments, by trapezoids.
        let pairs = moments.windows(2).zip(likelihoods.windows(2));
        let area: f64 = pairs
            .map(|(moments, pair)| {
                let height = 0.5 * ((pair[0] - greatest).exp() + (pair[1] - greatest).exp());
                hours(moments[1].since(moments[0])) * height
            })
            .sum();
        let name = self.known.lineage.node(node)?.to_string();
        let silence = self.known.settings.silence.ln();
        let log_likelihood = greatest + area.max(f64::MIN_POSITIVE).ln() + silence + self.named(&name).ln();
        Some(Beginning { log_likelihood, node: name, alert: None, onset })
    }

    /// Moments at which it may have begun on a node, by the lags to the first alerts that it reaches.
    fn moments(&self, paths: &[Along]) -> Vec<Timestamp> {
        let references = (0..self.n_members).filter_map(|at| Some((at, path_to(paths, self.alerts[at].node)?)));
        let mut moments: Vec<Timestamp> = references
            .take(MAX_REFERENCES)
            .flat_map(|(at, along)| {
                let lag = |z: &f64| (along.spread.quantile(*z) * Timestamp::HOUR as f64) as i64;
                MOMENTS.iter().map(move |z| self.alerts[at].onset.plus(-lag(z)))
            })
            .collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// Steps from a silent beginning to nodes that are right behind alerts as well, and the logarithm of what the
    /// silence of all others says.
    fn steps_of(&self, next: &[Along], moment: Timestamp) -> (Vec<Step>, f64) {
        let since = hours(self.known.now.since(moment));
        let heard = 1.0 - self.known.settings.silence;
        let (mut steps, mut silent) = (Vec::new(), 0.0);
        for along in next {
            let reached = along.chance * along.spread.below(since);
            match self.places.get(&along.node) {
                Some(target) => steps.push(Step { target: *target, reached }),
                // An alert right behind it speaks for itself.
                None if self.loud.contains(&along.node) => {}
                None => silent += (1.0 - heard * reached).max(LEAST_CHANCE).ln(),
            }
        }
        (steps, silent)
    }

    /// What it says for a node that members name it.
    fn named(&self, name: &str) -> f64 {
        let evidence = self.known.background.evidence(name, self.known.now);
        evidence.powi(self.n_named(name).min(8) as i32).min(MOST_NAMED)
    }

    /// How many members name a node. A node's own alerts do as a matter of course.
    fn n_named(&self, name: &str) -> u32 {
        let members = &self.alerts[..self.n_members];
        members.iter().filter(|live| live.about != name && live.entities.contains(name)).count() as u32
    }
}
