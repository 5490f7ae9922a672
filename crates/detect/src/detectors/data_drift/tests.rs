//! The least that `data_drift` must tell, and the most that it must not.

use crate::stream::{changed, found};

#[test]
fn alerts_and_names_the_feature() {
    let told = changed(|event, _| event.age += 12.0);
    assert!(found(&told, "data_drift"));
    assert_eq!(told.raised()[0].features[0].name, "age");
}

/// Goal: less than a tenth of the events moved.
#[test]
fn stays_quiet_on_a_year() {
    assert!(!found(&changed(|event, _| event.age += 1.0), "data_drift"));
}
