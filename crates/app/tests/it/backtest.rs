//! The same alerts from the stream, from the tables and from files; and what people say about them.

use std::path::Path;

use serde_json::Value;

use crate::server::{Server, prediction, wardline};

const SETTINGS: &str = "[learning]\nuntil = 2026-11-02T08:00:00Z\n[budget]\nfalse_pages_a_month = 2\n";

/// Two hours of a steady model of which twenty minutes fail often, and the hours after.
fn story() -> Vec<String> {
    let line = |second: u64| {
        let line = prediction(&format!("b{second}"), second);
        let fails = (6_000..7_200).contains(&second) && second.is_multiple_of(3);
        if fails { line.replace("\"score\"", "\"status\":\"error\",\"score\"") } else { line }
    };
    (0..21_600).map(line).collect()
}

/// What a command prints as JSON.
fn json(arguments: &[&str]) -> Value {
    let output = wardline().args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Alerts in the order of their ids, as text.
fn sorted(alerts: &Value) -> String {
    let mut alerts = alerts.as_array().unwrap().clone();
    alerts.sort_by_key(|alert| alert["id"].as_str().unwrap().to_owned());
    serde_json::to_string(&alerts).unwrap()
}

fn alerts(server: &Server) -> Value {
    server.query("SELECT 1 AS one");
    server.get("/v1/alerts?limit=1000").json::<Value>().unwrap()["alerts"].take()
}

/// Goal: live over HTTP, backtest over the tables, backtest over the file and hunt give the same alerts, byte for byte, also
/// where the server is killed in the middle.
#[test]
fn stream_tables_and_files_give_the_same_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (config, file, data) = (path("wardline.toml"), path("events.ndjson"), path("data"));
    std::fs::write(&config, SETTINGS).unwrap();
    let lines = story();
    std::fs::write(&file, lines.concat()).unwrap();

    let server = Server::start(Path::new(&data), &["--config", &config]);
    for body in lines[..6_500].chunks(700) {
        assert!(server.send(body.concat()).status().is_success());
    }
    server.kill();
    let server = Server::start(Path::new(&data), &["--config", &config]);
    for body in lines[6_500..].chunks(1_300) {
        assert!(server.send(body.concat()).status().is_success());
    }
    let live = alerts(&server);
    assert!(live.as_array().unwrap().iter().any(|alert| alert["kind"] == "errors"), "{live}");

    let hunted = json(&["hunt", &file, "--json", "--config", &config]);
    assert_eq!(sorted(&live), sorted(&hunted));
    let of_errors = |alerts: &Value| {
        let named = alerts.as_array().unwrap().iter().filter(|alert| {
            alert["findings"].as_array().unwrap().iter().any(|finding| finding["detector"] == "errors")
        });
        sorted(&Value::Array(named.cloned().collect()))
    };
    let of_file = json(&["backtest", "errors", "--json", "--events", &file, "--config", &config]);
    assert_eq!(of_errors(&live), sorted(&of_file["alerts"]));
    let stored = json(&["backtest", "errors", "--json", "--url", &server.url, "--config", &config]);
    assert_eq!(of_errors(&live), sorted(&stored["alerts"]));
    assert_eq!(stored["budget"], of_file["budget"]);
    let before = json(&[
        "backtest",
        "errors",
        "--json",
        "--to",
        "2026-11-02T08:10:00Z",
        "--url",
        &server.url,
        "--config",
        &config,
    ]);
    assert_eq!(before["alerts"], serde_json::json!([]));
}

/// Goal: what people say about an alert is in the account of the budget; what makes no sense is refused.
#[test]
fn acknowledgements_are_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    std::fs::write(&config, SETTINGS).unwrap();
    let server = Server::start(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
    for body in story()[..8_000].chunks(2_000) {
        assert!(server.send(body.concat()).status().is_success());
    }
    let raised = alerts(&server);
    let alert = raised.as_array().unwrap().iter().find(|alert| alert["kind"] == "errors").unwrap();
    let id = alert["id"].as_str().unwrap();
    let said = wardline()
        .args(["alerts", "ack", id, "--as", "false", "--note", "load test", "--url", &server.url])
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let budget = json(&["budget", "--json", "--url", &server.url]);
    assert_eq!(budget["promised"]["pages"], 2.0);
    let lines = budget["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["said"]["false"] == 1 && line["month"] == "2026-11"), "{budget}");
    let unknown = wardline().args(["alerts", "ack", "a-none", "--as", "true", "--url", &server.url]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(json(&["entities", "--json", "--url", &server.url]).is_array());
}
