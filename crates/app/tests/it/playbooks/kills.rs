//! A server that is killed at random points of runs: what was acknowledged is there, and no action is done twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use serde_json::{Value, json};

use super::{Counts, PEOPLE, ask, do_what_people_do, entries, held, once, server, settings, status};
use crate::real::wait_until;

/// How often the server is killed, where the environment does not say otherwise.
const KILLS: u32 = 30;
/// Automatic steps of the playbook, half of them read back, half of them done once by their key.
const STEPS: u32 = 12;

/// A playbook that holds things and opens tickets, with an approval and an answer in between.
fn long() -> Value {
    let agent = "group--33333333-3333-4333-8333-333333333333";
    let extension = "extension-definition--6f0c6bd9-5a35-4d3c-9a52-4c1d8a1f7c11";
    let id = |kind: &str, number: u32| format!("{kind}--{number:08}-0000-4000-8000-000000000000");
    let mut workflow = serde_json::Map::new();
    workflow.insert(id("start", 0), json!({"type": "start", "on_completion": id("action", 1)}));
    for number in 1..=STEPS {
        let next = if number == STEPS { id("end", number + 1) } else { id("action", number + 1) };
        let name = if number % 2 == 0 { "hold" } else { "ticket" };
        let parameters = json!({"thing": format!("__thing__:value-{number}")});
        let mut commands = vec![json!({
            "type": "http-api", "command": "POST / HTTP/1.1",
            "content": json!({"action": "named", "name": name, "parameters": parameters}).to_string(),
        })];
        if number % 4 == 0 {
            commands.insert(0, json!({"type": "manual", "command": "look at __thing__:value"}));
        }
        let approvals = if number % 3 == 0 { 2 } else { 0 };
        let step = json!({
            "type": "action", "name": format!("step {number}"), "agent": agent, "commands": commands,
            "step_extensions": {extension: {"approvals": approvals}}, "on_success": next,
        });
        workflow.insert(id("action", number), step);
    }
    workflow.insert(id("end", STEPS + 1), json!({"type": "end"}));
    json!({
        "type": "playbook", "spec_version": "cacao-2.0", "name": "Long",
        "id": "playbook--11111111-1111-4111-8111-111111111111",
        "created_by": "identity--22222222-2222-4222-8222-222222222222",
        "created": "2026-11-02T06:36:05.995Z", "modified": "2026-11-02T06:36:05.995Z",
        "workflow_start": id("start", 0),
        "playbook_variables": {"__thing__": {"type": "string", "external": true}},
        "agent_definitions": {agent: {"type": "group", "name": "people"}},
        "extension_definitions": {extension: {
            "type": "extension-definition", "name": "Approvals", "schema": "x", "version": "1",
            "created_by": "identity--22222222-2222-4222-8222-222222222222"}},
        "workflow": workflow,
    })
}

/// What people know to be so.
#[derive(Default)]
struct Ledger {
    started: BTreeSet<String>,
    /// Runs, steps, what was said and by whom.
    said: BTreeSet<(String, String, &'static str, usize)>,
    things: u32,
}

impl Ledger {
    /// Starts a run, and says its id where that was acknowledged.
    fn start(&mut self, url: &str) -> Option<()> {
        self.things += 1;
        let body = json!({"playbook": "long", "values": {"thing": format!("thing-{}", self.things)}});
        let (code, run) = ask(url, 0, "/runs", Some(&body))?;
        assert_eq!(code, 201, "{run}");
        self.started.insert(run["run"].as_str()?.to_owned());
        Some(())
    }

    /// Says to every run what it waits for; answers how many go on.
    fn go_on(&mut self, url: &str) -> Option<usize> {
        let (_, list) = ask(url, 0, "/runs", None)?;
        let runs = list["runs"].as_array()?;
        let going: Vec<&Value> = runs.iter().filter(|run| run["state"] == "running").collect();
        for run in &going {
            let id = run["run"].as_str()?;
            let said = do_what_people_do(url, run);
            self.said.extend(said.into_iter().map(|(step, what, who)| (id.to_owned(), step, what, who)));
        }
        Some(going.len())
    }
}

/// Goal: acknowledged ⊆ log, every run comes to its end, and the target has seen each action once.
/// Method: people start runs and say what those wait for, while the server is killed at random points and started again.
/// It is started only once the target has answered what the killed one had asked, as it would have.
#[test]
fn runs_survive_any_kill_and_nothing_is_done_twice() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let kills = number("PLAYBOOK_KILLS").map_or(KILLS, |kills| kills as u32);
    let seed = number("CRASH_SEED").unwrap_or(20_261_128);
    eprintln!("CRASH_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("books")).unwrap();
    std::fs::write(folder.path().join("books/long.json"), long().to_string()).unwrap();
    let counts = Counts::default();
    let target = counts.serve();
    let actions: BTreeMap<String, String> = [
        ("hold".to_owned(), held(&target.url(), "{{ parameters.thing }}")),
        ("ticket".to_owned(), once(&target.url(), "ticket")),
    ]
    .into();
    settings(
        folder.path(),
        &actions,
        &format!("[playbooks]\nfolder = \"{}\"\n", folder.path().join("books").display()),
    );

    let mut running = server(folder.path());
    let url = Arc::new(RwLock::new(running.url.clone()));
    let (ledger, stop) = (Arc::new(Mutex::new(Ledger::default())), Arc::new(AtomicBool::new(false)));
    let people = {
        let (url, ledger, stop) = (Arc::clone(&url), Arc::clone(&ledger), Arc::clone(&stop));
        std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let url = url.read().unwrap().clone();
                let mut ledger = ledger.lock().unwrap();
                // Nobody answers while the server is away.
                if ledger.go_on(&url).is_none_or(|going| going < 3) && ledger.start(&url).is_none() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        })
    };
    for _ in 0..kills {
        std::thread::sleep(Duration::from_millis(random.random_range(1..250)));
        running.kill();
        wait_until("the target has answered all", || target.is_left_alone().then_some(()));
        running = server(folder.path());
        url.write().unwrap().clone_from(&running.url);
    }
    stop.store(true, Ordering::SeqCst);
    people.join().unwrap();
    let mut ledger = ledger.lock().unwrap();
    wait_until("all runs are over", || (ledger.go_on(&running.url) == Some(0)).then_some(()));
    check(&running.url, &ledger, &counts, kills);
}

fn check(url: &str, ledger: &Ledger, counts: &Counts, kills: u32) {
    let list = ask(url, 0, "/runs", None).unwrap().1;
    let runs: BTreeMap<String, Value> = list["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["run"].as_str().unwrap().to_owned())
        .map(|id| (id.clone(), status(url, &id)))
        .collect();
    let lost: Vec<_> = ledger.started.iter().filter(|run| !runs.contains_key(*run)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    for (run, step, what, who) in &ledger.said {
        let is_it = |entry: &&Value| entry["event"]["step"] == *step && entry["by"] == PEOPLE[*who].0;
        assert_eq!(entries(&runs[run], what).into_iter().filter(is_it).count(), 1, "{run}: {what} {step}");
    }
    let (held, once) = (counts.held.lock().unwrap(), counts.once.lock().unwrap());
    let mut requests = BTreeSet::new();
    for (id, run) in &runs {
        assert_eq!(run["state"], "done", "{id}: {run}");
        let intended = entries(run, "intended");
        assert_eq!(intended.len() as u32, STEPS, "{id}");
        for entry in intended {
            assert!(requests.insert(entry["event"]["request"]["id"].as_str().unwrap().to_owned()), "{id}: {entry}");
        }
        assert_eq!(entries(run, "reported").len() as u32, STEPS, "{id}");
    }
    let twice: Vec<_> = held.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "held twice: {twice:?}");
    assert_eq!(held.len() + once.len(), requests.len(), "what was reported was done, and nothing else");
    assert!(once.keys().all(|key| requests.contains(key)), "every key is of a request");
    let asked_again = once.values().filter(|times| **times > 1).count();
    eprintln!(
        "{kills} kills: {} runs, {} of them acknowledged, {} inputs acknowledged, {} actions, {asked_again} asked for again by the same key",
        runs.len(),
        ledger.started.len(),
        ledger.said.len(),
        requests.len(),
    );
    assert!(ledger.started.len() > 3, "hardly anything was started");
}
