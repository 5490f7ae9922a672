//! The command line, with and without a server, and what a server does with what people say.

use serde_json::{Value, json};

use super::{
    Counts, SHIPPED, all_actions, ask, do_what_people_do, entries, once, playbook, server, settings, start, status,
    text, values_for,
};
use crate::{
    real::{target, wait_until},
    server::{Server, client, wardline},
};

/// Runs `wardline playbook` as a person.
fn as_person(server: &Server, who: usize, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = wardline();
    command.env("WARDLINE_URL", &server.url).env("WARDLINE_TOKEN", super::PEOPLE[who].1);
    let output = command.arg("playbook").args(arguments).output().unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_playbook_that_comes_along_can_be_gone_through_without_a_server() {
    let listed = playbook(&["list", "--json"]);
    assert_eq!(listed.status.code(), Some(0), "{}", text(&listed.stderr));
    let books: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let names: Vec<&str> = books.iter().map(|book| book["name"].as_str().unwrap()).collect();
    assert_eq!(names, SHIPPED);
    for book in &books {
        let name = book["name"].as_str().unwrap();
        assert_eq!(book["problems"], json!([]), "{name}");
        let set: Vec<String> = values_for(book).iter().map(|(name, value)| format!("--set={name}={value}")).collect();
        let mut arguments = vec!["run", name, "--dry-run"];
        let nothing = playbook(&arguments);
        assert_eq!(nothing.status.code(), Some(2), "{name} needs values");
        assert!(text(&nothing.stderr).contains("`incident` has no value: add --set incident=VALUE"));
        arguments.extend(set.iter().map(String::as_str));
        let gone = playbook(&arguments);
        let said = text(&gone.stdout);
        assert_eq!(gone.status.code(), Some(0), "{name}: {}", text(&gone.stderr));
        assert!(said.contains("nothing is done") && said.contains("the run came to its end"), "{said}");
        assert!(said.contains("wardline: freeze_evidence incident=the-incident"), "{said}");
        let shown = playbook(&["show", name]);
        assert!(text(&shown.stdout).contains(&format!("wardline playbook run {name} --dry-run --set ")));
    }
}

#[test]
fn a_file_is_checked_and_gone_through_and_everything_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.json");
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playbooks/drift.json");
    let good = std::fs::read_to_string(shipped).unwrap();
    std::fs::write(&file, &good).unwrap();
    let path = file.to_str().unwrap();
    let checked = playbook(&["check", path]);
    assert_eq!(checked.status.code(), Some(0));
    assert!(text(&checked.stdout).contains("it needs channel, incident, model"), "{}", text(&checked.stdout));
    let earnest = playbook(&["run", path, "--set", "model=fraud"]);
    assert!(text(&earnest.stderr).contains("playbooks.folder"), "{}", text(&earnest.stderr));
    let gone = playbook(&["run", path, "--dry-run", "--set", "model=m", "--set", "channel=c", "--set", "incident=i"]);
    assert_eq!(gone.status.code(), Some(0), "{}", text(&gone.stderr));

    std::fs::write(&file, good.replace("cacao-2.0", "cacao-1.0").replace("\"on_completion\"", "\"on_nothing\""))
        .unwrap();
    let checked = playbook(&["check", path]);
    assert_eq!(checked.status.code(), Some(1));
    let said = text(&checked.stdout);
    assert!(said.contains("`spec_version` must be `cacao-2.0`") && said.contains("own.json: "), "{said}");
}

/// Goal: all ten, in earnest, with everything approved and answered, come to their end; each action is done once.
#[test]
fn every_playbook_runs_to_its_end_once_people_have_approved() {
    let folder = tempfile::tempdir().unwrap();
    let counts = Counts::default();
    let target = counts.serve();
    settings(folder.path(), &all_actions(&target.url()), "[playbooks.actuators]\nfreeze_evidence = \"gateway\"\n");
    let server = server(folder.path());
    let listed = ask(&server.url, 0, "", None).unwrap().1;
    let mut n_done = 0;
    for book in listed["playbooks"].as_array().unwrap() {
        let name = book["name"].as_str().unwrap();
        let run = start(&server.url, name, &json!(values_for(book)));
        let id = run["run"].as_str().unwrap().to_owned();
        let run = wait_until("the run is over", || {
            let run = status(&server.url, &id);
            do_what_people_do(&server.url, &run);
            (run["state"] != "running").then_some(run)
        });
        assert_eq!(run["state"], "done", "{name}: {run}");
        let intended = entries(&run, "intended");
        assert!(intended[0]["event"]["request"]["action"]["name"] == "freeze_evidence", "{name}: evidence comes first");
        for entry in entries(&run, "reported") {
            assert_eq!(entry["event"]["outcome"]["outcome"], "done", "{name}: {entry}");
            assert_eq!(entry["by"], "gateway");
            n_done += 1;
        }
        for entry in entries(&run, "approved").into_iter().chain(entries(&run, "answered")) {
            assert!(entry["by"] == "ana" || entry["by"] == "ben", "{entry}");
        }
    }
    let (held, once) = (counts.held.lock().unwrap(), counts.once.lock().unwrap());
    assert_eq!(held.len() + once.len(), n_done, "what was reported was done");
    assert!(held.values().chain(once.values()).all(|times| *times == 1), "{held:?} {once:?}");
    let runs = ask(&server.url, 0, "/runs", None).unwrap().1;
    assert_eq!(runs["runs"].as_array().unwrap().len(), SHIPPED.len());
}

/// Goal: what a person reads says what was done, who is needed, and what to type; and what they type works.
#[test]
fn a_run_says_who_is_needed_for_what_and_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let target = Counts::default().serve();
    let mut actions = all_actions(&target.url());
    actions.remove("exclude_channel_from_training");
    settings(folder.path(), &actions, "[playbooks.actuators]\nfreeze_evidence = \"gateway\"\n");
    let server = server(folder.path());
    let mut run = vec!["run", "poisoning_by_channel"];
    let values = ["incident=INC-7", "model=fraud", "channel=partner-7", "version=2.1", "standing=2.0", "trained=true"];
    values.iter().for_each(|value| run.extend(["--set", value]));
    let (code, said, error) = as_person(&server, 0, &run);
    assert_eq!(code, Some(0), "{error}");
    assert!(said.contains("\"Freeze the evidence\": done"), "{said}");
    assert!(said.contains("1 person to approve \"Hold back the channel\" until "), "{said}");
    assert!(said.contains("gateway: quarantine_channel channel=partner-7 for=7d model=fraud"), "{said}");
    let line = said.lines().find(|line| line.contains("wardline playbook approve")).unwrap().trim();
    let words: Vec<&str> = line.split(' ').skip(2).collect();
    let (id, step) = (words[1], words[2]);

    let (code, _, error) = as_person(&server, 0, &["approve", id, "nothing-like-it"]);
    assert_eq!(code, Some(2));
    assert!(error.contains(&format!("those that wait for a person are {step}")), "{error}");
    let (code, said, _) = as_person(&server, 0, &words);
    assert_eq!(code, Some(0));
    assert!(said.contains("approved \"Hold back the channel\""), "{said}");
    assert!(said.contains("nobody: exclude_channel_from_training"), "who would do it is said before: {said}");
    let (code, _, error) = as_person(&server, 0, &words);
    assert!(code == Some(2) && error.contains("does not wait for an approval"), "{error}");

    // The step fails, because nothing can do it, and the run goes to whoever takes over.
    let (_, said, _) = as_person(&server, 1, &["approve", id, "Leave the channel out of training"]);
    assert!(said.contains("no actuator of the settings can do `exclude_channel_from_training`"), "{said}");
    assert!(said.contains("wardline playbook answer"), "{said}");
    let (_, runs, _) = as_person(&server, 1, &["runs"]);
    assert!(runs.contains(id) && runs.contains("to do: \"Somebody takes over\""), "{runs}");
    let (_, said, _) = as_person(&server, 1, &["stop", id, "--reason", "done by hand"]);
    assert!(said.contains("ben") && said.contains("stopped the run: done by hand"), "{said}");
    let (code, _, error) = as_person(&server, 1, &["stop", id]);
    assert!(code == Some(2) && error.contains("the run is over"), "{error}");
    assert!(as_person(&server, 1, &["status", "no-such-run"]).2.contains("there is no run `no-such-run`"));
    assert!(as_person(&server, 1, &["run", "no-such-book"]).2.contains("there are adversarial_input, bad_canary"));
}

/// Goal: of a run for an incident, the evidence is frozen by the product before anything is done, and the incident names
/// the run.
#[test]
fn a_run_for_an_incident_freezes_its_evidence_first_and_is_linked() {
    let folder = tempfile::tempdir().unwrap();
    let target = Counts::default().serve();
    let mut actions = all_actions(&target.url());
    actions.remove("freeze_evidence");
    settings(folder.path(), &actions, "");
    let server = server(folder.path());
    let incidents = format!("{}/v1/incidents", server.url);
    let asks = |request: reqwest::blocking::RequestBuilder| -> Value {
        request.bearer_auth(super::PEOPLE[0].1).send().unwrap().json().unwrap()
    };
    let declared = asks(client().post(&incidents).json(&json!({"title": "a canary is worse"})));
    let id = declared["incident"].as_str().unwrap();
    let run =
        ["run", "bad_canary", "--incident", id, "--set", "model=fraud", "--set", "version=2", "--set", "standing=1"];
    let (code, said, error) = as_person(&server, 0, &run);
    assert_eq!(code, Some(0), "{error}");
    assert!(said.contains("evidence  \"Freeze the evidence\": done, now "), "{said}");
    assert!(said.contains("gateway   \"Send all traffic to the version that stands\": done"), "{said}");
    let incident = asks(client().get(format!("{incidents}/{id}")));
    assert!(incident["links"].to_string().contains("/v1/playbooks/runs/bad_canary-"), "{incident}");
    let (code, _, error) = as_person(&server, 0, &["run", "bad_canary", "--incident", "no-such-incident"]);
    assert!(code == Some(2) && error.contains("there is no incident `no-such-incident`"), "{error}");
}

/// A playbook of a few steps: an automatic one after a delay, and one that waits half a second for an approval.
fn short(delay_ms: u64, approval_ms: u64) -> Value {
    let agent = "group--33333333-3333-4333-8333-333333333333";
    let action =
        |name: &str| json!({"action": "named", "name": name, "parameters": {"model": "__model__:value"}}).to_string();
    let automatic = |name: &str, approvals: u64, timeout: u64| {
        json!({
            "type": "action", "name": name, "agent": agent, "timeout": timeout,
            "commands": [{"type": "http-api", "command": "POST / HTTP/1.1", "content": action(name)}],
            "step_extensions": {"extension-definition--6f0c6bd9-5a35-4d3c-9a52-4c1d8a1f7c11": {"approvals": approvals}},
        })
    };
    let id = |kind: &str, number: u32| format!("{kind}--0000000{number}-0000-4000-8000-000000000000");
    let mut first = automatic("first", 0, 600_000);
    first["delay"] = json!(delay_ms);
    first["on_success"] = json!(id("action", 3));
    let mut second = automatic("second", 1, approval_ms);
    second["on_success"] = json!(id("end", 4));
    second["on_failure"] = json!(id("action", 5));
    let mut third = automatic("third", 0, 600_000);
    third["on_success"] = json!(id("end", 4));
    json!({
        "type": "playbook", "spec_version": "cacao-2.0", "name": "Short",
        "id": "playbook--11111111-1111-4111-8111-111111111111",
        "created_by": "identity--22222222-2222-4222-8222-222222222222",
        "created": "2026-11-02T06:36:05.995Z", "modified": "2026-11-02T06:36:05.995Z",
        "workflow_start": id("start", 1),
        "playbook_variables": {"__model__": {"type": "string", "external": true}},
        "agent_definitions": {agent: {"type": "group", "name": "people"}},
        "extension_definitions": {"extension-definition--6f0c6bd9-5a35-4d3c-9a52-4c1d8a1f7c11": {
            "type": "extension-definition", "name": "Approvals", "schema": "x", "version": "1",
            "created_by": "identity--22222222-2222-4222-8222-222222222222"}},
        "workflow": {
            id("start", 1): {"type": "start", "on_completion": id("action", 2)},
            id("action", 2): first, id("action", 3): second, id("action", 5): third, id("end", 4): {"type": "end"},
        },
    })
}

/// Goal: delays pass, what nobody approves in time has failed, what cannot be reached is tried again, and a run keeps the
/// playbook that it was started with, whatever becomes of the file and of the server.
#[test]
fn a_run_goes_on_with_its_own_playbook_through_time_trouble_and_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let books = folder.path().join("books");
    std::fs::create_dir(&books).unwrap();
    let file = books.join("short.json");
    std::fs::write(&file, short(300, 500).to_string()).unwrap();
    let counts = Counts::default();
    let (busy, counting) = (std::sync::atomic::AtomicU32::new(2), counts.clone());
    let target = target::Server::start(move |asked| {
        let is_busy =
            busy.fetch_update(std::sync::atomic::Ordering::SeqCst, std::sync::atomic::Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if is_busy.is_ok() { (503, "{}".to_owned()) } else { counting.answer(asked) }
    });
    let actions = ["first", "second", "third"].map(|name| (name.to_owned(), once(&target.url(), name))).into();
    settings(folder.path(), &actions, &format!("[playbooks]\nfolder = \"{}\"\n", books.display()));
    let first = server(folder.path());
    let run = start(&first.url, "short", &json!({"model": "fraud"}));
    let id = run["run"].as_str().unwrap().to_owned();
    assert_eq!(run["needs"][0]["waits"], "delay", "{run}");
    let troubled = wait_until("the action is tried in vain", || {
        let run = status(&first.url, &id);
        (run["needs"][0]["attempts"].as_u64() >= Some(1)).then_some(run)
    });
    assert!(troubled["needs"][0]["trouble"].as_str().unwrap().contains("503"), "{troubled}");
    std::fs::write(&file, short(0, 900_000).to_string()).unwrap();
    first.kill();

    let second = server(folder.path());
    let run = wait_until("the run is over", || {
        let run = status(&second.url, &id);
        (run["state"] != "running").then_some(run)
    });
    assert_eq!(run["state"], "done", "{run}");
    let left = entries(&run, "left");
    assert!(
        left.iter().any(|entry| entry["event"]["reason"].as_str().is_some_and(|reason| reason.contains("TIMEOUT"))),
        "nobody approved in time: {run}"
    );
    assert_eq!(counts.once.lock().unwrap().len(), 2, "the first and the third: {run}");
    let newer = start(&second.url, "short", &json!({"model": "fraud"}));
    assert_ne!(newer["playbook_sha256"], run["playbook_sha256"]);
    std::fs::write(&file, "{").unwrap();
    let body = json!({"playbook": "short", "values": {"model": "fraud"}});
    let (code, refused) = ask(&second.url, 0, "/runs", Some(&body)).unwrap();
    assert_eq!((code, refused["error"]["code"].as_str()), (422, Some("playbook_not_valid")), "{refused}");
}
