//! Targets that are down, slow, or say yes and do nothing. No real program lies, so these are played.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
};

use serde_json::{Value, json};
use wardline_domain::{Action, ActionError};

use super::{block_on, build, programs::free_port, request, server::Server, share};

fn alias() -> Action {
    Action::MoveAlias { model: "fraud".to_owned(), alias: "champion".to_owned(), version: "1".to_owned(), from: None }
}

/// Each kind that speaks over a network, at a port.
fn targets(port: u16, time_limit_ms: u64) -> Vec<(Value, Action)> {
    let url = format!("http://127.0.0.1:{port}");
    let split = share(0.0).action;
    let table = |kind: &str, more: Value| {
        let mut table = json!({"name": kind, "kind": kind, "time_limit_ms": time_limit_ms});
        table.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        table
    };
    let object = json!({"model": "fraud", "namespace": "models", "object": "fraud", "cluster": {"server": url}});
    let folder = std::env::temp_dir();
    vec![
        (
            table(
                "haproxy",
                json!({"model": "fraud", "address": format!("tcp:127.0.0.1:{port}"), "backend": "fraud",
            "servers": {"2.0": "v20", "2.1": "v21"}}),
            ),
            split.clone(),
        ),
        (table("envoy", json!({"model": "fraud", "admin": url, "runtime_key_prefix": "p"})), split.clone()),
        (
            table(
                "nginx",
                json!({"model": "fraud", "include_file": folder.join("wardline-test-not-written.conf"), "variable": "v",
            "confirm_url": url}),
            ),
            split.clone(),
        ),
        (
            table(
                "traefik",
                json!({"model": "fraud", "file": folder.join("wardline-test-not-written.yml"), "service": "fraud",
            "api": url}),
            ),
            split.clone(),
        ),
        (table("mlflow", json!({"url": url})), alias()),
        (table("kserve", object.clone()), split.clone()),
        (table("istio", object.clone()), split.clone()),
        (table("gateway_api", object.clone()), split.clone()),
        (table("argo_rollouts", object), split.clone()),
        (
            table(
                "http",
                json!({"actions": {"set_share": {"url": format!("{url}/share"),
            "read": {"url": format!("{url}/share"), "equals": "{{ percent }}"}}}}),
            ),
            split,
        ),
    ]
}

#[test]
fn a_target_that_is_down_may_be_tried_again() {
    let port = free_port();
    block_on(async {
        for (table, action) in targets(port, 20_000) {
            let actuator = build(table);
            let error = actuator.carry_out(&request(action.clone())).await.unwrap_err();
            assert!(matches!(&error, ActionError::Unreachable { .. }), "{error}");
            assert!(error.to_string().starts_with(&format!("{} cannot be reached: ", actuator.name())), "{error}");
            assert!(actuator.read(&action).await.is_err());
        }
    });
}

#[test]
fn a_target_that_never_answers_is_given_up_at_the_time_limit() {
    // Connections are taken, and nothing is ever said.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    block_on(async {
        for (table, action) in targets(port, 100) {
            let error = build(table).carry_out(&request(action)).await.unwrap_err();
            assert!(error.is_temporary(), "{error}");
        }
    });
}

#[test]
fn a_connection_that_breaks_is_not_taken_for_an_empty_answer() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    block_on(async {
        for (table, action) in targets(port, 20_000) {
            let error = build(table).carry_out(&request(action)).await.unwrap_err();
            assert!(error.is_temporary(), "{error}");
        }
    });
}

#[test]
fn a_proxy_that_says_yes_and_does_nothing_is_found_out() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            let state =
                "1\n# srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\nv20 2 0 90 90\nv21 2 0 10 10\n\n";
            let _ = (&stream).write_all(if line.starts_with("show") { state } else { "\n" }.as_bytes());
        }
    });
    let (table, action) = targets(port, 20_000).swap_remove(0);
    let error = block_on(async { build(table).carry_out(&request(action)).await.unwrap_err() });
    assert!(error.is_temporary());
    insta::assert_snapshot!(error, @"haproxy said that it was done, and shows v21 weight 10, v20 weight 90 where 0 % for v21, the rest for v20 was asked for");
}

#[test]
fn what_says_yes_over_http_and_does_nothing_is_found_out() {
    let lies = |path: &str| match path {
        path if path.contains("/runtime") => json!({"entries": {"p.2.1": {"final_value": "10"}}}),
        path if path.contains("registered-models/alias") => json!({"model_version": {"version": "2"}}),
        path if path.contains("registered-models/get") => json!({"registered_model": {"aliases": []}}),
        path if path.contains("inferenceservices") => json!({"spec": {"predictor": {"canaryTrafficPercent": 10}}}),
        path if path.contains("rollouts") => json!({"status": {"phase": "Paused"}}),
        _ => json!({}),
    };
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/share" => (200, "10".to_owned()),
        path => (200, lies(path).to_string()),
    });
    let spoken = ["envoy", "mlflow", "kserve", "argo_rollouts", "http"];
    block_on(async {
        for (table, action) in targets(server.port(), 3_000) {
            if !spoken.contains(&table["kind"].as_str().unwrap()) {
                continue;
            }
            let error = build(table).carry_out(&request(action)).await.unwrap_err();
            assert!(matches!(&error, ActionError::NotDone { .. }) && error.is_temporary(), "{error}");
        }
    });
}

#[test]
fn a_registry_that_is_overloaded_may_be_tried_again_and_one_that_refuses_may_not() {
    for (status, again) in [(500, true), (503, true), (429, true), (400, false), (401, false), (404, false)] {
        let server = Server::start(move |_| (status, r#"{"error_code": "X", "message": "no"}"#.to_owned()));
        let error = block_on(async {
            let (table, action) = targets(server.port(), 20_000).swap_remove(4);
            build(table).carry_out(&request(action)).await.unwrap_err()
        });
        assert_eq!(error.is_temporary(), again, "{error}");
    }
}
