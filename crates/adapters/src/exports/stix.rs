//! STIX 2.1: alerts as one bundle. An alert is what was observed of a model; each of its findings is an indicator with its
//! evidence in SQL, sighted there; and what it may be a sign of is an attack pattern of MITRE ATLAS.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wardline_domain::{Alert, Finding, Timestamp};

use super::{Context, atlas_page, is_attack, name_uuid::name_uuid};

/// The namespace of ids that the specification leaves to the producer: any constant, made once.
const OWN: [u8; 16] = 0x5f0e_7c1b_8f4d_4b0a_9a6e_3d2c_1b7a_9e54_u128.to_be_bytes();
/// The namespace that the specification names for observables, whose ids follow from what they are.
const OBSERVABLES: [u8; 16] = 0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7_u128.to_be_bytes();
/// When what is the same in every bundle was made.
const ALWAYS: &str = "2026-01-01T00:00:00.000Z";
/// The most that `number_observed` and `count` hold.
const MOST: u64 = 999_999_999;

/// Objects by id: one that several alerts name is there once.
#[derive(Default)]
struct Objects {
    places: BTreeMap<String, usize>,
    objects: Vec<Value>,
}

impl Objects {
    fn add(&mut self, id: &str, object: Value) {
        if !self.places.contains_key(id) {
            self.places.insert(id.to_owned(), self.objects.len());
            self.objects.push(object);
        }
    }
}

/// All alerts.
pub(super) fn bundle(alerts: &[Alert], context: &Context<'_>) -> Value {
    let mut objects = Objects::default();
    let identity = own_id("identity", "wardline");
    objects.add(
        &identity,
        json!({
            "type": "identity", "spec_version": "2.1", "id": identity, "created": ALWAYS, "modified": ALWAYS,
            "name": "Wardline", "identity_class": "system",
        }),
    );
    for alert in alerts {
        add_alert(&mut objects, alert, &identity, context);
    }
    if let (Some(incident), false) = (context.incident, alerts.is_empty()) {
        let times = alerts.iter().map(|alert| alert.time).min().zip(alerts.iter().map(|alert| alert.updated).max());
        let (created, modified) = times.unwrap_or_default();
        let id = own_id("grouping", incident.id);
        let refs: Vec<&String> = objects.places.keys().filter(|id| !id.starts_with("identity--")).collect();
        let grouping = json!({
            "type": "grouping", "spec_version": "2.1", "id": id, "created_by_ref": identity,
            "created": moment(created), "modified": moment(modified.max(created)),
            "name": incident.title, "context": "suspicious-activity", "object_refs": refs,
            "external_references": [{"source_name": "wardline", "external_id": incident.id}],
        });
        objects.add(&id, grouping);
    }
    let ids: Vec<&str> = objects.places.keys().map(String::as_str).collect();
    json!({"type": "bundle", "id": own_id("bundle", &ids.join(" ")), "objects": objects.objects})
}

fn own_id(kind: &str, name: &str) -> String {
    format!("{kind}--{}", name_uuid(OWN, &format!("{kind}/{name}")))
}

/// Times of the specification have milliseconds.
fn moment(time: Timestamp) -> String {
    time.floor(1_000).to_string()
}

fn add_alert(objects: &mut Objects, alert: &Alert, identity: &str, context: &Context<'_>) {
    let (created, modified) = (moment(alert.time), moment(alert.updated.max(alert.time)));
    let software = software(alert);
    let software_id = software["id"].as_str().unwrap_or_default().to_owned();
    objects.add(&software_id, software);
    let observed = own_id("observed-data", &alert.id);
    let n_observed = alert.findings.first().map_or(1, |finding| finding.n_observed).clamp(1, MOST);
    objects.add(
        &observed,
        json!({
            "type": "observed-data", "spec_version": "2.1", "id": observed, "created_by_ref": identity,
            "created": created, "modified": modified,
            "first_observed": moment(alert.onset.min(alert.updated)), "last_observed": moment(alert.updated),
            "number_observed": n_observed, "object_refs": [software_id],
            "external_references": [{"source_name": "wardline", "external_id": alert.id, "description": alert.title}],
        }),
    );
    for technique in &alert.atlas {
        let (id, pattern) = attack_pattern(technique, identity, context);
        objects.add(&id, pattern);
    }
    for finding in &alert.findings {
        add_finding(objects, finding, &observed, identity);
    }
}

/// The model. Its id follows from its name and version, as the specification says.
fn software(alert: &Alert) -> Value {
    let mut named = json!({"name": alert.model});
    if let (Some(version), Some(fields)) = (&alert.version, named.as_object_mut()) {
        fields.insert("version".to_owned(), json!(version));
    }
    let id = format!("software--{}", name_uuid(OBSERVABLES, &named.to_string()));
    if let Some(fields) = named.as_object_mut() {
        fields.extend([
            ("type".to_owned(), json!("software")),
            ("spec_version".to_owned(), json!("2.1")),
            ("id".to_owned(), json!(id)),
        ]);
    }
    named
}

fn attack_pattern(technique: &str, identity: &str, context: &Context<'_>) -> (String, Value) {
    let atlas = context.atlas;
    let known = atlas.technique(technique);
    let id = own_id("attack-pattern", technique);
    let mut pattern = json!({
        "type": "attack-pattern", "spec_version": "2.1", "id": id, "created_by_ref": identity,
        "created": ALWAYS, "modified": ALWAYS,
        "name": known.map_or_else(|| technique.to_owned(), |technique| atlas.full_name(technique)),
        "external_references": [{"source_name": "mitre-atlas", "external_id": technique, "url": atlas_page(technique)}],
    });
    let tactics = known.into_iter().flat_map(|technique| &technique.tactics);
    let phases: Vec<Value> = tactics
        .filter_map(|tactic| atlas.tactic(tactic))
        .map(|tactic| json!({"kill_chain_name": "mitre-atlas", "phase_name": tactic.short_name()}))
        .collect();
    if let (Some(fields), false) = (pattern.as_object_mut(), phases.is_empty()) {
        fields.insert("kill_chain_phases".to_owned(), json!(phases));
    }
    (id, pattern)
}

fn add_finding(objects: &mut Objects, finding: &Finding, observed: &str, identity: &str) {
    let time = moment(finding.time);
    let indicator = own_id("indicator", &finding.id);
    let kind = if is_attack(finding.kind) { "malicious-activity" } else { "anomalous-activity" };
    // What has no question in SQL is still about this model.
    let (pattern, language) = if finding.evidence.trim().is_empty() {
        let name = finding.model.replace('\\', "\\\\").replace('\'', "\\'");
        (format!("[software:name = '{name}']"), "stix")
    } else {
        (finding.evidence.clone(), "sql")
    };
    objects.add(
        &indicator,
        json!({
            "type": "indicator", "spec_version": "2.1", "id": indicator, "created_by_ref": identity,
            "created": time, "modified": time,
            "name": format!("{} {}", finding.kind.name(), finding.measure).trim(), "description": finding.title,
            "indicator_types": [kind], "pattern": pattern, "pattern_type": language,
            "valid_from": moment(finding.onset.min(finding.time)), "labels": [finding.kind.name(), finding.severity.name()],
            "external_references": [{"source_name": "wardline", "external_id": finding.id}],
        }),
    );
    let sighting = own_id("sighting", &finding.id);
    objects.add(
        &sighting,
        json!({
            "type": "sighting", "spec_version": "2.1", "id": sighting, "created_by_ref": identity,
            "created": time, "modified": time,
            "first_seen": moment(finding.onset.min(finding.time)), "last_seen": time, "count": 1,
            "sighting_of_ref": indicator, "observed_data_refs": [observed], "where_sighted_refs": [identity],
        }),
    );
    for technique in &finding.atlas {
        let target = own_id("attack-pattern", technique);
        let relationship = own_id("relationship", &format!("{} {technique}", finding.id));
        let is_there = objects.places.contains_key(&target);
        if is_there {
            objects.add(
                &relationship,
                json!({
                    "type": "relationship", "spec_version": "2.1", "id": relationship, "created_by_ref": identity,
                    "created": time, "modified": time, "relationship_type": "indicates",
                    "source_ref": indicator, "target_ref": target,
                }),
            );
        }
    }
}
