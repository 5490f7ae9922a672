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

/// Goal: a channel with a fourteenth of the traffic loses a field in one of ten events.
#[test]
fn alerts_on_one_small_channel() {
    let lost = |channel: &'static str, one_in: usize| {
        let n = std::cell::Cell::new(0);
        let told = crate::stream::channels(move |event, through| {
            n.set(n.get() + usize::from(through == channel));
            if through == channel && n.get().is_multiple_of(one_in) {
                event.segment = None;
            }
        });
        told.findings.into_iter().filter(|finding| finding.detector == "data_quality").collect::<Vec<_>>()
    };
    let told = lost("kiosk", 8);
    assert!(!told.is_empty() && told.iter().all(|finding| finding.slice.to_string() == "channel=kiosk"));
    assert!(lost("kiosk", 100).is_empty());
}
