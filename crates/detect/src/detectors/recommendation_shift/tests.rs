//! The least that `recommendation_shift` must tell, and the most that it must not.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;
use wardline_domain::{EventBatch, Finding, RecordKind, Timestamp};

use crate::{
    Watch,
    stream::{Dice, Told, monday, settings},
    training_stream::{self, Attack, Market, ratings},
};

const EVENTS_A_DAY: usize = 800;

/// A day of recommendations: each version, one a week, has its own taste; `pushed` is the share that the pushed items get.
fn day_of(seed: u64, day: usize, pushed: f64) -> EventBatch {
    let week = day / 7;
    let mut taste = Dice(seed * 31 + week as u64);
    let mut dice = Dice(seed * 1_000 + day as u64);
    let mut sum = 0.0;
    let table: Vec<f64> = (0..300)
        .map(|item| {
            sum += (0.4 * taste.normal()).exp() / (f64::from(item) + 5.0);
            sum
        })
        .collect();
    let step = Timestamp::DAY / EVENTS_A_DAY as i64;
    let times: Vec<i64> = (0..EVENTS_A_DAY)
        .map(|event| monday().plus(day as i64 * Timestamp::DAY + event as i64 * step).micros())
        .collect();
    let items: Vec<String> = (0..EVENTS_A_DAY)
        .map(|_| {
            if dice.next() < pushed {
                return format!("m{}", 399 - 7 * (dice.next() * 3.0) as usize);
            }
            let point = dice.next() * sum;
            format!("m{}", table.partition_point(|sum| *sum < point))
        })
        .collect();
    let users: Vec<String> = (0..EVENTS_A_DAY).map(|_| format!("u{}", (dice.next() * 900.0) as usize)).collect();
    let text = |values: &[String]| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = values.iter().map(|value| Some(value.as_str())).collect();
        Arc::new(array)
    };
    let ids: StringArray = (0..EVENTS_A_DAY).map(|event| Some(format!("{day}-{event}"))).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
        ("id", Arc::new(ids)),
        ("version", text(&vec![format!("1.{week}"); EVENTS_A_DAY])),
        ("decision", text(&items)),
        ("user", text(&users)),
    ];
    let records =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    EventBatch { kind: RecordKind::Inference, model: Some("scorer".into()), records: records.unwrap() }
}

/// Five weeks; the last version shows pushed items in a share of its recommendations.
fn told(seed: u64, pushed: f64, attack: Option<Attack>) -> Vec<Finding> {
    let rows = ratings(&Market { seed, days: 35, ..Market::default() }, attack);
    let mut watch = Watch::new(settings(monday().plus(10 * Timestamp::DAY)));
    let mut told = Told::default();
    let mut place = 0;
    for day in 0..35 {
        let end = monday().plus((day + 1) as i64 * Timestamp::DAY);
        let of_day: Vec<_> = rows[place..].iter().take_while(|row| row.time < end).cloned().collect();
        told.take(watch.observe(&day_of(seed, day, if day >= 28 { pushed } else { 0.0 })));
        if attack.is_some() {
            told.take(watch.observe(&training_stream::batch(&of_day, place)));
        }
        place += of_day.len();
    }
    told.take(watch.finish());
    told.findings.into_iter().filter(|finding| finding.detector == "recommendation_shift").collect()
}

#[test]
fn alerts_on_items_that_a_version_pushes() {
    let findings = told(1, 0.05, None);
    let first = findings.first().unwrap();
    assert_eq!(first.version.as_deref(), Some("1.4"), "{}", first.title);
    assert!(first.title.contains("m399"), "{}", first.title);
    assert!(first.time < monday().plus(30 * Timestamp::DAY), "{}", first.time);
}

/// Goal: where training rows pushed the items, it is told with their channel.
#[test]
fn alerts_with_the_channel_that_pushed_them() {
    let findings = told(2, 0.03, Some(Attack { from_day: 20, days: 7, ..Attack::default() }));
    let named =
        |name: &str| findings.iter().any(|finding| finding.responsible.iter().any(|carrier| carrier.name == name));
    assert!(named("channel=feed-2") && named("item=m399"), "{findings:#?}");
}

#[test]
fn stays_quiet_on_honest_versions() {
    for seed in 10..16 {
        let findings = told(seed, 0.0, None);
        assert_eq!(findings, [], "{seed}");
    }
}
