//! The least that `burn_rate` must tell, and the most that it must not.

use wardline_domain::{Severity, Timestamp};

use crate::stream::{Told, changed, monday};

fn pages(told: &Told) -> bool {
    told.findings.iter().any(|finding| finding.detector == "burn_rate" && finding.severity == Severity::Page)
}

/// Goal: at an objective of 99.5 %, 14.4 times the budget is 7.2 % of failures in an hour.
#[test]
fn alerts_beyond_the_fast_rule() {
    assert!(pages(&changed(|event, dice| event.failed = dice.next() < 0.09)));
}

#[test]
fn stays_quiet_below_the_fast_rules() {
    assert!(!pages(&changed(|event, dice| event.failed = dice.next() < 0.01)));
}

/// Goal: a spike that spends little of the budget pages nobody, however high its rate.
#[test]
fn stays_quiet_on_twelve_failures_in_ninety_seconds() {
    let at = monday().plus(5 * Timestamp::HOUR);
    let told = changed(move |event, dice| {
        let is_in = 0 <= event.time.since(at) && event.time.since(at) < 90 * Timestamp::SECOND;
        event.failed |= is_in && dice.next() < 12.0 / 180.0;
    });
    assert!(told.raised().iter().all(|alert| alert.severity < Severity::Page), "{:?}", told.titles());
}
