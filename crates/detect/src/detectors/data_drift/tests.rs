//! The least that `data_drift` must tell, and the most that it must not.

use crate::stream::{Told, changed, found};

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

fn responsible(told: &Told) -> Vec<&str> {
    let drifts = told.findings.iter().filter(|finding| finding.detector == "data_drift");
    drifts.flat_map(|finding| finding.responsible.iter().map(|carrier| carrier.name.as_str())).collect()
}

/// Goal: a shift that came with a version is that version's, and no replica's that serves it.
#[test]
fn a_shift_of_a_whole_version_names_the_version_alone() {
    let told = changed(|event, _| {
        event.version = "1.1";
        event.age += 12.0;
    });
    let named = responsible(&told);
    assert!(!named.is_empty() && named.iter().all(|name| *name == "version=1.1"), "{named:?}");
}

/// Goal: a shift of everybody's inputs names nobody, and one of a replica's names it.
#[test]
fn only_the_slice_that_moved_is_named() {
    assert_eq!(responsible(&changed(|event, _| event.age += 12.0)), Vec::<&str>::new());
    let told = changed(|event, _| event.age += if event.instance == "api-1" { 40.0 } else { 0.0 });
    let named = responsible(&told);
    assert!(!named.is_empty() && named.iter().all(|name| *name == "instance=api-1"), "{named:?}");
}

/// Goal: inputs of one channel with a fourteenth of the traffic, which the whole hardly shows.
#[test]
fn alerts_on_one_small_channel_and_names_it() {
    let in_channels = |shift: f64| {
        crate::stream::channels(move |event, channel| {
            if channel == "kiosk" {
                event.age += shift;
            }
        })
    };
    let told = in_channels(24.0);
    assert!(found(&told, "data_drift"));
    assert!(responsible(&told).iter().all(|name| *name == "channel=kiosk"));
    assert!(!found(&in_channels(1.0), "data_drift"));
}
