//! The real Alertmanager: what is sent is read back with its own API.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use wardline_domain::{NoticeChange, Severity, Timestamp};

use super::{
    block_on, build, notice, now,
    programs::{self, Program, free_port},
};

struct Alertmanager {
    program: Program,
    url: String,
}

impl Alertmanager {
    fn start(folder: &Path) -> Self {
        let file = folder.join("alertmanager.yml");
        std::fs::write(&file, "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n").unwrap();
        let url = format!("http://127.0.0.1:{}", free_port());
        let mut command = Command::new(programs::of_debian("prometheus-alertmanager"));
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address={}", url.trim_start_matches("http://")));
        // No cluster: no other port, and no waiting for peers.
        command.arg("--cluster.listen-address=");
        let mut program = Program::start(&mut command, folder);
        program.wait_for(&format!("{url}/-/ready"));
        Self { program, url }
    }

    fn alerts(&self) -> Vec<Value> {
        let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        client.get(format!("{}/api/v2/alerts", self.url)).send().unwrap().json().unwrap()
    }

    /// Waits until so many alerts are active; it takes in alerts behind its answer.
    fn wait_for(&mut self, n: usize) -> Vec<Value> {
        let url = self.url.clone();
        let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let active = move || -> Vec<Value> {
            client.get(format!("{url}/api/v2/alerts?active=true")).send().unwrap().json().unwrap()
        };
        self.program.wait_until(&format!("{n} alerts are active"), || active().len() == n);
        self.alerts()
    }
}

fn settings(url: &str) -> Value {
    json!({"name": "prometheus", "kind": "alertmanager", "url": url, "labels": {"team": "ml"}, "resend_seconds": 120, "time_limit_ms": 60_000})
}

/// Goal: an alert fires as it is, stays while it is repeated, is one alert through it all, and ends when it is over.
#[test]
fn an_alert_fires_goes_on_and_resolves() {
    let folder = tempfile::tempdir().unwrap();
    let mut alertmanager = Alertmanager::start(folder.path());
    let notifier = build(settings(&alertmanager.url));
    assert_eq!(notifier.repeats_every(), Some(120 * Timestamp::SECOND));

    let opened = notice(NoticeChange::Opened);
    block_on(notifier.send(&opened, now())).unwrap();
    let first = alertmanager.wait_for(1).remove(0);
    let labels = json!({
        "alertname": "Wardline", "alert": "a-17", "team": "ml", "model": "fraud <!channel> & co", "kind": "latency", "severity": "page",
    });
    assert_eq!(first["labels"], labels);
    assert_eq!(first["status"]["state"], "active");
    assert_eq!(first["generatorURL"], "https://wardline.example/v1/alerts/a-17");
    assert_eq!(first["annotations"]["field_slice"], "channel=<web> \"x\"");
    let summary = first["annotations"]["summary"].as_str().unwrap();
    assert!(summary.starts_with("p99 of *fraud* is 900 ms Bcc:") && !summary.contains('\n'), "{summary}");
    let time = |alert: &Value, key: &str| Timestamp::parse(alert[key].as_str().unwrap()).unwrap();
    assert_eq!(time(&first, "startsAt").floor(1_000), opened.began.floor(1_000));
    let left = time(&first, "endsAt").since(now());
    assert!(left > 120 * Timestamp::SECOND, "it may miss repetitions before the alert ends by itself: {left}");

    block_on(notifier.send(&opened, now())).unwrap();
    alertmanager.program.wait_until("the repetition moves the end", || {
        let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let alerts: Vec<Value> =
            client.get(format!("{}/api/v2/alerts", alertmanager.url)).send().unwrap().json().unwrap();
        alerts.len() == 1 && time(&alerts[0], "endsAt") > time(&first, "endsAt")
    });
    block_on(notifier.send(&notice(NoticeChange::Resolved), now())).unwrap();
    alertmanager.wait_for(0);
}

#[test]
fn what_is_told_once_stands_for_a_while_and_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut alertmanager = Alertmanager::start(folder.path());
    let notifier = build(settings(&alertmanager.url));
    let mut once = notice(NoticeChange::Opened);
    (once.lasts, once.severity, once.began) = (false, Severity::Info, now().plus(Timestamp::DAY));
    block_on(notifier.send(&once, now())).unwrap();
    let alert = alertmanager.wait_for(1).remove(0);
    let left = Timestamp::parse(alert["endsAt"].as_str().unwrap()).unwrap().since(now());
    assert!(30 * Timestamp::MINUTE < left && left <= Timestamp::HOUR, "{left}");
}

#[test]
fn labels_that_are_none_and_half_a_password_are_refused() {
    let complaint = |extra: Value| {
        let mut table = settings("http://127.0.0.1:9");
        table.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let built = wardline_adapters::notifiers::build(&table, &|_| Some(super::SECRET.to_owned()));
        built.err().map(|error| error.to_string()).unwrap_or_default()
    };
    insta::assert_snapshot!(complaint(json!({"labels": {"team-name": "x"}})), @"the settings of the notifier `prometheus` cannot be used: `labels.team-name` is no label of yours: use letters, digits and `_`, and none of alertname, alert, incident, test, model, kind, severity");
    insta::assert_snapshot!(complaint(json!({"user": "x"})), @"the settings of the notifier `prometheus` cannot be used: write `user` and `password`, or `token`, or none of them");
    insta::assert_snapshot!(complaint(json!({"resend_seconds": 0})), @"the settings of the notifier `prometheus` cannot be used: `resend_seconds` is 0, and must lie between 1 and 3600");
    let gone = build(settings("http://127.0.0.1:9"));
    let error = block_on(gone.send(&notice(NoticeChange::Opened), now())).unwrap_err();
    assert!(error.is_temporary(), "{error}");
}
