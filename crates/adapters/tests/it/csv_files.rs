//! CSV files.

use wardline_adapters::files::time_span;
use wardline_domain::{DeadLetterReason, Timestamp};

use crate::samples::{Folder, read, read_one};

const ROWS: &str = "\
time,model,version,latency_ms,feature_age,features.job,feature_own,group_sex,store,scores
2026-11-02T06:00:00Z,m,1,12.5,41,clerk,True,f,S1,\"{\"\"a\"\":0.5}\"
2026-11-02T06:00:01Z,m,1,,NaN,\"a \"\"quoted\"\",
job\",false,m,,
1793599202,m,1,1,.5,x,,f,S1,
";

#[test]
fn a_row_is_read_as_a_line_would_be() {
    let folder = Folder::new();
    let path = folder.write("a.csv", ROWS);
    let decoded = read_one(&path);
    let batch = &decoded[0].batches[0];
    assert_eq!((decoded[0].dead_letters.len(), batch.len()), (0, 3));
    let ages = batch.number("feature_age").unwrap();
    assert_eq!(ages.iter().collect::<Vec<_>>(), [Some(41.0), None, Some(0.5)]);
    assert_eq!(batch.text("feature_job").unwrap().get(1), Some("a \"quoted\",\njob"));
    assert_eq!(batch.boolean("feature_own").unwrap().iter().collect::<Vec<_>>(), [Some(true), Some(false), None]);
    assert_eq!(batch.text("group_sex").unwrap().get(1), Some("m"));
    assert_eq!([0, 1].map(|row| batch.text("attribute_store").unwrap().get(row)), [Some("S1"), None]);
    assert_eq!(batch.number("latency_ms").unwrap().iter().collect::<Vec<_>>(), [Some(12.5), None, Some(1.0)]);
    assert_eq!(batch.text("status").unwrap().get(0), Some("ok"));
    let (first, last) = time_span(&[path]).unwrap().unwrap();
    assert_eq!(last.since(first), 2 * Timestamp::SECOND);
}

#[test]
fn a_bad_row_is_a_dead_letter_at_its_place() {
    let folder = Folder::new();
    let good = "2026-11-02T06:00:00Z,m,1,2\n";
    let text = format!("time,model,version,feature_a\n{good}{good}yesterday,m,1,2\n{good}1,2,3,4,5\n{good}");
    let decoded = read_one(&folder.write("a.csv", &text));
    assert_eq!((decoded[0].records, decoded[0].events()), (6, 4));
    let letters = &decoded[0].dead_letters;
    assert!(matches!(letters[0].reason, DeadLetterReason::BadTime { .. }));
    assert_eq!(letters[0].offset, text.find("yesterday").unwrap() as u64);
    assert!(letters[1].record.contains("5 cells under 4 names: 1,2,3,4,5"), "{}", letters[1].record);
}

#[test]
fn a_header_that_names_a_column_twice_is_refused() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "time,model,time\n1,2,3\n");
    let error = read(&[path]).remove(0).err().unwrap().to_string();
    assert!(error.contains("the header names `time` twice"), "{error}");
}
