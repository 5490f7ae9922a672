//! What each route is for, what it takes and what it answers. A test holds that every route is here.

use axum::http::Method;
use serde_json::{Value, json};

use self::{
    Body::{None as Nothing, Of},
    Kind::{Choice, Flag, Text, Time, Whole},
};

/// A route, as others read it.
pub(super) struct Operation {
    /// Its name in generated clients.
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [Parameter],
    pub(super) body: Body,
    /// Status, what it means, and what comes with it.
    pub(super) answers: &'static [(&'static str, &'static str, Body)],
}

/// What a body holds: its media type, and the name of a schema or a type of JSON.
#[derive(Clone, Copy)]
pub(super) enum Body {
    None,
    Of(&'static str, &'static str),
}

/// A parameter of the query.
pub(super) struct Parameter(&'static str, Kind, &'static str);

enum Kind {
    Text,
    Whole,
    Flag,
    Time,
    Choice(&'static [&'static str]),
}

impl Parameter {
    pub(super) fn to_value(&self) -> Value {
        let schema = match self.1 {
            Text => json!({ "type": "string" }),
            Whole => json!({ "type": "integer", "minimum": 0 }),
            Flag => json!({ "type": "boolean" }),
            Time => json!({ "type": "string", "format": "date-time" }),
            Choice(names) => json!({ "type": "string", "enum": names }),
        };
        json!({ "name": self.0, "in": "query", "required": self.2.ends_with('!'), "description": self.2.trim_end_matches('!'), "schema": schema })
    }
}

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const YAML: &str = "application/yaml";
const PLAIN: &str = "text/plain";

const MODEL: Parameter = Parameter("model", Text, "Only of this model");
const LIMIT: Parameter = Parameter("limit", Whole, "At most so many");
const FROM: Parameter = Parameter("from", Time, "From when; a week before `to` where left out");
const TO: Parameter = Parameter("to", Time, "Until when; now where left out");
const REASON: Parameter = Parameter("reason", Text, "Only those with this reason, such as `bad_time`");
const SOURCE: Parameter = Parameter("source", Text, "Only those of this source");
const ATLAS_QUERY: &[Parameter] = &[
    FROM,
    TO,
    Parameter("view", Choice(&["coverage", "visibility", "fired"]), "What a layer shows"),
    Parameter("form", Choice(&["report", "layer"]), "A report, or a layer for the ATT&CK Navigator"),
];

/// An operation without parameters and without a body.
const fn simple(
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    answers: &'static [(&'static str, &'static str, Body)],
) -> Operation {
    Operation { id, tag, summary, query: &[], body: Nothing, answers }
}

impl Operation {
    const fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    const fn body(self, media: &'static str, schema: &'static str) -> Self {
        Self { body: Of(media, schema), ..self }
    }
}

/// The routes that need no role.
pub(super) const OPEN: &[(&str, &Operation)] = &[
    ("/healthz", &simple("alive", "server", "The process answers", &[("200", "It lives", Of(JSON, "object"))])),
    (
        "/readyz",
        &simple(
            "ready",
            "server",
            "Events are taken in and questions answered",
            &[("200", "It is ready", Of(JSON, "object")), ("503", "It is not, with the reason", Of(JSON, "object"))],
        ),
    ),
];

/// The operation of a route; an empty one where nobody described it, which a test does not let through.
pub(super) fn of(method: &Method, path: &str) -> &'static Operation {
    const UNKNOWN: &Operation = &simple("unknown", "server", "", &[]);
    let found = OPERATIONS.iter().find(|(known, at, _)| *known == method.as_str() && *at == path);
    found.map_or(UNKNOWN, |(_, _, operation)| operation)
}

/// Every route behind a guard.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[(&str, &str, Operation)] = &[
    ("POST", "/v1/events", simple("sendEvents", "telemetry", "Take in events, one JSON object a line; plain, gzip or zstd by `content-encoding`", &[("200", "Every good record is on disk", Of(JSON, "Taken")), ("400", "No record was good", Of(JSON, "Taken")), ("503", "It cannot be stored now; send it again after `retry-after`", Of(JSON, "Error"))]).body(LINES, "string")),
    ("POST", "/v1/query", simple("query", "telemetry", "Ask the tables a question in SQL; as an Arrow stream where `accept` asks for one", &[("200", "The rows; `x-wardline-truncated` is set where there are more", Of(JSON, "QueryAnswer"))]).body(JSON, "QueryRequest")),
    ("GET", "/v1/models", simple("listModels", "telemetry", "List the models that were seen", &[("200", "Their names", Of(JSON, "ModelList"))])),
    ("GET", "/v1/models/{model}/baseline", simple("getBaseline", "telemetry", "What is normal for a model; as text where `accept` asks for text/plain", &[("200", "Its profile", Of(JSON, "object"))])),
    ("GET", "/v1/dead-letters", simple("listDeadLetters", "telemetry", "List records that could not be taken in, the newest first", &[("200", "The records", Of(JSON, "DeadLetterList"))]).query(&[REASON, SOURCE, LIMIT])),
    ("POST", "/v1/dead-letters/replay", simple("replayDeadLetters", "telemetry", "Take refused records in again", &[("200", "What became of them", Of(JSON, "Taken"))]).query(&[REASON, SOURCE, LIMIT])),

    ("GET", "/v1/alerts", simple("listAlerts", "alerts", "List alerts, the newest first", &[("200", "The alerts", Of(JSON, "AlertList"))]).query(&[MODEL, Parameter("status", Choice(&["open", "closed"]), "Only with this status"), LIMIT])),
    ("GET", "/v1/alerts/{id}", simple("getAlert", "alerts", "Show an alert with its findings", &[("200", "The alert", Of(JSON, "Alert"))])),
    ("POST", "/v1/alerts/{id}/acknowledgement", simple("acknowledgeAlert", "alerts", "Say what an alert turned out to be, over what was said before", &[("200", "What was said", Of(JSON, "Acknowledgement"))]).body(JSON, "Saying")),
    ("GET", "/v1/budget", simple("getBudget", "alerts", "The false alerts that were promised, against what was raised, held back and acknowledged", &[("200", "By month, model and detector", Of(JSON, "object"))])),
    ("GET", "/v1/entities", simple("listEntities", "alerts", "List users, keys and channels that findings name, the riskiest first", &[("200", "The entities", Of(JSON, "EntityList"))]).query(&[LIMIT])),
    ("GET", "/v1/slos", simple("listObjectives", "alerts", "List objectives with what is left of their error budgets", &[("200", "The objectives", Of(JSON, "ObjectiveList"))])),
    ("GET", "/v1/atlas", simple("getAtlas", "alerts", "Which techniques of MITRE ATLAS are looked for, can be seen, and were found", &[("200", "A report, or a layer", Of(JSON, "object"))]).query(ATLAS_QUERY)),
    ("POST", "/v1/atlas", simple("importAtlas", "alerts", "Take another release of MITRE ATLAS into use: ATLAS.yaml or stix-atlas.json", &[("200", "The release", Of(JSON, "object"))]).body("application/octet-stream", "string")),
    ("GET", "/v1/atlas/{technique}", simple("getTechnique", "alerts", "Show one technique", &[("200", "The technique", Of(JSON, "object"))]).query(ATLAS_QUERY)),

    ("GET", "/v1/incidents", simple("listIncidents", "incidents", "List incidents, the latest first", &[("200", "The incidents", Of(JSON, "IncidentList"))]).query(&[MODEL, Parameter("active", Flag, "Only those that are not over"), Parameter("updated_after", Time, "Only those to which something happened after this"), LIMIT])),
    ("POST", "/v1/incidents", simple("declareIncident", "incidents", "Open an incident that somebody saw without an alert", &[("201", "Its id", Of(JSON, "Declared"))]).body(JSON, "Declaration")),
    ("GET", "/v1/incidents/{id}", simple("getIncident", "incidents", "Show an incident with its timeline", &[("200", "The incident", Of(JSON, "Incident"))])),
    ("GET", "/v1/incidents/{id}/log", simple("getIncidentLog", "incidents", "The log of an incident: one record a line, each with the hash of the one before", &[("200", "The log", Of(LINES, "string"))])),
    ("GET", "/v1/incidents/{id}/radius", simple("getIncidentRadius", "incidents", "What the origin of an incident has reached by now", &[("200", "The nodes", Of(JSON, "Radius"))])),
    ("POST", "/v1/incidents/{id}/commands", simple("commandIncident", "incidents", "Acknowledge, assign, note, link, set, resolve, reopen, merge or split", &[("200", "The incident as it is now", Of(JSON, "Incident"))]).body(JSON, "IncidentCommand")),
    ("POST", "/v1/incidents/{id}/evidence", simple("freezeEvidence", "evidence", "Freeze and sign what is known of an incident", &[("201", "The pack", Of(JSON, "object"))])),
    ("GET", "/v1/evidence/packs/{name}", simple("getPack", "evidence", "An evidence pack", &[("200", "The pack", Of("application/zip", "string"))])),
    ("GET", "/v1/evidence/key", simple("getEvidenceKey", "evidence", "Which key signs: what others compare", &[("200", "Its fingerprint", Of(JSON, "Key"))])),
    ("GET", "/v1/lineage", simple("getLineage", "lineage", "The graph of what flows into what", &[("200", "Its nodes and edges", Of(JSON, "object"))])),
    ("POST", "/v1/lineage", simple("takeInLineage", "lineage", "Take in what another system tells of its datasets and models", &[("201", "How much it was", Of(JSON, "LineageTaken"))]).query(&[Parameter("format", Choice(&["openlineage", "cyclonedx", "mlflow"]), "What the body is; OpenLineage where left out")]).body(JSON, "object")),
    ("POST", "/api/v1/lineage", simple("takeInOpenLineage", "lineage", "The same, where clients of OpenLineage send to", &[("201", "How much it was", Of(JSON, "LineageTaken"))]).body(JSON, "object")),
    ("GET", "/v1/lineage/radius", simple("getRadius", "lineage", "What a node has reached since a moment", &[("200", "The nodes", Of(JSON, "Radius"))]).query(&[Parameter("node", Text, "The node!"), Parameter("since", Time, "Since when!")])),

    ("GET", "/v1/playbooks", simple("listPlaybooks", "playbooks", "List playbooks, with what is wrong with those that cannot be used", &[("200", "The playbooks", Of(JSON, "PlaybookList"))])),
    ("GET", "/v1/playbooks/runs", simple("listRuns", "playbooks", "List runs of playbooks, the newest first", &[("200", "The runs", Of(JSON, "RunList"))])),
    ("POST", "/v1/playbooks/runs", simple("startRun", "playbooks", "Run a playbook", &[("201", "The run", Of(JSON, "object"))]).body(JSON, "RunOrder")),
    ("GET", "/v1/playbooks/runs/{run}", simple("getRun", "playbooks", "Show a run with its log", &[("200", "The run", Of(JSON, "object"))])),
    ("POST", "/v1/playbooks/runs/{run}/{input}", simple("tellRun", "playbooks", "Tell a run: approve, reject, answer or stop", &[("200", "The run as it is now", Of(JSON, "object"))]).body(JSON, "RunInput")),
    ("GET", "/v1/rollouts", simple("listRollouts", "rollouts", "List rollouts with their logs, the newest first", &[("200", "The rollouts", Of(JSON, "RolloutList"))]).query(&[MODEL])),
    ("POST", "/v1/rollouts", simple("startRollout", "rollouts", "Begin a rollout from its file", &[("201", "Its id", Of(JSON, "Begun"))]).body(YAML, "string")),
    ("POST", "/v1/rollouts/{model}/{decision}", simple("decideRollout", "rollouts", "Decide a rollout: promote or abort", &[("202", "It is done next", Nothing)]).body(JSON, "Decision")),
    ("POST", "/v1/flagger/{hook}", simple("askForFlagger", "rollouts", "A webhook of Flagger: rollback, confirm-promotion or rollout", &[("200", "Yes", Nothing), ("403", "No, or the token's role is not enough", Nothing)]).body(JSON, "object")),
    ("GET", "/v1/argo/{model}", simple("askForArgo", "rollouts", "A web metric of Argo Rollouts", &[("200", "What to do", Of(JSON, "object"))])),

    ("GET", "/v1/users", simple("listUsers", "accounts", "List users", &[("200", "The users", Of(JSON, "Users"))])),
    ("POST", "/v1/users", simple("addUser", "accounts", "Add a user", &[("201", "The user", Of(JSON, "User"))]).body(JSON, "Adding")),
    ("DELETE", "/v1/users/{user}", simple("removeUser", "accounts", "Remove a user, and every token of the user", &[("204", "The user is removed", Nothing)])),
    ("GET", "/v1/tokens", simple("listTokens", "accounts", "List tokens, without their secrets", &[("200", "The tokens", Of(JSON, "Tokens"))]).query(&[Parameter("user", Text, "Only those of this user")])),
    ("POST", "/v1/tokens", simple("createToken", "accounts", "Make a token of a user", &[("201", "The token with its secret, which is shown this once", Of(JSON, "CreatedToken"))]).body(JSON, "Creating")),
    ("DELETE", "/v1/tokens/{token}", simple("revokeToken", "accounts", "Revoke a token", &[("204", "The token is revoked", Nothing)])),
    ("GET", "/v1/notifications", simple("listNotifications", "notifications", "List what was told whom, the newest first", &[("200", "The notifications", Of(JSON, "NotificationList"))]).query(&[Parameter("status", Choice(&["waiting", "standing", "sent", "dead"]), "Only those of this status"), Parameter("receiver", Text, "Only those to this notifier"), LIMIT])),
    ("POST", "/v1/notifications/{id}/retry", simple("retryNotification", "notifications", "Send a notification again that was given up, or that waits", &[("200", "The notification", Of(JSON, "Notification"))])),
    ("POST", "/v1/notifications/test", simple("testNotifier", "notifications", "Send a test to a notifier", &[("204", "It took the test", Nothing), ("404", "There is no such notifier", Of(JSON, "Error")), ("502", "It did not take the test, and why", Of(JSON, "Error"))]).body(JSON, "NotifierTest")),
    ("GET", "/v1/export/alerts", simple("exportAlerts", "alerts", "Write alerts in the form of another system: OCSF 1.8.0 or ECS, one a line, or one bundle of STIX 2.1", &[("200", "The alerts, the oldest first", Of(LINES, "string"))]).query(&[Parameter("format", Choice(&["ocsf", "ecs", "stix"]), "The form!"), Parameter("since", Time, "Raised at this time or later"), Parameter("until", Time, "Raised before this time"), MODEL, Parameter("incident", Text, "Only those of this incident"), LIMIT])),
    ("GET", "/v1/audit", simple("listAudit", "accounts", "List who changed what", &[("200", "The records", Of(JSON, "AuditList"))]).query(&[Parameter("from", Whole, "From this record on; the last ones where left out"), LIMIT])),
    ("GET", "/v1/audit/verification", simple("verifyAudit", "accounts", "Check every record of the audit log", &[("200", "What is damaged, if anything", Of(JSON, "Verification"))])),
    ("GET", "/v1/audit/chain", simple("exportAudit", "accounts", "The audit log as it is: one record a line, each with the hash of the one before", &[("200", "The log", Of(LINES, "string"))])),

    ("GET", "/metrics", simple("metrics", "server", "Wardline's own metrics, as Prometheus reads them", &[("200", "The metrics", Of(PLAIN, "string"))])),
];
