//! The least that `integrity` must tell, and the most that it must not.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;
use wardline_domain::{EventBatch, Finding, RecordKind, Severity, Timestamp};

use crate::{
    Watch,
    stream::{Dice, Event, Told, batch, deployment, events, monday, settings},
    training_stream::{self, Market, Row, ratings},
};

fn learned() -> Timestamp {
    monday().plus(4 * Timestamp::HOUR)
}

/// Four hours at 3,600 events an hour that are learned from, then three more with a change.
fn stream(seed: u64, change: impl Fn(&mut Event, &mut Dice)) -> Vec<Event> {
    events(seed, 3_600.0, monday(), learned().plus(3 * Timestamp::HOUR), |event, dice| {
        event.age = event.age.round();
        event.score = 1.0 / (1.0 + (0.1 * (40.0 - event.age)).exp());
        if event.time >= learned() {
            change(event, dice);
        }
    })
}

fn watched(watch: &mut Watch, events: &[Event], size: usize) -> Vec<Finding> {
    let mut told = Told::default();
    for (part, of_part) in events.chunks(size).enumerate() {
        told.take(watch.observe(&with_ids(of_part, part * size, |place| place)));
    }
    told.take(watch.finish());
    ours(told)
}

fn ours(told: Told) -> Vec<Finding> {
    told.findings.into_iter().filter(|finding| finding.detector == "integrity").collect()
}

fn with_ids(part: &[Event], first: usize, id: impl Fn(usize) -> usize) -> EventBatch {
    let plain = batch(part);
    let (schema, mut columns, _) = plain.records.into_parts();
    let ids: StringArray = (first..first + part.len()).map(|place| Some(format!("prediction-{}", id(place)))).collect();
    columns.push(Arc::new(ids));
    let fields = schema.fields().iter().map(|field| field.name().as_str()).chain(["id"]);
    let records =
        RecordBatch::try_from_iter_with_nullable(fields.zip(columns).map(|(name, array)| (name, array, true)));
    EventBatch { records: records.unwrap(), kind: plain.kind, model: plain.model }
}

fn measures(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.measure.as_str()).collect()
}

/// Goal: a version that nobody deployed is told after an hour, if the others' deployments are on record.
#[test]
fn alerts_on_a_version_without_a_record() {
    let other = stream(1, |event, dice| {
        if dice.next() < 0.3 {
            event.version = "1.1"
        }
    });
    let mut watch = Watch::new(settings(learned()));
    watch.observe(&deployment(monday().plus(-Timestamp::DAY), "1.0", "deploy"));
    let findings = watched(&mut watch, &other, 1_000);
    assert_eq!(measures(&findings), ["unrecorded_version"]);
    assert_eq!(findings[0].version.as_deref(), Some("1.1"));
    assert!(findings[0].time.since(findings[0].onset) >= Timestamp::HOUR);
}

#[test]
fn stays_quiet_on_a_version_with_a_record_and_where_none_are_kept() {
    let other = stream(1, |event, dice| {
        if dice.next() < 0.3 {
            event.version = "1.1"
        }
    });
    let mut watch = Watch::new(settings(learned()));
    watch.observe(&deployment(monday().plus(-Timestamp::DAY), "1.0", "deploy"));
    watch.observe(&deployment(learned().plus(20 * Timestamp::MINUTE), "1.1", "canary_start"));
    assert_eq!(watched(&mut watch, &other, 1_000), []);
    assert_eq!(watched(&mut Watch::new(settings(learned())), &other, 1_000), []);
}

/// Goal: the same inputs get other scores from the same version: a page, and the instance if it is one.
#[test]
fn alerts_on_a_model_that_was_swapped() {
    let swapped = |event: &mut Event| event.score = (event.score * 1.3).min(1.0);
    let all = watched(&mut Watch::new(settings(learned())), &stream(2, |event, _| swapped(event)), 1_000);
    assert!(all.iter().any(|finding| finding.measure == "answers" && finding.severity == Severity::Page), "{all:#?}");
    let one = stream(3, |event, _| {
        if event.instance == "api-2" {
            swapped(event)
        }
    });
    let one = watched(&mut Watch::new(settings(learned())), &one, 1_000);
    let at = |finding: &Finding| finding.slice.to_string() == "instance=api-2";
    assert!(one.iter().any(|finding| finding.measure == "answers" && at(finding)), "{one:#?}");
}

/// Goal: a new version may answer otherwise, and a model may answer by more than its features.
#[test]
fn stays_quiet_on_other_answers_for_a_reason() {
    let renewed = stream(4, |event, _| (event.version, event.score) = ("1.1", event.score * 0.9));
    assert_eq!(watched(&mut Watch::new(settings(learned())), &renewed, 1_000), []);
    let hidden =
        events(5, 3_600.0, monday(), learned().plus(3 * Timestamp::HOUR), |event, _| event.age = event.age.round());
    assert_eq!(watched(&mut Watch::new(settings(learned())), &hidden, 1_000), []);
}

#[test]
fn alerts_on_an_instance_that_falls_silent() {
    let quiet = learned().plus(Timestamp::HOUR);
    let mut rest = stream(6, |_, _| {});
    rest.retain(|event| event.instance != "api-2" || event.time < quiet);
    let findings = watched(&mut Watch::new(settings(learned())), &rest, 1_000);
    assert_eq!(measures(&findings), ["silence"], "{findings:#?}");
    assert_eq!(findings[0].slice.to_string(), "instance=api-2");
    assert!(findings[0].time < quiet.plus(30 * Timestamp::MINUTE), "{}", findings[0].time);
}

/// Goal: a replica that is replaced, or that rests every so often, is no loss.
#[test]
fn stays_quiet_on_a_replica_that_is_replaced_or_rests() {
    let quiet = learned().plus(Timestamp::HOUR);
    let renamed = stream(6, |event, _| {
        if event.instance == "api-2" && event.time >= quiet {
            event.instance = "api-9"
        }
    });
    assert_eq!(watched(&mut Watch::new(settings(learned())), &renamed, 1_000), []);
    let mut churns = stream(6, |_, _| {});
    churns.retain(|event| match event.instance {
        "api-1" => event.time < monday().plus(2 * Timestamp::HOUR),
        "api-2" => event.time < quiet,
        _ => true,
    });
    assert_eq!(watched(&mut Watch::new(settings(learned())), &churns, 1_000), []);
    let mut rests = stream(7, |_, _| {});
    rests.retain(|event| event.instance != "api-2" || event.time.since(monday()) / (25 * Timestamp::MINUTE) % 2 == 0);
    assert_eq!(watched(&mut Watch::new(settings(learned())), &rests, 1_000), []);
}

/// Goal: ids that come again with another answer are told, and a batch that is delivered twice is not.
#[test]
fn alerts_on_ids_that_come_again_and_stays_quiet_on_a_second_delivery() {
    let rows = stream(8, |_, _| {});
    let again = |id: fn(usize) -> usize, twice: bool| {
        let mut watch = Watch::new(settings(learned()));
        let mut told = Told::default();
        for (part, of_part) in rows.chunks(500).enumerate() {
            let late = part * 500 > 18_000;
            let sent = with_ids(of_part, part * 500, |place| if late { id(place) } else { place });
            told.take(watch.observe(&sent));
            if twice && late {
                told.take(watch.observe(&sent));
            }
        }
        told.take(watch.finish());
        ours(told)
    };
    let rewritten = again(|place| place - 2_000, false);
    assert_eq!(measures(&rewritten), ["rewritten_ids"]);
    assert_eq!(again(|place| place, true), []);
}

/// A deployment that says what its version was trained on.
fn trained(time: Timestamp, version: &str, dataset: &str) -> EventBatch {
    let text = |value: &str| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = [Some(value)].into_iter().collect();
        Arc::new(array)
    };
    let times = TimestampMicrosecondArray::from_iter_values([time.micros()]).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 5] = [
        ("time", Arc::new(times)),
        ("model", text("scorer")),
        ("version", text(version)),
        ("action", text("deploy")),
        ("dataset_version", text(dataset)),
    ];
    let records =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    EventBatch { kind: RecordKind::Deployment, model: None, records: records.unwrap() }
}

/// Training rows of 24 days, with the data set of each week used a few hours after its end.
fn of_training(rows: &[Row], change: impl Fn(&EventBatch) -> Option<EventBatch>) -> Vec<Finding> {
    let mut watch = Watch::new(settings(monday().plus(10 * Timestamp::DAY)));
    let mut told = Told::default();
    let mut place = 0;
    for day in 0..24 {
        let end = monday().plus((day + 1) * Timestamp::DAY);
        let of_day: Vec<Row> = rows[place..].iter().take_while(|row| row.time < end).cloned().collect();
        let whole = training_stream::batch(&of_day, place);
        place += of_day.len();
        if day > 0 && day % 7 == 0 {
            let version = format!("1.{}", day / 7);
            told.take(watch.observe(&trained(monday().plus(day * Timestamp::DAY), &version, &format!("d{}", day / 7))));
        }
        told.take(watch.observe(&whole));
        if day == 17 {
            change(&whole).into_iter().for_each(|more| told.take(watch.observe(&more)));
        }
    }
    told.take(watch.finish());
    ours(told)
}

/// A batch with another data set.
fn of_dataset(batch: &EventBatch, dataset: &str) -> EventBatch {
    let texts: DictionaryArray<Int32Type> = (0..batch.len()).map(|_| Some(dataset)).collect();
    let texts: ArrayRef = Arc::new(texts);
    let schema = batch.records.schema();
    let columns = schema.fields().iter().zip(batch.records.columns()).map(|(field, array)| {
        let array = if field.name() == "dataset_version" { &texts } else { array };
        (field.name().clone(), Arc::clone(array), true)
    });
    let records = RecordBatch::try_from_iter_with_nullable(columns);
    EventBatch { kind: batch.kind, model: batch.model.clone(), records: records.unwrap() }
}

#[test]
fn alerts_on_rows_of_a_data_set_that_was_used() {
    let market = Market { channels: 4, rows_a_day: 100, ..Market::default() };
    let findings = of_training(&ratings(&market, None), |whole| Some(of_dataset(whole, "d1")));
    assert_eq!(measures(&findings), ["late_rows"], "{findings:#?}");
    assert!(
        findings[0].title.contains("data set version d1") && findings[0].title.contains("1.1"),
        "{}",
        findings[0].title
    );
}

#[test]
fn alerts_on_a_channel_that_never_brought_rows() {
    let market = Market { channels: 4, rows_a_day: 100, ..Market::default() };
    let mut rows = ratings(&market, None);
    let begins = monday().plus(15 * Timestamp::DAY);
    rows.iter_mut().step_by(10).filter(|row| row.time >= begins).for_each(|row| row.channel = 8);
    let findings = of_training(&rows, |_| None);
    assert_eq!(measures(&findings), ["new_channel"], "{findings:#?}");
    assert_eq!(findings[0].slice.to_string(), "channel=feed-8");
}

#[test]
fn stays_quiet_on_data_sets_that_are_made_as_ever() {
    let market = Market { rows_a_day: 100, ..Market::default() };
    assert_eq!(of_training(&ratings(&market, None), |_| None), []);
}
