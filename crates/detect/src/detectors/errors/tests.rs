//! The least that `errors` must tell, and the most that it must not.

use crate::stream::{changed, found};

/// Goal: two per cent of failures where 0.1 % is normal.
#[test]
fn alerts_when_failures_multiply() {
    let told = changed(|event, dice| event.failed = dice.next() < 0.02);
    assert!(found(&told, "errors"));
    assert!(
        told.findings.iter().any(|finding| finding.detector == "errors"
            && finding.title.starts_with("error rate of scorer 1.0 rose from 0.1")),
        "{:?}",
        told.titles()
    );
}

/// Goal: half as many again is within the doubled odds that are tolerated.
#[test]
fn stays_quiet_within_twice_the_odds() {
    assert!(!found(&changed(|event, dice| event.failed = dice.next() < 0.0015), "errors"));
}
