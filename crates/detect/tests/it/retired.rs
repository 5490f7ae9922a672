//! A version that was taken back, or that nobody asks any more, is no longer told of.

use wardline_detect::Watch;
use wardline_domain::{Finding, Timestamp};

use crate::stream::{Told, batch, deployment, events, monday, settings};

/// Four hours of learning; then for an hour a version on trial that fails in one of ten; three hours without it.
fn told(action: Option<&str>, lasts: i64) -> (Vec<Finding>, Timestamp) {
    let learned = monday().plus(4 * Timestamp::HOUR);
    let retired = learned.plus(Timestamp::HOUR);
    let stream = events(3, 7_200.0, monday(), retired.plus(3 * Timestamp::HOUR), |event, dice| {
        let serves = learned <= event.time && event.time < learned.plus(lasts);
        if serves && dice.next() < 0.1 {
            event.version = "1.1";
            event.failed = dice.next() < 0.1;
        }
    });
    let mut watch = Watch::new(settings(learned));
    let mut told = Told::default();
    let before = stream.partition_point(|event| event.time < retired);
    told.take(watch.observe(&batch(&stream[..before])));
    if let Some(action) = action {
        watch.observe(&deployment(retired, "1.1", action));
    }
    told.take(watch.observe(&batch(&stream[before..])));
    told.take(watch.finish());
    let of_version = |finding: &Finding| finding.detector == "version_errors";
    (told.findings.into_iter().filter(of_version).collect(), retired)
}

#[test]
fn a_version_is_told_of_until_it_is_retired() {
    for action in ["retire", "rollback"] {
        let (findings, retired) = told(Some(action), 4 * Timestamp::HOUR);
        assert!(!findings.is_empty() && findings.iter().all(|finding| finding.time <= retired), "{action}");
    }
    let (findings, retired) = told(Some("promote"), 4 * Timestamp::HOUR);
    assert!(findings.iter().any(|finding| finding.time > retired));
}

#[test]
fn a_version_without_traffic_is_not_told_of_again() {
    let (findings, retired) = told(None, Timestamp::HOUR);
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding.time <= retired.plus(Timestamp::MINUTE)));
    assert!(findings.iter().all(|finding| finding.onset_interval.1 <= finding.time));
}
