use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use wardline_domain::RecordKind;

use super::*;

fn rows(model: &str, times: std::ops::Range<i64>) -> EventBatch {
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
    let records = RecordBatch::try_from_iter([("time", time)]).unwrap();
    EventBatch { kind: RecordKind::Inference, model: Some(model.into()), records }
}

async fn open(folder: &Path, flush_rows: usize) -> Lake {
    let settings = LakeSettings { flush_rows, ..LakeSettings::at(folder.display().to_string()) };
    Lake::open(settings).await.unwrap()
}

fn table_of(lake: &Lake, model: &str) -> Arc<Table> {
    lake.shared.table(&TableName::of(&rows(model, 0..1)).unwrap()).unwrap()
}

/// Goal: bytes of a part that was committed are given back, also where the next part fails.
/// Method: the first flush fails, so that the second has two parts; once the first of them is committed,
/// a file takes the place of the folder.
#[tokio::test]
async fn a_flush_that_fails_half_way_gives_back_what_it_committed() {
    let folder = tempfile::tempdir().unwrap();
    let lake = open(folder.path(), 1_000).await;
    let (shared, table) = (&lake.shared, table_of(&lake, "fraud"));
    let tables = folder.path().join("inference");
    std::fs::write(&tables, "").unwrap();
    lake.observe(0, &[rows("fraud", 0..100)]).await.unwrap();
    lake.flush().await.unwrap_err();
    let first_part = lake.tail_bytes();
    lake.observe(1, &[rows("fraud", 100..300)]).await.unwrap();
    let second_part = lake.tail_bytes() - first_part;
    std::fs::remove_file(&tables).unwrap();

    let aside = folder.path().join("aside");
    let flushed = table.flush(&shared.root, |bytes| {
        shared.make_room(bytes);
        std::fs::rename(&tables, &aside).unwrap();
        std::fs::write(&tables, "").unwrap();
    });
    flushed.await.unwrap_err();
    assert_eq!((lake.tail_bytes(), lake.committed_sequence()), (second_part, Some(0)));
    std::fs::remove_file(&tables).unwrap();
    std::fs::rename(&aside, &tables).unwrap();
    lake.flush().await.unwrap();
    assert_eq!((lake.tail_bytes(), lake.committed_sequence()), (0, Some(1)));
}

/// Goal: a table that cannot be written does not keep others from their files, however large it is.
#[tokio::test]
async fn tables_that_failed_come_last_and_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let lake = open(folder.path(), 1).await;
    for (model, count) in [("large", 500), ("middle", 300), ("small", 100)] {
        lake.observe(0, &[rows(model, 0..count)]).await.unwrap();
    }
    let order = || {
        let due = committer::due_tables(&lake.shared);
        due.iter().map(|table| table.name().model().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let note = |model: &str, flushed| lake.shared.troubles.note(table_of(&lake, model).name(), &flushed);
    assert_eq!(order(), ["large", "middle", "small"]);
    note("large", Err(LakeError::Stopped));
    assert_eq!(order(), ["middle", "small", "large"]);
    note("middle", Err(LakeError::Stopped));
    note("large", Err(LakeError::Stopped));
    assert_eq!(order(), ["small", "middle", "large"]);
    note("large", Ok(()));
    assert_eq!(order(), ["large", "small", "middle"]);
}
