use std::sync::Arc;

use proptest::prelude::*;
use wardline_domain::Timestamp;

use super::*;
use crate::lineage::{Edge, EdgeKind, Lag, Lineage, Node, NodeKind, Uses};

const START: i64 = 1_793_600_000_000_000;

fn at(hours: f64) -> Timestamp {
    Timestamp::from_micros(START + (hours * Timestamp::HOUR as f64) as i64)
}

fn signal(id: &str, node: &str, hours: f64) -> Signal {
    let onset = at(hours);
    Signal {
        id: id.to_owned(),
        time: onset.plus(Timestamp::HOUR),
        onset,
        onset_interval: (onset.plus(-20 * Timestamp::MINUTE), onset.plus(20 * Timestamp::MINUTE)),
        node: node.to_owned(),
        entities: Default::default(),
    }
}

fn naming(mut signal: Signal, name: &str) -> Signal {
    signal.entities.insert(name.to_owned());
    signal
}

/// A feed, two models that read it after two hours, and one that reads the first model's table after a day; beside them
/// a model that nothing connects.
fn lineage() -> Arc<Lineage> {
    let mut graph = Lineage::default();
    let channel = Node::new(NodeKind::Channel, "feed").unwrap();
    let model = |name: &str| Node::new(NodeKind::Model, name).unwrap();
    let after = |hours: i64| Edge::new(EdgeKind::Read, Uses::always()).with_lag(Lag::about(hours * Timestamp::HOUR));
    graph.add_edge(channel.clone(), model("a"), after(2)).unwrap();
    graph.add_edge(channel, model("b"), after(2)).unwrap();
    graph.add_edge(model("a"), model("c"), after(24)).unwrap();
    graph.add_node(model("far")).unwrap();
    Arc::new(graph)
}

fn correlator() -> Correlator {
    Correlator::new(CorrelationSettings::default(), lineage()).unwrap()
}

fn observe(correlator: &mut Correlator, signals: &[Signal]) -> Vec<GroupChange> {
    signals.iter().flat_map(|signal| correlator.observe(signal)).collect()
}

#[test]
fn alerts_along_a_path_are_one_group_and_its_origin_is_upstream() {
    let mut correlator = correlator();
    let changes = observe(
        &mut correlator,
        &[signal("1", "channel=feed", 0.0), signal("2", "model=a", 2.0), signal("3", "model=c", 27.0)],
    );
    assert_eq!(correlator.members("1"), ["1", "2", "3"]);
    let GroupChange::Joined { with, confidence, reason, .. } = &changes[2] else { panic!("{changes:?}") };
    assert_eq!(with, "2");
    assert!(*confidence > 0.7, "{confidence}");
    assert_eq!(reason, "model=c lies behind model=a, and it began 25 h after 2");
    let origin = correlator.origin("1").unwrap();
    let likeliest = origin.likeliest().unwrap();
    assert_eq!((likeliest.node.as_str(), likeliest.alert.as_deref()), ("channel=feed", Some("1")));
    assert!(likeliest.confidence > 0.8, "{likeliest:?}");
}

#[test]
fn time_alone_joins_nothing() {
    let mut correlator = correlator();
    let changes = observe(&mut correlator, &[signal("1", "model=a", 0.0), signal("2", "model=far", 0.01)]);
    assert!(changes.iter().all(|change| matches!(change, GroupChange::Opened { .. })), "{changes:?}");
}

#[test]
fn an_effect_far_too_early_or_too_late_is_another_matter() {
    for hours in [-8.0, 0.0, 160.0] {
        let mut correlator = correlator();
        let mut signals = [signal("1", "model=a", 10.0), signal("2", "model=c", 10.0 + hours)];
        signals.sort_by_key(|signal| signal.time);
        observe(&mut correlator, &signals);
        assert_eq!(correlator.members("1"), ["1"], "{hours}");
    }
}

#[test]
fn a_cause_that_is_seen_last_becomes_the_origin_of_the_group_that_is_there() {
    let mut correlator = correlator();
    let mut late = signal("3", "channel=feed", 0.0);
    late.time = at(9.0);
    let changes = observe(&mut correlator, &[signal("1", "model=a", 2.0), signal("2", "model=c", 27.0), late]);
    assert!(matches!(&changes[2], GroupChange::Joined { group, .. } if group == "1"), "{changes:?}");
    assert_eq!(correlator.origin("1").unwrap().likeliest().unwrap().node, "channel=feed");
}

#[test]
fn two_groups_that_follow_from_one_alert_are_merged_into_the_older_one() {
    let mut correlator = correlator();
    // Thirty hours apart: too far to be seen together without what lies above them.
    let graph = {
        let mut graph = Lineage::default();
        let model = |name: &str| Node::new(NodeKind::Model, name).unwrap();
        let after = |hours| Edge::new(EdgeKind::Read, Uses::always()).with_lag(Lag::about(hours * Timestamp::HOUR));
        graph.add_edge(model("top"), model("a"), after(2)).unwrap();
        graph.add_edge(model("top"), model("b"), after(2)).unwrap();
        Arc::new(graph)
    };
    correlator.set_lineage(graph);
    let mut top = signal("3", "model=top", 0.0);
    top.time = at(12.0);
    let changes = observe(&mut correlator, &[signal("1", "model=a", 1.0), signal("2", "model=b", 6.0), top]);
    let merged = changes.iter().filter(|change| matches!(change, GroupChange::Merged { .. })).count();
    let opened = changes.iter().filter(|change| matches!(change, GroupChange::Opened { .. })).count();
    assert_eq!(opened, merged + 1, "{changes:?}");
    assert_eq!(correlator.members("1"), ["1", "2", "3"]);
}

#[test]
fn a_node_that_raised_no_alert_is_named_where_alerts_name_it() {
    let mut correlator = correlator();
    // How rare a name is shows only beside others.
    let other = |number: u32| signal(&format!("n-{number}"), &format!("model=n-{number}"), 0.0);
    observe(&mut correlator, &(0..50).map(other).collect::<Vec<_>>());
    observe(
        &mut correlator,
        &[naming(signal("1", "model=a", 2.0), "channel=feed"), naming(signal("2", "model=b", 2.3), "channel=feed")],
    );
    assert_eq!(correlator.members("1"), ["1", "2"]);
    let origin = correlator.origin("1").unwrap();
    let likeliest = origin.likeliest().unwrap();
    assert_eq!((likeliest.node.as_str(), &likeliest.alert, likeliest.n_named), ("channel=feed", &None, 2));
    assert!(at(-2.0) <= likeliest.onset && likeliest.onset < at(2.0), "{}", likeliest.onset);
}

#[test]
fn rare_names_join_what_no_path_connects_and_common_ones_do_not() {
    let mut correlator = correlator();
    let common = |number: u32| {
        let name = format!("n-{number}");
        naming(signal(&name, &format!("model={name}"), f64::from(number) / 4.0), "country=de")
    };
    let changes = observe(&mut correlator, &(0..100).map(common).collect::<Vec<_>>());
    assert!(changes.iter().all(|change| matches!(change, GroupChange::Opened { .. })), "{changes:?}");
    observe(
        &mut correlator,
        &[naming(signal("1", "model=x", 26.0), "api_key=k-1"), naming(signal("2", "model=y", 27.0), "api_key=k-1")],
    );
    assert_eq!(correlator.members("1"), ["1", "2"]);
}

#[test]
fn a_closed_group_takes_nothing_and_an_alert_counts_once() {
    let mut correlator = correlator();
    let first = signal("1", "channel=feed", 0.0);
    observe(&mut correlator, std::slice::from_ref(&first));
    assert_eq!(correlator.observe(&first), []);
    correlator.close("1");
    let changes = correlator.observe(&signal("2", "model=a", 2.0));
    assert!(matches!(&changes[0], GroupChange::Opened { .. }), "{changes:?}");
    assert_eq!(correlator.group_of("1"), None);
}

#[test]
fn settings_out_of_range_are_all_named() {
    let settings = CorrelationSettings { crossing: 1.5, silence: f64::NAN, ..CorrelationSettings::default() };
    let errors = Correlator::new(settings, Arc::default()).map(drop).unwrap_err();
    assert_eq!(errors.len(), 2);
    assert!(errors[0].to_string().starts_with("`correlation.crossing` is 1.5, and must lie between"));
}

#[test]
fn a_day_of_alerts_from_nodes_without_end_stays_bounded() {
    let mut correlator = correlator();
    for number in 0..3_000 {
        correlator.observe(&signal(&format!("{number}"), &format!("model=n-{number}"), f64::from(number)));
    }
    assert!(correlator.n_alerts() <= 7 * 24 + 2, "{}", correlator.n_alerts());
}

fn signals() -> impl Strategy<Value = Vec<Signal>> {
    let nodes = ["channel=feed", "model=a", "model=b", "model=c", "model=far", "model=unknown"];
    prop::collection::vec((0usize..6, 0.0f64..120.0, 0.0f64..10.0, 0u32..4), 1..40).prop_map(move |alerts| {
        let mut signals: Vec<Signal> = alerts
            .into_iter()
            .enumerate()
            .map(|(number, (node, hours, delay, name))| {
                let mut signal = signal(&format!("s-{number}"), nodes[node], hours);
                signal.time = at(hours + delay);
                naming(signal, &format!("name={name}"))
            })
            .collect();
        signals.sort_by_key(|signal| signal.time);
        signals
    })
}

proptest! {
    #[test]
    fn every_alert_is_in_one_group_and_changes_tell_all_of_it(signals in signals()) {
        let mut correlator = correlator();
        let mut told: std::collections::BTreeMap<String, String> = Default::default();
        for signal in &signals {
            for change in correlator.observe(signal) {
                match change {
                    GroupChange::Opened { group, alert } | GroupChange::Joined { group, alert, .. } => {
                        told.insert(alert, group);
                    }
                    GroupChange::Merged { from, into, confidence, .. } => {
                        prop_assert!(0.5 <= confidence && confidence <= 1.0);
                        prop_assert_ne!(&from, &into);
                        told.values_mut().filter(|group| **group == from).for_each(|group| group.clone_from(&into));
                    }
                    GroupChange::Moved { from, into, alerts, .. } => {
                        for alert in alerts {
                            prop_assert_eq!(told.insert(alert, into.clone()), Some(from.clone()));
                        }
                    }
                }
            }
            for (alert, group) in &told {
                prop_assert_eq!(correlator.group_of(alert), Some(group.as_str()));
            }
        }
        for group in told.values() {
            let origin = correlator.origin(group).unwrap();
            let sum: f64 = origin.candidates.iter().map(|candidate| candidate.confidence).sum();
            prop_assert!(0.0 < sum && sum <= 1.0 + 1e-9);
        }
    }

    #[test]
    fn a_saved_state_goes_on_as_if_nothing_had_happened(signals in signals(), cut in 0.0f64..1.0) {
        let (mut one, mut other) = (correlator(), correlator());
        let cut = (cut * signals.len() as f64) as usize;
        let whole = observe(&mut one, &signals);
        let mut parts = observe(&mut other, &signals[..cut]);
        let saved = postcard::to_stdvec(&other).unwrap();
        let mut restored: Correlator = postcard::from_bytes(&saved).unwrap();
        parts.extend(observe(&mut restored, &signals[cut..]));
        prop_assert_eq!(parts, whole);
    }
}
