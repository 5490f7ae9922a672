//! Saved hunts over telemetry with attacks planted in it, and without.

mod background;
mod plants;

use std::process::Output;

use serde_json::Value;

use self::{background::Lines, plants::PLANTS};
use crate::server::{Server, prediction, wardline};

const RANGE: [&str; 4] = ["--from", "2026-11-02T00:00:00Z", "--to", "2026-12-20T00:00:00Z"];

/// A server that keeps texts as they come.
fn server(folder: &std::path::Path) -> Server {
    let config = folder.join("wardline.toml");
    let keep = |field: &str| format!("[[privacy.rules]]\nfield = \"{field}\"\ntreatment = \"keep\"\n");
    std::fs::write(&config, keep("prompt") + &keep("output")).unwrap();
    Server::start(&folder.join("data"), &["--config", config.to_str().unwrap()])
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    wardline().args(arguments).args(["--url", &server.url]).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rows(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Goal: every hunt returns the planted rows first, and nothing on a twin of the data without the attack.
/// Method: each data set is a model of its own on one server.
#[test]
fn every_hunt_finds_what_was_planted_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let listed = run_alone(&["hunts", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let mut names: Vec<&str> = listed.as_array().unwrap().iter().map(|hunt| hunt["name"].as_str().unwrap()).collect();
    let mut planted: Vec<&str> = PLANTS.iter().map(|plant| plant.hunt).collect();
    names.sort_unstable();
    planted.sort_unstable();
    assert_eq!(names, planted, "every hunt has its plant");

    let model = |hunt: &str, planted: bool| format!("{hunt}-{}", if planted { "planted" } else { "clean" });
    for plant in PLANTS {
        for planted in [true, false] {
            let lines = plants::lines(plant, &model(plant.hunt, planted), planted);
            let answer: Value = server.send(lines).json().unwrap();
            assert_eq!(answer["rejected"], 0, "{}: {answer}", plant.hunt);
        }
    }
    server.query("SELECT 1");
    let mut wrong = Vec::new();
    for plant in PLANTS {
        for planted in [true, false] {
            let model = model(plant.hunt, planted);
            let mut arguments = vec!["hunts", "run", plant.hunt, "--json", "--model", &model];
            arguments.extend(RANGE);
            plant.parameters.iter().for_each(|parameter| arguments.extend(["--param", parameter]));
            let output = run(&server, &arguments);
            let (column, value) = plant.first;
            let is_first = |row: &Value| match &row[column] {
                Value::String(text) => text == value,
                other => format!("{other}") == value,
            };
            let found = rows(&output);
            let good = match planted {
                true => output.status.code() == Some(1) && found.first().is_some_and(is_first),
                false => output.status.code() == Some(0) && found.is_empty(),
            };
            if !good {
                wrong.push(format!("{model}: {} {}", text(&output.stderr), text(&output.stdout)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn run_alone(arguments: &[&str]) -> Output {
    wardline().args(arguments).output().unwrap()
}

#[test]
fn a_hunt_without_its_columns_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    server.send((0..50).map(|second| prediction(&format!("p{second}"), second)).collect::<String>());
    let mut lines = Lines::new("other", background::START);
    lines.event(0, r#""api_key":"k","features":{"age":1}"#);
    server.send(lines.text);
    server.query("SELECT 1");
    let said = |arguments: &[&str]| {
        let output = run(&server, &[&["hunts", "run"], arguments, &RANGE].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    };
    let missing = said(&["stolen_key", "--model", "churn"]);
    assert!(missing.contains("none of the 50 rows of `inference` in that time has `api_key`"), "{missing}");
    let never = said(&["indirect_injection"]);
    assert!(never.contains("no row of `inference` ever had `attribute_document`"), "{never}");
    let no_model = said(&["extraction_sweep"]);
    assert!(no_model.contains("name it with --model"), "{no_model}");
    let unknown_model = said(&["extraction_sweep", "--model", "nobody"]);
    assert!(unknown_model.contains("model.nobody"), "{unknown_model}");
    let unknown = said(&["no_such_hunt"]);
    assert!(unknown.contains("wardline hunts list"), "{unknown}");
    let no_outcome = said(&["slow_erosion", "--model", "churn"]);
    assert!(no_outcome.contains("there is no row"), "{no_outcome}");
}

/// Goal: what a person writes stays a value.
#[test]
fn values_with_quotes_are_values() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut lines = Lines::new("o'brien \"x\"".replace('"', "\\\"").as_str(), background::START);
    lines.event(0, r#""user":"u","prompt":"it's a '; DROP TABLE inference; -- test""#);
    server.send(lines.text);
    server.query("SELECT 1");
    let arguments = ["hunts", "run", "injection_phrases", "--json", "--model", "o'brien \"x\""];
    let pattern = ["--param", "pattern=it's a '; drop table"];
    let output = run(&server, &[&arguments[..], &pattern, &RANGE].concat());
    assert_eq!(rows(&output).len(), 1, "{}", text(&output.stderr));
    let csv = run(&server, &[&["hunts", "run", "injection_phrases", "--csv"], &pattern[..], &RANGE].concat());
    assert!(text(&csv.stdout).starts_with("model,client,prompts,"), "{}", text(&csv.stderr));
    assert_eq!(server.query("SELECT count(*) AS n FROM inference")[0]["n"], 1);
}

#[test]
fn a_hunt_is_shown_with_its_parameters() {
    let shown = text(&run_alone(&["hunts", "show", "stolen_key"]).stdout);
    for part in ["days_known", "AML.T0012", "inference.api_key, inference.client_ip", "SELECT"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(text(&run_alone(&["hunts", "list"]).stdout).contains("extraction_sweep"));
}
