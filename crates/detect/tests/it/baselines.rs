//! The learned profile, as people read it.

use wardline_detect::Watch;
use wardline_domain::Timestamp;

use crate::stream::{batch, events, monday, settings};

#[test]
fn a_profile_says_what_is_normal_and_what_it_does_not_know() {
    let until = monday().plus(6 * Timestamp::HOUR);
    let mut watch = Watch::new(settings(until));
    watch.observe(&batch(&events(5, 3_600.0, monday(), until.plus(Timestamp::MINUTE), |_, _| {})));
    let baseline = watch.baseline("scorer").unwrap();
    assert!(baseline.is_complete);
    let latency = baseline.latency_ms.unwrap();
    assert!((38.0..43.0).contains(&latency.p50), "{latency:?}");
    let text = baseline.to_text();
    for told in
        ["baseline of scorer", "latency   p50", "decision", "segment", "no season known yet", "shorter than a day"]
    {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    assert!(watch.baseline("nobody").is_none());
}

#[test]
fn learning_that_goes_on_says_so() {
    let mut watch = Watch::new(settings(monday().plus(Timestamp::DAY)));
    watch.observe(&batch(&events(5, 3_600.0, monday(), monday().plus(Timestamp::HOUR), |_, _| {})));
    let baseline = watch.baseline("scorer").unwrap();
    assert!(!baseline.is_complete && baseline.remarks.iter().any(|remark| remark.contains("learning is not over")));
}
