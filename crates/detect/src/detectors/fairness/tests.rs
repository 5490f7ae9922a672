//! The least that `fairness` must tell, and the most that it must not.

use std::sync::Arc;

use arrow::array::{DictionaryArray, RecordBatch};
use arrow::datatypes::Int32Type;
use wardline_domain::{EventBatch, Finding, Severity, Timestamp};

use crate::{
    Watch, WatchSettings,
    stream::{Dice, Event, Told, batch, events, monday, settings},
};

const HOURS: i64 = 4;

fn learned() -> Timestamp {
    monday().plus(HOURS * Timestamp::HOUR)
}

fn with_favourable() -> WatchSettings {
    let mut settings = settings(learned());
    settings.default_model.favourable_decision = Some("yes".to_owned());
    settings
}

/// People of two sexes and two origins; a third are women, a fifth are of the south.
fn people(seed: u64) -> impl Fn(&Event) -> (&'static str, &'static str) {
    move |event| {
        let mut dice = Dice(seed ^ event.time.micros() as u64);
        let sex = if dice.next() < 1.0 / 3.0 { "woman" } else { "man" };
        (sex, if dice.next() < 0.2 { "south" } else { "north" })
    }
}

fn with_groups(part: &[Event], of: &dyn Fn(&Event) -> (&'static str, &'static str)) -> EventBatch {
    let plain = batch(part);
    let (schema, mut columns, _) = plain.records.into_parts();
    let sexes: DictionaryArray<Int32Type> = part.iter().map(|event| Some(of(event).0)).collect();
    let origins: DictionaryArray<Int32Type> = part.iter().map(|event| Some(of(event).1)).collect();
    columns.push(Arc::new(sexes));
    columns.push(Arc::new(origins));
    let fields = schema.fields().iter().map(|field| field.name().as_str()).chain(["group_sex", "group_origin"]);
    let records =
        RecordBatch::try_from_iter_with_nullable(fields.zip(columns).map(|(name, array)| (name, array, true)));
    EventBatch { records: records.unwrap(), kind: plain.kind, model: plain.model }
}

/// Four hours of version 1.0 and three of 1.1, at 3,600 people an hour; `spared` is the share of decisions that a
/// version leaves a person of these groups, of those that are half of all for everyone.
fn told(settings: WatchSettings, seed: u64, size: usize, spared: impl Fn(&str, &str, &str) -> f64) -> Vec<Finding> {
    let of = people(seed);
    let end = learned().plus(3 * Timestamp::HOUR);
    let mut stream = events(seed, 3_600.0, monday(), end, |event, dice| {
        event.version = if event.time < learned() { "1.0" } else { "1.1" };
        let (sex, origin) = of(event);
        if dice.next() > spared(event.version, sex, origin) {
            event.score *= 0.4;
        }
    });
    stream.sort_by_key(|event| event.time);
    let mut watch = Watch::new(settings);
    let mut told = Told::default();
    for part in stream.chunks(size) {
        told.take(watch.observe(&with_groups(part, &of)));
    }
    told.take(watch.finish());
    told.findings.into_iter().filter(|finding| finding.detector == "fairness").collect()
}

fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// Goal: a version that takes three tenths of the decisions from women pages, with version, group and people.
#[test]
fn alerts_on_a_version_that_selects_a_group_less() {
    let findings = told(
        with_favourable(),
        1,
        1_000,
        |version, sex, _| if version == "1.1" && sex == "woman" { 0.65 } else { 1.0 },
    );
    assert_eq!(worst(&findings), Some(Severity::Page), "{findings:#?}");
    let page = findings.iter().find(|finding| finding.severity == Severity::Page).unwrap();
    assert_eq!((page.version.as_deref(), page.slice.to_string().as_str()), (Some("1.1"), "group_sex=woman"));
    assert!(
        page.title.contains("surely below four fifths") && page.title.contains("more would have it"),
        "{}",
        page.title
    );
    assert!(page.time < learned().plus(90 * Timestamp::MINUTE), "{}", page.time);
    let groups = |finding: &Finding| finding.slice.conditions().len() == 1;
    assert!(findings.iter().all(groups), "crossed groups say nothing more: {findings:#?}");
}

/// Goal: a fall by a sixth, above four fifths, is a ticket; women of the south alone are found as such.
#[test]
fn alerts_on_less_and_on_crossed_groups() {
    let fall = |version: &str, sex: &str, _: &str| if version == "1.1" && sex == "woman" { 0.86 } else { 1.0 };
    assert_eq!(worst(&told(with_favourable(), 2, 1_000, fall)), Some(Severity::Ticket));
    let crossed = told(with_favourable(), 3, 1_000, |version, sex, origin| {
        if version == "1.1" && sex == "woman" && origin == "south" { 0.35 } else { 1.0 }
    });
    assert!(
        crossed.iter().any(|finding| finding.slice.to_string() == "group_origin=south and group_sex=woman"),
        "{crossed:#?}"
    );
}

/// Goal: without a favourable decision a moved group is a ticket, not a page.
#[test]
fn alerts_by_a_ticket_without_settings() {
    let findings = told(
        settings(learned()),
        4,
        1_000,
        |version, sex, _| if version == "1.1" && sex == "woman" { 0.6 } else { 1.0 },
    );
    assert_eq!(worst(&findings), Some(Severity::Ticket), "{findings:#?}");
}

/// Goal: what was unequal before is told once by a ticket; a new version that is as unequal is not told.
#[test]
fn alerts_once_on_a_standing_inequality() {
    let findings = told(with_favourable(), 5, 1_000, |_, sex, _| if sex == "woman" { 0.6 } else { 1.0 });
    assert_eq!(worst(&findings), Some(Severity::Ticket), "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.version.as_deref() == Some("1.0")), "{findings:#?}");
}

#[test]
fn stays_quiet_on_versions_that_are_alike() {
    // One version in a hundred may be told though it is alike.
    let unequal = |_: &str, sex: &str, _: &str| if sex == "woman" { 0.9 } else { 1.0 };
    let found: Vec<Vec<Finding>> = (30..40).map(|seed| told(with_favourable(), seed, 2_000, unequal)).collect();
    assert!(found.iter().filter(|findings| !findings.is_empty()).count() <= 1, "{found:#?}");
    assert!(found.iter().all(|findings| worst(findings) < Some(Severity::Page)));
    assert_eq!(told(settings(learned()), 41, 2_000, |_, _, _| 1.0), []);
}

/// Goal: a version that is stricter with everyone treats nobody worse than others.
#[test]
fn stays_quiet_on_a_stricter_version() {
    assert_eq!(told(with_favourable(), 6, 2_000, |version, _, _| if version == "1.1" { 0.6 } else { 1.0 }), []);
}

/// Goal: nothing depends on how events were cut into batches.
#[test]
fn cutting_changes_nothing() {
    let spared = |version: &str, sex: &str, _: &str| if version == "1.1" && sex == "woman" { 0.65 } else { 1.0 };
    assert_eq!(told(with_favourable(), 1, 97, spared), told(with_favourable(), 1, 100_000, spared));
}
