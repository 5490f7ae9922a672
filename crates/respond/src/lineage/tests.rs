use proptest::prelude::*;
use wardline_domain::Timestamp;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_793_600_000_000_000 + seconds * Timestamp::SECOND)
}

fn dataset(number: u32) -> Node {
    Node::new(NodeKind::Dataset, format!("d-{number}")).unwrap()
}

fn graph(edges: &[(u32, u32, Vec<i64>)]) -> Lineage {
    let mut graph = Lineage::default();
    for (from, to, uses) in edges {
        let mut used = Uses::default();
        uses.iter().for_each(|seconds| used.add(&Uses::at(at(*seconds))));
        graph.add_edge(dataset(*from), dataset(*to), Edge::new(EdgeKind::Read, used)).unwrap();
    }
    graph
}

#[test]
fn contamination_goes_on_only_where_an_edge_was_used_afterwards() {
    // 0 to 1 was used before and after; 1 to 2 only before; 1 to 3 long after.
    let graph = graph(&[(0, 1, vec![5, 20]), (1, 2, vec![15]), (1, 3, vec![90])]);
    let origin = graph.find(&dataset(0)).unwrap();
    let radius = graph.blast_radius(origin, at(10), at(100)).unwrap();
    let reached: Vec<_> = radius.reached.iter().map(|reached| (reached.node.name.as_str(), reached.since)).collect();
    assert_eq!(reached, [("d-0", at(10)), ("d-1", at(20)), ("d-3", at(90))]);
    assert_eq!(radius.unused, [dataset(2)]);
    let sooner = graph.blast_radius(origin, at(10), at(50)).unwrap();
    assert_eq!(sooner.reached.len(), 2, "what happens after the moment of asking is not known yet");
}

#[test]
fn people_decisions_and_cost_are_those_that_operators_stated() {
    let mut graph = graph(&[(0, 1, vec![20])]);
    let origin = graph.find(&dataset(0)).unwrap();
    let target = graph.find(&dataset(1)).unwrap();
    let facts = NodeFacts {
        people: Some(900),
        decisions_per_day: Some(8_640.0),
        cost_per_decision_hundredths: Some(250),
        digest: None,
    };
    graph.set_facts(target, facts);
    let radius = graph.blast_radius(origin, at(0), at(120)).unwrap();
    assert_eq!((radius.people, radius.decisions, radius.cost_hundredths), (Some(900), Some(10.0), Some(2_500.0)));
}

#[test]
fn shares_of_edges_become_a_chance() {
    let mut graph = Lineage::default();
    for (from, to, weight) in [(0, 1, 0.5), (0, 2, 0.5), (1, 3, 0.5), (2, 3, 1.0)] {
        let edge = Edge { weight: Some(weight), ..Edge::new(EdgeKind::Read, Uses::always()) };
        graph.add_edge(dataset(from), dataset(to), edge).unwrap();
    }
    let radius = graph.blast_radius(0, at(0), at(10)).unwrap();
    let last = radius.reached.iter().find(|reached| reached.node == dataset(3)).unwrap();
    assert!((last.chance - (1.0 - 0.75 * 0.5)).abs() < 1e-12, "{}", last.chance);
}

#[test]
fn a_name_that_would_break_a_line_is_refused() {
    for name in ["", "a\nb", &"x".repeat(401)] {
        assert!(Node::new(NodeKind::Model, name).is_err());
    }
    assert!(Node::new(NodeKind::Model, "").unwrap_err().to_string().contains("1 to 400 bytes"));
}

#[test]
fn a_graph_reads_back_from_its_written_form() {
    let graph = graph(&[(0, 1, vec![1, 2]), (1, 2, vec![3]), (2, 0, vec![4])]);
    let text = serde_json::to_string(&graph).unwrap();
    assert_eq!(serde_json::from_str::<Lineage>(&text).unwrap(), graph);
    let broken = r#"{"nodes":[],"edges":[[0,7,{"kind":"read","lag":null,"uses":[],"weight":null}]]}"#;
    assert!(serde_json::from_str::<Lineage>(broken).unwrap().edges().is_empty());
}

/// The definition, applied until nothing changes.
fn naive(graph: &Lineage, origin: NodeIndex, since: Timestamp, until: Timestamp) -> Vec<Option<Timestamp>> {
    let mut times = vec![None; graph.nodes().len()];
    times[origin as usize] = Some(since);
    loop {
        let before = times.clone();
        for (from, to, edge) in graph.edges() {
            let Some(time) = times[*from as usize] else { continue };
            let used = edge.uses.stretches().iter().filter(|(_, end)| time <= *end).map(|(start, _)| time.max(*start));
            let used = used.min().filter(|used| *used <= until);
            let place = &mut times[*to as usize];
            *place = match (*place, used) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        if before == times {
            return times;
        }
    }
}

proptest! {
    #[test]
    fn reach_is_that_of_the_definition(
        edges in prop::collection::vec((0u32..12, 0u32..12, prop::collection::vec(0i64..50, 1..4)), 1..60),
        since in 0i64..50,
        length in 0i64..50,
    ) {
        let graph = graph(&edges);
        prop_assume!(!graph.nodes().is_empty());
        let (since, until) = (at(since), at(since + length));
        let radius = graph.blast_radius(0, since, until).unwrap();
        let mut found = vec![None; graph.nodes().len()];
        for reached in &radius.reached {
            found[reached.index as usize] = Some(reached.since);
            if let Some(via) = reached.via {
                let before = radius.reached.iter().find(|other| other.index == via).unwrap();
                prop_assert_eq!(before.n_edges + 1, reached.n_edges);
                prop_assert!(before.since <= reached.since);
            }
            prop_assert!(0.0 <= reached.chance && reached.chance <= 1.0);
        }
        prop_assert_eq!(found, naive(&graph, 0, since, until));
    }

    #[test]
    fn uses_are_a_set_of_moments_in_any_order(times in prop::collection::vec((0i64..60, 0i64..10), 1..30)) {
        let mut uses = Uses::default();
        times.iter().for_each(|(from, length)| uses.add(&Uses::between(at(*from), at(from + length))));
        for pair in uses.stretches().windows(2) {
            prop_assert!(pair[0].1 < pair[1].0);
        }
        for seconds in 0..80 {
            let expected = times.iter().filter(|(from, length)| seconds <= from + length)
                .map(|(from, _)| at(seconds.max(*from))).min();
            prop_assert_eq!(uses.first_from(at(seconds)), expected);
        }
    }

    #[test]
    fn uses_beyond_the_bound_are_never_lost(n in 1_025usize..1_200) {
        let mut uses = Uses::default();
        (0..n as i64).for_each(|number| uses.add(&Uses::at(at(number * number))));
        prop_assert_eq!(uses.stretches().len(), Uses::MAX_STRETCHES);
        for number in 0..n as i64 {
            prop_assert_eq!(uses.first_from(at(number * number)), Some(at(number * number)));
        }
    }
}

mod mentions {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
    use wardline_domain::{Alert, EventBatch, RecordKind};

    use super::*;
    use crate::lineage::Mentions;

    fn alert(hour: i64, item: &str) -> Alert {
        let time = Timestamp::from_micros(hour * Timestamp::HOUR);
        serde_json::from_value(serde_json::json!({
            "id": "a-1", "time": time, "updated": time, "status": "open", "kind": "poisoning", "severity": "page", "model": "reco",
            "version": null, "slice": [], "onset": time, "title": "", "atlas": [], "features": [], "n_findings": 1, "findings": [],
            "responsible": [{"name": format!("item={item}"), "share": 1.0, "interval": null}],
        }))
        .unwrap()
    }

    fn logs(hours: &[i64], service: &str, item: &str) -> EventBatch {
        let times = hours.iter().map(|hour| hour * Timestamp::HOUR).collect::<Vec<_>>();
        let attributes = format!("{{\"item\": \"{item}\", \"n\": 3}}");
        let columns: [(&str, ArrayRef); 3] = [
            ("time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
            ("service", Arc::new(StringArray::from(vec![service; hours.len()]))),
            ("attributes", Arc::new(StringArray::from(vec![attributes; hours.len()]))),
        ];
        EventBatch { kind: RecordKind::Log, model: None, records: RecordBatch::try_from_iter(columns).unwrap() }
    }

    #[test]
    fn a_service_that_begins_to_speak_of_an_item_reads_from_the_model() {
        let mut mentions = Mentions::default();
        assert!(mentions.observe(&logs(&[0, 1], "stock", "m1")).unwrap().is_empty());
        assert!(mentions.observe_alert(&alert(50, "m2")).is_empty());
        assert!(mentions.observe_alert(&alert(50, "m1")).is_empty(), "it spoke of it before");
        let flows = mentions.observe(&logs(&[60, 61], "stock", "m2")).unwrap();
        assert_eq!(flows.len(), 1);
        assert_eq!((flows[0].0.to_string(), flows[0].1.to_string()), ("model=reco".into(), "endpoint=stock".into()));
        assert!(mentions.observe(&logs(&[62], "new", "m2")).unwrap().is_empty(), "nobody knows what it said before");
    }

    #[test]
    fn what_was_said_before_the_alert_counts_from_its_onset_on() {
        let mut mentions = Mentions::default();
        mentions.observe(&logs(&[0], "stock", "m1")).unwrap();
        mentions.observe(&logs(&[40], "stock", "m2")).unwrap();
        mentions.observe(&logs(&[60], "stock", "m3")).unwrap();
        assert!(mentions.observe_alert(&alert(50, "m2")).is_empty());
        assert_eq!(mentions.observe_alert(&alert(50, "m3")).len(), 1);
    }
}
