//! Alerts in the forms of other systems, checked by the library of STIX and against the published schema of OCSF.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use wardline_adapters::exports::{Context, ExportedIncident, Format, export};
use wardline_domain::{Alert, AlertStatus, Carrier, Finding, FindingKind, Severity, Slice, Timestamp, atlas::Atlas};

use crate::actuators::programs;

const HOUR: i64 = Timestamp::HOUR;

fn monday() -> Timestamp {
    Timestamp::parse("2026-11-02T06:00:00Z").unwrap()
}

fn finding(id: &str, kind: FindingKind, detector: &str, atlas: &[&str]) -> Finding {
    Finding {
        id: id.to_owned(),
        time: monday().plus(2 * HOUR),
        kind,
        detector: detector.to_owned(),
        measure: "distinct_inputs".to_owned(),
        model: "fraud".to_owned(),
        version: Some("2.1".to_owned()),
        slice: Slice::of("key", "k-7 \"quoted\" <b>"),
        onset: monday(),
        onset_interval: (monday().plus(-HOUR), monday().plus(HOUR)),
        observed: 5_120.0,
        expected: 12.5,
        unit: "inputs/h".to_owned(),
        n_observed: 5_300,
        n_expected: 90_000,
        effect: 409.6,
        effect_name: "ratio".to_owned(),
        p_value: Some(1e-9),
        p_limit: None,
        severity: Severity::Page,
        atlas: atlas.iter().map(|id| (*id).to_owned()).collect(),
        responsible: vec![Carrier { name: "key=k-7".to_owned(), share: 0.93, interval: Some((0.9, 0.96)) }],
        features: Vec::new(),
        title: "one key sweeps 5,120 inputs an hour,\nwhere 12.5 are normal".to_owned(),
        evidence: "SELECT count(DISTINCT input_hash) FROM inference WHERE api_key = 'k-7'".to_owned(),
        held_back: None,
    }
}

fn alert(id: &str, findings: Vec<Finding>, status: AlertStatus) -> Alert {
    let lead = findings[0].clone();
    let mut atlas: Vec<String> = findings.iter().flat_map(|finding| finding.atlas.clone()).collect();
    atlas.sort();
    atlas.dedup();
    Alert {
        id: id.to_owned(),
        time: lead.time,
        updated: lead.time.plus(3 * HOUR + 7),
        status,
        kind: lead.kind,
        severity: lead.severity,
        model: lead.model.clone(),
        version: lead.version.clone(),
        slice: lead.slice.clone(),
        onset: lead.onset,
        title: lead.title.clone(),
        atlas,
        responsible: lead.responsible.clone(),
        features: vec![Carrier { name: "amount".to_owned(), share: 0.4, interval: None }],
        n_findings: findings.len() as u64,
        findings,
    }
}

/// An attack in two findings, something that does not work, and what a rollout tells.
fn alerts() -> Vec<Alert> {
    let extraction = ["AML.T0024.002", "AML.T0040"];
    let attack = vec![
        finding("f-1", FindingKind::Extraction, "extraction_sweep", &extraction),
        finding("f-2", FindingKind::Extraction, "rule", &["AML.T0024.002"]),
    ];
    let mut slow = finding("f-3", FindingKind::Latency, "latency", &[]);
    (slow.severity, slow.slice, slow.version) = (Severity::Ticket, Slice::whole(), None);
    let mut told = finding("f-4", FindingKind::Promote, "rollout", &[]);
    (told.measure, told.unit, told.evidence) = (String::new(), String::new(), String::new());
    (told.severity, told.model) = (Severity::Info, "o'brien\\x".to_owned());
    vec![
        alert("a-1", attack, AlertStatus::Open),
        alert("a-2", vec![slow], AlertStatus::Closed),
        alert("a-3", vec![told], AlertStatus::Closed),
    ]
}

fn context() -> Context<'static> {
    let incident = Some(ExportedIncident { id: "i-0123", title: "Somebody copies the model" });
    Context { atlas: Atlas::built_in(), product_version: "0.1.0", incident }
}

/// Runs a script of this folder over a text, and gives what it printed.
fn checked_by(script: &str, text: &str) -> String {
    use std::io::Write as _;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exports").join(script);
    let mut command = Command::new(programs::installed().join("python"));
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is in the repository; a test that fails leaves what came instead beside it.
fn is_as_recorded(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exports/recorded");
    let recorded = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    if recorded != text {
        let other = std::env::temp_dir().join(name);
        std::fs::write(&other, text).unwrap();
        panic!("{name} is not what is recorded: compare it with {}", other.display());
    }
}

#[test]
fn ocsf_findings_fit_the_published_schema() {
    let text = export(Format::Ocsf, &alerts(), &context());
    assert_eq!(checked_by("check_ocsf.py", &text), "3 findings are valid in 1.8.0\n");
    is_as_recorded("alerts.ocsf.ndjson", &text);
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["class_uid"], &first["type_uid"], &first["activity_id"]),
        (&2004.into(), &200_402.into(), &2.into())
    );
    assert_eq!(first["finding_info"]["attacks"][0]["sub_technique"]["uid"], "AML.T0024.002");
    assert_eq!(first["finding_info"]["attacks"][0]["technique"]["uid"], "AML.T0024");
}

#[test]
fn ecs_documents_are_as_recorded() {
    let text = export(Format::Ecs, &alerts(), &context());
    is_as_recorded("alerts.ecs.ndjson", &text);
    let documents: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents[0]["threat"]["technique"]["subtechnique"]["id"], serde_json::json!(["AML.T0024.002"]));
    assert_eq!(documents[0]["event"]["category"], serde_json::json!(["intrusion_detection"]));
    assert!(documents[1]["threat"].is_null() && documents[1]["event"]["category"].is_null());
    let back: Alert = serde_json::from_value(documents[0]["wardline"]["alert"].clone()).unwrap();
    assert_eq!(back, alerts()[0]);
}

#[test]
fn a_stix_bundle_is_read_by_the_library_and_has_the_ids_of_the_specification() {
    let text = export(Format::Stix, &alerts(), &context());
    let said = checked_by("check_stix.py", &text);
    assert_eq!(
        said,
        "attack-pattern 2\ngrouping 1\nidentity 1\nindicator 4\nobserved-data 3\nrelationship 3\nsighting 4\nsoftware 3\n"
    );
    is_as_recorded("alerts.stix.json", &text);
    assert_eq!(text, export(Format::Stix, &alerts(), &context()), "the same alerts give the same bundle");
    let none = export(Format::Stix, &[], &Context { incident: None, ..context() });
    assert_eq!(checked_by("check_stix.py", &none), "identity 1\n");
}
