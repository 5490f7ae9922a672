//! Objectives as OpenSLO v1 and v1alpha.
//!
//! OpenSLO allows a policy one condition, which cannot say that two windows must burn together. So a policy is written
//! with a pair of conditions, which hold together, and policies stand side by side.

use serde_json::{Map, Value, json};
use wardline_domain::{BurnRule, Indicator, Severity, Slo, SloMetric, Span, Timestamp};

use super::{
    metric::{Counted, Part, counted, own_metric, windowed},
    openslo_import::annotation,
};

/// All objectives as one file of many documents.
pub(super) fn v1(slos: &[Slo]) -> String {
    let mut services: Vec<&str> = slos.iter().map(|slo| slo.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    let services = services.into_iter().map(|service| {
        json!({
            "apiVersion": "openslo/v1",
            "kind": "Service",
            "metadata": { "name": slug(service), "displayName": service },
            "spec": { "description": format!("{service}, as it is named in Wardline") },
        })
    });
    written(services.chain(slos.iter().map(slo_v1)))
}

/// The same in the older version, which knows no alerts and no annotations.
pub(super) fn v1alpha(slos: &[Slo]) -> String {
    written(slos.iter().map(slo_v1alpha))
}

/// Documents one after the other.
pub(super) fn written(documents: impl Iterator<Item = Value>) -> String {
    let texts: Vec<String> = documents.filter_map(|document| yaml_serde::to_string(&document).ok()).collect();
    texts.join("---\n")
}

/// A name of an object: what is allowed in names of Kubernetes, told apart where something had to be left out.
pub(super) fn slug(name: &str) -> String {
    let mut kept = String::new();
    for character in name.chars().take(40) {
        match character {
            character if character.is_ascii_alphanumeric() => kept.push(character.to_ascii_lowercase()),
            // One dash is enough, and two part a service from its objective.
            _ if kept.is_empty() || kept.ends_with('-') => {}
            _ => kept.push('-'),
        }
    }
    let kept = kept.trim_end_matches('-');
    if kept == name {
        return kept.to_owned();
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let tail = hash.get(..6).unwrap_or_default();
    if kept.is_empty() { format!("n{tail}") } else { format!("{kept}-{tail}") }
}

/// The name of an objective's object, of its service and its own name: no two objectives have the same.
pub(super) fn object_name(slo: &Slo) -> String {
    let (service, name) = (slug(&slo.service), slug(&slo.name));
    let is_plain = !service.contains('-') && !name.contains('-');
    format!("{service}{}{name}", if is_plain { "-" } else { "--" })
}

fn slo_v1(slo: &Slo) -> Value {
    let mut annotations = Map::new();
    let mut annotate = |key: &str, value: String| annotations.insert(key.to_owned(), Value::String(value));
    annotate(annotation::NAME, slo.name.clone());
    annotate(annotation::SERVICE, slo.service.clone());
    annotate(annotation::MODELS, json!(slo.models).to_string());
    if let Indicator::Latency { within_ms } = slo.indicator {
        annotate(annotation::LATENCY_MS, within_ms.to_string());
    }
    if slo.metric.is_none() {
        annotate(annotation::OWN_METRIC, "true".to_owned());
    }
    let policies: Vec<Value> =
        slo.burn_rules().iter().enumerate().map(|(place, rule)| policy(slo, place, rule)).collect();
    let mut spec = json!({
        "service": slug(&slo.service),
        "indicator": { "metadata": { "name": format!("{}-sli", object_name(slo)) }, "spec": { "ratioMetric": ratio(slo) } },
        "timeWindow": [{ "duration": format!("{}d", slo.window_days), "isRolling": true }],
        "budgetingMethod": "Occurrences",
        "objectives": [{ "target": slo.target }],
        "alertPolicies": policies,
    });
    if let (false, Some(spec)) = (slo.description.is_empty(), spec.as_object_mut()) {
        spec.insert("description".to_owned(), Value::String(slo.description.clone()));
    }
    json!({
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": { "name": object_name(slo), "displayName": slo.name, "annotations": annotations },
        "spec": spec,
    })
}

fn ratio(slo: &Slo) -> Value {
    let own = own_metric(slo);
    let metric: &SloMetric = slo.metric.as_ref().unwrap_or(&own);
    let source = |query: &String| json!({ "metricSource": { "type": "Prometheus", "spec": { "query": query } } });
    if let Some(share) = &metric.bad_share {
        return json!({ "counter": false, "rawType": "failure", "raw": source(share) });
    }
    let mut ratio = Map::new();
    ratio.insert("counter".to_owned(), Value::Bool(true));
    for (key, query) in [("good", &metric.good), ("bad", &metric.bad), ("total", &metric.total)] {
        if let Some(query) = query {
            ratio.insert(key.to_owned(), source(query));
        }
    }
    Value::Object(ratio)
}

fn policy(slo: &Slo, place: usize, rule: &BurnRule) -> Value {
    let name = format!("{}-{}", object_name(slo), place + 1);
    let condition = |window: Span, which: &str| {
        json!({
            "kind": "AlertCondition",
            "metadata": { "name": format!("{name}-{which}") },
            "spec": {
                "severity": match rule.severity { Severity::Page => "page", Severity::Ticket => "ticket", Severity::Info => "info" },
                "condition": {
                    "kind": "burnrate",
                    "op": "gte",
                    "threshold": rule.burn,
                    "lookbackWindow": single_unit(window),
                    "alertAfter": "0m",
                },
            },
        })
    };
    let mut conditions = vec![condition(rule.long, "long")];
    if rule.short != rule.long {
        conditions.push(condition(rule.short, "short"));
    }
    json!({
        "kind": "AlertPolicy",
        "metadata": { "name": name },
        "spec": {
            "alertWhenBreaching": true,
            "alertWhenNoData": false,
            "alertWhenResolved": true,
            "conditions": conditions,
            "notificationTargets": [],
        },
    })
}

/// A length in one unit, as OpenSLO wants it.
fn single_unit(span: Span) -> String {
    for (letter, unit) in [("d", Timestamp::DAY), ("h", Timestamp::HOUR)] {
        if span % unit == 0 {
            return format!("{}{letter}", span / unit);
        }
    }
    format!("{}m", (span / Timestamp::MINUTE).max(1))
}

fn slo_v1alpha(slo: &Slo) -> Value {
    const WINDOW: &str = "{{.window}}";
    let (good, total) = match counted(slo) {
        Counted::Share(share) => (format!("1 - ({share})"), "vector(1)".to_owned()),
        Counted::Events { bad, total } => {
            let total = windowed(&total, WINDOW);
            let good = match bad {
                Part::NotGood(good) => windowed(&good, WINDOW),
                Part::Bad(bad) => format!("({total}) - ({})", windowed(&bad, WINDOW)),
            };
            (good, total)
        }
    };
    let source = |query: String| json!({ "source": "prometheus", "queryType": "promql", "query": query });
    json!({
        "apiVersion": "openslo/v1alpha",
        "kind": "SLO",
        "metadata": { "name": object_name(slo), "displayName": slo.name },
        "spec": {
            "service": slug(&slo.service),
            "description": slo.description,
            "budgetingMethod": "Occurrences",
            "timeWindows": [{ "unit": "Day", "count": slo.window_days, "isRolling": true }],
            "objectives": [{
                "displayName": slo.name,
                "target": slo.target,
                "ratioMetrics": { "counter": true, "good": source(good), "total": source(total) },
            }],
        },
    })
}
