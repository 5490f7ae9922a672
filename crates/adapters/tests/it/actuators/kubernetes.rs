//! Objects of Kubernetes, against a recording of its API: every request has to be the recorded one. No cluster was to be had,
//! so the recordings are written after the documentation of the API and of each kind of object.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::{block_on, build, server::Server, share};

/// A server that plays a recording: request after request, each exactly as recorded.
fn playing(recording: &str) -> Server {
    let recording: Vec<Value> = serde_json::from_str(recording).unwrap();
    let at = Mutex::new(0_usize);
    Server::start(move |asked| {
        let mut at = at.lock().unwrap();
        let Some(pair) = recording.get(*at) else { return (599, format!("one request too many: {asked:?}")) };
        *at += 1;
        let path = asked.path.trim_end_matches('?');
        let content_type = asked.headers.get("content-type").cloned().unwrap_or_default();
        let wanted = &pair["request"];
        let is_same = wanted["method"] == asked.method
            && wanted["path"] == path
            && wanted.get("body").is_none_or(|body| *body == asked.json())
            && wanted.get("content_type").is_none_or(|kind| *kind == content_type)
            && asked.headers.get("authorization").is_some_and(|token| token == "Bearer cluster-token");
        if !is_same {
            return (599, format!("not as recorded in pair {at}: {asked:#?}, wanted {wanted:#}"));
        }
        (pair["response"]["status"].as_u64().unwrap() as u16, pair["response"]["body"].to_string())
    })
}

/// Sends a share to a recording, and says what came of it, and whether all of it was played.
fn play(recording: &str, kind: &str, more: Value, percent: f64) -> String {
    let server = playing(recording);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "cluster-token").unwrap();
    let mut settings = json!({
        "name": "cluster", "kind": kind, "model": "fraud", "namespace": "models",
        "cluster": {"server": server.url(), "token": {"file": token}}, "time_limit_ms": 20_000,
    });
    let table = settings.as_object_mut().unwrap();
    table.extend(more.as_object().cloned().unwrap());
    let outcome = block_on(async {
        match build(settings).carry_out(&share(percent)).await {
            Ok(receipt) => format!("{receipt:?}"),
            Err(error) => format!("{}{error}", if error.is_temporary() { "again: " } else { "" }),
        }
    });
    let n_recorded = serde_json::from_str::<Vec<Value>>(recording).unwrap().len();
    assert_eq!(server.asked().len(), n_recorded, "not all was played: {outcome}");
    outcome
}

#[test]
fn kserve_sends_all_to_the_revision_before_and_waits_until_it_is_served() {
    let done = play(
        include_str!("recorded/kserve_rollback.json"),
        "kserve",
        json!({"object": "fraud", "version_at": "/spec/predictor/model/storageUri"}),
        0.0,
    );
    insta::assert_snapshot!(done, @r#"ActionReceipt { before: Some("canary 10 %, served 10 %"), after: Some("canary 0 %, served 0 %"), was_so: false }"#);
}

#[test]
fn kserve_does_not_stop_a_version_that_came_later() {
    let refused = play(
        include_str!("recorded/kserve_replaced.json"),
        "kserve",
        json!({"object": "fraud", "version_at": "/spec/predictor/model/storageUri"}),
        0.0,
    );
    insta::assert_snapshot!(refused, @"cluster refused: its newest version is s3://models/fraud/2.2 (at `/spec/predictor/model/storageUri`), and not 2.1, so it stays as it is");
}

#[test]
fn istio_changes_both_weights_where_they_are_what_was_read() {
    let settings = json!({"object": "fraud", "destinations": {"2.0": "v20", "2.1": "v21"}});
    insta::assert_snapshot!(play(include_str!("recorded/istio_rollback.json"), "istio", settings.clone(), 0.0), @r#"ActionReceipt { before: Some("v21=10 v20=90"), after: Some("v21=0 v20=100"), was_so: false }"#);
    insta::assert_snapshot!(play(include_str!("recorded/istio_in_between.json"), "istio", settings, 0.0), @"again: cluster cannot be reached: virtualservices models/fraud: the server rejected our request due to an error in our request (422); somebody else changed it in between, or it does not fit");
}

#[test]
fn a_route_of_the_gateway_api_is_changed_and_taken_up() {
    let settings = json!({"object": "fraud", "destinations": {"2.0": "fraud-v20", "2.1": "fraud-v21"}});
    insta::assert_snapshot!(play(include_str!("recorded/gateway_api_rollback.json"), "gateway_api", settings, 0.0), @r#"ActionReceipt { before: Some("fraud-v21=10 fraud-v20=90"), after: Some("fraud-v21=0 fraud-v20=100"), was_so: false }"#);
}

#[test]
fn argo_rollouts_aborts_through_the_status() {
    let settings = json!({"object": "fraud", "version_at": "/spec/template/spec/containers/0/image"});
    insta::assert_snapshot!(play(include_str!("recorded/argo_rollouts_abort.json"), "argo_rollouts", settings.clone(), 0.0), @r#"ActionReceipt { before: Some("Paused, canary 10 %"), after: Some("Degraded, aborted, canary 0 %"), was_so: false }"#);
    insta::assert_snapshot!(play(include_str!("recorded/argo_rollouts_over.json"), "argo_rollouts", settings.clone(), 0.0), @"cluster refused: no rollout is under way, because its newest version is the stable one: undo it with `kubectl argo rollouts undo`");
    insta::assert_snapshot!(play("[]", "argo_rollouts", settings, 10.0), @"cluster cannot do this: send 10 % of the traffic of fraud to 2.1");
}

#[test]
fn a_kubeconfig_says_where_and_who() {
    let server = playing(include_str!("recorded/argo_rollouts_over.json"));
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "elsewhere",
        "clusters": [{"name": "here", "cluster": {"server": server.url()}},
                     {"name": "elsewhere", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "wardline", "user": {"token": "cluster-token"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "wardline"}},
                     {"name": "elsewhere", "context": {"cluster": "elsewhere", "user": "wardline"}}],
    });
    std::fs::write(&kubeconfig, content.to_string()).unwrap();
    let table = |cluster: Value| {
        json!({"name": "argo", "kind": "argo_rollouts", "model": "fraud", "namespace": "models", "object": "fraud",
               "cluster": cluster, "time_limit_ms": 20_000})
    };
    block_on(async {
        let here = build(table(json!({"kubeconfig": kubeconfig, "context": "here"})));
        assert_eq!(here.read(&share(0.0).action).await.unwrap(), "Healthy, canary 0 %");
        let missing = build(table(json!({"kubeconfig": folder.path().join("no-such-file")})));
        let error = missing.read(&share(0.0).action).await.unwrap_err();
        assert!(error.to_string().starts_with("argo refused: its cluster cannot be used ("), "{error}");
        // Not in a cluster, which is where it would look without anything.
        let inside = build(table(json!({}))).read(&share(0.0).action).await.unwrap_err();
        assert!(inside.to_string().contains("its cluster cannot be used ("), "{inside}");
    });
}

#[test]
fn rights_that_are_missing_are_named() {
    let settings = json!({"object": "fraud"});
    insta::assert_snapshot!(play(include_str!("recorded/forbidden.json"), "istio", settings, 0.0), @r#"cluster refused: virtualservices models/fraud: virtualservices.networking.istio.io "fraud" is forbidden: User "system:serviceaccount:models:wardline" cannot get resource "virtualservices" in API group "networking.istio.io" in the namespace "models" (403); its role needs `get` and `patch` on virtualservices"#);
}
