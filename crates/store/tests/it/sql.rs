//! What SQL answers, refuses and limits.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use wardline_domain::{Severity, Timestamp};
use wardline_store::{Engine, EngineSettings, Lake, Limits, Metadata, QueryError};

use crate::rows::{ask, engine, inferences, number, outcomes, quiet};

/// Rows in files and in memory, of two models, with outcomes of one.
async fn stored(folder: &std::path::Path) -> Arc<Lake> {
    let lake = Arc::new(Lake::open(quiet(folder)).await.unwrap());
    lake.observe(
        0,
        &[inferences("fraud", 0..1_200, Timestamp::MINUTE), inferences("Churn 2", 0..50, Timestamp::MINUTE)],
    )
    .await
    .unwrap();
    lake.flush().await.unwrap();
    lake.observe(1, &[inferences("fraud", 1_200..2_400, Timestamp::MINUTE), outcomes("fraud", 0..1_000)])
        .await
        .unwrap();
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_named_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    for (table, rows) in [
        ("inference", 2_450),
        ("model_fraud", 2_400),
        ("\"model.fraud\"", 2_400),
        ("model_churn_2", 50),
        ("\"model.Churn 2\"", 50),
        ("outcome", 1_000),
        ("labelled", 1_000),
        ("labelled_fraud", 1_000),
        ("labelled_churn_2", 0),
        ("training_row", 0),
        ("metric", 0),
        ("log", 0),
        ("deployment", 0),
        ("finding", 0),
    ] {
        assert_eq!(number(&engine, &format!("SELECT count(*) FROM {table}")).await, rows, "{table}");
    }
    let columns = ask(&engine, "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'inference' AND column_name LIKE 'attribute%'").await;
    insta::assert_snapshot!(columns, @r"
    +-----------------+-----------+
    | column_name     | data_type |
    +-----------------+-----------+
    | attributes      | Utf8View  |
    | attribute_store | Utf8View  |
    +-----------------+-----------+
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_join_their_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    let accuracy = "SELECT version, count(*) AS n, avg(CAST(correct AS DOUBLE)) AS accuracy, max(label_time) AS last
        FROM labelled WHERE model = 'fraud' GROUP BY 1 ORDER BY 1";
    insta::assert_snapshot!(ask(&engine, accuracy).await, @r"
    +---------+-----+----------+-----------------------------+
    | version | n   | accuracy | last                        |
    +---------+-----+----------+-----------------------------+
    | 1       | 750 | 0.8      | 2026-11-03T00:00:00.000999Z |
    | 2       | 250 | 0.8      | 2026-11-03T00:00:00.000996Z |
    +---------+-----+----------+-----------------------------+
    ");
}

/// Goal: percentiles are the same to the last digit in every run, and close to the exact ones.
#[tokio::test(flavor = "multi_thread")]
async fn percentiles_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let lake = stored(folder.path()).await;
    let statement = "SELECT version, percentile(latency_ms, 0.5) AS p50, approx_percentile_cont(latency_ms, 0.95) AS p95,
        approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99, quantile_exact(latency_ms, 0.99) AS exact
        FROM inference GROUP BY 1 ORDER BY 1";
    let mut answers = Vec::new();
    for threads in [1, 2, 3, 5] {
        let settings = EngineSettings { threads, ..EngineSettings::default() };
        answers.push(ask(&Engine::new(Arc::clone(&lake), None, &settings).unwrap(), statement).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    insta::assert_snapshot!(answers[0], @r"
    +---------+--------+--------------------+-------+---------+
    | version | p50    | p95                | p99   | exact   |
    +---------+--------+--------------------+-------+---------+
    | 1       | 70.175 | 114.97499999999998 | 119.0 | 118.964 |
    | 2       | 69.125 | 114.3625           | 118.5 | 118.752 |
    +---------+--------+--------------------+-------+---------+
    ");
}

/// Goal: what people do with Pandas works: rolling means, correlations, medians, deviations, moving percentiles.
#[tokio::test(flavor = "multi_thread")]
async fn rolling_statistics_and_correlations() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    let moving = "SELECT time, avg(latency_ms) OVER w AS mean, percentile(latency_ms, 0.5) OVER w AS p50, lag(latency_ms) OVER (ORDER BY time) AS before
        FROM model_fraud WINDOW w AS (ORDER BY time ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) ORDER BY time LIMIT 6";
    insta::assert_snapshot!(ask(&engine, moving).await, @r"
    +----------------------+-------------------+-------+--------+
    | time                 | mean              | p50   | before |
    +----------------------+-------------------+-------+--------+
    | 2026-11-02T00:00:00Z | 20.0              | 20.0  |        |
    | 2026-11-02T00:01:00Z | 65.95             | 65.95 | 20.0   |
    | 2026-11-02T00:02:00Z | 78.56666666666666 | 103.8 | 111.9  |
    | 2026-11-02T00:03:00Z | 82.85             | 99.75 | 103.8  |
    | 2026-11-02T00:04:00Z | 83.8              | 95.7  | 95.7   |
    | 2026-11-02T00:05:00Z | 95.7              | 95.7  | 87.6   |
    +----------------------+-------------------+-------+--------+
    ");
    let whole = "SELECT round(corr(latency_ms, feature_age), 4) AS corr, round(regr_slope(latency_ms, feature_age), 4) AS slope,
        median(latency_ms) AS median, round(stddev(latency_ms), 4) AS deviation FROM model_fraud";
    insta::assert_snapshot!(ask(&engine, whole).await, @r"
    +---------+---------+--------+-----------+
    | corr    | slope   | median | deviation |
    +---------+---------+--------+-----------+
    | -0.0171 | -0.0214 | 70.0   | 28.8898   |
    +---------+---------+--------+-----------+
    ");
    let hourly = "SELECT time, n, avg(n) OVER (ORDER BY time RANGE BETWEEN INTERVAL '3 hours' PRECEDING AND CURRENT ROW) AS over_3h
        FROM (SELECT date_trunc('hour', time) AS time, count(*) AS n FROM model_fraud GROUP BY 1) ORDER BY 1 LIMIT 3";
    insta::assert_snapshot!(ask(&engine, hourly).await, @r"
    +----------------------+----+---------+
    | time                 | n  | over_3h |
    +----------------------+----+---------+
    | 2026-11-02T00:00:00Z | 60 | 60.0    |
    | 2026-11-02T01:00:00Z | 60 | 60.0    |
    | 2026-11-02T02:00:00Z | 60 | 60.0    |
    +----------------------+----+---------+
    ");
}

/// Goal: `date_trunc` is answered by `date_bin`, with the same result, weeks from Monday included.
#[tokio::test(flavor = "multi_thread")]
async fn truncated_times_are_binned() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    for unit in ["second", "minute", "hour", "day", "week"] {
        // A function of another type of argument is left alone, and is the reference.
        let differing = format!(
            "SELECT count(*) FROM inference WHERE date_trunc('{unit}', time) <> arrow_cast(date_trunc('{unit}', arrow_cast(time, 'Timestamp(Microsecond, None)')), 'Timestamp(Microsecond, Some(\"UTC\"))')"
        );
        assert_eq!(number(&engine, &differing).await, 0, "{unit}");
    }
    let plan = ask(&engine, "EXPLAIN SELECT date_trunc('hour', time) FROM inference").await;
    assert!(plan.contains("date_bin"), "{plan}");
    let months =
        ask(&engine, "SELECT date_trunc('month', time) AS month, count(*) AS n FROM model_fraud GROUP BY 1").await;
    insta::assert_snapshot!(months, @r"
    +----------------------+------+
    | month                | n    |
    +----------------------+------+
    | 2026-11-01T00:00:00Z | 2400 |
    +----------------------+------+
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    let few = Limits { max_rows: 10, ..Limits::default() };
    let (batches, truncated) = engine.query("SELECT * FROM inference", few).await.unwrap().collect().await.unwrap();
    assert_eq!((batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), truncated), (10, true));
    let (_, truncated) = engine.query("SELECT * FROM inference LIMIT 10", few).await.unwrap().collect().await.unwrap();
    assert!(!truncated);

    let short = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000) a";
    let error = match engine.query(endless, short).await {
        Ok(stream) => stream.collect().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, QueryError::TimedOut { .. }), "{error}");
    // Its threads are free again.
    assert_eq!(number(&engine, "SELECT count(*) FROM outcome").await, 1_000);

    let small = Limits { memory_bytes: 64 << 10, ..Limits::default() };
    let hungry = "SELECT array_agg(id), median(latency_ms) FROM inference GROUP BY id";
    let error = match engine.query(hungry, small).await {
        Ok(stream) => stream.collect().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, QueryError::OutOfMemory { .. }), "{error}");
}

/// Goal: an answer is bounded in bytes, whether it is collected or read as it comes.
#[tokio::test(flavor = "multi_thread")]
async fn large_answers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let wide = "SELECT repeat('x', 20000) FROM generate_series(1, 60)";
    let error = engine.query(wide, limits).await.unwrap().collect().await.unwrap_err();
    insta::assert_snapshot!(error, @"the statement needs more than 1 MB of memory: group by fewer values, narrow its time range, or raise the limit; its answer alone is larger: ask for less, with fewer rows or columns, or shorter texts");

    let mut long = engine
        .query("SELECT value FROM generate_series(1, 1000000)", Limits { max_rows: 1_000_000, ..limits })
        .await
        .unwrap();
    let (mut bytes, mut last) = (0, None);
    while let Some(next) = long.next().await {
        bytes += next.as_ref().map_or(0, |batch| 8 * batch.num_rows());
        last = Some(next);
    }
    assert!(matches!(last, Some(Err(QueryError::OutOfMemory { .. }))), "{last:?}");
    assert!((1 << 19..=1 << 20).contains(&bytes), "{bytes} bytes");
    let (_, truncated) =
        engine.query("SELECT value FROM generate_series(1, 100000)", limits).await.unwrap().collect().await.unwrap();
    assert!(!truncated, "800 kB are within the limit");
}

/// Goal: a few statements run at once, the others wait for their turn, and a reader who stops reading
/// keeps his only until his time is up.
#[tokio::test(flavor = "multi_thread")]
async fn statements_wait_for_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    let endless = "SELECT a.value FROM generate_series(1, 1000000000) a";
    let patient = Limits { max_rows: 1 << 40, memory_bytes: usize::MAX, timeout: Duration::from_secs(600) };
    let mut unread = Vec::new();
    for _ in 0..3 {
        unread.push(engine.query(endless, patient).await.unwrap());
    }
    let short = Limits { timeout: Duration::from_secs(2), ..patient };
    let mut unread_for_long = engine.query(endless, short).await.unwrap();
    assert_eq!(number(&engine, "SELECT count(*) FROM outcome").await, 1_000, "once the fourth is over");
    let mut last = None;
    while let Some(next) = unread_for_long.next().await {
        last = Some(next);
    }
    assert!(matches!(last, Some(Err(QueryError::TimedOut { .. }))), "{last:?}");

    unread.push(engine.query(endless, patient).await.unwrap());
    let error = engine.query("SELECT 1", short).await.unwrap_err();
    assert!(matches!(error, QueryError::TimedOut { .. }), "{error}");
    drop(unread);
    assert_eq!(number(&engine, "SELECT 1").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_answered_with_what_would_help() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    let refused = async |sql: &str| {
        engine.query(sql, Limits::default()).await.err().map(|error| error.to_string()).unwrap_or_default()
    };
    insta::assert_snapshot!(refused("SELECT * FROM inferrence").await, @"there is no table `inferrence`; did you mean `inference`? there are alert, deployment, finding, inference, labelled, log, metric, outcome, training_row, model_churn_2, model_fraud, labelled_churn_2, labelled_fraud");
    insta::assert_snapshot!(refused("SELECT latency FROM inference").await, @r"
    the statement does not fit the tables: No field named latency. Did you mean 'inference.latency_ms'?
    Valid fields are inference.time, inference.received, inference.sender, inference.id, inference.model, inference.version, inference.role, inference.service, inference.environment, inference.instance, inference.status, inference.http_status, inference.error, inference.latency_ms, inference.queue_ms, inference.ttft_ms, inference.batch_size, inference.input_tokens, inference.output_tokens, inference.embedding, inference.prompt, inference.output, inference.score, inference.items, inference.scores, inference.decision, inference.prediction, inference.user, inference.session, inference.api_key, inference.client_ip, inference.tenant, inference.channel, inference.trace_id, inference.span_id, inference.attributes, inference.attribute_store.
    ");
    insta::assert_snapshot!(refused("SELECT FROM WHERE").await, @"there is no table `where`; there are alert, deployment, finding, inference, labelled, log, metric, outcome, training_row, model_churn_2, model_fraud, labelled_churn_2, labelled_fraud");
    insta::assert_snapshot!(refused("SELECT * FROM '/etc/passwd'").await, @"there is no table `/etc/passwd`; there are alert, deployment, finding, inference, labelled, log, metric, outcome, training_row, model_churn_2, model_fraud, labelled_churn_2, labelled_fraud");
    insta::assert_snapshot!(refused("SELECT percentile(latency_ms, 95) FROM inference").await, @"the statement does not fit the tables: the second argument of `percentile` is 95, and must lie between 0 and 1");
    insta::assert_snapshot!(refused("SELECT * FROM read_csv('/etc/passwd')").await, @"the statement does not fit the tables: table function 'read_csv' not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let lake = stored(&folder.path().join("lake")).await;
    let metadata = Metadata::open(&folder.path().join("m.sqlite")).await.unwrap();
    metadata
        .upsert_alerts(&[crate::metadata::alert(1, Severity::Page), crate::metadata::alert(2, Severity::Info)])
        .await
        .unwrap();
    let engine = Engine::new(lake, Some(metadata), &EngineSettings::default()).unwrap();
    insta::assert_snapshot!(ask(&engine, "SELECT id, model, severity, status, slice, n_findings FROM alert WHERE severity = 'page'").await, @r"
    +-----+-------+----------+--------+-------------+------------+
    | id  | model | severity | status | slice       | n_findings |
    +-----+-------+----------+--------+-------------+------------+
    | a-1 | churn | page     | open   | channel=web | 1          |
    +-----+-------+----------+--------+-------------+------------+
    ");
}

/// Method: `concat` hides the model from the planner, so that the same question is answered row by row.
#[tokio::test(flavor = "multi_thread")]
async fn grouping_by_model_answers_the_same_table_by_table() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&stored(folder.path()).await);
    let measures = "count(*), round(sum(latency_ms), 3), round(avg(latency_ms), 6), count(DISTINCT version), percentile(latency_ms, 0.9),
        sum(CASE WHEN decision = 'deny' THEN 1 ELSE 0 END), count(*) FILTER (WHERE version = '2')";
    for (groups, hidden, rest) in [
        ("model", "concat(model, '')", ""),
        ("model, version", "concat(model, ''), version", ""),
        ("version, model", "version, concat(model, '')", ""),
        ("date_trunc('hour', time), model", "date_trunc('hour', time), concat(model, '')", ""),
        ("model", "concat(model, '')", "WHERE latency_ms > 100"),
        ("model", "concat(model, '')", "WHERE model = 'fraud' OR latency_ms > 119.95"),
        ("model", "concat(model, '')", "WHERE latency_ms < 7 AND model = 'Churn 2'"),
        ("model", "concat(model, '')", "WHERE false"),
    ] {
        let asked =
            |groups: &str| format!("SELECT {groups}, {measures} FROM inference {rest} GROUP BY {groups} ORDER BY 1, 2");
        let (by_table, by_row) = (ask(&engine, &asked(groups)).await, ask(&engine, &asked(hidden)).await);
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let rows =
            |answer: &str| answer.lines().skip(3).filter(|line| line.starts_with('|')).map(cells).collect::<Vec<_>>();
        assert_eq!(rows(&by_table), rows(&by_row), "{groups} {rest}");
        let mut aggregates = Vec::new();
        for groups in [groups, hidden] {
            let plan = ask(&engine, &format!("EXPLAIN {}", asked(groups))).await;
            aggregates.push(plan.matches("Aggregate: groupBy").count());
        }
        let expected = if rest == "WHERE false" { [0, 0] } else { [2, 1] };
        assert_eq!(aggregates, expected, "{groups} {rest}");
    }
    let having = "SELECT model FROM inference GROUP BY model HAVING count(*) > 100 ORDER BY count(*) LIMIT 5";
    assert_eq!(ask(&engine, having).await.lines().nth(3), Some("| fraud |"));
    let joined = "WITH hours AS (SELECT model, date_bin(INTERVAL '1 hour', time) AS hour, count(*) AS n FROM inference GROUP BY 1, 2),
            usual AS (SELECT model, median(n) AS n FROM hours GROUP BY 1)
        SELECT count(*) FROM hours JOIN usual ON hours.model = usual.model WHERE hours.n >= usual.n";
    assert_eq!(
        number(&engine, joined).await,
        number(&engine, &joined.replace("SELECT model, date", "SELECT concat(model, '') AS model, date")).await
    );
    let rollup =
        "SELECT count(*) FROM (SELECT model, version, count(*) FROM inference GROUP BY ROLLUP (model, version))";
    assert_eq!(number(&engine, rollup).await, 7);
}
