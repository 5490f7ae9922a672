//! A year of a hundred models: a model's day is found by the log's minima and maxima.

use std::sync::Arc;

use wardline_domain::Timestamp;
use wardline_store::Lake;

use crate::rows::{ask, engine, inferences, monday, number, quiet};

const MODELS: u64 = 100;
const MONTHS: u64 = 12;

/// Goal: of more than a thousand files, those of one model's day are opened, and no others.
/// Method: twelve stretches of a month, each with one event every six hours, in a file of its own.
#[tokio::test(flavor = "multi_thread")]
async fn one_models_day_reads_one_file_of_a_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    for month in 0..MONTHS {
        let batches: Vec<_> = (0..MODELS)
            .map(|model| inferences(&format!("model-{model:03}"), month * 120..(month + 1) * 120, 6 * Timestamp::HOUR))
            .collect();
        lake.observe(month, &batches).await.unwrap();
        lake.flush().await.unwrap();
    }
    let engine = engine(&lake);
    assert_eq!(number(&engine, "SELECT count(*) FROM inference").await, (MODELS * MONTHS * 120) as i64);

    let day = monday().plus(200 * Timestamp::DAY);
    let within = format!("time >= '{day}' AND time < '{}'", day.plus(Timestamp::DAY));
    let statement = format!("SELECT count(*) FROM inference WHERE model = 'model-042' AND {within}");
    assert_eq!(number(&engine, &statement).await, 4);
    assert_eq!(files_opened(&ask(&engine, &format!("EXPLAIN ANALYZE {statement}")).await), 1);
    let of_all = format!("SELECT count(*) FROM inference WHERE {within}");
    assert_eq!(files_opened(&ask(&engine, &format!("EXPLAIN ANALYZE {of_all}")).await), MODELS as usize);
    let of_model = "SELECT count(*) FROM inference WHERE model = 'model-042'";
    assert_eq!(files_opened(&ask(&engine, &format!("EXPLAIN ANALYZE {of_model}")).await), MONTHS as usize);

    drop(engine);
    drop(lake);
    let reopened = Arc::new(Lake::open(quiet(folder.path())).await.unwrap());
    let engine = crate::rows::engine(&reopened);
    assert_eq!(number(&engine, &statement).await, 4);
    assert_eq!(files_opened(&ask(&engine, &format!("EXPLAIN ANALYZE {statement}")).await), 1);
}

/// Files that the source opened, as the plan tells after it ran.
fn files_opened(plan: &str) -> usize {
    let opened = plan
        .split("files_opened=")
        .skip(1)
        .filter_map(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next());
    opened.filter_map(|number| number.parse::<usize>().ok()).sum()
}
