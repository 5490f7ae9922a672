use proptest::prelude::*;
use wardline_domain::{FindingKind, Timestamp};

use super::*;
use crate::lineage::{Edge, EdgeKind, Lineage, Node, NodeKind, Uses};

fn at(hours: f64) -> Timestamp {
    Timestamp::from_micros(1_793_600_000_000_000 + (hours * Timestamp::HOUR as f64) as i64)
}

fn onset(kind: FindingKind) -> Onset {
    Onset {
        time: at(0.0),
        interval: (at(-0.1), at(0.1)),
        node: "model=fraud".to_owned(),
        kind,
        entities: ["channel=partner-7".to_owned()].into(),
    }
}

fn change(kind: ChangeKind, node: &str, hours: f64) -> Change {
    Change {
        time: at(hours),
        kind,
        node: node.to_owned(),
        entities: Default::default(),
        what: format!("{} of {node} at {hours}", kind.name()),
        sql: "select 1".to_owned(),
    }
}

fn lineage() -> Lineage {
    let mut graph = Lineage::default();
    let node = |kind, name: &str| Node::new(kind, name).unwrap();
    let edge = |kind| Edge::new(kind, Uses::always());
    let (orders, fraud) = (node(NodeKind::Dataset, "orders"), node(NodeKind::Model, "fraud"));
    graph.add_edge(orders, fraud.clone(), edge(EdgeKind::Trained)).unwrap();
    graph.add_edge(fraud, node(NodeKind::Endpoint, "api"), edge(EdgeKind::Serves)).unwrap();
    graph
}

fn first(kind: FindingKind, changes: &[Change]) -> String {
    rank(&onset(kind), changes, &lineage()).suspects[0].change.what.clone()
}

#[test]
fn what_just_changed_on_the_same_node_comes_first() {
    let changes = [
        change(ChangeKind::Deployment, "model=fraud", -0.3),
        change(ChangeKind::Deployment, "model=fraud", -30.0),
        change(ChangeKind::Deployment, "model=other", -0.3),
        change(ChangeKind::Configuration, "endpoint=api", -5.0),
    ];
    let ranking = rank(&onset(FindingKind::Errors), &changes, &lineage());
    assert_eq!(ranking.suspects[0].change, changes[0]);
    assert!(ranking.suspects[0].share > 0.8, "{}", ranking.suspects[0].share);
    assert!(ranking.suspects[0].reason.contains("0.3 h before it began, on the same node"));
}

#[test]
fn the_kind_of_trouble_decides_between_changes_of_one_time() {
    let changes =
        [change(ChangeKind::Infrastructure, "endpoint=api", -1.0), change(ChangeKind::Data, "dataset=orders", -1.0)];
    assert!(first(FindingKind::Latency, &changes).starts_with("infrastructure"));
    assert!(first(FindingKind::DataDrift, &changes).starts_with("data"));
}

#[test]
fn names_in_common_decide_between_changes_of_one_kind() {
    let mut named = change(ChangeKind::Data, "dataset=orders", -8.0);
    named.entities.insert("channel=partner-7".to_owned());
    let changes = [change(ChangeKind::Data, "dataset=orders", -6.0), named.clone()];
    let ranking = rank(&onset(FindingKind::Poisoning), &changes, &lineage());
    assert_eq!(ranking.suspects[0].change, named);
    assert_eq!(ranking.suspects[0].shared, ["channel=partner-7"]);
}

#[test]
fn what_came_afterwards_explains_nothing_and_nothing_may_be_the_answer() {
    let changes = [change(ChangeKind::Deployment, "model=fraud", 2.0), change(ChangeKind::Data, "dataset=far", -150.0)];
    let ranking = rank(&onset(FindingKind::Errors), &changes, &lineage());
    assert_eq!(ranking.suspects.len(), 1);
    assert!(ranking.none > 0.9, "{}", ranking.none);
    assert!((rank(&onset(FindingKind::Errors), &[], &lineage()).none - 1.0).abs() < 1e-12);
}

#[test]
fn names_in_sql_cannot_end_their_literal() {
    assert_eq!(wardline_domain::sql_literal("o'clock'; drop table x; --"), "'o''clock''; drop table x; --'");
}

proptest! {
    #[test]
    fn shares_add_up_and_the_order_of_changes_does_not_matter(
        hours in prop::collection::vec(-200.0f64..5.0, 0..40),
    ) {
        let kinds = [ChangeKind::Deployment, ChangeKind::Data, ChangeKind::Traffic, ChangeKind::Configuration];
        let nodes = ["model=fraud", "dataset=orders", "endpoint=api", "model=other"];
        let changes: Vec<Change> = hours.iter().enumerate()
            .map(|(at, hours)| change(kinds[at % 4], nodes[at / 4 % 4], *hours)).collect();
        let ranking = rank(&onset(FindingKind::Errors), &changes, &lineage());
        let sum: f64 = ranking.none + ranking.suspects.iter().map(|suspect| suspect.share).sum::<f64>();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        let mut reversed = changes;
        reversed.reverse();
        let again = rank(&onset(FindingKind::Errors), &reversed, &lineage());
        let order = |ranking: &Ranking| -> Vec<String> {
            ranking.suspects.iter().map(|suspect| suspect.change.what.clone()).collect()
        };
        prop_assert_eq!(order(&again), order(&ranking));
    }
}
