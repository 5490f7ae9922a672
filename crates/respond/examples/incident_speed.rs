//! How long a blast radius over 100,000 edges takes, and how far 10,000 alerts a minute are from too many.
//!
//! `cargo run --release -p wardline-respond --example incident_speed` (Linux: it reads the processor time of its thread)

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a tool of the repository"
)]

use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use wardline_domain::Timestamp;
use wardline_respond::{
    correlation::{CorrelationSettings, Correlator, Signal},
    lineage::{Edge, EdgeKind, Lag, Lineage, Node, NodeKind, Uses},
};

const START: i64 = 1_793_600_000_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(START + seconds * Timestamp::SECOND)
}

/// Seconds that this thread was on a processor.
fn processor_seconds() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    times.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

fn node(number: u32) -> Node {
    Node::new(NodeKind::Dataset, format!("d-{number}")).expect("a number is a name")
}

/// Edges between random nodes, each used at four moments of ten days.
fn graph(n_nodes: u32, n_edges: usize, random: &mut StdRng) -> Lineage {
    let mut graph = Lineage::default();
    while graph.edges().len() < n_edges {
        let (from, to) = (random.random_range(0..n_nodes), random.random_range(0..n_nodes));
        let mut uses = Uses::default();
        (0..4).for_each(|_| uses.add(&Uses::at(at(random.random_range(0..864_000)))));
        let edge = Edge::new(EdgeKind::Read, uses).with_lag(Lag::about(random.random_range(1..12) * Timestamp::HOUR));
        graph.add_edge(node(from), node(to), edge).expect("below the limits");
    }
    graph
}

fn main() {
    let mut random = StdRng::seed_from_u64(1);
    for n_nodes in [10_000, 50_000] {
        let graph = graph(n_nodes, 100_000, &mut random);
        let mut least = f64::INFINITY;
        let mut n_reached = 0;
        for _ in 0..5 {
            let start = processor_seconds();
            let radius = graph.blast_radius(0, at(0), at(864_000));
            least = least.min(processor_seconds() - start);
            n_reached = radius.map_or(0, |radius| radius.reached.len());
        }
        println!("blast radius: {n_nodes} nodes, 100,000 edges, {n_reached} reached: {:.1} ms", least * 1e3);
    }
    alerts(&mut random);
}

/// Three minutes of 10,000 alerts each, on 5,000 nodes that 10,000 edges connect; a tenth of the alerts name a channel of 50.
fn alerts(random: &mut StdRng) {
    let lineage = Arc::new(graph(5_000, 10_000, random));
    let mut correlator = Correlator::new(CorrelationSettings::default(), lineage).expect("defaults are in range");
    for minute in 0..3i64 {
        let start = processor_seconds();
        for number in 0..10_000i64 {
            let time = at(minute * 60 + number * 60 / 10_000);
            let onset = time.plus(-random.random_range(0..6 * Timestamp::HOUR));
            let mut signal = Signal {
                id: format!("a-{minute}-{number}"),
                time,
                onset,
                onset_interval: (onset.plus(-10 * Timestamp::MINUTE), onset.plus(10 * Timestamp::MINUTE)),
                node: node(random.random_range(0..5_000)).to_string(),
                entities: Default::default(),
            };
            if random.random_bool(0.1) {
                signal.entities.insert(format!("channel=c-{}", random.random_range(0..50)));
            }
            correlator.observe(&signal);
        }
        let seconds = processor_seconds() - start;
        println!("alerts: minute {}: {seconds:.1} s of 60, {} kept", minute + 1, correlator.n_alerts());
    }
}
