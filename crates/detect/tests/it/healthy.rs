//! Streams in which nothing is wrong wake nobody.

use wardline_domain::Timestamp;

use crate::stream::{Event, events, monday, settings, watched};

/// Goal: the false-alarm budget is kept: half an alert a week allows about six in twelve model-weeks.
/// Method: three seeds of two weeks' learning and four weeks' watching; days and weekends differ in
/// volume and in who asks, latency wanders by the hour, one version follows another.
#[test]
fn three_seasonal_models_for_four_weeks() {
    let learned = monday().plus(14 * Timestamp::DAY);
    let until = monday().plus(42 * Timestamp::DAY);
    let mut alerts = Vec::new();
    for seed in 1..=3 {
        let stream: Vec<Event> = events(seed, 120.0, monday(), until, |event, dice| {
            let hour = event.time.hour_of_day() as f64;
            let is_weekend = event.time.hour_of_week() >= 120;
            event.latency_ms *= 1.0 + 0.1 * (hour / 24.0 * std::f64::consts::TAU).sin();
            if is_weekend {
                event.age -= 6.0;
                event.score = (event.score - 0.05).clamp(0.001, 0.999);
            }
            if event.time > monday().plus(20 * Timestamp::DAY) {
                event.version = "1.1";
            }
            // Nights have a quarter of the day's traffic.
            if !(7.0..22.0).contains(&hour) && dice.next() < 0.75 {
                event.instance = "";
            }
        })
        .into_iter()
        .filter(|event| !event.instance.is_empty())
        .collect();
        let told = watched(settings(learned), &stream, 4_096);
        alerts.extend(told.raised().into_iter().map(|alert| alert.title.clone()));
    }
    assert!(alerts.len() <= 2, "{alerts:#?}");
}

/// Goal: a holiday with 2.3 times the traffic is on record and wakes nobody.
#[test]
fn a_holiday_is_no_page() {
    let learned = monday().plus(14 * Timestamp::DAY);
    let holiday = monday().plus(15 * Timestamp::DAY);
    let mut stream = events(7, 150.0, monday(), monday().plus(17 * Timestamp::DAY), |_, _| {});
    stream.extend(events(8, 195.0, holiday, holiday.plus(Timestamp::DAY), |_, _| {}));
    stream.sort_by_key(|event| event.time);
    let told = watched(settings(learned), &stream, 1_000);
    assert_eq!(told.titles(), Vec::<&str>::new());
    assert!(told.findings.iter().any(|finding| finding.measure == "surge"));
}
