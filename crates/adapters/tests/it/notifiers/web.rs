//! PagerDuty, Slack and webhooks: what arrives is as each of them documents it.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use wardline_domain::{NoticeChange, NoticeError, Timestamp};

use super::{
    SECRET, block_on, build, notice, now, programs,
    server::{Asked, Server},
};

/// What the documentation of the Events API asks of an event.
fn check_event(event: &Value) -> Result<(), String> {
    let text = |value: &Value, most: usize| {
        value.as_str().is_some_and(|text| !text.is_empty() && text.chars().count() <= most)
    };
    let fields = event.as_object().ok_or("no object")?;
    let known = ["routing_key", "event_action", "dedup_key", "payload", "links", "images", "client", "client_url"];
    if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("{unknown} is unknown"));
    }
    let action = event["event_action"].as_str().unwrap_or_default();
    let is_good = event["routing_key"] == SECRET && text(&event["dedup_key"], 255);
    if !is_good || !["trigger", "acknowledge", "resolve"].contains(&action) {
        return Err(format!("bad head of {action}"));
    }
    if action != "trigger" {
        return Ok(());
    }
    let payload = &event["payload"];
    let severity = payload["severity"].as_str().unwrap_or_default();
    let is_good = text(&payload["summary"], 1_024)
        && text(&payload["source"], 255)
        && ["critical", "error", "warning", "info"].contains(&severity)
        && payload["timestamp"].as_str().is_some_and(|time| Timestamp::parse(time).is_ok())
        && payload["custom_details"].is_object()
        && event["links"].as_array().is_some_and(|links| {
            links.iter().all(|link| link["href"].as_str().is_some_and(|href| href.starts_with("http")))
        });
    if is_good { Ok(()) } else { Err(format!("bad payload: {payload}")) }
}

fn pagerduty(asked: &Asked) -> (u16, String) {
    match check_event(&asked.json()) {
        Ok(()) => (
            202,
            json!({"status": "success", "message": "Event processed", "dedup_key": asked.json()["dedup_key"]})
                .to_string(),
        ),
        Err(error) => (
            400,
            json!({"status": "invalid event", "message": "Event object is invalid", "errors": [error]}).to_string(),
        ),
    }
}

#[test]
fn pagerduty_triggers_acknowledges_and_resolves_one_incident() {
    let server = Server::start(pagerduty);
    let settings = json!({
        "name": "on-call", "kind": "pagerduty", "routing_key": {"environment": "KEY"}, "url": format!("{}/v2/enqueue", server.url()),
        "time_limit_ms": 60_000,
    });
    let notifier = build(settings);
    for change in [NoticeChange::Opened, NoticeChange::Changed, NoticeChange::Acknowledged, NoticeChange::Resolved] {
        block_on(notifier.send(&notice(change), now())).unwrap();
    }
    let events: Vec<Value> = server.asked().iter().map(Asked::json).collect();
    let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
    assert_eq!(actions, ["trigger", "trigger", "acknowledge", "resolve"]);
    assert!(events.iter().all(|event| event["dedup_key"] == "wardline-a-17"), "{events:?}");
    assert_eq!(events[0]["payload"]["severity"], "critical");
    assert_eq!(server.asked()[0].path, "/v2/enqueue");
}

/// What Slack's blocks may hold.
fn check_message(message: &Value) -> Result<(), String> {
    let blocks = message["blocks"].as_array().ok_or("no blocks")?;
    if blocks.is_empty() || blocks.len() > 50 || message["text"].as_str().is_none_or(str::is_empty) {
        return Err("no text, or no blocks".to_owned());
    }
    let check = |text: &Value, most: usize| match text["text"].as_str() {
        Some(words) if !words.is_empty() && words.chars().count() <= most => Ok(()),
        other => Err(format!("a text of {:?} characters", other.map(|words| words.chars().count()))),
    };
    for block in blocks {
        match block["type"].as_str() {
            Some("header") if block["text"]["type"] == "plain_text" => check(&block["text"], 150)?,
            Some("section") => {
                if block["text"].is_object() {
                    check(&block["text"], 3_000)?;
                }
                let fields = block["fields"].as_array().map_or(&[][..], Vec::as_slice);
                if fields.len() > 10 || block["text"].is_null() && fields.is_empty() {
                    return Err("bad fields".to_owned());
                }
                fields.iter().try_for_each(|field| check(field, 2_000))?;
            }
            Some("context") => {
                block["elements"].as_array().ok_or("no elements")?.iter().try_for_each(|text| check(text, 3_000))?
            }
            other => return Err(format!("a block of type {other:?}")),
        }
    }
    Ok(())
}

#[test]
fn slack_shows_what_comes_from_telemetry_as_plain_text() {
    let server = Server::start(|asked| match check_message(&asked.json()) {
        Ok(()) => (200, "ok".to_owned()),
        Err(error) => (400, format!("invalid_blocks: {error}")),
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("address");
    std::fs::write(&file, format!("{}/services/T0/B0/secret-part\n", server.url())).unwrap();
    let notifier = build(json!({"name": "ml", "kind": "slack", "address": {"file": file}, "time_limit_ms": 60_000}));
    let mut long = notice(NoticeChange::Opened);
    long.title = "<&>".repeat(3_000);
    long.text = "x\n".repeat(5_000);
    long.models = vec!["m<".repeat(300)];
    long.fields = (0..30).map(|number| (format!("field {number}"), "&".repeat(3_000))).collect();
    for notice in [notice(NoticeChange::Opened), long] {
        block_on(notifier.send(&notice, now())).unwrap();
    }
    let asked = server.asked();
    assert_eq!(asked[0].path, "/services/T0/B0/secret-part");
    let text = asked[0].body.replace("\\\"", "");
    assert!(!text.contains("<!channel>") && !text.contains("<https://evil") && !text.contains("<script>"), "{text}");
    assert!(text.contains("&lt;!channel&gt; &amp; co"), "{text}");
    let links: Vec<&str> = text.matches('<').collect();
    assert_eq!(links.len(), 1, "the only link is ours: {text}");
    assert!(text.contains("<https://wardline.example/v1/alerts/a-17|the alert>"), "{text}");
}

/// Goal: whoever verifies Standard Webhooks with their library accepts what comes, and nothing that was altered.
#[test]
fn a_webhook_verifies_with_the_library_of_the_specification() {
    let server = Server::start(|_| (204, String::new()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let settings = json!({
        "name": "hook", "kind": "webhook", "url": format!("{}/hook", server.url()), "secret": {"file": file},
        "headers": {"Authorization": {"environment": "TOKEN"}}, "time_limit_ms": 60_000,
    });
    let notice = notice(NoticeChange::Opened);
    block_on(build(settings).send(&notice, now())).unwrap();
    let asked = server.asked().remove(0);
    assert_eq!(asked.headers["authorization"], SECRET);
    assert_eq!(asked.headers["webhook-id"], "a-17/0/opened");
    assert_eq!(asked.json()["type"], "alert.opened");
    let data: wardline_domain::Notice = serde_json::from_value(asked.json()["data"].clone()).unwrap();
    assert_eq!(data, notice);

    let verify = "import json, sys\nfrom standardwebhooks import Webhook\nasked = json.load(sys.stdin)\nhook = Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')\nhook.verify(asked['body'], asked['headers'])\ntry:\n    hook.verify(asked['body'].replace('page', 'info'), asked['headers'])\nexcept Exception:\n    print('good')\n";
    let input = folder.path().join("asked.json");
    std::fs::write(&input, json!({"body": asked.body, "headers": asked.headers}).to_string()).unwrap();
    let python = programs::installed().join("python");
    let output = Command::new(python).args(["-c", verify]).stdin(std::fs::File::open(input).unwrap()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "good\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn answers_say_whether_and_when_to_try_again_and_no_secret() {
    let cases = [(400, false), (401, false), (404, false), (410, false), (429, true), (500, true), (503, true)];
    for (status, is_temporary) in cases {
        let server = Server::start(move |asked| (status, format!("no: {}", asked.body)));
        let settings = json!({"name": "on-call", "kind": "pagerduty", "routing_key": {"environment": "KEY"}, "url": server.url(), "time_limit_ms": 60_000});
        let error = block_on(build(settings).send(&notice(NoticeChange::Resolved), now())).unwrap_err();
        assert_eq!(error.is_temporary(), is_temporary, "{error}");
        let said = error.to_string();
        assert!(!said.contains(SECRET) && said.contains("***") && said.contains(&status.to_string()), "{said}");
    }
    let silent = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(30));
        (200, String::new())
    });
    let settings = json!({"name": "ml", "kind": "webhook", "url": silent.url(), "secret": {"environment": "KEY"}, "time_limit_ms": 50});
    let error = block_on(build(settings).send(&notice(NoticeChange::Opened), now())).unwrap_err();
    assert!(matches!(&error, NoticeError::Unreachable { wait: None, .. }), "{error}");
}
