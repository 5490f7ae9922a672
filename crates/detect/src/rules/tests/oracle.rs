//! The same rules over the same events as pySigma's SQLite backend; `testdata/sigma_oracle.py` says how the
//! answers were made and with which versions.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};
use wardline_domain::{EventBatch, RecordKind, Timestamp};

use super::super::{
    condition::Rows,
    fixture_batch::{Row, batches},
    rule_watch::Matched,
    *,
};

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../testdata/sigma_oracle.json")).unwrap()
}

fn batch(oracle: &Value) -> EventBatch {
    let rows: Vec<Row> = oracle["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let mut fields: Map<String, Value> = event.as_object().unwrap().clone();
            let seconds = fields.remove("time").and_then(|time| time.as_i64()).unwrap();
            Row::new(RecordKind::Inference, Timestamp::from_micros(seconds * Timestamp::SECOND), fields)
        })
        .collect();
    batches(&rows).unwrap().remove(0)
}

/// Every document as JSON, which is YAML as well.
fn set_of(documents: &[Value]) -> Arc<RuleSet> {
    let text: Vec<String> = documents.iter().map(ToString::to_string).collect();
    let source = RuleSource { file: "oracle.yml".to_owned(), text: text.join("\n---\n") };
    let (set, errors) = RuleSet::compile(&[source], &Placeholders::new());
    assert!(errors.is_empty(), "{}", errors[0]);
    Arc::new(set)
}

fn matched(set: &Arc<RuleSet>, batch: &EventBatch) -> Vec<Matched> {
    let mut watch = RuleWatch::new(Arc::clone(set));
    let times = watch.times(batch);
    watch.matched(set, &set.programs[&RecordKind::Inference], batch, &times)
}

#[test]
fn single_records_match_as_in_sqlite() {
    let oracle = oracle();
    let batch = batch(&oracle);
    let rules = oracle["rules"].as_array().unwrap();
    let documents: Vec<Value> = rules.iter().map(|rule| rule["rule"].clone()).collect();
    let found = matched(&set_of(&documents), &batch);
    let mut wrong = Vec::new();
    for (rule, found) in rules.iter().zip(&found) {
        let Matched::Rows(rows) = found else { panic!() };
        let rows: &Rows = rows;
        let found: Vec<u64> = rows.iter(batch.len()).map(|row| row as u64).collect();
        let expected: Vec<u64> = rule["matches"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        if found != expected {
            wrong.push(format!("{}\n  ours {found:?}\n  SQLite {expected:?}", rule["rule"]["detection"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), rules.len(), wrong.join("\n"));
}

#[test]
fn correlations_fire_when_those_of_sqlite_do() {
    let oracle = oracle();
    let batch = batch(&oracle);
    let correlations = oracle["correlations"].as_array().unwrap();
    let mut wrong = Vec::new();
    for correlation in correlations {
        let documents = correlation["rules"].as_array().unwrap();
        let set = set_of(documents);
        let found = matched(&set, &batch);
        let Some(Matched::Fired(fired)) = found.last() else { panic!() };
        let mut ours: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for fired in fired {
            ours.entry(fired.group.join("|")).or_default().push(fired.time / Timestamp::SECOND);
        }
        ours.values_mut().for_each(Vec::dedup);
        let theirs: BTreeMap<String, Vec<i64>> = serde_json::from_value(correlation["fired"].clone()).unwrap();
        if ours != theirs {
            wrong.push(format!("{}\n  ours {ours:?}\n  SQLite {theirs:?}", documents.last().unwrap()["correlation"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), correlations.len(), wrong.join("\n"));
}
