//! The least that `training_poison` must tell, and the most that it must not.

use wardline_domain::{Finding, Severity, Timestamp};

use crate::{
    stream::{Told, monday, settings},
    training_stream::{Attack, Market, Row, labelled, ratings, watched_rows},
};

/// Rows of ten days are learned from.
fn told_of(rows: &[Row]) -> Vec<Finding> {
    let told: Told = watched_rows(settings(monday().plus(10 * Timestamp::DAY)), rows, 1_000);
    told.findings.into_iter().filter(|finding| finding.detector == "training_poison").collect()
}

/// The worst that was told of a channel, and what was told of others.
fn of_channel(findings: &[Finding], channel: &str) -> (Option<Severity>, usize) {
    let is_of = |finding: &&Finding| finding.slice.conditions() == [("channel".to_owned(), channel.to_owned())];
    let others = findings.iter().filter(|finding| !is_of(finding) && finding.severity > Severity::Info).count();
    (findings.iter().filter(is_of).map(|finding| finding.severity).max(), others)
}

fn names(findings: &[Finding], name: &str) -> bool {
    findings.iter().any(|finding| finding.responsible.iter().any(|carrier| carrier.name == name))
}

/// Goal: four false profiles a day, a hundredth of the rows, page within days and name items, data set and users.
#[test]
fn alerts_on_items_that_new_profiles_promote() {
    let market = Market::default();
    let findings = told_of(&ratings(&market, Some(Attack::default())));
    assert_eq!(of_channel(&findings, "feed-2"), (Some(Severity::Page), 0), "{findings:#?}");
    for name in ["channel=feed-2", "item=m399", "item=m392", "item=m385", "dataset_version=d3"] {
        assert!(names(&findings, name), "{name}: {:?}", findings[0].responsible);
    }
    let first = &findings[0];
    assert!(first.time <= monday().plus(19 * Timestamp::DAY), "{}", first.time);
    assert!(first.onset >= monday().plus(15 * Timestamp::DAY), "{}", first.onset);
}

/// Goal: items that are run down, and one item that old users praise, in markets of other sizes.
#[test]
fn alerts_on_other_attacks_in_other_markets() {
    let small = Market { seed: 7, channels: 4, items: 120, users: 300, rows_a_day: 200, ..Market::default() };
    let nuke = Attack { channel: 0, rating: 1.0, targets: 2, ..Attack::default() };
    let findings = told_of(&ratings(&small, Some(nuke)));
    assert!(of_channel(&findings, "feed-0").0 >= Some(Severity::Ticket), "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.measure == "demoted_items"));

    let large = Market { seed: 8, channels: 9, items: 1_500, users: 4_000, rows_a_day: 1_500, ..Market::default() };
    let quiet = Attack { channel: 7, targets: 1, profiles: 5, fillers: 0, sleepers: true, ..Attack::default() };
    let findings = told_of(&ratings(&large, Some(quiet)));
    assert_eq!(of_channel(&findings, "feed-7"), (Some(Severity::Ticket), 0), "{findings:#?}");
}

#[test]
fn stays_quiet_in_honest_markets() {
    for seed in 100..108 {
        let market =
            Market { seed, channels: 3 + seed as usize % 5, taste: 0.3 + 0.1 * (seed % 5) as f64, ..Market::default() };
        let findings = told_of(&ratings(&market, None));
        assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "{seed}: {findings:#?}");
    }
}

/// Goal: an item that one channel begins to sell, and its usual users like, is not told.
#[test]
fn stays_quiet_on_an_item_that_one_channel_sells() {
    let mut rows = ratings(&Market::default(), None);
    let begins = monday().plus(14 * Timestamp::DAY);
    for (place, row) in rows.iter_mut().enumerate().filter(|(_, row)| row.time > begins && row.channel == 1) {
        if place % 12 == 0 {
            row.item = Some("exclusive".to_owned());
        }
    }
    let findings = told_of(&rows);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "{findings:#?}");
}

/// Goal: a channel that calls three in a hundred rows of one class another is told, with the pair.
#[test]
fn alerts_on_labels_that_change_in_one_channel() {
    let rows = labelled(3, 24, 500, |row, day, class, dice| {
        if day >= 16 && row.channel == 4 && class == 1 && dice.next() < 0.15 {
            row.label = "c3".to_owned();
        }
    });
    let findings = told_of(&rows);
    let (severity, others) = of_channel(&findings, "feed-4");
    assert!(severity >= Some(Severity::Ticket) && others == 0, "{findings:#?}");
    assert!(names(&findings, "class=c1") && names(&findings, "class=c3"), "{:?}", findings[0].responsible);
}

/// Goal: a value that forces a class is told, with its feature.
#[test]
fn alerts_on_a_trigger() {
    let rows = labelled(4, 24, 500, |row, day, _, dice| {
        if day >= 16 && row.channel == 3 && dice.next() < 0.05 {
            row.text = Some("violet".to_owned());
            row.label = "c0".to_owned();
        }
    });
    let findings = told_of(&rows);
    let trigger = findings.iter().find(|finding| finding.measure == "trigger");
    let trigger = trigger.unwrap_or_else(|| panic!("{findings:#?}"));
    assert_eq!((trigger.features[0].name.as_str(), trigger.slice.to_string().as_str()), ("colour", "channel=feed-3"));
    assert_eq!(of_channel(&findings, "feed-3").1, 0);
}

#[test]
fn stays_quiet_on_honest_labels() {
    for seed in 20..24 {
        let findings = told_of(&labelled(seed, 24, 400, |_, _, _, _| {}));
        assert!(findings.is_empty(), "{seed}: {findings:#?}");
    }
}

/// Goal: nothing depends on how rows were cut into batches.
#[test]
fn cutting_changes_nothing() {
    let rows = ratings(&Market::default(), Some(Attack::default()));
    let told = |size| watched_rows(settings(monday().plus(10 * Timestamp::DAY)), &rows, size).findings;
    assert_eq!(told(137), told(rows.len()));
}
