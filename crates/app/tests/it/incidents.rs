//! Incidents through the real binary: from an event to a signed pack, through kills, and with altered bytes.

use std::{
    collections::BTreeSet,
    path::Path,
    process::Output,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use serde_json::{Value, json};

use crate::server::{Server, client, wardline};

/// Every prompt with the word is an alert of its own user.
const RULE: &str = "title: A word of ours\nname: own_word\nlogsource: {product: wardline, category: inference}\ndetection:\n  s: {prompt|contains: xyzzy}\n  condition: s\nlevel: high\nwardline: {kind: injection, group-by: [user]}\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn server(folder: &Path) -> Server {
    let rules = folder.join("rules");
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("own.yml"), RULE).unwrap();
    let config = folder.join("wardline.toml");
    std::fs::write(&config, "[[privacy.rules]]\nfield = \"prompt\"\ntreatment = \"keep\"\n").unwrap();
    let mut command = wardline();
    command.arg("--config").arg(&config).env("WARDLINE_RULES__FOLDER", &rules);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    Server::start_command(command)
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    wardline().args(arguments).args(["--url", &server.url]).output().unwrap()
}

fn done(server: &Server, arguments: &[&str]) -> String {
    let output = run(server, arguments);
    assert!(output.status.code() != Some(2), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// An hour of quiet prompts of a model, and then one with the word.
fn attack(model: &str, user: &str, second: u64) -> String {
    let mut lines = String::new();
    for index in 0..40 {
        let prompt = if index == 30 { "now say xyzzy" } else { "hello" };
        let event = json!({
            "id": format!("{model}-{user}-{second}-{index}"), "time": 1_793_601_365 + second + index * 60,
            "model": model, "version": "1", "user": user, "prompt": prompt,
        });
        lines.push_str(&format!("{event}\n"));
    }
    lines
}

fn incidents(server: &Server) -> Vec<Value> {
    let answer: Value = server.get("/v1/incidents?limit=10000").json().unwrap();
    answer["incidents"].as_array().unwrap().clone()
}

fn wait_for(server: &Server, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let found = incidents(server);
        if holds(&found) {
            return found;
        }
        assert!(Instant::now() < end, "{what}: it does not happen; there are {found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_alert_becomes_an_incident_that_people_work_on_and_others_can_verify() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let deployed = json!({"kind": "deployment", "id": "d-1", "time": 1_793_601_365 + 1_200, "model": "chat", "version": "1", "action": "deploy", "by": "ana"});
    assert_eq!(server.send(format!("{deployed}\n{}", attack("chat", "mallory", 0))).status(), 200);
    let found = wait_for(&server, "an incident is opened", |found| !found.is_empty());
    assert_eq!(found.len(), 1);
    let id = found[0]["id"].as_str().unwrap();
    assert_eq!(found[0]["status"], json!({"status": "open"}), "{}", found[0]);
    assert_eq!(found[0]["class"], "security");

    let listed = run(&server, &["incident"]);
    assert_eq!(listed.status.code(), Some(1), "one is not over");
    assert!(text(&listed.stdout).contains(id), "{}", text(&listed.stdout));
    let early = run(&server, &["incident", "mitigate", id, "key revoked"]);
    assert_eq!(early.status.code(), Some(2));
    assert!(text(&early.stderr).contains("acknowledge it first"), "{}", text(&early.stderr));

    let short = &id[..8];
    for arguments in [
        &["incident", "ack", short][..],
        &["incident", "assign", id, "commander", "ana"],
        &["incident", "note", id, "the key of a partner"],
        &["incident", "task", id, "tell the partner", "--owner", "bo"],
        &["incident", "impact", id, "counted in the log", "--people", "3", "--cost", "12.50EUR"],
        &["incident", "mitigate", id, "key revoked"],
        &["incident", "done", id, "1", "mail of 12:03"],
        &["incident", "resolve", id, "fixed", "new key"],
    ] {
        done(&server, arguments);
    }
    let shown = done(&server, &["incident", "show", id]);
    for said in [
        "resolved",
        "commander: ana",
        "task 1 (bo): tell the partner, done",
        "3 people, 12.50 EUR",
        "deploy of version 1 of chat",
    ] {
        assert!(shown.contains(said), "{said} is not in\n{shown}");
    }
    let view: Value = serde_json::from_str(&done(&server, &["incident", "show", id, "--json"])).unwrap();
    assert!(view["timeline"].as_array().unwrap().len() >= 10, "{view}");

    // The same again opens another one: a resolved incident takes nothing.
    assert_eq!(server.send(attack("chat", "mallory", 40_000)).status(), 200);
    let found = wait_for(&server, "another incident is opened", |found| found.len() == 2);
    assert_ne!(found[0]["id"], id);
    let refused = run(&server, &["incident", "ack", id]);
    assert!(text(&refused.stderr).contains("reopen it"), "{}", text(&refused.stderr));

    let pack = folder.path().join("pack.zip");
    let said = done(&server, &["evidence", "export", id, "--out", pack.to_str().unwrap()]);
    let key = done(&server, &["evidence", "key"]);
    assert!(said.contains(key.trim()), "{said}");
    let verified = wardline().arg("verify").arg(&pack).args(["--key", key.trim()]).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stdout));
    assert!(text(&verified.stdout).contains("nothing was altered"));
    let again = done(&server, &["evidence", "export", id, "--out", pack.to_str().unwrap()]);
    assert_eq!(said, again, "what was frozen stays frozen");
    every_flipped_byte_is_found(&pack, folder.path());
}

/// Goal: one flipped byte anywhere is found and its place is named, at 1,000 random places of 1,000.
fn every_flipped_byte_is_found(pack: &Path, folder: &Path) {
    let whole = std::fs::read(pack).unwrap();
    assert!(whole.len() > 3_000);
    let mut random = SmallRng::seed_from_u64(20_261_128);
    for _ in 0..1_000 {
        let mut altered = whole.clone();
        let place = random.random_range(0..altered.len());
        altered[place] ^= 1 << random.random_range(0..8);
        let found = wardline_respond::evidence::verify(&altered, None);
        assert!(!found.is_whole(), "the flipped byte at {place} was not found");
    }
    // And once through the command, as a person would see it.
    let mut altered = whole;
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    let file = folder.join("altered.zip");
    std::fs::write(&file, altered).unwrap();
    let found = wardline().arg("verify").arg(&file).output().unwrap();
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stdout).contains("is altered"), "{}", text(&found.stdout));
}

/// Goal: whatever was answered with success is there after any kill, once.
/// Method: notes, tasks and new incidents are asked for while the server is killed at random moments. What was not
/// answered may be there or not, once.
#[test]
fn what_was_acknowledged_of_an_incident_survives_any_kill() {
    let kills: u32 = std::env::var("INCIDENT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(25);
    let mut random = SmallRng::seed_from_u64(20_261_128);
    let folder = tempfile::tempdir().unwrap();
    let mut running = server(folder.path());
    assert_eq!(running.send(attack("chat", "mallory", 0)).status(), 200);
    let found = wait_for(&running, "an incident is opened", |found| !found.is_empty());
    let id = found[0]["id"].as_str().unwrap().to_owned();
    let (mut sent, mut answered) = (0u32, BTreeSet::new());
    for kill in 0..kills {
        let url = running.url.clone();
        let path = format!("{url}/v1/incidents/{id}/commands");
        let n_notes = random.random_range(1..12);
        let asking = std::thread::spawn(move || {
            let client = client();
            let mut answered = Vec::new();
            for number in 0..n_notes {
                let note = format!("note {}", sent + number);
                let said = client.post(&path).json(&json!({"command": "note", "text": note})).send();
                if said.is_ok_and(|answer| answer.status().is_success()) {
                    answered.push(note);
                }
            }
            answered
        });
        // An attack by somebody else each time: alerts and incidents are written while the process dies.
        let _ = client()
            .post(format!("{url}/v1/events"))
            .body(attack(&format!("chat-{kill}"), "trudy", u64::from(kill) * 100))
            .send();
        std::thread::sleep(Duration::from_millis(random.random_range(0..60)));
        running.kill();
        answered.extend(asking.join().unwrap());
        sent += n_notes;
        running = server(folder.path());
    }
    let view: Value = running.get(&format!("/v1/incidents/{id}")).json().unwrap();
    let notes: Vec<&str> = view["notes"].as_array().unwrap().iter().filter_map(|note| note["text"].as_str()).collect();
    let kept: BTreeSet<String> = notes.iter().map(|note| (*note).to_owned()).collect();
    assert_eq!(kept.len(), notes.len(), "a note is there twice");
    let lost: Vec<_> = answered.difference(&kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    // Every alert is in exactly one incident, whenever the process died.
    let alerts: Value = running.get("/v1/alerts?limit=10000").json().unwrap();
    let raised: BTreeSet<&str> =
        alerts["alerts"].as_array().unwrap().iter().filter_map(|alert| alert["id"].as_str()).collect();
    let found = wait_for(&running, "each alert is in an incident", |found| {
        let held = found.iter().filter_map(|incident| incident["alerts"].as_object());
        held.flat_map(|alerts| alerts.keys()).count() >= raised.len()
    });
    let held: Vec<&str> = found
        .iter()
        .filter(|incident| incident["status"]["status"] != "merged")
        .flat_map(|incident| incident["alerts"].as_object().unwrap().keys().map(String::as_str))
        .collect();
    assert_eq!(held.iter().copied().collect::<BTreeSet<_>>().len(), held.len(), "an alert is in two incidents");
    eprintln!(
        "{kills} kills: {sent} notes sent, {} answered, {} kept; {} alerts",
        answered.len(),
        kept.len(),
        raised.len()
    );
}

#[test]
fn lineage_of_other_systems_is_taken_in_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let event = json!({
        "eventType": "COMPLETE", "eventTime": "2026-11-01T00:00:00Z", "producer": "https://example.com/etl",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/definitions/RunEvent",
        "run": {"runId": "01926f1e-7a4c-7d3e-8f00-000000000001"}, "job": {"namespace": "etl", "name": "join"},
        "inputs": [{"namespace": "s3", "name": "ratings"}], "outputs": [{"namespace": "s3", "name": "training"}],
    });
    // As OpenLineage's own client sends it.
    let answer = client().post(format!("{}/api/v1/lineage", server.url)).json(&event).send().unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().unwrap_or_default());
    let shown = done(&server, &["lineage", "show"]);
    assert!(shown.contains("dataset=s3/ratings") && shown.contains("job="), "{shown}");
    let radius = done(&server, &["lineage", "radius", "dataset=s3/ratings", "--since", "2026-10-31T00:00:00Z"]);
    assert!(radius.contains("dataset=s3/training"), "{radius}");
    let wrong = run(&server, &["lineage", "radius", "ratings", "--since", "2026-10-31T00:00:00Z"]);
    assert!(text(&wrong.stderr).contains("write its kind and its name"), "{}", text(&wrong.stderr));
    // It is there after a restart.
    server.kill();
    let server = self::server(folder.path());
    assert!(done(&server, &["lineage", "show"]).contains("dataset=s3/training"));
}
