//! Playbooks as people use them: on the command line, over HTTP, and against real systems.

mod desk;
mod kills;
mod systems;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::{
    real::target::{self, Asked},
    server::{Server, client, wardline},
};

/// Two people who may approve.
const PEOPLE: [(&str, &str); 2] = [("ana", "0123456789abcdef-ana"), ("ben", "0123456789abcdef-ben")];

/// Every playbook that comes with the product.
const SHIPPED: [&str; 10] = [
    "adversarial_input",
    "bad_canary",
    "cost_harvesting",
    "drift",
    "extraction",
    "fairness_breach",
    "latency",
    "poisoning_by_channel",
    "prompt_injection",
    "silent_decay",
];

/// A system that does what it is asked to, and counts.
///
/// `POST /held/THING` holds a thing, and `GET /held/THING` says whether it is held: it counts every request. `POST
/// /once/THING` does something once for each `Idempotency-Key`, as ticket systems and payment services do.
#[derive(Clone, Default)]
pub(super) struct Counts {
    /// How often each thing was asked to be held.
    pub(super) held: Arc<Mutex<BTreeMap<String, u32>>>,
    /// What was done once, by its key, and how often it was asked for.
    pub(super) once: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Counts {
    pub(super) fn serve(&self) -> target::Server {
        let counts = self.clone();
        target::Server::start(move |asked| counts.answer(asked))
    }

    fn answer(&self, asked: &Asked) -> (u16, String) {
        let mut held = self.held.lock().unwrap();
        match (asked.method.as_str(), asked.path.strip_prefix("/held/"), asked.path.strip_prefix("/once/")) {
            ("POST", Some(thing), _) => {
                *held.entry(thing.to_owned()).or_default() += 1;
                (200, "{}".to_owned())
            }
            ("GET", Some(thing), _) => {
                let state = if held.contains_key(thing) { "held" } else { "free" };
                (200, json!({ "state": state }).to_string())
            }
            ("POST", _, Some(_)) => {
                let key = asked.headers.get("idempotency-key").cloned().unwrap_or_default();
                *self.once.lock().unwrap().entry(key).or_default() += 1;
                (201, json!({"number": 4_711}).to_string())
            }
            _ => (404, "{}".to_owned()),
        }
    }
}

/// An action whose effect can be read back.
pub(super) fn held(url: &str, thing: &str) -> String {
    format!(
        "{{ url = \"{url}/held/{thing}\", body = '{{}}', read = {{ url = \"{url}/held/{thing}\", pointer = \"/state\", equals = \"held\" }} }}"
    )
}

/// An action that is done once for each key.
pub(super) fn once(url: &str, name: &str) -> String {
    format!("{{ url = \"{url}/once/{name}\", body = '{{}}', keep = \"/number\" }}")
}

/// Settings with people, with one actuator for the actions, and with whatever else.
pub(super) fn settings(folder: &Path, actions: &BTreeMap<String, String>, more: &str) {
    let mut text = String::new();
    for (name, secret) in PEOPLE {
        text.push_str(&format!("[[server.tokens]]\nname = \"{name}\"\nsecret = \"{secret}\"\n"));
    }
    text.push_str("[[actuators]]\nname = \"gateway\"\nkind = \"http\"\ntime_limit_ms = 60000\n[actuators.actions]\n");
    actions.iter().for_each(|(name, action)| text.push_str(&format!("{name} = {action}\n")));
    text.push_str(more);
    std::fs::write(folder.join("wardline.toml"), text).unwrap();
}

/// Every action of the playbooks that come with the product.
pub(super) fn all_actions(url: &str) -> BTreeMap<String, String> {
    let mut names = BTreeSet::new();
    for name in SHIPPED {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../playbooks/{name}.json"));
        let playbook: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for step in playbook["workflow"].as_object().unwrap().values() {
            for command in step["commands"].as_array().into_iter().flatten() {
                let Some(content) = command["content"].as_str() else { continue };
                let action: Value = serde_json::from_str(content).unwrap();
                names.insert(action["name"].as_str().or(action["action"].as_str()).unwrap().to_owned());
            }
        }
    }
    names
        .into_iter()
        .map(|name| {
            // Changes of traffic and of registries must be read back.
            let is_read_back = ["set_share", "move_alias", "tag_version"].contains(&name.as_str());
            let action = if is_read_back { held(url, &format!("{name}/{{{{ model }}}}")) } else { once(url, &name) };
            (name, action)
        })
        .collect()
}

pub(super) fn server(folder: &Path) -> Server {
    let mut command = wardline();
    command.arg("--config").arg(folder.join("wardline.toml"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    Server::start_command(command)
}

/// Asks as a person; `None` where nobody answers.
pub(super) fn ask(url: &str, who: usize, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let address = format!("{url}/v1/playbooks{path}");
    let request = match body {
        Some(body) => client().post(address).json(body),
        None => client().get(address),
    };
    let answer = request.bearer_auth(PEOPLE[who].1).send().ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().ok()?))
}

pub(super) fn start(url: &str, playbook: &str, values: &Value) -> Value {
    let body = json!({"playbook": playbook, "values": values});
    let (status, run) = ask(url, 0, "/runs", Some(&body)).unwrap();
    assert_eq!(status, 201, "{run}");
    run
}

pub(super) fn status(url: &str, run: &str) -> Value {
    ask(url, 0, &format!("/runs/{run}"), None).unwrap().1
}

/// Approves and answers all that a run waits for, until it waits for no person or is over. Says what was said to it.
pub(super) fn do_what_people_do(url: &str, run: &Value) -> Vec<(String, &'static str, usize)> {
    let id = run["run"].as_str().unwrap();
    let mut said = Vec::new();
    for need in run["needs"].as_array().into_iter().flatten() {
        let step = need["step"].as_str().unwrap();
        match need["waits"].as_str().unwrap() {
            "approval" => {
                for who in 0..need["approvals"].as_u64().unwrap() as usize {
                    let body = json!({ "step": step });
                    if ask(url, who, &format!("/runs/{id}/approve"), Some(&body)).is_some_and(|(code, _)| code == 200) {
                        said.push((step.to_owned(), "approved", who));
                    }
                }
            }
            "answer" => {
                let body = json!({"step": step, "done": true, "text": "as asked"});
                if ask(url, 1, &format!("/runs/{id}/answer"), Some(&body)).is_some_and(|(code, _)| code == 200) {
                    said.push((step.to_owned(), "answered", 1));
                }
            }
            _ => {}
        }
    }
    said
}

/// Entries of a run's log of one kind.
pub(super) fn entries<'a>(run: &'a Value, kind: &str) -> Vec<&'a Value> {
    run["log"].as_array().unwrap().iter().filter(|entry| entry["event"]["event"] == kind).collect()
}

/// Values for everything that a playbook needs.
pub(super) fn values_for(playbook: &Value) -> BTreeMap<String, String> {
    let needed = playbook["variables"].as_array().unwrap().iter().filter(|variable| variable["value"].is_null());
    needed
        .map(|variable| variable["name"].as_str().unwrap())
        .map(|name| (name.to_owned(), format!("the-{name}")))
        .collect()
}

/// Runs `wardline playbook` with a server that nobody is at, unless another is named.
pub(super) fn playbook(arguments: &[&str]) -> Output {
    wardline().env("WARDLINE_URL", "http://127.0.0.1:9").arg("playbook").args(arguments).output().unwrap()
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
