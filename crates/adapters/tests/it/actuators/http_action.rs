//! Actions of anything with an HTTP interface, from templates.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use wardline_adapters::actuators;

use super::{block_on, named, server::Server, share};

fn settings(url: &str) -> Value {
    let authorized = json!({"Authorization": "Bearer {{ secrets.token }}"});
    json!({
        "name": "gateway", "kind": "http", "time_limit_ms": 20_000,
        "secrets": {"token": {"environment": "GATEWAY_TOKEN"}},
        "names": {"2.1": "variant-b"},
        "actions": {
            "revoke_key": {
                "url": format!("{url}/keys/{{{{ parameters.key }}}}/revoke"),
                "headers": authorized, "body": r#"{"reason": {{ reason }}, "by": {{ id }} }"#,
                "success": {"pointer": "/result", "equals": "ok"},
                "read": {"url": format!("{url}/keys/{{{{ parameters.key }}}}"), "headers": authorized, "pointer": "/state", "equals": "revoked"},
            },
            "open_ticket": {
                "url": format!("{url}/tickets"), "headers": authorized, "body_is": "form",
                "body": "title={{ parameters.title }}&text={{ reason }}", "statuses": [201], "keep": "/number",
            },
            "set_share": {
                "method": "PUT", "url": format!("{url}/endpoints/{{{{ model }}}}/weights?variant={{{{ names[version] }}}}"),
                "body": r#"{"DesiredWeightsAndCapacities": [{"VariantName": {{ names[version] }}, "DesiredWeight": {{ percent }} }, {"VariantName": {{ names[standing] }}, "DesiredWeight": {{ rest }} }]}"#,
                "read": {"url": format!("{url}/endpoints/{{{{ model }}}}"), "pointer": "/weights/variant-b", "equals": "{{ percent }}", "waits": true},
            },
        },
    })
}

fn with_token(table: &Value) -> Arc<dyn wardline_domain::Actuator> {
    actuators::build(table, &|name| (name == "GATEWAY_TOKEN").then(|| "very-secret-token".to_owned())).unwrap()
}

#[test]
fn a_key_is_revoked_once_and_read_back() {
    let n_revoked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&n_revoked);
    let server = Server::start(move |asked| {
        assert_eq!(asked.headers["authorization"], "Bearer very-secret-token");
        if asked.method == "POST" {
            counter.fetch_add(1, Ordering::SeqCst);
            return (200, r#"{"result": "ok"}"#.to_owned());
        }
        let state = if counter.load(Ordering::SeqCst) > 0 { "revoked" } else { "active" };
        (200, json!({"state": state}).to_string())
    });
    block_on(async {
        let gateway = with_token(&settings(&server.url()));
        // What comes from telemetry stays one part of the path.
        let revoke = named("revoke_key", &[("key", "k/1?x=\"y\"")]);
        let done = gateway.carry_out(&revoke).await.unwrap();
        assert_eq!(
            (done.before.as_deref(), done.after.as_deref(), done.was_so),
            (Some("active"), Some("revoked"), false)
        );
        assert!(gateway.carry_out(&revoke).await.unwrap().was_so);
        assert_eq!(n_revoked.load(Ordering::SeqCst), 1);
        assert!(!gateway.can(&named("quarantine_channel", &[]).action));
    });
    let post = server.asked().into_iter().find(|asked| asked.method == "POST").unwrap();
    assert_eq!(post.path, "/keys/k%2F1%3Fx%3D%22y%22/revoke");
    assert_eq!(post.json(), json!({"reason": "errors of 2.1 are five times those of 2.0", "by": "rollout-7/step-2"}));
    assert_eq!(post.headers["idempotency-key"], "rollout-7/step-2");
}

#[test]
fn what_cannot_be_read_back_keeps_what_was_answered() {
    let server = Server::start(|_| (201, r#"{"number": 4711}"#.to_owned()));
    block_on(async {
        let gateway = with_token(&settings(&server.url()));
        let ticket = named("open_ticket", &[("title", "fraud 2.1: errors & more")]);
        let done = gateway.carry_out(&ticket).await.unwrap();
        assert_eq!((done.before, done.after.as_deref()), (None, Some("4711")));
        assert!(gateway.read(&ticket.action).await.is_err());
        let incomplete = gateway.carry_out(&named("open_ticket", &[])).await.unwrap_err();
        insta::assert_snapshot!(incomplete, @"gateway refused: `open_ticket.body` cannot be filled in: `parameters.title` is undefined, in line 1");
    });
    assert_eq!(
        server.asked()[0].body,
        "title=fraud%202.1%3A%20errors%20%26%20more&text=errors%20of%202.1%20are%20five%20times%20those%20of%202.0"
    );
}

#[test]
fn an_endpoint_that_takes_its_time_is_waited_for() {
    let n_reads = AtomicUsize::new(0);
    let server = Server::start(move |asked| {
        if asked.method == "PUT" {
            return (200, "{}".to_owned());
        }
        let weight = if n_reads.fetch_add(1, Ordering::SeqCst) < 3 { 10.0 } else { 0.0 };
        (200, json!({"weights": {"variant-b": weight}}).to_string())
    });
    block_on(async {
        let done = with_token(&settings(&server.url())).carry_out(&share(0.0)).await.unwrap();
        assert_eq!((done.before.as_deref(), done.after.as_deref()), (Some("10"), Some("0")));
    });
    let put = server.asked().into_iter().find(|asked| asked.method == "PUT").unwrap();
    assert_eq!(put.path, "/endpoints/fraud/weights?variant=variant-b");
    assert_eq!(
        put.json(),
        json!({"DesiredWeightsAndCapacities": [
            {"VariantName": "variant-b", "DesiredWeight": 0}, {"VariantName": "2.0", "DesiredWeight": 100}]})
    );
}

#[test]
fn a_secret_is_in_no_message() {
    for (status, echo) in [
        (500, "it failed for very-secret-token"),
        (400, "very-secret-token is no token"),
        (200, r#"{"result": "very-secret-token"}"#),
    ] {
        let server = Server::start(move |asked| match asked.method.as_str() {
            "GET" => (404, String::new()),
            _ => (status, echo.to_owned()),
        });
        let error = block_on(async {
            let gateway = with_token(&settings(&server.url()));
            gateway.carry_out(&named("revoke_key", &[("key", "k1")])).await.unwrap_err()
        });
        assert!(error.to_string().contains("***"), "{error}");
        assert!(!format!("{error} {error:?}").contains("very-secret-token"), "{error}");
    }
    // Nor where nobody answers, although it is in the address.
    let mut hidden = settings("http://127.0.0.1:1");
    hidden["actions"]["revoke_key"]["read"]["url"] = "http://127.0.0.1:1/?token={{ secrets.token }}".into();
    let error =
        block_on(async { with_token(&hidden).carry_out(&named("revoke_key", &[("key", "k1")])).await.unwrap_err() });
    assert!(error.is_temporary() && !format!("{error} {error:?}").contains("very-secret-token"), "{error}");
}

#[test]
fn redirects_are_not_followed_with_a_secret() {
    let elsewhere = Server::saying("{}");
    let target = elsewhere.url();
    let server = Server::start(move |_| (302, target.clone()));
    let error = block_on(async {
        with_token(&settings(&server.url())).carry_out(&named("revoke_key", &[("key", "k1")])).await.unwrap_err()
    });
    assert!(error.to_string().contains("redirects are not followed"), "{error}");
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn mistakes_in_templates_are_found_at_the_start() {
    let complaint = |change: &dyn Fn(&mut Value)| {
        let mut table = settings("http://127.0.0.1:1");
        change(&mut table);
        match actuators::build(&table, &|_| Some("very-secret-token".to_owned())) {
            Ok(_) => "it was built".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    insta::assert_snapshot!(complaint(&|table| table["actions"]["revoke_key"]["url"] = "https://{{ parameters.host }}/".into()), @"the settings of the actuator `gateway` cannot be used: `actions.revoke_key`: `revoke_key.url` must begin with `http://HOST/` or `https://HOST/`, and a host that is written out");
    insta::assert_snapshot!(complaint(&|table| table["actions"]["revoke_key"]["body"] = "{{ reason".into()), @"the settings of the actuator `gateway` cannot be used: `actions.revoke_key`: `revoke_key.body` is no template: unexpected end of input, expected end of variable block, in line 1");
    insta::assert_snapshot!(complaint(&|table| table["actions"]["set_share"]["read"] = Value::Null), @"the settings of the actuator `gateway` cannot be used: `actions.set_share`: it needs `read`, because a change counts as done only once it is read back");
    insta::assert_snapshot!(complaint(&|table| table["actions"]["open_ticket"]["keep"] = "number".into()), @"the settings of the actuator `gateway` cannot be used: `actions.open_ticket`: `number` is no JSON pointer: write it as `/state/name`");
    insta::assert_snapshot!(complaint(&|table| table["actions"]["open_ticket"]["retries"] = 3.into()), @"the settings of the actuator `gateway` cannot be used: unknown field `retries`, expected one of `method`, `url`, `headers`, `body`, `body_is`, `statuses`, `success`, `keep`, `read`");
    let server = Server::saying("{}");
    let mut quoted = settings(&server.url());
    quoted["actions"]["revoke_key"]["body"] = r#"{"reason": "{{ reason }}"}"#.into();
    let error =
        block_on(async { with_token(&quoted).carry_out(&named("revoke_key", &[("key", "k1")])).await.unwrap_err() });
    insta::assert_snapshot!(error, @r#"gateway refused: `actions.revoke_key.body` does not make JSON: values bring their own quotes, so write {"key": {{ key }} }"#);
}
