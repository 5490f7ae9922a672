//! The least that `version_scores` must tell, and the most that it must not.

use crate::stream::{found, on_trial};

#[test]
fn alerts_when_the_trial_answers_otherwise() {
    assert!(found(&on_trial(|event, _| event.score = event.score.powi(3)), "version_scores"));
}

#[test]
fn stays_quiet_when_the_trial_answers_alike() {
    assert!(!found(&on_trial(|_, _| {}), "version_scores"));
}
