//! Objectives and deliveries on the command line: budgets, files of other tools, and the DORA metrics.

use std::process::Output;

use serde_json::Value;

use crate::server::{Server, prediction, wardline};

const SETTINGS: &str = r#"
[models.churn.objectives]
success = 0.999
latency_p99_ms = 150

[[slos]]
name = "quick"
service = "crm"
models = ["churn"]
latency_ms = 24
target = 0.9
window_days = 28

[[slos]]
name = "availability"
service = "crm"
models = ["churn", "upsell"]
target = 0.995
"#;

fn run(arguments: &[&str]) -> Output {
    wardline().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Goal: what is exported as OpenSLO is the same settings again.
#[test]
fn objectives_go_out_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    std::fs::write(&config, SETTINGS).unwrap();
    let config = config.to_str().unwrap();
    let exported = run(&["--config", config, "slo", "export"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let file = folder.path().join("slos.yaml");
    std::fs::write(&file, &exported.stdout).unwrap();
    let again = folder.path().join("again.toml");
    let imported = run(&["slo", "import", file.to_str().unwrap(), "--append", again.to_str().unwrap()]);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    assert!(text(&imported.stderr).contains("4 objectives were read, 0 problems"), "{}", text(&imported.stderr));
    let twice = run(&["--config", again.to_str().unwrap(), "slo", "export"]);
    assert_eq!(text(&twice.stdout), text(&exported.stdout));
    // The same again would double every name, so the file is left as it is.
    let doubled = run(&["slo", "import", file.to_str().unwrap(), "--append", again.to_str().unwrap()]);
    assert_eq!(doubled.status.code(), Some(2));
    assert!(text(&doubled.stderr).contains("has two named"), "{}", text(&doubled.stderr));
    for (format, part) in
        [("sloth", "slo:sli_error:ratio_rate30d"), ("pyrra", "burnrate5m"), ("openslo-v1alpha", "openslo/v1alpha")]
    {
        let rules = text(&run(&["--config", config, "slo", "export", "--format", format]).stdout);
        assert!(rules.contains(part), "{rules}");
    }
}

#[test]
fn a_wrong_file_is_said_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.yaml");
    std::fs::write(&file, "version: prometheus/v1\nservice: a\nslos:\n  - name: x\n    objective: 100\n").unwrap();
    let output = run(&["slo", "import", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("bad.yaml:5: `slos[0].objective` is 100"), "{}", text(&output.stderr));
}

/// Goal: budgets are bad over total of the stored events, for a model and for a service; Prometheus scrapes the same.
#[test]
fn budgets_are_those_of_the_stored_events() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    std::fs::write(&config, SETTINGS).unwrap();
    let mut command = wardline();
    command.args(["--config", config.to_str().unwrap(), "serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(folder.path().join("data"));
    let server = Server::start_command(command);
    let idle = server.get("/metrics").text().unwrap();
    assert!(idle.contains("wardline_slo_bad_events_total{service=\"churn\",slo=\"success\"} 0"), "{idle}");
    let failed = |id: &str, second| prediction(id, second).replace("\"model\"", "\"status\":\"error\",\"model\"");
    let events: String = (0..200)
        .map(|at| if at % 50 == 49 { failed(&format!("p{at}"), at) } else { prediction(&format!("p{at}"), at) })
        .collect();
    server.send(events);
    server.query("SELECT 1");
    let shown = run(&["slo", "show", "churn", "--at", "2026-11-03T00:00:00Z", "--json", "--url", &server.url]);
    let answer: Value = serde_json::from_slice(&shown.stdout).unwrap_or_else(|_| panic!("{}", text(&shown.stderr)));
    let of = |name: &str| {
        answer["objectives"].as_array().unwrap().iter().find(|one| one["slo"]["name"] == name).unwrap().clone()
    };
    assert_eq!((&of("success")["events"], &of("success")["bad"]), (&200.into(), &4.into()));
    assert_eq!(of("availability")["used_so_far"].as_f64().map(|used| (used * 1e6).round()), Some(4e6));
    assert_eq!(of("quick")["windows"][0]["is_lowered"], true);
    let table = text(&run(&["slo", "list", "--at", "2026-11-03T00:00:00Z", "--url", &server.url]).stdout);
    assert!(table.contains("99.9 % succeed over 30 days") && table.contains("budget left"), "{table}");
    let metrics = server.get("/metrics").text().unwrap();
    assert!(metrics.contains("wardline_slo_events_total{service=\"crm\",slo=\"quick\"}"), "{metrics}");
    let unknown = run(&["slo", "show", "nobody", "--url", &server.url]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("churn"), "{}", text(&unknown.stderr));
}

/// Goal: the metrics of a model from its stored deployments: a canary that was taken back, and one that went out.
#[test]
fn dora_is_that_of_the_stored_deployments() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let deployed = |time: &str, version: &str, action: &str, more: &str| {
        format!(
            "{{\"kind\":\"deployment\",\"time\":\"{time}\",\"model\":\"churn\",\"version\":\"{version}\",\"action\":\"{action}\"{more}}}\n"
        )
    };
    let commit = ",\"commit\":\"a1\",\"committed_at\":\"2026-11-02T00:00:00Z\",\"dataset_version\":\"d1\"";
    let data = "{\"kind\":\"training_row\",\"time\":\"2026-11-01T12:00:00Z\",\"model\":\"churn\",\"dataset\":\"d\",\"dataset_version\":\"d1\",\"row_id\":\"r1\",\"features\":{\"age\":3}}\n";
    server.send(
        [
            data.to_owned(),
            deployed("2026-11-02T06:00:00Z", "1", "deploy", commit),
            deployed("2026-11-03T06:00:00Z", "2", "canary_start", ",\"weight\":5"),
            deployed("2026-11-03T07:00:00Z", "2", "rollback", ",\"weight\":0"),
            deployed("2026-11-04T06:00:00Z", "3", "deploy", ",\"attributes\":{\"unplanned\":true}"),
        ]
        .concat(),
    );
    server.query("SELECT 1");
    let range = ["--from", "2026-11-01T00:00:00Z", "--to", "2026-11-06T00:00:00Z"];
    let output = run(&[&["dora", "churn", "--json", "--url", &server.url], &range[..]].concat());
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let report = &reports[0];
    assert_eq!(report["deployment_frequency"]["changes"], 2);
    assert_eq!(report["lead_time"]["from_commit"]["median_seconds"], 6.0 * 3_600.0);
    assert_eq!(report["lead_time"]["from_data"]["median_seconds"], 18.0 * 3_600.0);
    assert_eq!((&report["change_failure"]["contained"], &report["change_failure"]["escaped"]), (&1.into(), &0.into()));
    assert_eq!(report["rework"]["unplanned"], 1);
    let told = text(&run(&[&["dora", "--url", &server.url], &range[..]].concat()).stdout);
    assert!(told.contains("deployment frequency") && told.contains("contained"), "{told}");
    let nothing = run(&["dora", "nobody", "--url", &server.url]);
    assert_eq!(nothing.status.code(), Some(2));
}
