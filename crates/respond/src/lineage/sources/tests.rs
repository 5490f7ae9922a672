use proptest::prelude::*;

use super::*;
use crate::lineage::{Lineage, LineageError};

/// Edges as `from -> to`, in order.
fn drawn(graph: &Lineage) -> Vec<String> {
    let name = |index| graph.node(index).map(ToString::to_string).unwrap_or_default();
    let mut edges: Vec<String> =
        graph.edges().iter().map(|(from, to, _)| format!("{} -> {}", name(*from), name(*to))).collect();
    edges.sort();
    edges
}

fn refused(result: Result<Lineage, LineageError>, part: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
}

#[test]
fn openlineage_gives_jobs_datasets_and_columns() {
    let event = |kind: &str| {
        format!(
            r#"{{"eventType":"{kind}","eventTime":"2026-11-02T06:00:00Z","run":{{"runId":"r"}},
            "job":{{"namespace":"etl","name":"clean"}},"inputs":[{{"namespace":"pg","name":"raw"}}],
            "outputs":[{{"namespace":"pg","name":"clean","facets":{{"columnLineage":{{"fields":{{"age":{{"inputFields":
            [{{"namespace":"pg","name":"raw","field":"birthday"}}]}}}}}}}}}}]}}"#
        )
    };
    let graph = openlineage(event("COMPLETE").as_bytes()).unwrap();
    assert_eq!(
        drawn(&graph),
        [
            "dataset=pg/clean -> feature=pg/clean#age",
            "dataset=pg/raw -> feature=pg/raw#birthday",
            "dataset=pg/raw -> job=etl/clean",
            "feature=pg/raw#birthday -> feature=pg/clean#age",
            "job=etl/clean -> dataset=pg/clean",
        ]
    );
    let failed = openlineage(format!("{}\n{}", event("START"), event("FAIL")).as_bytes()).unwrap();
    assert_eq!(drawn(&failed), drawn(&graph), "the start of a run names what it will write");
    let failed = openlineage(format!("[{}]", event("FAIL")).as_bytes()).unwrap();
    assert_eq!(drawn(&failed), ["dataset=pg/raw -> job=etl/clean"]);
    refused(openlineage(b"{\"eventTime\":\"2026-11-02T06:00:00Z\"}"), "event 1 has no `job`");
    refused(openlineage(b"{\"job\":{\"name\":\"x\"}}"), "has no `eventTime`");
    refused(openlineage(b"nonsense"), "check that the file is one run event");
}

#[test]
fn mlflow_gives_datasets_runs_and_versions() {
    let run = r#"{"run":{"info":{"run_id":"r1","start_time":"1793600000000","end_time":1793603600000},
        "inputs":{"dataset_inputs":[{"tags":[],"dataset":{"name":"orders","digest":"ab12","source":"{}"}}]}}}"#;
    let versions =
        r#"{"model_versions":[{"name":"fraud","version":"3","run_id":"r1","creation_timestamp":1793603700000}]}"#;
    let graph = mlflow(format!("{run}\n{versions}").as_bytes()).unwrap();
    assert_eq!(
        drawn(&graph),
        [
            "dataset=orders -> dataset=orders@ab12",
            "dataset=orders@ab12 -> job=mlflow/r1",
            "job=mlflow/r1 -> version=fraud@3",
            "version=fraud@3 -> model=fraud",
        ]
    );
    refused(mlflow(b"{}"), "no run and no version");
    refused(mlflow(br#"{"run":{"info":{"run_id":"r1"}}}"#), "run r1 has no `info.start_time`");
}

#[test]
fn cyclonedx_gives_datasets_ancestors_and_models() {
    let bill = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-11-02T06:00:00Z"},
        "components":[
          {"type":"machine-learning-model","bom-ref":"m","name":"fraud","version":"3",
           "modelCard":{"modelParameters":{"datasets":[{"ref":"d"},{"type":"dataset","name":"labels"}]}},
           "pedigree":{"ancestors":[{"type":"machine-learning-model","name":"base","version":"1"}]}},
          {"type":"data","bom-ref":"d","name":"orders"},{"type":"library","bom-ref":"l","name":"numpy"}],
        "dependencies":[{"ref":"m","dependsOn":["d","l","nowhere"]}]}"#;
    assert_eq!(
        drawn(&cyclonedx(bill.as_bytes()).unwrap()),
        [
            "dataset=labels -> version=fraud@3",
            "dataset=orders -> version=fraud@3",
            "version=base@1 -> model=base",
            "version=base@1 -> version=fraud@3",
            "version=fraud@3 -> model=fraud",
        ]
    );
    refused(cyclonedx(b"{}"), "`bomFormat` is not");
    refused(
        cyclonedx(br#"{"bomFormat":"CycloneDX","components":[{"type":"data"}]}"#),
        "a component of type data has no `name`",
    );
    let deep =
        (0..40).fold(String::from("[]"), |inner, _| format!(r#"[{{"type":"application","components":{inner}}}]"#));
    refused(cyclonedx(format!(r#"{{"bomFormat":"CycloneDX","components":{deep}}}"#).as_bytes()), "32 deep");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_sentence(text in "[\\[{\"a-z:,0-9}\\]]{0,80}") {
        for read in [openlineage, mlflow, cyclonedx] {
            if let Err(error) = read(text.as_bytes()) {
                prop_assert!(error.to_string().len() < 1_000);
            }
        }
    }
}
