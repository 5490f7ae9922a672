//! Against a real HAProxy and a real MLflow: what a playbook says was done, they show.

use serde_json::{Value, json};

use super::{Counts, do_what_people_do, entries, held, once, server, settings, start, status};
use crate::{
    real::{Proxy, registry::Registry, wait_until},
    server::Server,
};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A registered model as MLflow shows it.
async fn registered(registry: &Registry, model: &str) -> Value {
    let url = format!("{}/api/2.0/mlflow/registered-models/get?name={model}", registry.url);
    let answer: Value = registry.people.get(url).send().await.unwrap().json().await.unwrap();
    answer["registered_model"].clone()
}

fn through(server: &Server, playbook: &str, values: &Value) -> Value {
    let id = start(&server.url, playbook, values)["run"].as_str().unwrap().to_owned();
    wait_until("the run is over", || {
        let run = status(&server.url, &id);
        do_what_people_do(&server.url, &run);
        (run["state"] != "running").then_some(run)
    })
}

/// What was reported of the step that an action is of, read back.
fn after<'a>(run: &'a Value, action: &str) -> &'a str {
    let intended = entries(run, "intended");
    let is_it = |entry: &&&Value| {
        let asked = &entry["event"]["request"]["action"];
        asked["action"] == action || asked["name"] == action
    };
    let request =
        &intended.iter().find(is_it).unwrap_or_else(|| panic!("{action} is in {run}"))["event"]["request"]["id"];
    let reported = entries(run, "reported");
    let entry = reported.iter().find(|entry| entry["event"]["request"] == *request).unwrap();
    entry["event"]["outcome"]["receipt"]["after"].as_str().unwrap_or_else(|| panic!("{entry}"))
}

/// One test, because MLflow takes a while to start.
#[test]
fn traffic_and_registry_go_back_and_a_channel_is_held_back() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(folder.path());
    let registry = Registry::start();
    block_on(async {
        registry.post("registered-models/create", json!({"name": "fraud-detector"})).await;
        registry.post("registered-models/create", json!({"name": "channel-partner-7"})).await;
        registry.train("fraud-detector", "d41").await;
        registry.train("fraud-detector", "e7b").await;
        registry.point("fraud-detector", "champion", "2").await;
    });
    let counts = Counts::default();
    let target = counts.serve();
    let mlflow = format!("{}/api/2.0/mlflow/registered-models", registry.url);
    // A channel is an entry of the registry here, and what is held back bears a tag that whoever trains looks at.
    let quarantine = format!(
        "{{ url = \"{mlflow}/set-tag\", body = '''{{\"name\": {{{{ \"channel-\" ~ parameters.channel }}}}, \"key\": \"quarantine\", \"value\": {{{{ parameters.for }}}} }}''', read = {{ url = \"{mlflow}/get?name=channel-{{{{ parameters.channel }}}}\", pointer = \"/registered_model/tags/0/value\", equals = \"{{{{ parameters.for }}}}\" }} }}"
    );
    let actions = [
        ("freeze_evidence".to_owned(), once(&target.url(), "evidence")),
        ("quarantine_channel".to_owned(), quarantine),
        (
            "exclude_channel_from_training".to_owned(),
            held(&target.url(), "{{ parameters.model }}-without-{{ parameters.channel }}"),
        ),
    ]
    .into();
    let more = format!(
        "[[actuators]]\nname = \"edge\"\nkind = \"haproxy\"\nmodel = \"fraud\"\naddress = \"unix:{}\"\nbackend = \"models\"\nservers = {{ \"2.0\" = \"v20\", \"2.1\" = \"v21\" }}\n\
         [[actuators]]\nname = \"registry\"\nkind = \"mlflow\"\nurl = \"{}\"\nmodels = {{ fraud = \"fraud-detector\" }}\nversions = {{ \"2.0\" = \"1\", \"2.1\" = \"2\" }}\ntime_limit_ms = 120000\n\
         [playbooks.actuators]\nfreeze_evidence = \"gateway\"\n",
        proxy.socket.display(),
        registry.url
    );
    settings(folder.path(), &actions, &more);
    let server = server(folder.path());

    let values = json!({"incident": "INC-1", "model": "fraud", "version": "2.1", "standing": "2.0"});
    let run = through(&server, "bad_canary", &values);
    assert_eq!(run["state"], "done", "{run}");
    assert_eq!((proxy.weight("v21").as_str(), after(&run, "set_share").contains('0')), ("0", true), "{run}");
    assert_eq!(after(&run, "move_alias"), "champion is version 1");
    assert_eq!(after(&run, "tag_version"), "wardline.verdict of version 2 is rolled back, see INC-1");
    let model = block_on(registered(&registry, "fraud-detector"));
    assert!(model["aliases"].as_array().unwrap().contains(&json!({"alias": "champion", "version": "1"})), "{model}");

    // Once more: everything is so already, and nothing is changed.
    let again = through(&server, "bad_canary", &values);
    let was_so = |entry: &&Value| entry["event"]["outcome"]["receipt"]["was_so"] == true;
    assert_eq!(entries(&again, "reported").into_iter().filter(was_so).count(), 3, "{again}");

    let values = json!({
        "incident": "INC-2", "model": "fraud", "channel": "partner-7", "version": "2.1", "standing": "2.0", "trained": "true",
    });
    let run = through(&server, "poisoning_by_channel", &values);
    assert_eq!(run["state"], "done", "{run}");
    assert_eq!(after(&run, "quarantine_channel"), "7d");
    let channel = block_on(registered(&registry, "channel-partner-7"));
    assert_eq!(channel["tags"], json!([{"key": "quarantine", "value": "7d"}]), "{channel}");
    assert_eq!(after(&run, "exclude_channel_from_training"), "held");
    assert_eq!(counts.held.lock().unwrap().get("fraud-without-partner-7"), Some(&1));
    let approved = entries(&run, "approved");
    let by_two = approved.iter().filter(|entry| entry["by"] == "ben").count();
    assert!(2 <= approved.len() && by_two == 1, "two people approved the rollback: {run}");
}
