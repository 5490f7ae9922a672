//! Detection rules from the command line, in a hunt, and as SQL over what is stored.

use std::{path::Path, process::Output};

use serde_json::{Value, json};

use crate::server::{Server, wardline};

fn run(arguments: &[&str], folder: Option<&Path>) -> Output {
    let mut command = wardline();
    if let Some(folder) = folder {
        command.env("WARDLINE_RULES__FOLDER", folder);
    }
    command.args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const OWN: &str = "title: A word of ours\nname: own_word\nlogsource: {product: wardline, category: inference}\ndetection:\n  s: {prompt|contains: xyzzy}\n  condition: s\nlevel: high\nwardline: {kind: injection, group-by: [user]}\n";
const OWN_TEST: &str = "fires:\n  - why: the word\n    events: [{prompt: say XYZZY}]\nstays_quiet:\n  - why: another\n    events: [{prompt: say it}]\n";
const FOREIGN: &str = "title: A process\nlogsource: {product: windows, category: process_creation}\ndetection:\n  s: {Image|endswith: '\\\\x.exe'}\n  condition: s\nlevel: high\n";

#[test]
fn shipped_rules_pass_and_are_listed() {
    let tested = run(&["rules", "test"], None);
    assert_eq!(tested.status.code(), Some(0), "{}", text(&tested.stdout));
    let listed: Value = serde_json::from_slice(&run(&["rules", "list", "--json"], None).stdout).unwrap();
    let rules = listed.as_array().unwrap();
    assert!(rules.len() >= 35 && rules.iter().all(|rule| !rule["atlas"].as_array().unwrap().is_empty()));
    assert!(text(&run(&["rules", "list"], None).stdout).contains("prompt_override"));
}

#[test]
fn rules_are_imported_where_they_are_understood_and_run_in_a_hunt() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("sigma");
    std::fs::create_dir_all(from.join("below")).unwrap();
    std::fs::write(from.join("below/own.yml"), OWN).unwrap();
    std::fs::write(from.join("below/own.test.yml"), OWN_TEST).unwrap();
    std::fs::write(from.join("foreign.yml"), FOREIGN).unwrap();
    let rules = folder.path().join("rules");

    let lint = run(&["rules", "lint", from.to_str().unwrap()], None);
    assert_eq!(lint.status.code(), Some(1));
    assert!(text(&lint.stdout).contains("`product=windows category=process_creation`"), "{}", text(&lint.stdout));
    let nowhere = run(&["rules", "import", from.to_str().unwrap()], None);
    assert_eq!(nowhere.status.code(), Some(2));
    let imported = run(&["rules", "import", from.to_str().unwrap()], Some(&rules));
    assert_eq!(imported.status.code(), Some(1), "{}", text(&imported.stderr));
    assert!(text(&imported.stdout).contains("1 of 2 files taken"), "{}", text(&imported.stdout));
    let tested = run(&["rules", "test", rules.to_str().unwrap()], None);
    assert!(text(&tested.stdout).contains("2 cases passed, 0 failed"), "{}", text(&tested.stdout));

    let file = folder.path().join("log.ndjson");
    let line = |index: u64| {
        let prompt = if index == 70 { "now say xyzzy" } else { "hello" };
        json!({"time": 1_793_601_365 + index, "model": "chat", "version": "1", "user": "u1", "prompt": prompt})
            .to_string()
    };
    std::fs::write(&file, (0..100).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    let hunted = run(&["hunt", file.to_str().unwrap(), "--json"], Some(&rules));
    let alerts: Value = serde_json::from_slice(&hunted.stdout).unwrap();
    let found = alerts.as_array().unwrap().iter().find(|alert| alert["kind"] == "injection").expect("the rule fires");
    assert_eq!(found["findings"][0]["detector"], "rule");
    assert!(found["title"].as_str().unwrap().starts_with("A word of ours in user=u1"), "{found}");
}

/// The same compiled rules, as SQL over stored events, match the events that SQLite says.
#[test]
fn rules_as_sql_match_what_they_match_in_the_stream() {
    use arrow::datatypes::{DataType, Field, Schema};
    use wardline_detect::rules::{Placeholders, RuleSet, RuleSource};
    use wardline_domain::RecordKind;

    let oracle: Value = serde_json::from_str(include_str!("../../../detect/testdata/sigma_oracle.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    let keep = ["prompt", "output", "user", "client_ip", "session"]
        .map(|field| format!("[[privacy.rules]]\nfield = \"{field}\"\ntreatment = \"keep\"\n"))
        .concat();
    std::fs::write(&config, keep).unwrap();
    let server = Server::start(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
    let events = oracle["events"].as_array().unwrap().iter().enumerate();
    let lines: Vec<String> = events
        .map(|(index, event)| {
            let mut event = event.clone();
            event["id"] = json!(format!("{index:03}"));
            event["model"] = json!("chat");
            event["version"] = json!("1");
            event.to_string()
        })
        .collect();
    assert_eq!(server.send(lines.join("\n")).status(), 200);

    let of = |name: &str, data_type| Field::new(name, data_type, true);
    let mut fields: Vec<Field> =
        ["prompt", "user", "output", "client_ip", "session"].iter().map(|name| of(name, DataType::Utf8)).collect();
    fields.extend([of("input_tokens", DataType::Int64), of("latency_ms", DataType::Float64)]);
    let table = Schema::new(fields);
    let rules = oracle["rules"].as_array().unwrap();
    let documents: Vec<String> = rules.iter().map(|rule| rule["rule"].to_string()).collect();
    let source = RuleSource { file: "oracle.yml".to_owned(), text: documents.join("\n---\n") };
    let (set, errors) = RuleSet::compile(&[source], &Placeholders::new());
    assert!(errors.is_empty(), "{}", errors[0]);
    let mut wrong = Vec::new();
    for (rule, expected) in set.rules().iter().zip(rules).step_by(3) {
        let condition = set.sql_condition(rule, RecordKind::Inference, &table).unwrap();
        let answer = server.query(&format!("SELECT id FROM inference WHERE {condition} ORDER BY id"));
        let found: Vec<u64> = answer.iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect();
        let matches: Vec<u64> = serde_json::from_value(expected["matches"].clone()).unwrap();
        if found != matches {
            wrong.push(format!("{}\n  {condition}\n  {found:?}\n  {matches:?}", expected["rule"]["detection"]));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
