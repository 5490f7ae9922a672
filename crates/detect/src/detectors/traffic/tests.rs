//! The least that `traffic` must tell, and the most that it must not.

use wardline_domain::{Severity, Timestamp};

use crate::{
    Watch,
    stream::{Told, batch, events, monday, settings, watched},
};

/// A day at one event a second, and half an hour at so many times that.
fn many(factor: f64) -> Told {
    let learned = monday().plus(24 * Timestamp::HOUR);
    let from = learned.plus(Timestamp::HOUR);
    let mut stream = events(3, 3_600.0, monday(), learned.plus(2 * Timestamp::HOUR), |_, _| {});
    stream.extend(events(4, 3_600.0 * (factor - 1.0), from, from.plus(30 * Timestamp::MINUTE), |_, _| {}));
    stream.sort_by_key(|event| event.time);
    watched(settings(learned), &stream, 1_000)
}

fn surges(told: &Told) -> bool {
    told.findings.iter().any(|finding| finding.measure == "surge")
}

#[test]
fn alerts_on_a_surge() {
    assert!(surges(&many(4.0)));
}

#[test]
fn stays_quiet_on_a_fifth_more() {
    assert!(!surges(&many(1.2)));
}

/// Goal: silence of a steadily busy model pages within minutes, and not within seconds.
#[test]
fn alerts_on_silence_and_waits_for_it() {
    let learned = monday().plus(24 * Timestamp::HOUR);
    let end = learned.plus(Timestamp::HOUR);
    let mut watch = Watch::new(settings(learned));
    let mut told = Told::default();
    told.take(watch.observe(&batch(&events(3, 3_600.0, monday(), end, |_, _| {}))));
    told.take(watch.advance(end.plus(20 * Timestamp::SECOND)));
    assert!(told.findings.iter().all(|finding| finding.measure != "silence"));
    told.take(watch.advance(end.plus(10 * Timestamp::MINUTE)));
    let silence =
        |finding: &wardline_domain::Finding| finding.measure == "silence" && finding.severity == Severity::Page;
    assert!(told.findings.iter().any(silence), "{:?}", told.titles());
}
