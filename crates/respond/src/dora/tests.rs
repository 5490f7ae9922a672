//! A worked example, the traps one by one, and what holds of any history.

use proptest::prelude::*;

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::parse("2026-11-02T00:00:00Z").unwrap().plus(hours * Timestamp::HOUR)
}

fn deployed(hours: i64, version: &str, action: &str, weight: Option<f64>) -> DeploymentRecord {
    DeploymentRecord {
        time: at(hours),
        model: "fraud".into(),
        version: version.into(),
        action: action.into(),
        weight,
        ..DeploymentRecord::default()
    }
}

fn made(mut record: DeploymentRecord, commit: &str, committed: i64, data: &str) -> DeploymentRecord {
    record.commit = Some(commit.into());
    record.committed_at = Some(at(committed));
    record.dataset_version = Some(data.into());
    record
}

fn report(deployments: Vec<DeploymentRecord>, troubles: Vec<Trouble>) -> DoraReport {
    let snapshots = vec![
        DataSnapshot { model: "fraud".into(), dataset_version: "d1".into(), time: at(-20) },
        DataSnapshot { model: "fraud".into(), dataset_version: "d2".into(), time: at(20) },
    ];
    let exposures = vec![Exposure { model: "fraud".into(), version: "3".into(), predictions: 1_200 }];
    let inputs = DoraInputs { deployments, snapshots, troubles, exposures, ..DoraInputs::default() };
    dora("fraud", &inputs, at(0), at(240)).unwrap()
}

/// Goal: every metric of ten days, by hand. Version 1 goes out at once; 2 as a canary; 3 is taken back as a canary; 4
/// fails with all traffic two hours after it got it, is noticed ten minutes later and taken back an hour later; 5 mends it.
#[test]
fn a_worked_example() {
    let mut fix = made(deployed(96, "5", "deploy", None), "e", 95, "d2");
    fix.is_unplanned = true;
    let began = at(74);
    let deployments = vec![
        made(deployed(10, "1", "deploy", None), "a", 0, "d1"),
        made(deployed(30, "2", "canary_start", Some(10.0)), "b", 24, "d2"),
        deployed(32, "2", "promote", Some(100.0)),
        made(deployed(50, "3", "canary_start", Some(5.0)), "c", 48, "d2"),
        deployed(51, "3", "rollback", Some(0.0)),
        made(deployed(72, "4", "deploy", None), "d", 70, "d2"),
        deployed(75, "4", "rollback", None),
        fix,
    ];
    let trouble = Trouble {
        model: "fraud".into(),
        version: Some("4".into()),
        began,
        detected: began.plus(10 * Timestamp::MINUTE),
        restored: None,
    };
    let report = report(deployments, vec![trouble]);
    assert_eq!((report.deployment_frequency.changes, report.deployment_frequency.retrainings), (4, 0));
    assert!((report.deployment_frequency.changes_a_day - 0.4).abs() < 1e-9);
    // From the commit: 10 h, 8 h, 2 h and 1 h; from the later of commit and data: the same, as data was older.
    let hours = |spread: Option<Spread>| spread.unwrap().median_seconds / 3_600.0;
    assert_eq!(hours(report.lead_time.from_commit), 5.0);
    assert_eq!(hours(report.lead_time.from_both), 5.0);
    // From the data: 30 h, 12 h, 52 h and 76 h.
    assert_eq!(hours(report.lead_time.from_data), 41.0);
    let failure = report.change_failure;
    assert_eq!((failure.releases, failure.contained, failure.escaped), (5, 1, 1));
    assert_eq!((failure.share, failure.predictions_of_contained), (Some(0.4), 1_200));
    assert_eq!(report.recovery.whole.unwrap().median_seconds, 3_600.0);
    assert_eq!(report.recovery.detection.unwrap().median_seconds, 600.0);
    assert_eq!(report.recovery.action.unwrap().median_seconds, 3_000.0);
    // Unplanned: the rollback of 4, and 5; all: four releases and the rollback.
    assert_eq!((report.rework.unplanned, report.rework.all), (2, 5));
}

#[test]
fn retraining_on_a_schedule_is_counted_apart() {
    let deployments = vec![
        made(deployed(10, "1", "deploy", None), "a", 0, "d1"),
        made(deployed(34, "2", "deploy", None), "a", 0, "d2"),
    ];
    let report = report(deployments, Vec::new());
    assert_eq!((report.deployment_frequency.changes, report.deployment_frequency.retrainings), (1, 1));
    assert_eq!(report.lead_time.from_commit.unwrap().count, 1);
}

#[test]
fn one_version_at_many_sites_is_one_release() {
    let site = |hours, name: &str| {
        let mut record = deployed(hours, "1", "deploy", None);
        record.site = Some(name.into());
        record
    };
    let report = report(vec![site(10, "berlin"), site(11, "paris"), site(12, "oslo")], Vec::new());
    assert_eq!((report.deployment_frequency.changes, report.releases[0].sites), (1, 3));
}

#[test]
fn a_shadow_is_no_deployment() {
    let deployments = vec![
        deployed(10, "1", "deploy", None),
        deployed(20, "2", "canary_start", Some(0.0)),
        deployed(30, "2", "retire", None),
    ];
    let report = report(deployments, Vec::new());
    assert_eq!((report.releases.len(), report.change_failure.releases), (1, 1));
}

#[test]
fn an_alias_that_a_rollout_moves_is_not_told_twice() {
    let moved = |hours, version: &str| AliasMove {
        time: at(hours),
        model: "fraud".into(),
        version: version.into(),
        registered_at: None,
    };
    let inputs = DoraInputs {
        deployments: vec![deployed(10, "1", "deploy", None)],
        alias_moves: vec![moved(10, "1"), moved(40, "2")],
        ..DoraInputs::default()
    };
    let report = dora("fraud", &inputs, at(0), at(240)).unwrap();
    assert_eq!(report.deployment_frequency.changes, 2);
}

/// Goal: a rollback that names the version that takes over counts like one that names the version taken back.
#[test]
fn both_ways_to_tell_a_rollback_are_understood() {
    let told = |version: &str, weight| {
        let deployments = vec![
            deployed(10, "1", "deploy", None),
            deployed(20, "2", "deploy", None),
            deployed(21, version, "rollback", weight),
        ];
        let report = report(deployments, Vec::new());
        (report.change_failure, report.rework)
    };
    assert_eq!(told("2", None), told("1", Some(100.0)));
    assert_eq!(told("2", None).0.escaped, 1);
}

/// Goal: a quality failure that nobody took back is linked to the version that served.
#[test]
fn trouble_without_a_rollback_escapes() {
    let deployments = vec![deployed(10, "1", "deploy", None), deployed(50, "2", "deploy", None)];
    let trouble = Trouble { model: "fraud".into(), version: None, began: at(60), detected: at(62), restored: None };
    let report = report(deployments, vec![trouble]);
    assert_eq!((report.change_failure.escaped, report.recovery.unrestored), (1, 1));
    assert_eq!(report.releases[1].fate, Fate::Escaped);
}

#[test]
fn nothing_deployed_is_no_report() {
    assert_eq!(dora("fraud", &DoraInputs::default(), at(0), at(1)), None);
}

proptest! {
    /// Goal: whatever the history, shares are shares, and the order in which it is told does not matter.
    #[test]
    fn figures_hold_for_any_history(
        told in proptest::collection::vec(
            (0_i64..200, 0_usize..4, 0_usize..6, proptest::option::of(-10.0_f64..200.0)), 0..40),
        began in proptest::collection::vec((0_i64..200, 0_i64..5), 0..5),
    ) {
        const ACTIONS: [&str; 6] = ["deploy", "canary_start", "canary_step", "promote", "rollback", "retire"];
        let mut seen = std::collections::BTreeSet::new();
        let deployments: Vec<DeploymentRecord> = told
            .iter()
            .filter(|one| seen.insert(one.0))
            .map(|&(hours, version, action, weight)| deployed(hours, &version.to_string(), ACTIONS[action], weight))
            .collect();
        let troubles: Vec<Trouble> = began
            .iter()
            .map(|&(hours, later)| Trouble {
                model: "fraud".into(), version: None, began: at(hours), detected: at(hours + later), restored: None,
            })
            .collect();
        let inputs = DoraInputs { deployments, troubles, ..DoraInputs::default() };
        let report = dora("fraud", &inputs, at(0), at(240));
        let mut backwards = inputs.clone();
        backwards.deployments.reverse();
        prop_assert_eq!(&dora("fraud", &backwards, at(0), at(240)), &report);
        if let Some(report) = report {
            for share in [report.change_failure.share, report.rework.share].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&share), "{share}");
            }
            prop_assert!(report.change_failure.contained + report.change_failure.escaped <= report.change_failure.releases);
            prop_assert!(report.lead_time.rollout.is_none_or(|spread| spread.median_seconds >= 0.0));
        }
    }
}
