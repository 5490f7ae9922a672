//! The least that `prediction_drift` must tell, and the most that it must not.

use crate::stream::{changed, found};

#[test]
fn alerts_when_scores_rise() {
    assert!(found(&changed(|event, _| event.score = (event.score + 0.25).min(0.999)), "prediction_drift"));
}

/// Goal: less than a tenth of the predictions moved.
#[test]
fn stays_quiet_on_a_hundredth() {
    assert!(!found(&changed(|event, _| event.score = (event.score + 0.01).min(0.999)), "prediction_drift"));
}
