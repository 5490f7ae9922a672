//! Rollouts through a real server and a real proxy: a bad version is sent back, whatever stops in between.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    real::{Proxy, wait_until},
    server::{Server, client, wardline},
};

fn settings(folder: &Path) -> PathBuf {
    let file = folder.join("wardline.toml");
    let text = format!(
        "[[actuators]]\nname = \"edge\"\nkind = \"haproxy\"\nmodel = \"fraud\"\naddress = \"unix:{}\"\nbackend = \"models\"\nservers = {{ \"2.0\" = \"v20\", \"2.1\" = \"v21\" }}\n",
        folder.join("haproxy.sock").display()
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn server(folder: &Path) -> Server {
    let mut command = wardline();
    command.arg("--config").arg(settings(folder));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    Server::start_command(command)
}

const PLAN: &str = "model: fraud\nstanding: \"2.0\"\nversion: \"2.1\"\nsteps: [{ weight: 10, least_requests: 100000 }]\nactuators: [edge]\n";

fn start_rollout(server: &Server, folder: &Path) {
    let file = folder.join("rollout.yml");
    std::fs::write(&file, PLAN).unwrap();
    let output = wardline().args(["rollout", "start"]).arg(&file).args(["--url", &server.url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = wardline().args(["rollout", "start"]).arg(&file).args(["--url", &server.url]).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "one rollout a model");
}

fn now_micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64
}

/// A hundred requests a second up to a moment; a tenth of them is answered by 2.1, which fails `fails` of a hundred.
fn events(name: &str, until: u64, seconds: u64, canary: bool, fails: u64) -> String {
    let n = seconds * 100;
    let mut lines = String::new();
    for number in 0..n {
        let is_canary = canary && number % 10 == 3;
        let version = if is_canary { "2.1" } else { "2.0" };
        let status = if is_canary && number / 10 % 100 < fails { "error" } else { "ok" };
        let event = json!({
            "id": format!("{name}{number}"), "time": until - (n - number) * 10_000, "model": "fraud", "version": version,
            "status": status, "latency_ms": 20 + number % 17, "score": (number % 97) as f64 / 97.0, "decision": "approve",
        });
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    lines
}

fn rollout(server: &Server) -> Value {
    let answer: Value = server.get("/v1/rollouts?model=fraud").json().unwrap();
    answer["rollouts"][0].clone()
}

fn flagger(server: &Server, hook: &str) -> u16 {
    let payload = json!({"name": "fraud", "namespace": "prod", "phase": "Progressing", "metadata": {}});
    client().post(format!("{}/v1/flagger/{hook}", server.url)).json(&payload).send().unwrap().status().as_u16()
}

/// Requests of the standing version alone until the rollout has ended.
fn ended(server: &Server) -> Value {
    let mut sent = 0;
    wait_until("the rollout ends", || {
        sent += 1;
        let lines = events(&format!("quiet{sent}-"), now_micros(), 1, false, 0);
        assert!(server.send(lines).status().is_success());
        let rollout = rollout(server);
        (!rollout["ending"].is_null()).then_some(rollout)
    })
}

/// Goal: a version that fails is cut off at the proxy, the stream is seen to show it, and anyone can replay why.
#[test]
fn a_bad_version_is_cut_off_verified_and_its_record_replays() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(folder.path());
    let server = server(folder.path());
    start_rollout(&server, folder.path());
    wait_until("the first step is set", || (proxy.weight("v21") != "0").then_some(()));
    assert_eq!(flagger(&server, "rollback"), 403);
    assert_eq!(flagger(&server, "rollout"), 200);

    let lines = events("e", now_micros(), 30, true, 30);
    assert!(server.send(lines.clone()).status().is_success());
    wait_until("the proxy sends it nothing", || (proxy.weight("v21") == "0").then_some(()));
    assert_eq!(flagger(&server, "rollback"), 200);
    assert_eq!(flagger(&server, "confirm-promotion"), 403);
    let argo: Value = server.get("/v1/argo/fraud").json().unwrap();
    assert_eq!((&argo["roll_back"], &argo["promote"]), (&json!(true), &json!(false)));

    let ended = ended(&server);
    assert_eq!(ended["ending"], "rolled_back", "{ended}");
    let reason = ended["reason"].as_str().unwrap();
    assert!(reason.contains("failed requests"), "{reason}");
    let alerts: Value = server.get("/v1/alerts?model=fraud").json().unwrap();
    assert!(alerts["alerts"].as_array().unwrap().iter().any(|alert| alert["kind"] == "rollback"), "{alerts}");

    let file = folder.path().join("events.ndjson");
    std::fs::write(&file, lines).unwrap();
    let id = ended["rollout"].as_str().unwrap();
    let output = wardline().args(["rollout", "replay", id]).arg(&file).args(["--url", &server.url]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("the events give the same decision"), "{said}");
    let status = wardline().args(["rollout", "status", "fraud", "--url", &server.url]).output().unwrap();
    assert_eq!(status.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&status.stdout).contains("verified: 2.1 has answered nothing"));
}

/// Goal: a server that is killed in the middle goes on where its log ends, and nothing is done twice.
#[test]
fn a_rollback_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(folder.path());
    let first = server(folder.path());
    start_rollout(&first, folder.path());
    wait_until("the first step is set", || (rollout(&first)["log"].as_array()?.len() >= 4).then_some(()));
    assert!(first.send(events("e", now_micros(), 30, true, 30)).status().is_success());
    first.kill();

    let second = server(folder.path());
    wait_until("the proxy sends it nothing", || (proxy.weight("v21") == "0").then_some(()));
    let ended = ended(&second);
    assert_eq!(ended["ending"], "rolled_back", "{ended}");
    let log = ended["log"].as_array().unwrap();
    let sequences: Vec<u64> = log.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (0..log.len() as u64).collect::<Vec<_>>());
    let done = |entry: &&Value| entry["entry"] == "came" && entry["outcome"]["result"] == "done";
    let mut ids: Vec<&str> = log.iter().filter(done).filter_map(|entry| entry["id"].as_str()).collect();
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n, "nothing is done twice: {log:?}");
}

/// Goal: files with a version on trial are judged as a stream is, without any setting.
#[test]
fn a_hunt_says_what_to_do_with_a_version_on_trial() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.ndjson");
    let end = 1_793_601_365_000_000;
    let learned = events("l", end, 60, false, 0);
    let deployed = json!({
        "kind": "deployment", "time": end, "model": "fraud", "version": "2.1", "action": "canary_start", "weight": 10
    });
    for (fails, kind) in [(40, "rollback"), (0, "promote")] {
        let tried = events("t", end + 300_000_000, 300, true, fails);
        std::fs::write(&file, format!("{learned}{deployed}\n{tried}")).unwrap();
        let output = wardline().args(["hunt", "--json", "--no-progress"]).arg(&file).output().unwrap();
        let alerts: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found: Vec<&Value> = alerts
            .as_array()
            .unwrap()
            .iter()
            .filter(|alert| alert["detector"] == "judge" || alert["kind"] == kind)
            .collect();
        assert_eq!(found.len(), 1, "{kind}: {alerts}");
        assert_eq!(found[0]["version"], "2.1");
    }
}
