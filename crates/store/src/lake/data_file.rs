//! A file of a table, as far as queries must know it before they open it.

use deltalake::kernel::{Add, Remove};
use serde_json::Value;
use wardline_domain::{Timestamp, column};

/// Text columns whose range of values rules files out.
pub(crate) const TEXT_RANGES: [&str; 6] = [column::MODEL, column::VERSION, column::ID, "service", "name", "dataset"];

/// One Parquet file and the ranges of its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DataFile {
    /// Path below the table's folder.
    pub(crate) path: String,
    /// Length in bytes.
    pub(crate) size: u64,
    /// When it was written, in milliseconds since the epoch.
    pub(crate) modified_ms: i64,
    /// Number of rows; unknown where another writer left it out.
    pub(crate) rows: Option<u64>,
    /// Earliest and latest time.
    pub(crate) time_range: Option<(Timestamp, Timestamp)>,
    /// Least and greatest value of each of [`TEXT_RANGES`].
    pub(crate) text_ranges: [Option<(Box<str>, Box<str>)>; TEXT_RANGES.len()],
}

impl DataFile {
    /// Reads what a log says of a file.
    pub(super) fn from_log(path: String, size: u64, modified_ms: i64, stats: Option<&str>) -> Self {
        let stats: Value = stats.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        let text = |side: &str, name: &str| stats[side][name].as_str();
        let time = |side: &str| text(side, column::TIME).and_then(|text| Timestamp::parse(text).ok());
        // A log may hold times cut to the millisecond: the range is widened by what may have been cut.
        let time_range = time("minValues").zip(time("maxValues")).map(|(low, high)| (low, high.plus(999)));
        let text_ranges =
            TEXT_RANGES.map(|name| Some((text("minValues", name)?.into(), text("maxValues", name)?.into())));
        Self { path, size, modified_ms, rows: stats["numRecords"].as_u64(), time_range, text_ranges }
    }

    /// The action that adds this file to a table.
    pub(super) fn add(&self, stats: String, data_change: bool) -> Add {
        Add {
            path: self.path.clone(),
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            modification_time: self.modified_ms,
            data_change,
            stats: Some(stats),
            ..Add::default()
        }
    }

    /// The action that removes this file from a table.
    pub(super) fn remove(&self, now_ms: i64, data_change: bool) -> Remove {
        Remove {
            path: self.path.clone(),
            data_change,
            deletion_timestamp: Some(now_ms),
            extended_file_metadata: Some(true),
            partition_values: Some(std::collections::HashMap::new()),
            size: i64::try_from(self.size).ok(),
            ..Remove::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_from_the_log() {
        let stats = r#"{"numRecords":3,"minValues":{"time":"2026-11-02T00:00:00.000Z","version":"1"},
            "maxValues":{"time":"2026-11-02T01:00:00.000Z","version":"2"},"nullCount":{}}"#;
        let file = DataFile::from_log("a.parquet".into(), 10, 0, Some(stats));
        assert_eq!(file.rows, Some(3));
        let (low, high) = file.time_range.unwrap();
        assert_eq!(low.to_string(), "2026-11-02T00:00:00.000Z");
        assert_eq!(high.to_string(), "2026-11-02T01:00:00.000999Z");
        assert_eq!(file.text_ranges[1], Some(("1".into(), "2".into())));
        assert_eq!(file.text_ranges[0], None);
    }

    #[test]
    fn a_file_without_statistics_is_never_ruled_out() {
        let file = DataFile::from_log("a.parquet".into(), 10, 0, None);
        assert_eq!((file.rows, file.time_range), (None, None));
    }
}
