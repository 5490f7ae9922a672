//! Alerts and state that outlive the process.

use wardline_domain::{Alert, AlertStatus, FindingKind, Severity, Slice, Timestamp};
use wardline_store::{
    Metadata,
    metadata::{AlertFilter, State},
};

use crate::rows::monday;

pub(crate) fn alert(number: i64, severity: Severity) -> Alert {
    let time = monday().plus(number * Timestamp::MINUTE);
    Alert {
        id: format!("a-{number}"),
        time,
        updated: time,
        status: AlertStatus::Open,
        kind: FindingKind::Latency,
        severity,
        model: if number % 2 == 0 { "fraud".into() } else { "churn".into() },
        version: Some("1".into()),
        slice: Slice::of("channel", "web"),
        onset: time,
        title: "it is slow".into(),
        atlas: vec![],
        responsible: vec![],
        features: vec![],
        n_findings: 1,
        findings: vec![],
    }
}

#[tokio::test]
async fn alerts_are_kept_changed_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/metadata.sqlite");
    let metadata = Metadata::open(&file).await.unwrap();
    let alerts: Vec<Alert> =
        (0..6).map(|number| alert(number, if number == 3 { Severity::Page } else { Severity::Ticket })).collect();
    metadata.upsert_alerts(&alerts).await.unwrap();
    let mut closed = alerts[1].clone();
    closed.status = AlertStatus::Closed;
    closed.updated = monday().plus(Timestamp::HOUR);
    metadata.upsert_alerts(std::slice::from_ref(&closed)).await.unwrap();
    metadata.close().await;

    let metadata = Metadata::open(&file).await.unwrap();
    let ids = |filter: AlertFilter| {
        let metadata = metadata.clone();
        async move { metadata.alerts(&filter).await.unwrap().into_iter().map(|alert| alert.id).collect::<Vec<_>>() }
    };
    assert_eq!(ids(AlertFilter { limit: Some(2), ..AlertFilter::default() }).await, ["a-5", "a-4"]);
    assert_eq!(ids(AlertFilter { status: Some(AlertStatus::Closed), ..AlertFilter::default() }).await, ["a-1"]);
    assert_eq!(ids(AlertFilter { least_severity: Some(Severity::Page), ..AlertFilter::default() }).await, ["a-3"]);
    let model = AlertFilter { model: Some("churn".into()), since: Some(alerts[2].time), ..AlertFilter::default() };
    assert_eq!(ids(model).await, ["a-5", "a-3"]);
    let after = AlertFilter { changed_after: Some((alerts[4].updated, "a-4".into())), ..AlertFilter::default() };
    assert_eq!(ids(after).await, ["a-5", "a-1"]);
    assert_eq!(metadata.alert("a-1").await.unwrap(), Some(closed));
    assert_eq!(metadata.alert("a-9").await.unwrap(), None);
}

#[tokio::test]
async fn state_is_replaced_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let metadata = Metadata::open(&folder.path().join("m.sqlite")).await.unwrap();
    assert_eq!(metadata.get_state("detectors").await.unwrap(), None);
    for sequence in [None, Some(7)] {
        let state = State { sequence, body: vec![1, 2, 3] };
        metadata.put_state("detectors", &state).await.unwrap();
        assert_eq!(metadata.get_state("detectors").await.unwrap(), Some(state));
    }
    metadata.remove_state("detectors").await.unwrap();
    assert_eq!(metadata.get_state("detectors").await.unwrap(), None);
}
