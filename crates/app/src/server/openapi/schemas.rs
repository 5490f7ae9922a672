//! What bodies hold. Those of accounts come from their types; the others are types of crates that know nothing of
//! OpenAPI, or hold some, so they are described here.

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use crate::{
    accounts::{AccountToken, AuditRecord, Deed, Listed, Role, User, Verification},
    server::{
        accounts::{Adding, CreatedToken, Creating, Tokens, Users},
        audit::AuditList,
    },
};

/// Every schema by name.
pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    let derived = [
        ("AccountToken", of::<AccountToken>()),
        ("Adding", of::<Adding>()),
        ("AuditList", of::<AuditList>()),
        ("AuditRecord", of::<AuditRecord>()),
        ("CreatedToken", of::<CreatedToken>()),
        ("Creating", of::<Creating>()),
        ("Deed", of::<Deed>()),
        ("Listed", of::<Listed>()),
        ("Role", of::<Role>()),
        ("Tokens", of::<Tokens>()),
        ("User", of::<User>()),
        ("Users", of::<Users>()),
        ("Verification", of::<Verification>()),
    ];
    schemas.extend(derived.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    schemas.extend(described().into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    Value::Object(schemas)
}

fn of<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn whole(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

/// An object with fields, of which some are required; there may be more.
fn object(description: &str, required: &[&str], fields: Value) -> Value {
    json!({ "type": "object", "description": description, "required": required, "properties": fields })
}

/// An object with one list.
fn list(name: &str, description: &str, items: Value) -> Value {
    object(description, &[name], json!({ name: { "type": "array", "items": items } }))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn any() -> Value {
    json!({ "type": "object" })
}

fn described() -> Vec<(&'static str, Value)> {
    let mut schemas = telemetry();
    schemas.extend(alerts());
    schemas.extend(incidents());
    schemas.extend(response());
    schemas
}

fn telemetry() -> Vec<(&'static str, Value)> {
    let error = object(
        "Why",
        &["code", "message"],
        json!({
            "code": text("Stable, such as `forbidden`"), "message": text("What is wrong, and what to do")
        }),
    );
    let rejection = object(
        "A refused record",
        &["offset", "reason"],
        json!({
            "offset": whole("Where it started in the body, in bytes"), "reason": text("Why")
        }),
    );
    let column =
        object("A column", &["name", "type"], json!({ "name": text("Its name"), "type": text("Its type in Arrow") }));
    vec![
        ("Error", object("An answer that is not what was asked for", &["error"], json!({ "error": error }))),
        (
            "Taken",
            object(
                "What became of a body",
                &["accepted", "duplicates", "rejected"],
                json!({
                    "accepted": whole("Events that are durable now and were not before"),
                    "duplicates": whole("Events that were durable before"),
                    "rejected": whole("Records that went to dead letters"),
                    "reasons": { "type": "array", "items": rejection }
                }),
            ),
        ),
        (
            "QueryRequest",
            object(
                "A question",
                &["sql"],
                json!({
                    "sql": text("One SELECT statement"),
                    "max_rows": whole("Most rows; at most what the server allows"),
                    "timeout_seconds": { "type": "number", "exclusiveMinimum": 0, "description": "Longest time; at most what the server allows" }
                }),
            ),
        ),
        (
            "QueryAnswer",
            object(
                "Rows",
                &["columns", "rows", "truncated"],
                json!({
                    "columns": { "type": "array", "items": column },
                    "rows": { "type": "array", "items": any() },
                    "truncated": { "type": "boolean", "description": "Whether there are more" }
                }),
            ),
        ),
        ("ModelList", list("models", "Models that were seen", json!({ "type": "string" }))),
        ("DeadLetterList", list("dead_letters", "Refused records, the newest first", any())),
        (
            "LineageTaken",
            object(
                "How much was taken in",
                &["nodes", "edges"],
                json!({ "nodes": whole("Nodes"), "edges": whole("Edges") }),
            ),
        ),
    ]
}

fn alerts() -> Vec<(&'static str, Value)> {
    let verdict = json!({ "type": "string", "enum": ["false", "true", "known"] });
    vec![
        (
            "Alert",
            object(
                "Findings of one cause",
                &["id", "time", "updated", "status", "kind", "severity", "model", "title"],
                json!({
                    "id": text("Its id"),
                    "time": time("When it was raised"),
                    "updated": time("When it changed last"),
                    "status": { "type": "string", "enum": ["open", "closed"] },
                    "kind": text("What kind of thing is wrong"),
                    "severity": { "type": "string", "enum": ["info", "ticket", "page"] },
                    "model": text("The model"),
                    "version": { "type": ["string", "null"], "description": "Its version" },
                    "onset": time("Since when it is so"),
                    "title": text("In one sentence"),
                    "n_findings": whole("How many findings there were"),
                    "findings": { "type": "array", "items": any() }
                }),
            ),
        ),
        ("AlertList", list("alerts", "Alerts, the newest first", reference("Alert"))),
        (
            "Saying",
            object(
                "What an alert turned out to be",
                &["verdict"],
                json!({ "verdict": verdict, "note": text("In the person's words") }),
            ),
        ),
        (
            "Acknowledgement",
            object(
                "What was said about an alert",
                &["alert", "time", "verdict", "note"],
                json!({
                    "alert": text("The alert"), "time": time("When"), "verdict": verdict, "note": text("In the person's words")
                }),
            ),
        ),
        ("EntityList", list("entities", "Entities, the riskiest first", any())),
        ("ObjectiveList", list("slos", "Objectives", any())),
    ]
}

fn incidents() -> Vec<(&'static str, Value)> {
    vec![
        ("Incident", object("Alerts of one cause, and what was done about them", &[], json!({}))),
        ("Notification", notification()),
        ("NotificationList", list("notifications", "Notifications, the newest first", reference("Notification"))),
        (
            "NotifierTest",
            object("Which notifier is tried", &["receiver"], json!({ "receiver": text("Its name in the settings") })),
        ),
        ("IncidentList", list("incidents", "Incidents, the latest first", reference("Incident"))),
        (
            "IncidentCommand",
            object("What a person does with an incident, such as `{\"command\": \"note\", …}`", &[], json!({})),
        ),
        (
            "Declaration",
            object(
                "An incident that somebody saw",
                &["title"],
                json!({ "title": text("What is wrong, in one sentence") }),
            ),
        ),
        ("Declared", object("The incident that was opened", &["incident"], json!({ "incident": text("Its id") }))),
        (
            "Radius",
            object(
                "What a node has reached",
                &["origin", "since", "radius"],
                json!({
                    "origin": text("The node"), "since": time("Since when"), "radius": any()
                }),
            ),
        ),
        (
            "Key",
            object("The key that signs evidence", &["fingerprint"], json!({ "fingerprint": text("Its fingerprint") })),
        ),
    ]
}

fn response() -> Vec<(&'static str, Value)> {
    vec![
        ("PlaybookList", list("playbooks", "Playbooks", any())),
        ("RunList", list("runs", "Runs, the newest first", any())),
        (
            "RunOrder",
            object(
                "A run that somebody wants",
                &["playbook"],
                json!({
                    "playbook": text("The playbook"),
                    "incident": text("The incident that it is for"),
                    "alert": text("The alert that it is for"),
                    "values": { "type": "object", "additionalProperties": { "type": "string" } },
                    "dry_run": { "type": "boolean", "description": "Only say what would be done" }
                }),
            ),
        ),
        (
            "RunInput",
            object(
                "What a person says to a run",
                &[],
                json!({
                    "step": text("The step: its id, the beginning of its UUID, or its name"),
                    "reason": text("Why; needed to reject"),
                    "done": { "type": "boolean", "description": "Whether a manual step was done; needed to answer" },
                    "text": text("What came of a manual step")
                }),
            ),
        ),
        ("RolloutList", list("rollouts", "Rollouts, the newest first", any())),
        ("Begun", object("The rollout that was begun", &["rollout"], json!({ "rollout": text("Its id") }))),
        ("Decision", object("Why a person decides", &[], json!({ "reason": text("Why, for the record") }))),
    ]
}

fn notification() -> Value {
    let statuses = ["waiting", "standing", "sent", "dead"];
    object(
        "What was told, or is to be told, to one receiver",
        &["id", "time", "receiver", "status", "attempts"],
        json!({
            "id": text("Its id"),
            "time": time("When it was made, or when somebody asked for it again"),
            "receiver": text("The notifier's name in the settings"),
            "status": { "type": "string", "enum": statuses, "description": "What became of it" },
            "due": time("When it is tried or repeated next"),
            "attempts": whole("How often it was tried"),
            "trouble": text("Why the last attempt failed"),
            "notice": { "type": "object", "description": "What it tells: id, subject, change, severity, models and title" },
        }),
    )
}
