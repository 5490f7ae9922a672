//! Notifications through the real binary: told once, in order, through failures and kills, and to the real Alertmanager.

use std::{
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    real::{
        programs::{Program, free_port, of_debian},
        target::Server as Receiver,
        wait_until,
    },
    server::{Server, wardline},
};

/// Every prompt with the word is an alert of its own user.
const RULE: &str = "title: A word of ours\nname: own_word\nlogsource: {product: wardline, category: inference}\ndetection:\n  s: {prompt|contains: xyzzy}\n  condition: s\nlevel: high\nwardline: {kind: injection, group-by: [user]}\n";

fn server(folder: &Path, settings: &str) -> Server {
    let rules = folder.join("rules");
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("own.yml"), RULE).unwrap();
    // The rule reads prompts, so they are not hashed.
    let kept = "[[privacy.rules]]\nfield = \"prompt\"\ntreatment = \"keep\"\n";
    std::fs::write(folder.join("wardline.toml"), format!("{settings}{kept}")).unwrap();
    let mut command = wardline();
    command.env("WARDLINE_RULES__FOLDER", &rules).env("WARDLINE_LEARNING__LEAST_EVENTS", "1");
    command.env("HOOK_SECRET", "0123456789abcdef0123456789abcdef");
    command.arg("--config").arg(folder.join("wardline.toml"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    Server::start_command(command)
}

fn hook(name: &str, url: &str) -> String {
    format!(
        "[[notifiers]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = {{ environment = \"HOOK_SECRET\" }}\n"
    )
}

/// Prompts of a model, one of them with the word; what comes after it moves the clock on.
fn attack(model: &str, user: &str) -> String {
    let mut lines = String::new();
    for index in 0..40 {
        let prompt = if index == 35 { "now say xyzzy" } else { "hello" };
        let event = json!({
            "id": format!("{model}-{user}-{index}"), "time": 1_793_601_365 + index * 60,
            "model": model, "version": "1", "user": user, "prompt": prompt,
        });
        lines.push_str(&format!("{event}\n"));
    }
    lines
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    wardline().args(arguments).env("WARDLINE_URL", &server.url).output().unwrap()
}

fn notifications(server: &Server, to: &str) -> Vec<Value> {
    let answer: Value = server.get(&format!("/v1/notifications?receiver={to}")).json().unwrap();
    let mut list = answer["notifications"].as_array().unwrap().clone();
    list.reverse();
    list
}

/// Waits until everything that is to be told one receiver has these statuses, in its order.
fn wait_for(server: &Server, to: &str, statuses: &[&str]) -> Vec<Value> {
    wait_until(&format!("{to} has {statuses:?}"), || {
        let found = notifications(server, to);
        (found.iter().map(|message| &message["status"]).eq(statuses.iter())).then_some(found)
    })
}

fn incident(server: &Server) -> String {
    wait_until("an incident is opened", || {
        let answer: Value = server.get("/v1/incidents").json().unwrap();
        Some(answer["incidents"][0]["id"].as_str()?.to_owned())
    })
}

/// A receiver that answers with a status that the test sets.
fn receiver(status: u16) -> (Receiver, Arc<AtomicU16>) {
    let now = Arc::new(AtomicU16::new(status));
    let answered = Arc::clone(&now);
    (Receiver::start(move |_| (answered.load(Ordering::SeqCst), String::new())), now)
}

/// What a receiver took, by what happened.
fn told(receiver: &Receiver) -> Vec<(String, String)> {
    let asked = receiver.asked();
    let pair = |asked: &crate::real::target::Asked| {
        (asked.json()["type"].as_str().unwrap_or_default().to_owned(), asked.headers["webhook-id"].clone())
    };
    asked.iter().map(pair).collect()
}

/// Goal: what could not be sent is sent after a kill, in its order and under the same id, and what is refused is shown
/// and sent when somebody asks for it.
#[test]
fn what_did_not_arrive_arrives_after_a_kill_and_what_was_refused_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (patient, patient_status) = receiver(503);
    let (strict, strict_status) = receiver(400);
    let settings = format!(
        "{}{}[[routes]]\nto = [\"patient\"]\nabout = [\"alert\", \"incident\"]\n[[routes]]\nto = [\"strict\"]\nabout = [\"alert\"]\n",
        hook("patient", &patient.url()),
        hook("strict", &strict.url())
    );
    let first = server(folder.path(), &settings);
    assert_eq!(first.send(attack("chat", "mallory")).status(), 200);
    let dead = wait_for(&first, "strict", &["dead"]).remove(0);
    assert!(dead["trouble"].as_str().unwrap().contains("it answered 400"), "{dead}");
    assert_eq!(dead["notice"]["subject"], "alert");
    wait_until("it is tried", || (!patient.asked().is_empty()).then_some(()));
    let listed = run(&first, &["notifications", "list", "--status", "dead"]);
    assert_eq!(listed.status.code(), Some(1), "something was given up");
    let waiting = notifications(&first, "patient");
    assert!(waiting.iter().all(|message| message["status"] == "waiting"), "{waiting:?}");
    first.kill();

    patient_status.store(204, Ordering::SeqCst);
    strict_status.store(204, Ordering::SeqCst);
    let n_failed = patient.asked().len();
    let second = server(folder.path(), &settings);
    wait_for(&second, "patient", &["sent", "sent"]);
    let took = told(&patient).split_off(n_failed);
    let mut kinds: Vec<&str> = took.iter().map(|(kind, _)| kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["alert.opened", "incident.opened"], "each is told once");
    assert!(told(&patient)[..n_failed].iter().all(|failed| took.contains(failed)), "under the same ids");

    let again = run(&second, &["notifications", "retry", dead["id"].as_str().unwrap()]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    wait_for(&second, "strict", &["sent"]);
    let missing = run(&second, &["notifications", "retry", "n-0"]);
    assert_eq!(missing.status.code(), Some(2));

    // The same events again say nothing new.
    assert_eq!(second.send(attack("chat", "mallory")).status(), 200);
    let id = incident(&second);
    assert!(run(&second, &["incident", "ack", &id]).status.code() != Some(2));
    let resolve = ["incident", "resolve", &id, "accepted", "a test of the red team"];
    let resolved = run(&second, &resolve);
    assert!(resolved.status.code() != Some(2), "{}", String::from_utf8_lossy(&resolved.stderr));
    wait_for(&second, "patient", &["sent", "sent", "sent", "sent"]);
    assert_eq!(told(&patient).last().unwrap().0, "incident.resolved");
    assert!(second.stop().success());
}

/// Goal: a receiver that was never told of something does not hear that it is over; routes and silences hold.
#[test]
fn routes_and_silences_decide_who_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (all, _) = receiver(204);
    let (other, _) = receiver(204);
    let (fairness, _) = receiver(204);
    let settings = format!(
        "{}{}{}[[routes]]\nto = [\"all\"]\n[[routes]]\nto = [\"other\"]\nmodels = [\"fraud\"]\n[[routes]]\nto = [\"fairness\"]\nclasses = [\"fairness\"]\n[[silences]]\nname = \"a test of the red team\"\nmodel = \"quiet\"\n",
        hook("all", &all.url()),
        hook("other", &other.url()),
        hook("fairness", &fairness.url())
    );
    let server = server(folder.path(), &settings);
    assert_eq!(server.send(attack("quiet", "red-team")).status(), 200);
    assert_eq!(server.send(attack("chat", "mallory")).status(), 200);
    let sent = wait_for(&server, "all", &["sent"]).remove(0);
    assert_eq!(sent["notice"]["models"], json!(["chat"]));
    assert_eq!((other.asked().len(), fairness.asked().len()), (0, 0));
    let tested = run(&server, &["notifications", "test", "other"]);
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
    assert_eq!(told(&other)[0].0, "test.opened");
    let unknown = run(&server, &["notifications", "test", "nobody"]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(2) && said.contains("the settings have all, fairness, other"), "{said}");
}

/// Goal: the real Alertmanager shows an incident for as long as it lasts, and not after it.
#[test]
fn alertmanager_hears_that_an_incident_goes_on_until_it_is_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", free_port());
    let mut alertmanager = alertmanager(folder.path(), &url);
    let settings = format!(
        "[[notifiers]]\nname = \"prometheus\"\nkind = \"alertmanager\"\nurl = \"{url}\"\nresend_seconds = 1\ntime_limit_ms = 60000\n"
    );
    let server = server(folder.path(), &settings);
    assert_eq!(server.send(attack("chat", "mallory")).status(), 200);
    let id = incident(&server);
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let alerts =
        || -> Vec<Value> { client.get(format!("{url}/api/v2/alerts?active=true")).send().unwrap().json().unwrap() };
    alertmanager.wait_until("it fires", || alerts().iter().any(|alert| alert["labels"]["incident"] == id.as_str()));
    wait_until("it is repeated", || {
        let standing = wait_for(&server, "prometheus", &["standing"]).remove(0);
        (standing["attempts"].as_u64()? >= 3).then_some(())
    });
    let acknowledged = run(&server, &["incident", "ack", &id]);
    assert!(acknowledged.status.code() != Some(2), "{}", String::from_utf8_lossy(&acknowledged.stderr));
    wait_for(&server, "prometheus", &["sent", "standing"]);
    let resolved = run(&server, &["incident", "resolve", &id, "false-alarm", "a drill"]);
    assert!(resolved.status.code() != Some(2), "{}", String::from_utf8_lossy(&resolved.stderr));
    wait_for(&server, "prometheus", &["sent", "sent", "sent"]);
    alertmanager.wait_until("it is over", || alerts().is_empty());
}

fn alertmanager(folder: &Path, url: &str) -> Program {
    let file = folder.join("alertmanager.yml");
    std::fs::write(&file, "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n").unwrap();
    let mut command = Command::new(of_debian("prometheus-alertmanager"));
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--storage.path={}", folder.join("alertmanager").display()));
    command.arg(format!("--web.listen-address={}", url.trim_start_matches("http://"))).arg("--cluster.listen-address=");
    let mut program = Program::start(&mut command, folder);
    program.wait_for(&format!("{url}/-/ready"));
    program
}

#[test]
fn alerts_are_exported_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "");
    assert_eq!(server.send(attack("chat", "mallory")).status(), 200);
    let id = incident(&server);
    for (format, says) in [("ocsf", "\"class_uid\":2004"), ("ecs", "\"kind\":\"alert\""), ("stix", "\"grouping\"")] {
        let output = run(&server, &["export", "alerts", "--format", format, "--incident", &id]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.replace("\": ", "\":").contains(says), "{format}: {text}");
    }
    let model = run(&server, &["export", "alerts", "--format", "ocsf", "--model", "other"]);
    assert!(model.status.success() && model.stdout.is_empty());
    let until = ["export", "alerts", "--format", "ecs", "--until", "2020-01-01T00:00:00Z"];
    assert!(run(&server, &until).stdout.is_empty());
    assert_eq!(server.get("/v1/export/alerts?format=xml").status(), 400);
    assert_eq!(server.get("/v1/export/alerts?format=stix&incident=i-0").status(), 404);
}

#[test]
fn settings_that_would_tell_nobody_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |settings: &str| {
        let file = folder.path().join("wardline.toml");
        std::fs::write(&file, settings).unwrap();
        let mut command = wardline();
        command.env("HOOK_SECRET", "0123456789abcdef0123456789abcdef").arg("--config").arg(&file).arg("check");
        let output = command.output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let good = check(&hook("a", "http://127.0.0.1:9"));
    assert!(good.contains("notifies      a: incident from ticket on, every model, of every kind"), "{good}");
    let bad = format!(
        "{}{}[[routes]]\nto = [\"b\", \"c\"]\nleast_severity = \"critical\"\nkinds = [\"lag\"]\nabout = [\"tests\"]\n",
        hook("a", "http://127.0.0.1:9"),
        hook("b", "ftp://x")
    );
    let said = check(&bad);
    for part in [
        "`notifiers[1]` cannot be used: the settings of the notifier `b` cannot be used: `ftp://x` is no web address",
        "`routes[0].to` names `c`, and there is no such notifier",
        "`routes[0].least_severity` is `critical`, and is none",
        "`routes[0].kinds` has `lag`, which is none",
        "`routes[0].about` has `tests`, which is none",
        "`routes` have none to `a`, which would never be told anything",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
