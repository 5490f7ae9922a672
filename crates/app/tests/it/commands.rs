//! The command line: what it prints, and how it ends.

use std::process::Output;

use crate::server::{Server, prediction, wardline};

fn run(arguments: &[&str]) -> Output {
    wardline().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Two hours of a steady model whose last twenty minutes fail often.
fn failing() -> String {
    let mut lines = String::new();
    for second in 0..7_200u64 {
        let line = prediction(&format!("h{second}"), second);
        let fails = second >= 6_000 && second % 3 == 0;
        lines.push_str(&if fails { line.replace("\"score\"", "\"status\":\"error\",\"score\"") } else { line });
    }
    lines
}

#[test]
fn a_hunt_names_what_is_wrong_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.ndjson.zst");
    std::fs::write(&file, zstd::encode_all(failing().as_bytes(), 1).unwrap()).unwrap();
    let report = folder.path().join("report.html");
    let output = run(&["hunt", file.to_str().unwrap(), "--json", "--report", report.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let alerts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = alerts.as_array().unwrap().iter().find(|alert| alert["kind"] == "errors").expect("errors were raised");
    assert_eq!(found["model"], "churn");
    assert!(found["time"].as_str().unwrap() >= "2026-11-02T08:16:05", "raised before it began: {found}");
    let page = std::fs::read_to_string(report).unwrap();
    assert!(page.contains("<svg") && page.contains("churn"));
    assert!(
        !page.contains("<script") && !page.contains("http://") && !page.contains("src=\"http"),
        "the page needs no network"
    );
}

#[test]
fn a_hunt_over_a_healthy_log_is_quiet_and_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.ndjson");
    let lines: String = (0..7_200).map(|second| prediction(&format!("h{second}"), second)).collect();
    std::fs::write(&file, lines).unwrap();
    let output = run(&["hunt", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).starts_with("no alert"));
}

#[test]
fn wrong_use_ends_with_2_and_says_what_to_do() {
    let missing = run(&["hunt", "no-such-folder"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("no-such-folder"));
    let unreachable = run(&["query", "SELECT 1", "--url", "http://127.0.0.1:9"]);
    assert_eq!(unreachable.status.code(), Some(2));
    assert!(text(&unreachable.stderr).contains("wardline serve"), "{}", text(&unreachable.stderr));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bad.toml");
    std::fs::write(&config, "[objectives]\nsuccess = 99.9\n").unwrap();
    let bad = run(&["--config", config.to_str().unwrap(), "check"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).contains("`objectives.success` is 99.9"), "{}", text(&bad.stderr));
}

#[test]
fn answers_come_as_table_json_csv_arrow_and_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]);
    let file = folder.path().join("events.ndjson");
    std::fs::write(&file, (0..20).map(|second| prediction(&format!("q{second}"), second)).collect::<String>()).unwrap();
    let sent = run(&["send", file.to_str().unwrap(), "--url", &server.url]);
    assert!(text(&sent.stdout).starts_with("20 accepted"), "{}", text(&sent.stderr));

    let sql = "SELECT model, count(*) AS n FROM inference GROUP BY model";
    let ask = |form: &[&str]| run(&[&["query", sql, "--url", &server.url], form].concat());
    assert_eq!(text(&ask(&["--json"]).stdout), "{\"model\":\"churn\",\"n\":20}\n");
    assert_eq!(text(&ask(&["--csv"]).stdout), "model,n\nchurn,20\n");
    assert!(text(&ask(&[]).stdout).contains("churn"));
    assert_eq!(&ask(&["--arrow"]).stdout[..4], &[0xff; 4]);
    let parquet = folder.path().join("answer.parquet");
    assert!(ask(&["--parquet", parquet.to_str().unwrap()]).status.success());
    assert_eq!(&std::fs::read(parquet).unwrap()[..4], b"PAR1");

    let wrong = run(&["query", "SELECT * FROM inferences", "--url", &server.url]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("inference"), "{}", text(&wrong.stderr));
    let change = run(&["query", "DROP TABLE inference", "--url", &server.url]);
    assert_eq!(change.status.code(), Some(2));
}

#[test]
fn a_second_process_on_a_data_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", folder.path().to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("in use by another wardline"));
    drop(server);
}

#[test]
fn what_was_learned_is_told_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    std::fs::write(&config, "[learning]\nuntil = \"2026-11-02T08:00:00Z\"\n").unwrap();
    let data = folder.path().join("data");
    let arguments = ["--config", config.to_str().unwrap()];
    let server = Server::start(&data, &arguments);
    assert_eq!(server.send(failing()).status(), 200);
    assert!(server.stop().success());
    let server = Server::start(&data, &arguments);
    let output = run(&["baseline", "churn", "--url", &server.url]);
    let told = text(&output.stdout);
    assert!(told.contains("churn") && told.contains("p99"), "{told}{}", text(&output.stderr));
    let alerts = run(&["alerts", "--json", "--url", &server.url]);
    assert!(text(&alerts.stdout).contains("\"errors\""), "{}", text(&alerts.stdout));
    let unknown = run(&["baseline", "nobody", "--url", &server.url]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("churn"));
}
