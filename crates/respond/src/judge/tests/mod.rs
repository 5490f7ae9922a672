//! The judge over whole streams: what is found and when, what is not, and that it depends on nothing else.

mod stream;
mod trials;

use proptest::prelude::*;
use stream::{BEGINNING, Row, at, failing, piece, stream, versions};

use super::*;

/// Shows rows in pieces that end at the given places.
fn judged(rows: &[Row], settings: JudgeSettings, cuts: &[usize]) -> (Judge, Vec<Change>) {
    let mut judge = Judge::new(versions(), settings, Beginning::FirstSeen).unwrap();
    let mut changes = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([rows.len()]) {
        let cut = cut.clamp(from, rows.len());
        changes.extend(judge.observe(&piece(&rows[from..cut])));
        from = cut;
    }
    changes.extend(judge.finish());
    (judge, changes)
}

/// Goal: a version that fails five times as often is sent back within a minute, and an equal one is not.
#[test]
fn a_failing_version_is_sent_back_and_an_equal_one_is_not() {
    let (judge, changes) = judged(&stream(1, 120.0, failing(0.05)), JudgeSettings::default(), &[]);
    let last = changes.last().unwrap();
    assert_eq!((last.state, last.cause), (State::RollBack, Measure::Errors));
    assert!(last.time < at(BEGINNING + 60.0), "{last:?}");
    let record = judge.decision().unwrap();
    assert!(record.e >= 100.0 && record.reason.contains("failed requests"), "{}", record.reason);
    assert_eq!(record.deployments[0].action, "canary_start");
    assert!(!record.bad_events.is_empty() && record.trace.last().is_some_and(|point| point.e >= 100.0));

    let (_, changes) = judged(&stream(2, 120.0, |_, _| ()), JudgeSettings::default(), &[]);
    assert!(changes.iter().all(|change| change.state != State::RollBack), "{changes:?}");
}

#[test]
fn a_good_version_is_promoted_with_its_error_bound() {
    let (judge, changes) = judged(&stream(3, 400.0, |_, _| ()), JudgeSettings::default(), &[]);
    assert_eq!(changes.iter().map(|change| change.state).collect::<Vec<_>>(), [State::Promote]);
    let record = judge.decision().unwrap();
    assert!(record.reason.contains("excludes 2 times the standing rate, or 0.5 %"), "{}", record.reason);
    assert!(record.measures.iter().filter_map(|measure| measure.not_worse_e).all(|e| e >= 20.0));
}

#[test]
fn a_slow_tail_is_found() {
    let rows = stream(4, 200.0, |prediction, dice| {
        if prediction.version == "2" && dice.next() < 0.05 {
            prediction.latency_ms = 400.0;
        }
    });
    let last = judged(&rows, JudgeSettings::default(), &[]).1.pop().unwrap();
    assert_eq!((last.state, last.cause), (State::RollBack, Measure::Latency));
}

#[test]
fn decisions_and_scores_that_move_are_found() {
    let rows = stream(5, 300.0, |prediction, _| {
        if prediction.version == "2" {
            prediction.score = prediction.score.sqrt();
            prediction.decision = if prediction.score > 0.7 { "decline" } else { "approve" };
        }
    });
    let last = judged(&rows, JudgeSettings::default(), &[]).1.pop().unwrap();
    assert_eq!(last.state, State::RollBack);
    assert!(matches!(last.cause, Measure::Scores | Measure::Decisions), "{last:?}");
    let observed =
        JudgeSettings { observe_only: vec![Measure::Scores, Measure::Decisions], ..JudgeSettings::default() };
    let states: Vec<State> = judged(&rows, observed, &[]).1.into_iter().map(|change| change.state).collect();
    assert!(!states.contains(&State::RollBack), "{states:?}");
}

/// Labels come 20 s later for a third of the predictions; version 2 is wrong about 40 % of them.
#[test]
fn late_labels_send_back() {
    let predictions = stream(6, 900.0, |_, _| ());
    let mut rows = Vec::new();
    for (number, row) in predictions.iter().enumerate() {
        if let Some(Row::Prediction(old)) = number.checked_sub(2_000).and_then(|old| predictions.get(old))
            && number % 3 == 0
        {
            let is_wrong = number % 10 < if old.version == "2" { 4 } else { 1 };
            let label = if is_wrong { "other" } else { old.decision };
            let Row::Prediction(now) = row else { continue };
            rows.push(Row::Outcome { time: now.time, id: old.id.clone(), label });
        }
        rows.push(row.clone());
    }
    let (judge, changes) = judged(&rows, JudgeSettings::default(), &[]);
    let last = changes.last().unwrap();
    assert_eq!((last.state, last.cause), (State::RollBack, Measure::Labels), "{:?}", judge.record().unwrap().reason);
}

/// Goal: mirrored requests are joined by their trace, and decisions that flip too often send back.
#[test]
fn shadow_traffic_is_joined_by_trace() {
    let mut rows = Vec::new();
    for (number, row) in stream(7, 200.0, |prediction, _| (prediction.version, prediction.role) = ("1", "stable"))
        .into_iter()
        .enumerate()
    {
        let Row::Prediction(mut prediction) = row else { continue };
        prediction.trace = Some(format!("t{number}"));
        let mut mirrored = prediction.clone();
        (mirrored.version, mirrored.role, mirrored.id) = ("2", "shadow", format!("s{number}"));
        if number % 10 == 0 {
            mirrored.decision = if prediction.decision == "approve" { "decline" } else { "approve" };
        }
        rows.extend([Row::Prediction(prediction), Row::Prediction(mirrored)]);
    }
    let (judge, changes) = judged(&rows, JudgeSettings::default(), &[]);
    let last = changes.last().unwrap();
    assert_eq!((last.state, last.cause), (State::RollBack, Measure::Flips), "{:?}", judge.record());
}

#[test]
fn a_segment_that_is_declined_more_often_is_named() {
    let rows = stream(8, 900.0, |prediction, dice| {
        if prediction.version == "2" && prediction.sex == "f" && dice.next() < 0.3 {
            prediction.decision = "decline";
        }
    });
    let settings = JudgeSettings {
        favourable_decision: Some("approve".to_owned()),
        segments: vec!["sex".to_owned()],
        observe_only: vec![Measure::Decisions, Measure::Scores],
        ..JudgeSettings::default()
    };
    let (judge, changes) = judged(&rows, settings, &[]);
    assert_eq!(changes.last().unwrap().cause, Measure::Fairness, "{changes:?}");
    let record = judge.record().unwrap();
    assert_eq!(record.segments.iter().map(|segment| segment.segment.as_str()).collect::<Vec<_>>(), ["sex=f"]);
}

/// Goal: a trial may begin without anything learned; the standing version's first events are the baseline then.
#[test]
fn a_trial_without_a_past_learns_from_its_first_events() {
    let rows: Vec<Row> = stream(9, 200.0, |prediction, dice| {
        if prediction.version == "2" && dice.next() < 0.1 {
            prediction.latency_ms = 500.0;
        }
    });
    let from = rows.iter().position(|row| matches!(row, Row::Deployment { .. })).unwrap();
    let (judge, changes) = judged(&rows[from..], JudgeSettings::default(), &[]);
    assert_eq!(changes.last().unwrap().cause, Measure::Latency);
    let record = judge.decision().unwrap();
    assert!(record.is_learned_within);
    assert!(replay(record, [piece(&rows[from..])]).unwrap().agrees());
}

#[test]
fn a_replay_agrees_and_other_events_do_not() {
    let rows = stream(1, 120.0, failing(0.05));
    let (judge, _) = judged(&rows, JudgeSettings::default(), &[]);
    let written = serde_json::to_string(judge.decision().unwrap()).unwrap();
    let record: DecisionRecord = serde_json::from_str(&written).unwrap();
    let begun = rows.iter().position(|row| matches!(row, Row::Deployment { .. })).unwrap();
    let pieces = rows[begun - 5..].chunks(333).map(piece);
    assert_eq!(replay(&record, pieces).unwrap().differences, Vec::<String>::new());

    let mut other = rows;
    let first = record.bad_events[0].id.clone();
    other.retain(|row| !matches!(row, Row::Prediction(prediction) if prediction.id == first));
    let replayed = replay(&record, [piece(&other)]).unwrap();
    assert!(
        !replayed.agrees() && replayed.differences.iter().any(|difference| difference.starts_with("first bad event"))
    );
}

#[test]
fn it_goes_on_from_what_was_written_down() {
    let rows = stream(1, 120.0, failing(0.05));
    let (whole, changes) = judged(&rows, JudgeSettings::default(), &[]);
    let mut judge = Judge::new(versions(), JudgeSettings::default(), Beginning::FirstSeen).unwrap();
    let mut found = judge.observe(&piece(&rows[..3_500]));
    let bytes = Judge::save_all([&judge]);
    let mut judge = Judge::restore_all(&bytes).unwrap().remove(0);
    assert_eq!(Judge::restore_all(&bytes[..9]), None);
    found.extend(judge.observe(&piece(&rows[3_500..])));
    found.extend(judge.finish());
    assert_eq!(found, changes);
    assert_eq!(judge.decision(), whole.decision());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Goal: where batches end makes no difference, though a decoder groups each by kind.
    #[test]
    fn the_cuts_of_a_stream_make_no_difference(seed in 0..1_000_u64, mut cuts in prop::collection::vec(0..6_000_usize, 0..12)) {
        cuts.sort_unstable();
        let mut rows = stream(seed, 50.0, failing(0.08));
        let labels: Vec<Row> = rows.iter().step_by(7).filter_map(|row| match row {
            Row::Prediction(one) => Some(Row::Outcome { time: one.time.plus(3_000_000), id: one.id.clone(), label: "approve" }),
            _ => None,
        }).collect();
        rows.extend(labels);
        rows.sort_by_key(|row| match row {
            Row::Prediction(one) => one.time,
            Row::Outcome { time, .. } | Row::Deployment { time, .. } => *time,
        });
        let whole = judged(&rows, JudgeSettings::default(), &[]);
        let cut = judged(&rows, JudgeSettings::default(), &cuts);
        prop_assert_eq!(whole.1, cut.1);
        prop_assert_eq!(whole.0.record(), cut.0.record());
    }
}
