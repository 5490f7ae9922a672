//! The least that `version_latency` must tell, and the most that it must not.

use crate::stream::{found, on_trial};

#[test]
fn alerts_when_the_trial_takes_twice_as_long() {
    assert!(found(&on_trial(|event, _| event.latency_ms *= 2.0), "version_latency"));
}

#[test]
fn stays_quiet_when_the_trial_is_as_fast() {
    assert!(!found(&on_trial(|_, _| {}), "version_latency"));
}
