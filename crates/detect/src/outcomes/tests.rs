use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;
use wardline_domain::RecordKind;

use super::*;

fn times(seconds: &[i64]) -> ArrayRef {
    let micros = seconds.iter().map(|second| second * Timestamp::SECOND);
    Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
}

/// Predictions `first..first + count`, one a second, that say `yes`.
fn predictions(first: usize, count: usize) -> EventBatch {
    let ids: StringArray = (first..first + count).map(|id| Some(format!("p{id}"))).collect();
    let decisions: DictionaryArray<Int32Type> = (0..count).map(|_| Some("yes")).collect();
    let seconds: Vec<i64> = (first..first + count).map(|second| second as i64).collect();
    let columns: Vec<(&str, ArrayRef, bool)> =
        vec![("time", times(&seconds), false), ("id", Arc::new(ids), true), ("decision", Arc::new(decisions), true)];
    let records = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    EventBatch { kind: RecordKind::Inference, model: Some("m".into()), records }
}

fn outcomes(ids: &[usize], at: i64, label: &str) -> EventBatch {
    let names: StringArray = ids.iter().map(|id| Some(format!("p{id}"))).collect();
    let labels: DictionaryArray<Int32Type> = ids.iter().map(|_| Some(label)).collect();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("time", times(&vec![at; ids.len()]), false),
        ("id", Arc::new(names), true),
        ("label", Arc::new(labels), true),
    ];
    let records = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    EventBatch { kind: RecordKind::Outcome, model: None, records }
}

/// Numbers that are missing are NaN, which no equality knows.
fn bytes(index: &OutcomeIndex) -> Vec<u8> {
    postcard::to_stdvec(index).unwrap()
}

fn of_one(judged: Judged) -> Vec<JudgedPrediction> {
    judged.into_iter().flat_map(|(_, rows)| rows).collect()
}

#[test]
fn late_early_and_repeated_outcomes_find_their_prediction_once() {
    let mut index = OutcomeIndex::default();
    assert!(index.outcomes(&outcomes(&[3], 1, "no")).is_empty());
    let early = index.predictions("m", &predictions(0, 10), &Entities::default());
    assert_eq!(early.iter().map(JudgedPrediction::is_right).collect::<Vec<_>>(), [Some(false)]);
    let late = of_one(index.outcomes(&outcomes(&[1, 2, 3, 99], 1_000_000, " YES ")));
    assert_eq!(late.iter().map(JudgedPrediction::is_right).collect::<Vec<_>>(), [Some(true), Some(true)]);
    assert_eq!(late[0].time.since(late[0].predicted), 999_999 * Timestamp::SECOND);
    assert!(index.outcomes(&outcomes(&[1], 1_000_001, "no")).is_empty(), "told twice");
}

/// Goal: a flood is thinned to what there is room for, in the same way however it is cut, and a small model keeps its own.
#[test]
fn a_flood_is_thinned_alike_however_it_is_cut() {
    let total = 2 * MOST_KEPT;
    let run = |step: usize| {
        let mut index = OutcomeIndex::default();
        let small = predictions(total + 1, 500);
        index.predictions("small", &small, &Entities::default());
        for first in (0..total).step_by(step) {
            index.predictions("m", &predictions(first, step.min(total - first)), &Entities::default());
        }
        index
    };
    let index = run(10_000);
    assert_eq!(bytes(&index), bytes(&run(7_777)));
    assert!(index.kept.len() <= MOST_KEPT && index.kept.len() > MOST_KEPT / 3, "{}", index.kept.len());
    assert_eq!((index.share_kept("small"), index.models[0].kept), (Some(1.0), 500));
    let share = index.share_kept("m").unwrap();
    assert!((0.2..=0.5).contains(&share) && index.share_kept("other").is_none(), "{share}");
    assert_eq!(index.models[1].kept + 500, index.kept.len());
}

#[test]
fn it_comes_back_from_its_bytes_and_stays_small() {
    let mut index = OutcomeIndex::default();
    index.predictions("m", &predictions(0, 2_000), &Entities::default());
    index.outcomes(&outcomes(&[5, 5_000], 9_000, "yes"));
    let saved = bytes(&index);
    assert!(saved.len() < 45 * 2_000, "{}", saved.len());
    let back: OutcomeIndex = postcard::from_bytes(&saved).unwrap();
    assert_eq!((bytes(&back), back.models), (saved, index.models));
}

#[test]
fn outcomes_that_wait_too_long_are_counted() {
    let mut index = OutcomeIndex::default();
    let ids: Vec<usize> = (0..MOST_WAITING + 10).collect();
    index.outcomes(&outcomes(&ids, 5, "yes"));
    assert_eq!((index.waiting.len(), index.unknown()), (MOST_WAITING, 10));
}
