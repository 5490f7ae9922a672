//! The least that `data_quality` must tell, and the most that it must not.

use crate::stream::{Told, changed, found};

fn missing(share: f64) -> Told {
    changed(move |event, dice| event.segment = event.segment.filter(|_| dice.next() >= share))
}

#[test]
fn alerts_on_missing_values_and_new_categories() {
    assert!(found(&missing(0.05), "data_quality"));
    let household = changed(|event, dice| {
        if dice.next() < 0.1 {
            event.segment = Some("household");
        }
    });
    assert!(found(&household, "data_quality"));
}

/// Goal: less than two per cent of the events.
#[test]
fn stays_quiet_on_one_in_two_hundred() {
    assert!(!found(&missing(0.005), "data_quality"));
}
