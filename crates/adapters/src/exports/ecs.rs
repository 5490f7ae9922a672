//! The Elastic Common Schema: an alert as a document.
//!
//! What the schema has no field for is below `wardline`, whose name no field of the schema has.

use serde_json::{Map, Value, json};
use wardline_domain::{Alert, AlertStatus, Severity};

use super::{Context, atlas_page, is_attack};

const VERSION: &str = "8.17.0";

/// One alert.
pub(super) fn document(alert: &Alert, context: &Context<'_>) -> Value {
    let mut document = json!({
        "@timestamp": alert.time,
        "ecs": {"version": VERSION},
        "message": alert.title,
        "event": event(alert),
        "rule": rule(alert),
        "service": {"name": alert.model, "type": "ai-model"},
        "observer": {"vendor": "Wardline", "product": "Wardline", "type": "siem", "version": context.product_version},
        "tags": ["wardline", alert.kind.name()],
        "wardline": {"alert": alert},
    });
    let Some(fields) = document.as_object_mut() else { return document };
    if let Some(version) = &alert.version {
        fields["service"]["version"] = json!(version);
    }
    if !alert.atlas.is_empty() {
        fields.insert("threat".to_owned(), threat(alert, context));
    }
    if let Some(incident) = context.incident {
        fields["wardline"]["incident"] = json!({"id": incident.id, "title": incident.title});
    }
    document
}

fn event(alert: &Alert) -> Value {
    // The numbers of Elastic's own detection rules: low, medium, critical.
    let severity = match alert.severity {
        Severity::Info => 21,
        Severity::Ticket => 47,
        Severity::Page => 99,
    };
    let mut event = json!({
        "kind": "alert", "id": alert.id, "action": alert.kind.name(), "type": ["info"],
        "created": alert.time, "start": alert.onset, "severity": severity,
        "module": "wardline", "dataset": "wardline.alert", "provider": "wardline", "reason": alert.title,
    });
    let Some(fields) = event.as_object_mut() else { return event };
    if alert.status == AlertStatus::Closed {
        fields.insert("end".to_owned(), json!(alert.updated));
    }
    // Other categories of the schema are about hosts and networks, and would say something wrong.
    if is_attack(alert.kind) {
        fields.insert("category".to_owned(), json!(["intrusion_detection"]));
    }
    event
}

fn rule(alert: &Alert) -> Value {
    let Some(leading) = alert.findings.first() else {
        return json!({"name": alert.kind.name(), "ruleset": "wardline"});
    };
    json!({
        "id": leading.detector, "name": leading.detector, "category": leading.kind.name(),
        "description": leading.title, "ruleset": "wardline", "uuid": leading.id,
    })
}

/// Techniques; the special form of one is below it.
fn threat(alert: &Alert, context: &Context<'_>) -> Value {
    let atlas = context.atlas;
    let (mut techniques, mut forms, mut tactics): (Vec<&str>, Vec<&str>, Vec<&str>) = Default::default();
    for id in &alert.atlas {
        let known = atlas.technique(id);
        match known.and_then(|technique| technique.parent.as_deref()) {
            Some(parent) => {
                techniques.push(parent);
                forms.push(id);
            }
            None => techniques.push(id),
        }
        tactics.extend(known.into_iter().flat_map(|technique| technique.tactics.iter().map(String::as_str)));
    }
    for ids in [&mut techniques, &mut forms, &mut tactics] {
        ids.sort_unstable();
        ids.dedup();
    }
    let name = |id: &str| atlas.technique(id).map_or_else(|| id.to_owned(), |technique| technique.name.clone());
    let described = |ids: &[&str]| {
        let mut fields = Map::new();
        fields.insert("id".to_owned(), json!(ids));
        fields.insert("name".to_owned(), json!(ids.iter().map(|id| name(id)).collect::<Vec<_>>()));
        fields.insert("reference".to_owned(), json!(ids.iter().map(|id| atlas_page(id)).collect::<Vec<_>>()));
        fields
    };
    let mut technique = described(&techniques);
    if !forms.is_empty() {
        technique.insert("subtechnique".to_owned(), described(&forms).into());
    }
    let tactics: Vec<_> = tactics.into_iter().filter_map(|id| atlas.tactic(id)).collect();
    let mut threat = json!({"framework": "MITRE ATLAS", "technique": technique});
    if let (Some(fields), false) = (threat.as_object_mut(), tactics.is_empty()) {
        let ids: Vec<&str> = tactics.iter().map(|tactic| tactic.id.as_str()).collect();
        let names: Vec<&str> = tactics.iter().map(|tactic| tactic.name.as_str()).collect();
        fields.insert("tactic".to_owned(), json!({"id": ids, "name": names}));
    }
    threat
}
