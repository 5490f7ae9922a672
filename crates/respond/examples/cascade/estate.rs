//! Estates of models with troubles in them, drawn from stated distributions, and the truth about them.
//!
//! | what | distribution |
//! | --- | --- |
//! | systems in a chain | 3; with chance 0.5 a second chain of 3 stands beside it; the first feeds the last directly with chance 0.3 |
//! | channels of a system | 2 to 4, evenly; models on its dataset 1 + Poisson(0.7) |
//! | other models | 20 to 60, evenly, each with channel, dataset, version; half of them, and the chains, read a shared platform dataset that is never in trouble |
//! | median lag of an edge | log-even: channel to dataset 5 min to 2 h; dataset to model 15 min to 6 h; system to system 3 to 72 h |
//! | lag of one effect | lognormal about the edge's median, sigma 0.5 |
//! | lag in the graph | with chance 0.5, off by a lognormal factor of sigma 0.3; else unknown |
//! | cause | one for each chain: channel (0.4), dataset (0.3) or model (0.3) of any of its systems but the last; on day 5 to 9 of 14 |
//! | crossing of an edge | chance Beta(8, 2) of the run |
//! | missed alert | chance 0.1 to 0.2 of the run, for each affected node |
//! | alerts of an affected node | 1 + Poisson(0.5), onsets within Exp(1 h) |
//! | onset as estimated | off by Normal(0, 10 min), said to be within 20 min |
//! | delay until raised | Exp(1 h) for data, Exp(3 h) for models |
//! | names in an alert | its version; a feature; of a model that the channel in trouble feeds, that channel with chance 0.5 |
//! | noise | episodes a day: lognormal(ln 0.1, 0.8) for each other model, lognormal(ln 0.03, 0.8) for each node of the chains; 1 + Poisson(0.5) alerts each |

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rand_distr::{Beta, Distribution as _, Exp, LogNormal, Normal, Poisson};
use wardline_domain::Timestamp;
use wardline_respond::{
    correlation::{CorrelationSettings, Signal},
    lineage::{Edge, EdgeKind, Lag, Lineage, Node, NodeIndex, NodeKind, Uses},
};

/// An alert with the truth about it.
pub struct Told {
    /// What the correlation sees.
    pub signal: Signal,
    /// The system that it is of: what others call a service.
    pub service: String,
    /// The cause.
    pub cause: usize,
}

/// A trouble that spreads.
pub struct Cascade {
    /// Its number.
    pub cause: usize,
    /// The node where it began.
    pub origin: String,
    /// Whether an alert told of that node.
    pub origin_told: bool,
    /// From the beginning to the last node that it reached, in hours.
    pub lasted: f64,
}

/// One estate over fourteen days.
pub struct Estate {
    /// What the graph knows.
    pub lineage: Lineage,
    /// The same with the true lag of every edge, and the true chances: nobody can know more.
    pub truth: (Lineage, CorrelationSettings),
    /// Alerts by the time at which they were raised.
    pub told: Vec<Told>,
    /// Troubles that spread.
    pub cascades: Vec<Cascade>,
}

const START: i64 = 1_793_600_000_000_000;
const DAYS: f64 = 14.0;

struct Builder {
    random: StdRng,
    lineage: Lineage,
    /// True median lags in hours, by edge.
    lags: BTreeMap<(NodeIndex, NodeIndex), f64>,
    service_of: BTreeMap<NodeIndex, String>,
    told: Vec<Told>,
    next_cause: usize,
    miss: f64,
    cross: f64,
}

/// What one system offers to the next, and where trouble can begin.
struct System {
    channels: Vec<NodeIndex>,
    dataset: NodeIndex,
    models: Vec<NodeIndex>,
    nodes: Vec<NodeIndex>,
}

impl Builder {
    fn node(&mut self, kind: NodeKind, name: String, service: &str) -> NodeIndex {
        let node = Node::new(kind, name).expect("generated names are names");
        let index = self.lineage.add_node(node).expect("estates are small");
        self.service_of.insert(index, service.to_owned());
        index
    }

    /// An edge with a median lag in hours, log-evenly drawn.
    fn flow(&mut self, from: NodeIndex, to: NodeIndex, kind: EdgeKind, hours: (f64, f64)) {
        let median = self.random.random_range(hours.0.ln()..hours.1.ln()).exp();
        let mut edge = Edge::new(kind, Uses::always());
        if self.random.random_bool(0.5) {
            let told = median * self.draw(LogNormal::new(0.0, 0.3).expect("fixed parameters"));
            edge = edge.with_lag(Lag::about((told * Timestamp::HOUR as f64) as i64));
        }
        self.connect(from, to, edge);
        self.lags.insert((from, to), median);
    }

    fn connect(&mut self, from: NodeIndex, to: NodeIndex, edge: Edge) {
        let (from, to) = (self.lineage.nodes()[from as usize].clone(), self.lineage.nodes()[to as usize].clone());
        self.lineage.add_edge(from, to, edge).expect("estates are small");
    }

    fn draw<D: rand_distr::Distribution<f64>>(&mut self, distribution: D) -> f64 {
        distribution.sample(&mut self.random)
    }

    fn poisson(&mut self, mean: f64) -> usize {
        self.draw(Poisson::new(mean).expect("fixed parameters")) as usize
    }

    fn system(&mut self, name: &str, platform: NodeIndex, is_on_platform: bool) -> System {
        let dataset = self.node(NodeKind::Dataset, format!("{name}/table"), name);
        let n_channels = self.random.random_range(2..=4);
        let mut channels = Vec::new();
        for number in 0..n_channels {
            let channel = self.node(NodeKind::Channel, format!("{name}-feed-{number}"), name);
            self.flow(channel, dataset, EdgeKind::Written, (5.0 / 60.0, 2.0));
            channels.push(channel);
        }
        let mut models = Vec::new();
        let mut nodes = channels.clone();
        nodes.push(dataset);
        for number in 0..=self.poisson(0.7) {
            let model = self.node(NodeKind::Model, format!("{name}-model-{number}"), name);
            let version = self.node(NodeKind::Version, format!("{name}-model-{number}@1"), name);
            self.flow(dataset, model, EdgeKind::Trained, (0.25, 6.0));
            self.connect(version, model, Edge::new(EdgeKind::Part, Uses::always()));
            models.push(model);
            nodes.push(model);
            if is_on_platform {
                self.flow(platform, model, EdgeKind::Read, (0.25, 6.0));
                self.lags.remove(&(platform, model));
            }
        }
        System { channels, dataset, models, nodes }
    }

    fn chain(&mut self, name: &str, platform: NodeIndex) -> Vec<System> {
        let systems: Vec<System> = ["first", "second", "third"]
            .iter()
            .map(|place| self.system(&format!("{name}-{place}"), platform, true))
            .collect();
        let mut feed = |from: &System, to: &System| {
            for &model in &from.models {
                self.flow(model, to.dataset, EdgeKind::Written, (3.0, 72.0));
            }
        };
        feed(&systems[0], &systems[1]);
        feed(&systems[1], &systems[2]);
        if self.random.random_bool(0.3) {
            for &model in &systems[0].models {
                self.flow(model, systems[2].dataset, EdgeKind::Written, (3.0, 72.0));
            }
        }
        systems
    }

    /// Lets trouble begin in a chain, and spread.
    fn trouble(&mut self, systems: &[System]) -> Cascade {
        let system = &systems[self.random.random_range(0..systems.len() - 1)];
        let which: f64 = self.random.random();
        let one_of = |nodes: &[NodeIndex], random: &mut StdRng| nodes[random.random_range(0..nodes.len())];
        let origin = match which {
            ..0.4 => one_of(&system.channels, &mut self.random),
            0.4..0.7 => system.dataset,
            _ => one_of(&system.models, &mut self.random),
        };
        let begins = self.random.random_range(5.0 * 24.0..9.0 * 24.0);
        let cause = self.cause();
        let effect = LogNormal::new(0.0, 0.5).expect("fixed parameters");
        // When trouble reaches each node: edges are crossed or not, once for all.
        let mut reached = BTreeMap::from([(origin, begins)]);
        let mut queue = vec![origin];
        let edges: Vec<((NodeIndex, NodeIndex), f64)> = self.lags.iter().map(|(edge, lag)| (*edge, *lag)).collect();
        let crossed: Vec<Option<f64>> = edges
            .iter()
            .map(|(_, lag)| {
                self.random.random_bool(self.cross).then_some(*lag).map(|lag| lag * effect.sample(&mut self.random))
            })
            .collect();
        while let Some(node) = queue.pop() {
            let from = reached[&node];
            for (((source, target), _), lag) in edges.iter().zip(&crossed) {
                let Some(at) = lag.filter(|_| *source == node).map(|lag| from + lag) else { continue };
                if reached.get(target).is_none_or(|known| at < *known) {
                    reached.insert(*target, at);
                    queue.push(*target);
                }
            }
        }
        let is_channel = self.lineage.nodes()[origin as usize].kind == NodeKind::Channel;
        let named = is_channel.then(|| self.lineage.nodes()[origin as usize].to_string());
        let mut origin_told = false;
        let lasted = reached.values().fold(begins, |last: f64, at| last.max(*at)) - begins;
        for (node, at) in reached {
            if self.random.random_bool(self.miss) || DAYS * 24.0 < at {
                continue;
            }
            origin_told |= node == origin;
            let feeds_it = system.models.contains(&node);
            let names = named.clone().filter(|_| feeds_it && self.random.random_bool(0.5));
            self.episode(node, at, cause, names);
        }
        Cascade { cause, origin: self.lineage.nodes()[origin as usize].to_string(), origin_told, lasted }
    }

    fn cause(&mut self) -> usize {
        self.next_cause += 1;
        self.next_cause
    }

    /// Alerts of one cause on one node.
    fn episode(&mut self, node: NodeIndex, hours: f64, cause: usize, names: Option<String>) {
        let about = self.lineage.nodes()[node as usize].clone();
        let is_model = about.kind == NodeKind::Model;
        let delay = Exp::new(if is_model { 1.0 / 3.0 } else { 1.0 }).expect("fixed parameters");
        let mut began = hours;
        for number in 0..=self.poisson(0.5) {
            if 0 < number {
                began += self.draw(Exp::new(1.0).expect("fixed parameters"));
            }
            let error = self.draw(Normal::new(0.0, 1.0 / 6.0).expect("fixed parameters"));
            let moment = |hours: f64| Timestamp::from_micros(START + (hours * Timestamp::HOUR as f64) as i64);
            let raised = moment(began + self.draw(delay));
            let onset = moment(began + error).min(raised);
            let mut entities = Vec::new();
            if is_model {
                entities.push(format!("version={}@1", about.name));
                entities.push(format!("feature={}-{}", about.name, self.random.random_range(0..6)));
            }
            entities.extend(names.clone());
            let signal = Signal {
                id: format!("a-{}", self.told.len()),
                time: raised,
                onset,
                onset_interval: (onset.plus(-20 * Timestamp::MINUTE), onset.plus(20 * Timestamp::MINUTE)),
                node: about.to_string(),
                entities: entities.into_iter().collect(),
            };
            self.told.push(Told { signal, service: self.service_of[&node].clone(), cause });
        }
    }

    /// What was drawn: lags of edges with the spread of single effects, chances of crossing and of silence.
    fn truth(&self) -> (Lineage, CorrelationSettings) {
        let mut lineage = self.lineage.clone();
        for ((from, to), hours) in &self.lags {
            let nodes = (self.lineage.nodes()[*from as usize].clone(), self.lineage.nodes()[*to as usize].clone());
            let lag = Lag { median: (hours * Timestamp::HOUR as f64) as i64, factor: 0.5f64.exp() };
            let edge = Edge::new(EdgeKind::Written, Uses::always()).with_lag(lag);
            let known = self.lineage.outgoing(*from).find(|(target, _)| target == to).map(|(_, edge)| edge.kind);
            let edge = Edge { kind: known.unwrap_or(EdgeKind::Written), ..edge };
            lineage.add_edge(nodes.0, nodes.1, edge).expect("estates are small");
        }
        let crossing = self.cross.clamp(0.01, 0.99);
        (lineage, CorrelationSettings { crossing, silence: self.miss, ..CorrelationSettings::default() })
    }

    fn noise(&mut self, node: NodeIndex, median_a_day: f64) {
        let rate = self.draw(LogNormal::new(median_a_day.ln(), 0.8).expect("fixed parameters"));
        for _ in 0..self.poisson(rate * DAYS) {
            let at = self.random.random_range(0.0..DAYS * 24.0);
            let cause = self.cause();
            self.episode(node, at, cause, None);
        }
    }
}

/// Draws an estate.
pub fn estate(seed: u64) -> Estate {
    let mut random = StdRng::seed_from_u64(seed);
    let miss = random.random_range(0.1..0.2);
    let cross = Beta::new(8.0, 2.0).expect("fixed parameters").sample(&mut random);
    let mut builder = Builder {
        random,
        lineage: Lineage::default(),
        lags: BTreeMap::new(),
        service_of: BTreeMap::new(),
        told: Vec::new(),
        next_cause: 0,
        miss,
        cross,
    };
    let platform = builder.node(NodeKind::Dataset, "platform/shared".to_owned(), "platform");
    let n_chains = if builder.random.random_bool(0.5) { 2 } else { 1 };
    let chains: Vec<Vec<System>> =
        (0..n_chains).map(|number| builder.chain(&format!("chain-{number}"), platform)).collect();
    let cascades = chains.iter().map(|systems| builder.trouble(systems)).collect();
    for system in chains.iter().flatten() {
        system.nodes.iter().for_each(|node| builder.noise(*node, 0.03));
    }
    for number in 0..builder.random.random_range(20..=60) {
        let is_on_platform = builder.random.random_bool(0.5);
        let other = builder.system(&format!("other-{number}"), platform, is_on_platform);
        builder.noise(other.models[0], 0.1);
    }
    let truth = builder.truth();
    let mut told = builder.told;
    told.sort_by(|one, other| (one.signal.time, &one.signal.id).cmp(&(other.signal.time, &other.signal.id)));
    Estate { lineage: builder.lineage, truth, told, cascades }
}
