//! The least that `version_errors` must tell, and the most that it must not.

use crate::stream::{found, on_trial};

#[test]
fn alerts_when_the_trial_fails_in_one_of_twenty() {
    let told = on_trial(|event, dice| event.failed = dice.next() < 0.05);
    assert!(found(&told, "version_errors"));
    assert_eq!(told.raised()[0].version.as_deref(), Some("1.1"));
}

#[test]
fn stays_quiet_when_the_trial_is_as_good() {
    assert!(!found(&on_trial(|_, _| {}), "version_errors"));
}

/// Goal: an outage that both versions share is no evidence against one of them.
#[test]
fn stays_quiet_in_a_shared_outage() {
    let told = crate::stream::changed(|event, dice| {
        if dice.next() < 0.1 {
            event.version = "1.1";
        }
        event.failed = dice.next() < 0.05;
    });
    assert!(!found(&told, "version_errors"));
}
