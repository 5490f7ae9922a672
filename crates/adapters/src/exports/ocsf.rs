//! OCSF 1.8.0: an alert as a Detection Finding (class 2004).

use serde_json::{Map, Value, json};
use wardline_domain::{Alert, AlertStatus, Finding, Severity, Timestamp};

use super::{Context, RULES, atlas_page};

const VERSION: &str = "1.8.0";
const CATEGORY: u32 = 2;
const CLASS: u32 = 2004;

/// One alert.
pub(super) fn finding(alert: &Alert, context: &Context<'_>) -> Value {
    let (activity, activity_name) = match alert.status {
        AlertStatus::Closed => (3, "Close"),
        AlertStatus::Open if alert.updated > alert.time => (2, "Update"),
        AlertStatus::Open => (1, "Create"),
    };
    let (status, status_name) = if alert.status == AlertStatus::Open { (1, "New") } else { (4, "Resolved") };
    let (severity, severity_name) = match alert.severity {
        Severity::Info => (1, "Informational"),
        Severity::Ticket => (3, "Medium"),
        Severity::Page => (4, "High"),
    };
    let mut event = json!({
        "activity_id": activity, "activity_name": activity_name,
        "category_uid": CATEGORY, "category_name": "Findings",
        "class_uid": CLASS, "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity, "type_name": format!("Detection Finding: {activity_name}"),
        "severity_id": severity, "severity": severity_name,
        "status_id": status, "status": status_name,
        "time": milliseconds(alert.time), "start_time": milliseconds(alert.onset), "end_time": milliseconds(alert.updated),
        "timezone_offset": 0,
        "is_alert": alert.status == AlertStatus::Open,
        "count": alert.n_findings,
        "message": alert.title,
        "metadata": {
            "version": VERSION, "uid": alert.id, "log_name": "alert",
            "product": {"name": "Wardline", "vendor_name": "Wardline", "version": context.product_version},
        },
        "finding_info": finding_info(alert, context),
        "resources": [resource(alert)],
    });
    if let Some(fields) = event.as_object_mut() {
        let evidences: Vec<Value> = alert.findings.iter().map(evidence).collect();
        fields.insert("evidences".to_owned(), json!(evidences));
        let anomalies: Vec<Value> = alert.findings.iter().filter(|finding| is_measured(finding)).map(anomaly).collect();
        if !anomalies.is_empty() {
            fields.insert("anomaly_analyses".to_owned(), json!(anomalies));
        }
    }
    event
}

/// OCSF counts milliseconds.
fn milliseconds(time: Timestamp) -> i64 {
    time.micros().div_euclid(1_000)
}

fn finding_info(alert: &Alert, context: &Context<'_>) -> Value {
    let mut info = json!({
        "uid": alert.id, "title": alert.title, "types": [alert.kind.name()],
        "created_time": milliseconds(alert.time), "modified_time": milliseconds(alert.updated),
        "first_seen_time": milliseconds(alert.onset), "last_seen_time": milliseconds(alert.updated),
        "related_events_count": alert.n_findings,
    });
    let Some(fields) = info.as_object_mut() else { return info };
    let mut analytics: Vec<Value> = alert.findings.iter().map(analytic).collect();
    analytics.dedup();
    if !analytics.is_empty() {
        fields.insert("analytic".to_owned(), analytics.remove(0));
    }
    if !analytics.is_empty() {
        fields.insert("related_analytics".to_owned(), json!(analytics));
    }
    let attacks: Vec<Value> = alert.atlas.iter().map(|id| attack(id, context)).collect();
    if !attacks.is_empty() {
        fields.insert("attacks".to_owned(), json!(attacks));
    }
    let names =
        |carriers: &[wardline_domain::Carrier]| carriers.iter().map(|each| each.name.clone()).collect::<Vec<_>>();
    let mut tags = vec![json!({"name": "slice", "value": alert.slice.to_string()})];
    for (name, values) in [("responsible", names(&alert.responsible)), ("feature", names(&alert.features))] {
        if !values.is_empty() {
            tags.push(json!({"name": name, "values": values}));
        }
    }
    tags.extend(context.incident.map(|incident| json!({"name": "incident", "value": incident.id})));
    fields.insert("tags".to_owned(), json!(tags));
    info
}

fn analytic(finding: &Finding) -> Value {
    let (kind, name) = if finding.detector == RULES { (1, "Rule") } else { (3, "Statistical") };
    json!({"uid": finding.detector, "name": finding.detector, "type_id": kind, "type": name, "category": finding.kind.name()})
}

/// A technique of ATLAS in the place of one of ATT&CK: `version` says which catalogue it is of.
fn attack(id: &str, context: &Context<'_>) -> Value {
    let atlas = context.atlas;
    let entry = |id: &str| {
        let name = atlas.technique(id).map_or_else(|| id.to_owned(), |technique| technique.name.clone());
        json!({"uid": id, "name": name, "src_url": atlas_page(id)})
    };
    let known = atlas.technique(id);
    let mut attack = Map::new();
    attack.insert("version".to_owned(), json!(format!("MITRE ATLAS {}", atlas.version)));
    match known.and_then(|technique| technique.parent.as_deref()) {
        Some(parent) => {
            attack.extend([("technique".to_owned(), entry(parent)), ("sub_technique".to_owned(), entry(id))])
        }
        None => attack.extend([("technique".to_owned(), entry(id))]),
    }
    let tactics = known.map_or(&[][..], |technique| technique.tactics.as_slice());
    let tactics: Vec<Value> = tactics
        .iter()
        .filter_map(|id| atlas.tactic(id))
        .map(|tactic| json!({"uid": tactic.id, "name": tactic.name}))
        .collect();
    if !tactics.is_empty() {
        attack.insert("tactics".to_owned(), json!(tactics));
    }
    attack.into()
}

/// The model. The class has no `ai_model`, so it is the resource that is affected.
fn resource(alert: &Alert) -> Value {
    let mut resource = json!({"uid": alert.model, "name": alert.model, "type": "AI Model"});
    if let Some(fields) = resource.as_object_mut() {
        fields.extend(alert.version.as_ref().map(|version| ("version".to_owned(), json!(version))));
        let labels: Vec<&str> = alert.responsible.iter().map(|carrier| carrier.name.as_str()).collect();
        if !labels.is_empty() {
            fields.insert("labels".to_owned(), json!(labels));
        }
    }
    resource
}

fn evidence(finding: &Finding) -> Value {
    let data = json!({
        "sql": finding.evidence, "title": finding.title, "onset": finding.onset,
        "onset_interval": [finding.onset_interval.0, finding.onset_interval.1],
        "observed": finding.observed, "expected": finding.expected, "unit": finding.unit,
        "n_observed": finding.n_observed, "n_expected": finding.n_expected,
        "effect": finding.effect, "effect_name": finding.effect_name, "p_value": finding.p_value,
    });
    let name = if finding.measure.is_empty() { &finding.detector } else { &finding.measure };
    json!({"uid": finding.id, "name": name, "data": data})
}

fn is_measured(finding: &Finding) -> bool {
    !finding.measure.is_empty()
        && finding.observed.is_finite()
        && finding.expected.is_finite()
        && !finding.unit.is_empty()
}

/// What was seen beside what is normal.
fn anomaly(finding: &Finding) -> Value {
    let observation = |value: f64, count: u64| json!([{"value": format!("{value} {}", finding.unit), "count": count}]);
    let side = |value: f64, count: u64| {
        json!({
            "observation_parameter": finding.measure, "observation_type": "Deviation Analysis",
            "observations": observation(value, count),
        })
    };
    json!({
        "analysis_targets": [{"name": format!("{} ({})", finding.model, finding.slice), "type": "AI Model"}],
        "anomalies": [side(finding.observed, finding.n_observed)],
        "baselines": [side(finding.expected, finding.n_expected)],
    })
}
