//! Telemetry and files of it for the tests.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::cast,
    datatypes::{Field, Schema},
};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use tempfile::TempDir;
use wardline_adapters::{
    Arrival, Decoded, SchemaRegistry,
    files::{Files, FilesSettings, SourceError},
    ndjson::Decoder,
};
use wardline_domain::{EventBatch, Timestamp, schema};

pub(crate) const RECEIVED: Timestamp = Timestamp::from_micros(1_793_700_000_000_000);

/// Inference events, one a second, of two models in turn of 50.
pub(crate) fn lines(n_events: u64) -> String {
    (0..n_events)
        .map(|event| {
            let time = Timestamp::from_micros(1_793_601_365_000_000 + event as i64 * 1_000_000);
            let (model, feature) = if event / 50 % 2 == 0 { ("m", "age") } else { ("n", "income") };
            format!(
                "{{\"time\":\"{time}\",\"id\":\"e{event}\",\"model\":\"{model}\",\"version\":\"1\",\"latency_ms\":{}.5,\"http_status\":{},\
                 \"features\":{{\"{feature}\":{event},\"job\":\"j{}\",\"own\":{}}},\"embedding\":[{event},1],\"scores\":{{\"a\":0.5}},\
                 \"items\":[\"i{}\"],\"groups\":{{\"sex\":\"f\"}},\"attributes\":{{\"store\":\"S{}\",\"deep\":[{event}]}}}}\n",
                event % 30,
                if event % 7 == 0 { 503 } else { 200 },
                event % 5,
                event % 2 == 0,
                event % 3,
                event % 4,
            )
        })
        .collect()
}

pub(crate) fn decode(text: &str) -> Decoded {
    let arrival = Arrival { received: RECEIVED, sender: "someone", source: "memory", offset: 0 };
    Decoder::new(Arc::default()).decode(text.as_bytes(), &arrival)
}

/// A folder that is gone after the test, and files in it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn write_parquet(&self, name: &str, batches: &[RecordBatch], rows_per_group: usize) -> PathBuf {
        let path = self.0.path().join(name);
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows_per_group)).build();
        let file = fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batches[0].schema(), Some(properties)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
        path
    }
}

/// Everything that files hold, in the order in which it came.
pub(crate) fn read(paths: &[PathBuf]) -> Vec<Result<Decoded, SourceError>> {
    read_into(paths, &Arc::new(SchemaRegistry::new()))
}

pub(crate) fn read_into(paths: &[PathBuf], registry: &Arc<SchemaRegistry>) -> Vec<Result<Decoded, SourceError>> {
    let settings = FilesSettings { received: RECEIVED, ..FilesSettings::default() };
    let mut files = Files::open(paths, Arc::clone(registry), settings).unwrap();
    let read: Vec<_> = files.by_ref().collect();
    if read.iter().all(Result::is_ok) {
        assert_eq!(files.bytes_read(), files.total_bytes());
    }
    read
}

/// One file that can be read to its end.
pub(crate) fn read_one(path: &Path) -> Vec<Decoded> {
    read(&[path.to_owned()]).into_iter().map(Result::unwrap).collect()
}

/// All rows of a model, with text as tables have it.
pub(crate) fn rows_of(decoded: &[Decoded], model: Option<&str>) -> RecordBatch {
    let batches: Vec<&EventBatch> =
        decoded.iter().flat_map(|decoded| &decoded.batches).filter(|batch| batch.model.as_deref() == model).collect();
    as_table(&EventBatch::concat(&batches).unwrap().unwrap().records)
}

/// The same rows as a table has them: text is plain there.
pub(crate) fn as_table(records: &RecordBatch) -> RecordBatch {
    let plain = |field: &Arc<Field>| field.as_ref().clone().with_data_type(schema::table_type(field.data_type()));
    let fields: Vec<Field> = records.schema().fields().iter().map(plain).collect();
    let columns: Vec<ArrayRef> =
        records.columns().iter().zip(&fields).map(|(array, field)| cast(array, field.data_type()).unwrap()).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}
