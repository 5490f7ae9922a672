//! MITRE ATLAS on the command line and over HTTP.

use std::{path::Path, process::Output};

use serde_json::Value;

use crate::server::{Server, prediction, wardline};

const RANGE: [&str; 4] = ["--from", "2026-11-02T00:00:00Z", "--to", "2026-11-03T00:00:00Z"];

fn run(arguments: &[&str]) -> Output {
    wardline().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn technique<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["techniques"].as_array().unwrap().iter().find(|technique| technique["id"] == id).unwrap()
}

#[test]
fn coverage_is_a_table_json_and_a_layer_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let layer = folder.path().join("layer.json");
    let output = run(&["atlas", "coverage", "--built-in", "--json", "--layer", layer.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["unknown"], serde_json::json!([]));
    assert!(technique(&report, "AML.T0029")["detectors"].as_array().unwrap().contains(&"traffic".into()));
    assert!(technique(&report, "AML.T0024.002")["hunts"].as_array().unwrap().contains(&"extraction_sweep".into()));
    assert!(technique(&report, "AML.T0054")["rules"].as_array().unwrap().contains(&"jailbreak_persona".into()));
    let layer: Value = serde_json::from_slice(&std::fs::read(layer).unwrap()).unwrap();
    assert_eq!((&layer["versions"]["layer"], &layer["domain"]), (&"4.5".into(), &"atlas".into()));
    let scored = layer["techniques"].as_array().unwrap();
    assert!(scored.iter().any(|entry| entry["techniqueID"] == "AML.T0029" && entry["tactic"] == "impact"));
    let table = text(&run(&["atlas", "--built-in"]).stdout);
    assert!(table.contains("something looks for") && table.contains("AML.T0051.000"), "{table}");
    let one = text(&run(&["atlas", "technique", "aml.t0051", "--built-in"]).stdout);
    assert!(one.contains("LLM Prompt Injection") && one.contains("AML.T0051.001"), "{one}");
    assert_eq!(run(&["atlas", "technique", "AML.T9999", "--built-in"]).status.code(), Some(2));
}

/// Goal: what could be seen follows the fields that come in; findings count where they point.
#[test]
fn visibility_and_findings_are_those_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    server.send((0..60).map(|second| prediction(&format!("p{second}"), second)).collect::<String>());
    server.send(r#"{"kind":"outcome","id":"p1","time":1793601400,"label":"stay"}"#);
    server.query("SELECT 1");
    let ask = |arguments: &[&str]| {
        let output = run(&[arguments, &RANGE, &["--json", "--url", &server.url]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let report = ask(&["atlas", "visibility"]);
    assert_eq!(technique(&report, "AML.T0031")["visible"], true);
    assert_eq!(technique(&report, "AML.T0043.004")["visible"], true, "features and decisions are there");
    assert_eq!(technique(&report, "AML.T0012")["visible"], false);
    assert_eq!(
        technique(&report, "AML.T0012")["missing"],
        serde_json::json!(["inference.api_key", "inference.client_ip"])
    );
    assert_eq!(technique(&report, "AML.T0000")["visible"], Value::Null);
    let fired = ask(&["atlas", "fired"]);
    assert_eq!(technique(&fired, "AML.T0029")["findings"], 0);
    let over_http: Value = server.get("/v1/atlas?view=visibility&form=layer").json().unwrap();
    assert_eq!(over_http["domain"], "atlas");
    assert_eq!(server.get("/v1/atlas/AML.T9999").status(), 404);
    assert_eq!(server.get("/v1/atlas/aml.t0012").status(), 200);
}

#[test]
fn another_release_is_taken_into_use_and_what_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/atlas");
    let server = Server::start(&folder.path().join("data"), &[]);
    let import = |file: &str| run(&["atlas", "import", corpus.join(file).to_str().unwrap(), "--url", &server.url]);
    for (file, version) in [("release_4.yaml", "4.7.0"), ("release_5.yaml", "5.6.0"), ("stix.json", "5.6.0")] {
        let output = import(file);
        assert!(text(&output.stdout).starts_with(&format!("ATLAS {version}: ")), "{}", text(&output.stderr));
    }
    import("release_4.yaml");
    let report: Value = server.get("/v1/atlas").json().unwrap();
    assert_eq!(report["version"], "4.7.0");
    assert_eq!(report["techniques"].as_array().unwrap().len(), 3);
    assert!(!report["unknown"].as_array().unwrap().is_empty(), "hunts name techniques that this file lacks");
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, "tactics: [").unwrap();
    let refused = run(&["atlas", "import", broken.to_str().unwrap(), "--url", &server.url]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("no ATLAS YAML"), "{}", text(&refused.stderr));
    let url = format!("{}/v1/atlas", server.url);
    assert_eq!(crate::server::client().post(url).body("hello").send().unwrap().status(), 400);
}
