//! Rows on their way from a batch into files, and what queries see meanwhile.

use std::sync::Arc;

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::Schema,
};
use wardline_domain::{EventBatch, Finding, FindingKind, RecordKind, Severity, Slice, Timestamp};
use wardline_store::{
    Lake, LakeSettings,
    lake::{LakeError, Retention},
};

use crate::rows::{ask, engine, inferences, monday, number, outcomes, quiet};

const COUNT: &str = "SELECT count(*) FROM inference";

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_seen_before_and_after_they_are_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    let engine = engine(&lake);
    lake.observe(1, &[inferences("fraud", 0..1_000, Timestamp::SECOND)]).await.unwrap();
    assert_eq!(number(&engine, COUNT).await, 1_000);
    assert_eq!(lake.committed_sequence(), Some(0));

    lake.flush().await.unwrap();
    assert_eq!(number(&engine, COUNT).await, 1_000);
    assert_eq!(lake.committed_sequence(), Some(1));
    assert_eq!(lake.tail_bytes(), 0);

    lake.observe(2, &[inferences("fraud", 1_000..1_500, Timestamp::SECOND)]).await.unwrap();
    assert_eq!(number(&engine, COUNT).await, 1_500);
    let by_version =
        ask(&engine, "SELECT version, count(*) AS n, sum(feature_age) AS age FROM model_fraud GROUP BY 1 ORDER BY 1")
            .await;
    insta::assert_snapshot!(by_version, @r"
    +---------+------+---------+
    | version | n    | age     |
    +---------+------+---------+
    | 1       | 1125 | 44550.0 |
    | 2       | 375  | 14100.0 |
    +---------+------+---------+
    ");
}

/// Goal: replaying the journal after a crash stores nothing twice and loses nothing.
/// Method: one table is committed, the other is not, and then the process ends without closing.
#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_record_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let records = |sequence: u64| {
        let numbers = sequence * 100..(sequence + 1) * 100;
        vec![inferences("fraud", numbers.clone(), Timestamp::SECOND), inferences("churn", numbers, Timestamp::SECOND)]
    };
    {
        let lake = Lake::open(quiet(folder.path())).await.unwrap();
        lake.observe(0, &records(0)).await.unwrap();
        lake.flush().await.unwrap();
        lake.observe(1, &records(1)[..1]).await.unwrap();
        lake.flush().await.unwrap();
        lake.observe(2, &records(2)).await.unwrap();
    }
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    assert_eq!(lake.highest_stored_sequence(), Some(1));
    for sequence in 0..4 {
        lake.observe(sequence, &records(sequence)).await.unwrap();
    }
    let engine = engine(&lake);
    assert_eq!(number(&engine, COUNT).await, 800);
    assert_eq!(number(&engine, "SELECT count(DISTINCT id) FROM inference").await, 800);
    lake.close().await.unwrap();
    assert_eq!(number(&engine, COUNT).await, 800);
    assert_eq!(lake.committed_sequence(), Some(3));
}

/// Goal: whatever a query meets, while rows come, are flushed and merged, it sees each of them once.
#[tokio::test(flavor = "multi_thread")]
async fn queries_see_each_row_once_while_files_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = quiet(folder.path());
    settings.compaction_files = 2;
    let lake = Arc::new(Lake::open(settings).await.unwrap());
    let engine = Arc::new(engine(&lake));
    lake.observe(0, &[inferences("fraud", 0..100, Timestamp::SECOND)]).await.unwrap();
    let writer = {
        let lake = Arc::clone(&lake);
        tokio::spawn(async move {
            for sequence in 1..40 {
                lake.observe(sequence, &[inferences("fraud", sequence * 100..(sequence + 1) * 100, Timestamp::SECOND)])
                    .await
                    .unwrap();
                if sequence % 2 == 0 {
                    lake.flush().await.unwrap();
                }
                if sequence % 9 == 0 {
                    lake.compact().await.unwrap();
                }
            }
        })
    };
    let mut seen = 0;
    while !writer.is_finished() {
        let rows = number(&engine, COUNT).await;
        assert_eq!(rows % 100, 0, "a record was seen in part");
        assert!(seen <= rows, "{rows} rows after {seen}");
        assert_eq!(rows, number(&engine, "SELECT count(DISTINCT id) FROM inference").await.min(rows));
        seen = rows;
    }
    writer.await.unwrap();
    assert_eq!(number(&engine, COUNT).await, 4_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn merging_keeps_rows_and_drops_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    for sequence in 0..8 {
        // Each file repeats the last ten rows of the one before.
        let from = sequence * 100;
        lake.observe(sequence, &[inferences("fraud", from.saturating_sub(10)..from + 100, Timestamp::SECOND)])
            .await
            .unwrap();
        lake.flush().await.unwrap();
    }
    let engine = engine(&lake);
    assert_eq!(number(&engine, COUNT).await, 870);
    let report = lake.compact().await.unwrap();
    assert_eq!((report.files_before, report.files_after, report.repeats), (8, 1, 70));
    assert_eq!(number(&engine, COUNT).await, 800);
    let unsorted = "SELECT count(*) FROM (SELECT time < lag(time) OVER () AS back FROM model_fraud) WHERE back";
    assert_eq!(number(&engine, unsorted).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_go_and_their_files_are_deleted_after_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = quiet(folder.path());
    settings.retention = Retention { days_by_model: [("fraud".to_owned(), 2)].into(), ..Retention::default() };
    let lake = Arc::new(Lake::open(settings).await.unwrap());
    for day in 0..4 {
        lake.observe(day, &[inferences("fraud", day * 24..(day + 1) * 24, Timestamp::HOUR)]).await.unwrap();
        lake.flush().await.unwrap();
    }
    let engine = engine(&lake);
    let now = monday().plus(3 * Timestamp::DAY + 12 * Timestamp::HOUR);
    assert_eq!(lake.expire(now).await.unwrap(), 1);
    // The file of the second day lies across the limit, and stays.
    assert_eq!(number(&engine, COUNT).await, 72);
    assert_eq!(lake.vacuum(std::time::Duration::from_secs(3_600)).await.unwrap(), 0);
    assert_eq!(lake.vacuum(std::time::Duration::ZERO).await.unwrap(), 1);
    assert_eq!(number(&engine, COUNT).await, 72);
    // The vacuum left its own commits; the next one goes on top of them.
    lake.observe(9, &[inferences("fraud", 96..120, Timestamp::HOUR)]).await.unwrap();
    lake.flush().await.unwrap();
    let reopened = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    assert_eq!(number(&crate::rows::engine(&reopened), COUNT).await, 96);
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_shorten_a_log_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = quiet(folder.path());
    settings.checkpoint_interval = 5;
    settings.compaction_files = 100;
    let lake = Lake::open(settings).await.unwrap();
    for sequence in 0..7 {
        lake.observe(
            sequence,
            &[inferences("fraud", sequence * 10..(sequence + 1) * 10, Timestamp::SECOND), outcomes("fraud", 0..1)],
        )
        .await
        .unwrap();
        lake.flush().await.unwrap();
    }
    let report = lake.maintain(monday()).await;
    assert_eq!((report.checkpoints, report.failures), (2, 0));
    assert!(folder.path().join("inference/fraud/_delta_log/_last_checkpoint").exists());
    drop(lake);
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    assert_eq!(lake.highest_stored_sequence(), Some(6));
    assert_eq!(number(&engine(&lake), COUNT).await, 70);
}

/// Goal: a commit whose bytes a power cut lost does not keep the lake from opening.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_commit_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    {
        let lake = Lake::open(quiet(folder.path())).await.unwrap();
        lake.observe(0, &[inferences("fraud", 0..10, Timestamp::SECOND)]).await.unwrap();
        lake.flush().await.unwrap();
    }
    std::fs::write(folder.path().join("inference/fraud/_delta_log/00000000000000000001.json"), "").unwrap();
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    lake.observe(1, &[inferences("fraud", 10..20, Timestamp::SECOND)]).await.unwrap();
    lake.flush().await.unwrap();
    assert_eq!(number(&engine(&lake), COUNT).await, 20);
}

/// Goal: when files cannot be written, rows stay visible, nothing is lost, and writing goes on later.
/// Method: the table's folder is a file for a while.
#[tokio::test(flavor = "multi_thread")]
async fn rows_survive_a_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    let engine = engine(&lake);
    let in_the_way = folder.path().join("inference");
    std::fs::write(&in_the_way, "").unwrap();
    lake.observe(0, &[inferences("fraud", 0..10, Timestamp::SECOND)]).await.unwrap();
    assert!(lake.flush().await.is_err());
    assert_eq!(number(&engine, COUNT).await, 10);
    assert_eq!(lake.committed_sequence(), None);
    lake.observe(1, &[inferences("fraud", 10..20, Timestamp::SECOND)]).await.unwrap();
    std::fs::remove_file(&in_the_way).unwrap();
    lake.flush().await.unwrap();
    assert_eq!(number(&engine, COUNT).await, 20);
    assert_eq!(lake.committed_sequence(), Some(1));
}

/// Goal: a batch that its table refuses keeps no other model's rows out, and the error names the table.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_batch_leaves_the_others_in() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let no_columns = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    let refused = EventBatch { kind: RecordKind::Inference, model: Some("churn".into()), records: no_columns };
    let nameless = EventBatch { model: None, ..inferences("rank", 0..10, Timestamp::SECOND) };
    let sound = [inferences("adverts", 0..10, Timestamp::SECOND), inferences("fraud", 0..10, Timestamp::SECOND)];

    let error = lake.observe(1, &[refused, sound[0].clone(), sound[1].clone()]).await.unwrap_err();
    assert!(matches!(&error, LakeError::Refused { sequence: 1, .. }), "{error}");
    assert!(error.to_string().starts_with("table `inference of churn` refused rows of record 1: "), "{error}");
    let error = lake.observe(2, &[nameless, inferences("fraud", 10..20, Timestamp::SECOND)]).await.unwrap_err();
    assert!(matches!(error, LakeError::NoModel { .. }), "{error}");
    lake.flush().await.unwrap();
    assert_eq!(number(&engine(&lake), "SELECT count(*) FROM model_fraud").await, 20);
    assert_eq!(number(&engine(&lake), "SELECT count(*) FROM model_adverts").await, 10);
    assert_eq!((lake.committed_sequence(), lake.tail_bytes()), (Some(2), 0));
}

/// Goal: whoever waits for room can learn that a table cannot be written, and when it can again.
#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_cannot_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(LakeSettings { max_tail_bytes: 64, ..quiet(folder.path()) }).await.unwrap();
    let in_the_way = folder.path().join("inference");
    std::fs::write(&in_the_way, "").unwrap();
    assert_eq!(lake.commit_trouble(), None);
    lake.observe(0, &[inferences("fraud", 0..10, Timestamp::SECOND)]).await.unwrap();
    lake.flush().await.unwrap_err();
    let trouble = lake.commit_trouble().unwrap();
    assert!(trouble.starts_with("table `inference of fraud` cannot be written: "), "{trouble}");

    std::fs::remove_file(&in_the_way).unwrap();
    lake.flush().await.unwrap();
    assert_eq!(lake.commit_trouble(), None);
    lake.observe(1, &[inferences("fraud", 10..20, Timestamp::SECOND)]).await.unwrap();
}

/// Goal: a quiet table's rows can be made to let the journal go, and busy tables are left alone.
#[tokio::test(flavor = "multi_thread")]
async fn quiet_tables_let_the_journal_go_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(quiet(folder.path())).await.unwrap();
    lake.observe(1, &[inferences("quiet", 0..1, Timestamp::SECOND)]).await.unwrap();
    lake.observe(2, &[inferences("fraud", 0..10, Timestamp::SECOND)]).await.unwrap();
    lake.observe(3, &[inferences("churn", 0..10, Timestamp::SECOND)]).await.unwrap();
    let all = lake.tail_bytes();
    lake.flush_before(0).await.unwrap();
    assert_eq!((lake.committed_sequence(), lake.tail_bytes()), (Some(0), all));
    lake.flush_before(2).await.unwrap();
    assert_eq!(lake.committed_sequence(), Some(2));
    assert!((1..all).contains(&lake.tail_bytes()));
}

/// Goal: the tails stay within their limit however fast rows come.
#[tokio::test(flavor = "multi_thread")]
async fn tails_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = quiet(folder.path());
    settings.max_tail_bytes = 1 << 20;
    let lake = Arc::new(Lake::open(settings).await.unwrap());
    let mut most = 0;
    for sequence in 0..50 {
        let model = ["fraud", "churn", "rank"][sequence as usize % 3];
        lake.observe(sequence, &[inferences(model, sequence * 1_000..(sequence + 1) * 1_000, Timestamp::SECOND)])
            .await
            .unwrap();
        most = most.max(lake.tail_bytes());
    }
    assert!(most < 2 << 20, "{most} bytes");
    assert_eq!(number(&engine(&lake), COUNT).await, 50_000);
}

/// Goal: findings are seen at once, stored once over a restart, and do not hold the journal back.
#[tokio::test(flavor = "multi_thread")]
async fn findings_have_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let count = "SELECT count(*) FROM finding WHERE kind = 'latency' AND model = 'fraud'";
    {
        let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
        lake.observe(7, &[inferences("fraud", 0..10, Timestamp::SECOND)]).await.unwrap();
        lake.observe_findings(1, &[finding(1)]).await.unwrap();
        assert_eq!(lake.committed_sequence(), Some(6));
        lake.flush_findings().await.unwrap();
        lake.observe_findings(2, &[finding(2)]).await.unwrap();
        assert_eq!(number(&engine(&lake), count).await, 2);
    }
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    assert_eq!(lake.highest_stored_sequence(), None);
    for number in 1..=2 {
        lake.observe_findings(number, &[finding(number)]).await.unwrap();
    }
    let engine = engine(&lake);
    assert_eq!(number(&engine, count).await, 2);
    let shown =
        ask(&engine, "SELECT id, severity, version, slice, observed, n_observed, atlas FROM finding ORDER BY id").await;
    insta::assert_snapshot!(shown, @r#"
    +-----+----------+---------+-------------+----------+------------+---------------+
    | id  | severity | version | slice       | observed | n_observed | atlas         |
    +-----+----------+---------+-------------+----------+------------+---------------+
    | f-1 | ticket   |         | channel=web | 250.0    | 1000       | ["AML.T0029"] |
    | f-2 | ticket   |         | channel=web | 250.0    | 1000       | ["AML.T0029"] |
    +-----+----------+---------+-------------+----------+------------+---------------+
    "#);
}

fn finding(number: u64) -> Finding {
    let time = monday().plus(number as i64 * Timestamp::MINUTE);
    Finding {
        id: format!("f-{number}"),
        time,
        kind: FindingKind::Latency,
        detector: "latency".into(),
        measure: "latency_ms".into(),
        model: "fraud".into(),
        version: None,
        slice: Slice::of("channel", "web"),
        onset: time,
        onset_interval: (time, time),
        observed: 250.0,
        expected: 100.0,
        unit: "ms".into(),
        n_observed: 1_000,
        n_expected: 50_000,
        effect: 2.5,
        effect_name: "ratio".into(),
        p_value: Some(1e-9),
        severity: Severity::Ticket,
        atlas: vec!["AML.T0029".into()],
        responsible: vec![],
        features: vec![],
        title: "it is slow".into(),
        evidence: "SELECT 1".into(),
        p_limit: None,
        held_back: None,
    }
}
