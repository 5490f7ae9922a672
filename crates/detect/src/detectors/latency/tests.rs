//! The least that `latency` must tell, and the most that it must not.

use wardline_domain::FindingKind;

use crate::stream::{Told, changed, found};

fn slow_replica(factor: f64) -> Told {
    changed(move |event, _| {
        if event.instance == "api-2" {
            event.latency_ms *= factor;
        }
    })
}

#[test]
fn alerts_and_names_the_replica_that_carries_it() {
    let told = slow_replica(2.0);
    assert!(found(&told, "latency"));
    let alert = told.raised()[0];
    assert_eq!((alert.kind, alert.responsible[0].name.as_str()), (FindingKind::Latency, "instance=api-2"));
}

#[test]
fn stays_quiet_on_a_twentieth() {
    assert!(!found(&slow_replica(1.05), "latency"));
}

/// Goal: slowness of every replica names none of them.
#[test]
fn names_nobody_when_all_are_slow() {
    let told = changed(|event, _| event.latency_ms *= 2.0);
    let latencies = told.findings.iter().filter(|finding| finding.detector == "latency");
    assert!(latencies.clone().count() > 0 && latencies.into_iter().all(|finding| finding.responsible.is_empty()));
}
