//! Users, tokens, roles and the audit log of a real server over HTTP, in SQLite and in a real PostgreSQL.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::{
    metadata::postgres::Postgres,
    server::{Server, client, prediction, wardline},
};

const ROOT: &str = "root-secret-of-the-settings";

/// A server whose settings have one token, of an admin.
struct House {
    folder: tempfile::TempDir,
    server: Option<Server>,
    more: String,
}

impl House {
    fn open(more: &str) -> Self {
        let mut house = Self { folder: tempfile::tempdir().unwrap(), server: None, more: more.to_owned() };
        house.start();
        house
    }

    fn start(&mut self) {
        let file = self.folder.path().join("wardline.toml");
        let text = format!("[[server.tokens]]\nname = \"root\"\nsecret = \"{ROOT}\"\n{}", self.more);
        std::fs::write(&file, text).unwrap();
        let mut command = wardline();
        command.arg("--config").arg(file).args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(self.data());
        self.server = Some(Server::start_command(command));
    }

    fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn url(&self) -> &str {
        &self.server.as_ref().unwrap().url
    }

    fn ask(&self, secret: &str, method: Method, path: &str, body: &str) -> Response {
        let request = client().request(method, format!("{}{path}", self.url())).bearer_auth(secret);
        request.header("content-type", "application/json").body(body.to_owned()).send().unwrap()
    }

    fn get(&self, secret: &str, path: &str) -> Value {
        self.ask(secret, Method::GET, path, "").json().unwrap()
    }

    fn status(&self, secret: &str, method: Method, path: &str) -> u16 {
        self.ask(secret, method, path, "{}").status().as_u16()
    }

    /// A command as the admin of the settings.
    fn run(&self, arguments: &[&str]) -> Output {
        wardline().args(arguments).args(["--url", self.url(), "--token", ROOT]).output().unwrap()
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The secret of a new user with a role.
    fn user(&self, name: &str, role: &str) -> String {
        self.said(&["user", "add", name, "--role", role]);
        self.said(&["token", "create", name])
    }

    fn records(&self) -> Vec<Value> {
        self.get(ROOT, "/v1/audit?limit=10000")["records"].as_array().unwrap().clone()
    }
}

fn code(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let error: Value = response.json().unwrap();
    let text = |key: &str| error["error"][key].as_str().unwrap_or_default().to_owned();
    (status, text("code"), text("message"))
}

fn plan(model: &str) -> String {
    format!("model: {model}\nstanding: \"1.0\"\nversion: \"1.1\"\n")
}

/// Goal: each role does what it is for, nothing above it, and is told what would be needed.
#[test]
fn each_role_may_what_it_is_for() {
    let house = House::open("");
    let roles = ["sender", "viewer", "analyst", "responder", "admin"];
    let secrets: Vec<String> = roles.iter().map(|role| house.user(&format!("u-{role}"), role)).collect();
    // For each request the roles that may; whoever may is answered anything but 403.
    let requests = [
        (Method::POST, "/v1/events", "sender admin"),
        (Method::POST, "/v1/query", "viewer analyst responder admin"),
        (Method::GET, "/v1/alerts", "viewer analyst responder admin"),
        (Method::GET, "/metrics", "viewer analyst responder admin"),
        (Method::GET, "/v1/audit", "viewer analyst responder admin"),
        (Method::POST, "/v1/alerts/a-1/acknowledgement", "analyst responder admin"),
        (Method::POST, "/v1/dead-letters/replay", "analyst responder admin"),
        (Method::POST, "/v1/rollouts", "responder admin"),
        (Method::POST, "/v1/rollouts/churn/abort", "responder admin"),
        (Method::POST, "/v1/atlas", "admin"),
        (Method::GET, "/v1/users", "admin"),
        (Method::GET, "/v1/tokens", "admin"),
        (Method::DELETE, "/v1/users/nobody", "admin"),
    ];
    for (method, path, may) in requests {
        for (role, secret) in roles.iter().zip(&secrets) {
            let expected = may.split(' ').any(|name| name == *role);
            assert_eq!(house.status(secret, method.clone(), path) != 403, expected, "{role}: {method} {path}");
        }
    }
    let (status, kind, message) = code(house.ask(&secrets[1], Method::POST, "/v1/rollouts", &plan("churn")));
    assert_eq!((status, kind.as_str()), (403, "forbidden"));
    assert_eq!(message, "this needs the role responder, and the token of `u-viewer` has the role viewer");
    assert_eq!(client().get(format!("{}/v1/alerts", house.url())).send().unwrap().status(), 401);
    assert_eq!(house.status("made-up-secret-of-somebody", Method::GET, "/v1/alerts"), 401);
    // Whose token it is stands beside the events that came with it.
    assert!(house.ask(&secrets[0], Method::POST, "/v1/events", &prediction("e1", 1)).status().is_success());
    let sender = house.ask(&secrets[1], Method::POST, "/v1/query", r#"{"sql": "SELECT sender FROM inference"}"#);
    assert_eq!(sender.json::<Value>().unwrap()["rows"][0]["sender"], "u-sender");
}

/// Goal: no route is open, and each needs the role that its description names. Method: every route for every role.
#[test]
fn each_route_needs_the_role_that_is_described() {
    let house = House::open("");
    let roles = ["sender", "viewer", "analyst", "responder", "admin"];
    let secrets: Vec<String> = roles.iter().map(|role| house.user(&format!("u-{role}"), role)).collect();
    let document = crate::openapi::checked_in();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(needs) = operation["x-needs-role"].as_str() else { continue };
            let least = roles.iter().position(|role| *role == needs).unwrap();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace(['{', '}'], "");
            let url = format!("{}{path}", house.url());
            assert_eq!(client().request(method.clone(), url).send().unwrap().status(), 401, "{method} {path}");
            for (place, secret) in secrets.iter().enumerate() {
                let may = if least == 0 { place == 0 || place == 4 } else { least <= place };
                let status = house.status(secret, method.clone(), &path);
                assert_eq!(status != 403, may, "{} {method} {path}: {status}", roles[place]);
            }
        }
    }
}

/// Goal: what was answered with success is in the log, however the server ends. Method: kills at random moments.
#[test]
fn what_was_answered_survives_any_kill() {
    let mut house = House::open("");
    let mut answered = Vec::new();
    for round in 0..8_u64 {
        std::thread::scope(|scope| {
            let url = house.url().to_owned();
            let adding = scope.spawn(move || {
                let mut added = Vec::new();
                for number in 0.. {
                    let user = format!("u{round}-{number}");
                    let body = json!({"user": user, "role": "viewer"}).to_string();
                    let request = client().post(format!("{url}/v1/users")).bearer_auth(ROOT);
                    match request.header("content-type", "application/json").body(body).send() {
                        Ok(answer) if answer.status() == 201 => added.push(user),
                        _ => return added,
                    }
                }
                added
            });
            std::thread::sleep(std::time::Duration::from_millis(20 + 37 * round));
            house.kill();
            answered.extend(adding.join().unwrap());
        });
        house.start();
    }
    assert!(!answered.is_empty());
    let users = house.get(ROOT, "/v1/users").to_string();
    for user in &answered {
        assert!(users.contains(&format!("\"{user}\"")), "{user} was answered and is lost");
    }
    house.said(&["audit", "verify"]);
}

/// Goal: a token ends when it is revoked, when it expires, and with its user; also over a kill.
#[test]
fn a_token_ends_and_stays_ended() {
    let mut house = House::open("");
    let kept = house.user("anna", "analyst");
    let lesser = house.said(&["token", "create", "anna", "--role", "viewer", "--name", "screen"]);
    assert_eq!(house.status(&lesser, Method::GET, "/v1/alerts"), 200);
    assert_eq!(house.status(&lesser, Method::POST, "/v1/dead-letters/replay"), 403);
    assert!(!house.run(&["token", "create", "anna", "--role", "admin"]).status.success());
    assert!(!house.run(&["user", "add", "root", "--role", "viewer"]).status.success(), "a token has this name");

    let listed = house.get(ROOT, "/v1/tokens?user=anna");
    let tokens = listed["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 2);
    assert!(!listed.to_string().contains("hash") && !listed.to_string().contains(&kept));
    let screen = tokens.iter().find(|token| token["name"] == "screen").unwrap()["token"].as_str().unwrap();
    house.said(&["token", "revoke", screen]);
    assert_eq!(house.status(&lesser, Method::GET, "/v1/alerts"), 401);

    let short = house.said(&["token", "create", "anna", "--expires", "2s"]);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while house.status(&short, Method::GET, "/v1/alerts") != 401 {
        assert!(std::time::Instant::now() < end, "the token does not expire");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let gone = house.user("bert", "responder");
    house.said(&["user", "remove", "bert"]);

    house.kill();
    house.start();
    assert_eq!(house.status(&kept, Method::GET, "/v1/alerts"), 200);
    for secret in [&lesser, &short, &gone] {
        assert_eq!(house.status(secret, Method::GET, "/v1/alerts"), 401);
    }
    assert!(house.said(&["user", "list"]).contains("anna") && !house.said(&["user", "list"]).contains("bert"));
    house.said(&["audit", "verify"]);
    // No secret is on the disk, wherever.
    for file in crate::server::files_below(&house.data()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(kept.len()).any(|window| window == kept.as_bytes()), "{}", file.display());
    }
}

/// Goal: what was changed is in the chain with who, as what and how it was answered; what was not is not.
#[test]
fn every_change_is_in_the_chain() {
    let house = House::open("");
    let secret = house.user("resi", "responder");
    assert_eq!(house.ask(&secret, Method::POST, "/v1/rollouts", &plan("churn")).status(), 201);
    assert_eq!(house.ask(&secret, Method::POST, "/v1/rollouts", &plan("churn")).status(), 409);
    assert_eq!(house.status(&secret, Method::GET, "/v1/rollouts"), 200);
    assert_eq!(house.status(&secret, Method::POST, "/v1/dead-letters/replay?reason=bad_time"), 200);
    let records = house.records();
    let deeds: Vec<Value> = records.iter().map(|record| record["entry"]["deed"].clone()).collect();
    assert_eq!(deeds[0], json!({"kind": "user_added", "user": "resi", "role": "responder"}));
    assert_eq!((&deeds[1]["kind"], &deeds[1]["user"]), (&json!("token_created"), &json!("resi")));
    assert_eq!(deeds[2], json!({"kind": "changed", "method": "POST", "path": "/v1/rollouts", "status": 201}));
    assert_eq!(deeds[3]["path"], "/v1/dead-letters/replay?reason=bad_time");
    assert_eq!(deeds.len(), 4);
    let entry = &records[2]["entry"];
    assert_eq!(
        (&entry["who"], &entry["role"], &entry["token"]),
        (&json!("resi"), &json!("responder"), &deeds[1]["token"])
    );
    assert_eq!(records[0]["entry"]["who"], "root");
    assert!(house.said(&["audit", "list"]).contains("resi (responder)  POST /v1/rollouts: 201"));
}

/// Goal: changes that come at the same time all get their place.
#[test]
fn changes_at_the_same_time_are_all_in_the_chain() {
    let house = House::open("");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let house = &house;
            scope.spawn(move || {
                for number in 0..8 {
                    let body = json!({"user": format!("u{thread}-{number}"), "role": "viewer"}).to_string();
                    assert_eq!(house.ask(ROOT, Method::POST, "/v1/users", &body).status(), 201);
                }
            });
        }
    });
    assert_eq!(house.records().len(), 32);
    assert!(house.said(&["audit", "verify"]).starts_with("32 records, as they were written"));
}

/// Goal: an altered record is named exactly, by the server and offline, and nobody gets in by altering one.
#[test]
fn an_altered_record_is_named_and_opens_nothing() {
    let postgres = Postgres::start();
    let address = postgres.database();
    let mut house = House::open(&format!("[metadata]\nurl = \"{address}\"\n"));
    let secret = house.user("anna", "viewer");
    house.user("bert", "viewer");
    let file = house.folder.path().join("audit.ndjson");
    house.said(&["audit", "export", file.to_str().unwrap()]);
    assert!(offline(&file).0);
    let mut bytes = std::fs::read(&file).unwrap();
    let place = bytes.iter().rposition(|byte| *byte == b'b').unwrap();
    bytes[place] = b'c';
    std::fs::write(&file, &bytes).unwrap();
    let record = bytes[..place].iter().filter(|byte| **byte == b'\n').count();
    let (is_whole, said) = offline(&file);
    assert!(!is_whole && said.contains(&format!("record {record} ")), "{said}");

    let verdict = |house: &House| {
        let output = house.run(&["audit", "verify"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    postgres.ask(&address, "CREATE TABLE kept AS SELECT * FROM log_line");
    postgres.ask(&address, "DELETE FROM log_line WHERE sequence = 3");
    assert!(verdict(&house).contains("record 3 is missing"), "the end is noted elsewhere");
    postgres.ask(&address, "INSERT INTO log_line SELECT * FROM kept WHERE sequence = 3");
    postgres.ask(&address, "UPDATE log_line SET line = replace(line, 'viewer', 'admin') WHERE sequence = 1");
    assert!(verdict(&house).contains("record 1 was altered"));

    house.kill();
    house.start();
    assert_eq!(house.status(&secret, Method::GET, "/v1/alerts"), 401);
    assert_eq!(house.status(ROOT, Method::GET, "/v1/alerts"), 200);
    // What is changed from now on is still written, and the damage stays named.
    assert_eq!(house.ask(ROOT, Method::POST, "/v1/rollouts", &plan("churn")).status(), 201);
    let said = verdict(&house);
    assert!(said.contains("record 1 was altered") && !said.contains("record 4"), "{said}");

    house.kill();
    postgres
        .ask(&address, "UPDATE log_line SET line = (SELECT line FROM kept WHERE kept.sequence = 1) WHERE sequence = 1");
    house.start();
    assert_eq!(house.status(&secret, Method::GET, "/v1/alerts"), 200);
    house.said(&["audit", "verify"]);
}

fn offline(file: &Path) -> (bool, String) {
    let output = wardline().args(["audit", "verify"]).arg(file).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// Goal: a change that cannot be written down is not confirmed, and the server goes on once it can.
#[test]
fn what_cannot_be_written_down_is_not_confirmed() {
    let postgres = Postgres::start();
    let address = postgres.database();
    let house = House::open(&format!("[metadata]\nurl = \"{address}\"\n"));
    let secret = house.user("resi", "responder");
    postgres.ask(&address, "ALTER TABLE log_line ADD CONSTRAINT full_disk CHECK (log <> 'audit') NOT VALID");
    let (status, kind, message) = code(house.ask(&secret, Method::POST, "/v1/rollouts", &plan("churn")));
    assert_eq!((status, kind.as_str()), (503, "not_recorded"), "{message}");
    let added = house.ask(ROOT, Method::POST, "/v1/users", r#"{"user": "bert", "role": "admin"}"#);
    assert_eq!(added.status(), 503);
    assert!(!house.get(ROOT, "/v1/users").to_string().contains("bert"));
    assert_eq!(house.status(&secret, Method::GET, "/v1/alerts"), 200, "reading goes on");
    postgres.ask(&address, "ALTER TABLE log_line DROP CONSTRAINT full_disk");
    assert_eq!(house.ask(&secret, Method::POST, "/v1/rollouts", &plan("fraud")).status(), 201);
    house.said(&["audit", "verify"]);
    assert_eq!(house.records().len(), 3);
}

/// Goal: settings say what a token may; on loopback without one, whoever is on this machine is an admin.
#[test]
fn settings_give_roles_and_loopback_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let add = |secret: Option<&str>| {
        let body = r#"{"user": "anna", "role": "viewer"}"#;
        let request =
            client().post(format!("{}/v1/users", server.url)).header("content-type", "application/json").body(body);
        secret
            .map_or_else(|| request.try_clone().unwrap(), |secret| request.try_clone().unwrap().bearer_auth(secret))
            .send()
    };
    assert_eq!(add(Some("made-up-secret-of-somebody")).unwrap().status(), 401, "a wrong token is no token");
    assert_eq!(add(None).unwrap().status(), 201);
    let answer: Value = server.get("/v1/audit").json().unwrap();
    assert_eq!(answer["records"][0]["entry"]["who"], "local");

    let second = "[[server.tokens]]\nname = \"edge\"\nsecret = \"0123456789abcdef\"\nrole = \"sender\"\n";
    let house = House::open(second);
    assert_eq!(house.ask("0123456789abcdef", Method::POST, "/v1/events", &prediction("e1", 1)).status(), 200);
    assert_eq!(house.status("0123456789abcdef", Method::GET, "/v1/alerts"), 403);
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, second.replace("\"sender\"", "\"boss\"")).unwrap();
    let output = wardline().arg("--config").arg(&file).arg("check").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("is `boss`, which is no role") && said.contains("write sender, viewer"), "{said}");
}
