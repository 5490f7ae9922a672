//! Streams in which nothing is wrong wake nobody.

use wardline_domain::Timestamp;

use crate::stream::{Event, channel, events, monday, settings, watched, watched_in_channels};

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

/// Goal: slices that are watched on their own add no false alarms, at high and at low volume.
/// Method: channels with customers of their own, who differ by the hour and at weekends and stay for a
/// while, so that windows vary more than chance; weeks at low volume, a day and a half at high volume.
#[test]
fn channels_with_customers_of_their_own() {
    let mut alerts = Vec::new();
    for (per_hour, learning, watching) in
        [(120.0, 14 * Timestamp::DAY, 28 * Timestamp::DAY), (7_200.0, 12 * Timestamp::HOUR, 24 * Timestamp::HOUR)]
    {
        let learned = monday().plus(learning);
        for seed in 11..=14 {
            let mut stream = events(seed, per_hour, monday(), learned.plus(watching), |event, _| {
                let hour = event.time.hour_of_day() as f64;
                let is_weekend = event.time.hour_of_week() >= 120;
                // Who asks in these ten minutes is alike.
                let crowd = event.time.floor(10 * Timestamp::MINUTE).micros() as f64 * 1e-7;
                event.age += 2.0 * (hour / 24.0 * std::f64::consts::TAU).sin() + 2.0 * (crowd * seed as f64).sin()
                    - if is_weekend { 5.0 } else { 0.0 };
            });
            for (index, event) in stream.iter_mut().enumerate() {
                event.age += if channel(index) == "kiosk" { 15.0 } else { 0.0 };
            }
            let told = watched_in_channels(settings(learned), &stream);
            alerts.extend(told.raised().into_iter().map(|alert| alert.title.clone()));
        }
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
