//! Alerts in, incidents out: what opens, what waits, what follows, and what a restart must not change.

use std::collections::BTreeMap;

use wardline_domain::{Alert, AlertStatus, Carrier, FindingKind, Severity, Slice, Timestamp};

use super::*;
use crate::lineage::{Edge, EdgeKind, Lineage, Node, NodeKind, Uses};

const START: i64 = 1_793_600_000_000_000;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(START).plus(hours * Timestamp::HOUR)
}

fn alert(id: &str, model: &str, hours: i64, severity: Severity) -> Alert {
    Alert {
        id: id.to_owned(),
        time: at(hours),
        updated: at(hours),
        status: AlertStatus::Open,
        kind: FindingKind::PredictionDrift,
        severity,
        model: model.to_owned(),
        version: None,
        slice: Slice::whole(),
        onset: at(hours - 1),
        title: format!("{model} moved"),
        atlas: Vec::new(),
        responsible: vec![Carrier { name: "channel=partner-7".to_owned(), share: 0.9, interval: None }],
        features: Vec::new(),
        n_findings: 1,
        findings: Vec::new(),
    }
}

/// A recommender whose answers a promotion engine and a stock system use.
fn triage() -> Triage {
    let mut triage = Triage::default();
    let mut graph = Lineage::default();
    let node = |kind, name: &str| Node::new(kind, name).unwrap();
    let model = || node(NodeKind::Model, "reco");
    for (from, to) in [
        (node(NodeKind::Channel, "partner-7"), model()),
        (model(), node(NodeKind::Model, "promotion")),
        (node(NodeKind::Model, "promotion"), node(NodeKind::Model, "stock")),
    ] {
        graph.add_edge(from, to, Edge::new(EdgeKind::Read, Uses::always())).unwrap();
    }
    triage.absorb(graph).unwrap();
    triage
}

fn ana() -> Actor {
    Actor::Person("ana".to_owned())
}

fn resolve(triage: &mut Triage, id: &str, hours: i64) {
    let what = "nothing found".to_owned();
    triage.execute(id, Command::Acknowledge, &ana(), at(hours)).unwrap();
    let resolve = Command::Resolve { resolution: Resolution::FalseAlarm, what };
    triage.execute(id, resolve, &ana(), at(hours)).unwrap();
}

#[test]
fn what_tells_nobody_opens_nothing_and_comes_along_later() {
    let mut triage = triage();
    triage.take(&alert("a-1", "reco", 0, Severity::Info)).unwrap();
    assert_eq!(triage.incidents().iter().count(), 0, "nobody is told of it");
    triage.take(&alert("a-2", "promotion", 5, Severity::Ticket)).unwrap();
    triage.take(&alert("a-3", "stock", 11, Severity::Info)).unwrap();
    triage.take(&alert("a-9", "unrelated", 11, Severity::Info)).unwrap();
    let incidents: Vec<&Incident> = triage.incidents().iter().collect();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].alerts.keys().collect::<Vec<_>>(), ["a-1", "a-2", "a-3"]);
    assert_eq!(incidents[0].title, "promotion moved");
    let origin = incidents[0].origin.as_ref().unwrap();
    assert!(["model=reco", "channel=partner-7"].contains(&origin.node.as_str()), "{origin:?}");
}

#[test]
fn an_alert_that_becomes_worse_opens_its_incident_then() {
    let mut triage = triage();
    triage.take(&alert("a-1", "reco", 0, Severity::Info)).unwrap();
    triage.take(&alert("a-1", "reco", 1, Severity::Page)).unwrap();
    let incident = triage.incidents().iter().next().unwrap();
    assert_eq!((incident.alerts.len(), incident.severity()), (1, IncidentSeverity::High));
    // Nothing new, nothing written.
    let taken = triage.take(&alert("a-1", "reco", 1, Severity::Page)).unwrap();
    assert!(taken.recorded.is_empty() && taken.inputs.is_empty());
}

#[test]
fn what_goes_on_long_after_it_was_resolved_is_followed_up() {
    let mut triage = triage();
    triage.take(&alert("a-1", "reco", 0, Severity::Ticket)).unwrap();
    let id = triage.incidents().of_alert("a-1").unwrap().to_owned();
    resolve(&mut triage, &id, 2);
    let mut still = alert("a-1", "reco", 0, Severity::Ticket);
    still.updated = at(2).plus(Timestamp::MINUTE);
    assert!(triage.take(&still).unwrap().recorded.is_empty(), "it was under way");
    still.updated = at(9);
    triage.take(&still).unwrap();
    let new = triage.incidents().get(triage.incidents().of_alert("a-1").unwrap()).unwrap();
    assert_eq!(new.follows.as_deref(), Some(id.as_str()));
    assert_eq!(triage.incidents().get(&id).unwrap().status, Status::Resolved);
}

#[test]
fn a_restart_anywhere_makes_no_difference() {
    let alerts = [
        alert("a-1", "reco", 0, Severity::Info),
        alert("a-2", "promotion", 5, Severity::Ticket),
        alert("b-1", "unrelated", 6, Severity::Page),
        alert("a-3", "stock", 11, Severity::Ticket),
        alert("a-4", "reco", 12, Severity::Ticket),
    ];
    let mut whole = triage();
    alerts.iter().for_each(|alert| {
        whole.take(alert).unwrap();
    });
    for (snapshot_after, stop_after) in [(0, 0), (0, 3), (1, 2), (2, 5), (3, 3), (0, 5)] {
        let mut before = triage();
        let mut logs: BTreeMap<String, String> = BTreeMap::new();
        let (mut inputs, mut snapshot) = (Vec::new(), None);
        for (place, alert) in alerts.iter().enumerate().take(stop_after) {
            let taken = before.take(alert).unwrap();
            taken.recorded.iter().for_each(|recorded| {
                let log = logs.entry(recorded.incident.clone()).or_default();
                log.push_str(&recorded.line);
                log.push('\n');
            });
            inputs.extend(taken.inputs);
            if place + 1 == snapshot_after {
                snapshot = Some(before.snapshot());
                inputs.clear();
            }
        }
        let mut incidents = Incidents::default();
        logs.values().for_each(|log| {
            incidents.restore(log.as_bytes(), None).unwrap();
        });
        let (mut after, is_read) = Triage::restore(incidents, before.declared().clone(), snapshot.as_deref());
        assert!(is_read);
        if snapshot.is_none() && stop_after == 0 {
            after = triage();
        }
        inputs
            .iter()
            .for_each(|input| after.repeat(&serde_json::from_value(serde_json::to_value(input).unwrap()).unwrap()));
        alerts.iter().skip(stop_after).for_each(|alert| {
            after.take(alert).unwrap();
        });
        let told = |triage: &Triage| triage.incidents().iter().cloned().collect::<Vec<_>>();
        assert_eq!(told(&after), told(&whole), "snapshot after {snapshot_after}, stop after {stop_after}");
    }
}

#[test]
fn a_snapshot_of_another_version_is_said_and_incidents_stay() {
    let mut triage = triage();
    triage.take(&alert("a-1", "reco", 0, Severity::Ticket)).unwrap();
    let mut snapshot = triage.snapshot();
    snapshot[0] = 200;
    let (restored, is_read) =
        Triage::restore(triage.incidents().clone(), triage.declared().clone(), Some(snapshot.as_slice()));
    assert!(!is_read);
    assert_eq!(restored.incidents(), triage.incidents());
}

#[test]
fn what_goes_on_for_weeks_is_one_cause_with_what_it_leads_to() {
    let mut triage = triage();
    let day = 24;
    let poison = |id: &str, days: i64| {
        let told = alert(id, "reco", days * day, Severity::Page);
        Alert { kind: FindingKind::Poisoning, onset: at(-1), ..told }
    };
    triage.take(&poison("a-1", 1)).unwrap();
    let mut on = poison("a-1", 1);
    for days in 2..8 {
        on.updated = at(days * day);
        triage.take(&on).unwrap();
    }
    triage.take(&poison("a-2", 9)).unwrap();
    // A version that learned from it serves since, and its answers name the channel.
    triage.take(&alert("a-3", "reco", 9 * day + 3, Severity::Ticket)).unwrap();
    // Something else on the model in the meantime names nothing in common.
    let other = Alert { responsible: Vec::new(), ..alert("b-1", "reco", 12 * day, Severity::Ticket) };
    triage.take(&other).unwrap();
    let of = |id: &str| triage.incidents().of_alert(id).unwrap();
    assert_eq!((of("a-2"), of("a-3")), (of("a-1"), of("a-1")));
    assert_ne!(of("b-1"), of("a-1"));
    let incident = triage.incidents().get(of("a-1")).unwrap();
    assert_eq!(incident.origin.as_ref().map(|origin| origin.node.as_str()), Some("channel=partner-7"));
}
