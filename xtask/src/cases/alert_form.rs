//! Puts the alerts that a hunt printed into the form that the scorer of the cases reads.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

/// Dimensions that the scorer reads from keys of their own.
const OWN_KEYS: [&str; 5] = ["channel", "user", "api_key", "instance", "tenant"];

/// Reads alerts from `wardline hunt --json`: an array, an object with `alerts`, or one alert a line.
pub(crate) fn read(output: &str) -> Result<Vec<Value>> {
    let output = output.trim();
    if output.is_empty() {
        return Ok(Vec::new());
    }
    let alerts = match serde_json::from_str::<Value>(output) {
        Ok(Value::Array(alerts)) => alerts,
        Ok(Value::Object(mut object)) => match object.remove("alerts") {
            Some(Value::Array(alerts)) => alerts,
            _ => vec![Value::Object(object)],
        },
        Ok(_) => bail!("the hunt printed JSON, but no alerts"),
        Err(_) => output
            .lines()
            .map(serde_json::from_str::<Value>)
            .collect::<Result<_, _>>()
            .context("what the hunt printed is not JSON")?,
    };
    Ok(alerts.iter().map(form).collect())
}

/// Estimates of performance, by model, as the scorer reads them.
pub(crate) fn estimates(output: &str) -> Result<Vec<Value>> {
    let models: Map<String, Value> = serde_json::from_str(output).context("what `estimate` printed is not JSON")?;
    Ok(models.into_values().map(pseudo_alert).collect())
}

fn pseudo_alert(mut estimates: Value) -> Value {
    if let Value::Object(fields) = &mut estimates {
        fields.remove("chunks");
    }
    json!({"kind": "estimates", "estimates": estimates})
}

fn form(alert: &Value) -> Value {
    let mut formed = Map::new();
    for key in ["time", "kind", "model", "version", "title", "severity", "atlas", "onset"] {
        if let Some(value) = alert.get(key).filter(|value| !value.is_null()) {
            formed.insert(key.to_owned(), value.clone());
        }
    }
    let (mut segment, mut groups) = (Map::new(), Map::new());
    for (dimension, value) in conditions(alert) {
        let (place, key) = match dimension.strip_prefix("group_") {
            Some(group) => (&mut groups, group),
            None if dimension == "item" => (&mut formed, "items"),
            None if OWN_KEYS.contains(&dimension.as_str()) => (&mut formed, dimension.as_str()),
            None => (&mut segment, dimension.as_str()),
        };
        let values = place.entry(key).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            let value = Value::String(value);
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    for (key, conditions) in [("segment", segment), ("groups", groups)] {
        if !conditions.is_empty() {
            formed.insert(key.to_owned(), Value::Object(conditions));
        }
    }
    let features: Vec<&Value> = carriers(alert, "features").filter_map(|carrier| carrier.get("name")).collect();
    if !features.is_empty() {
        formed.insert("features".to_owned(), json!(features));
    }
    Value::Object(formed)
}

/// `dimension=value` of the alert's slice and of the slices that carry it.
fn conditions(alert: &Value) -> Vec<(String, String)> {
    let slice =
        alert["slice"].as_array().into_iter().flatten().filter_map(|condition| {
            Some((condition.get(0)?.as_str()?.to_owned(), condition.get(1)?.as_str()?.to_owned()))
        });
    let responsible = carriers(alert, "responsible")
        .filter_map(|carrier| carrier.get("name")?.as_str())
        .flat_map(|name| name.split(" and "))
        .filter_map(|condition| condition.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())));
    slice.chain(responsible).collect()
}

fn carriers<'a>(alert: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    alert[key].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Value {
        json!({
            "id": "a-1", "time": "2026-11-02T06:36:05.995Z", "kind": "latency", "severity": "page", "model": "reader",
            "version": null, "slice": [["channel", "email"]], "title": "p99 rose", "atlas": [],
            "responsible": [
                {"name": "instance=reader-1", "share": 0.9, "interval": null},
                {"name": "channel=email and doc_type=contract", "share": 0.4, "interval": null},
                {"name": "item=m9", "share": 1.0, "interval": null},
                {"name": "group_sex=Female and group_race=Black", "share": 1.0, "interval": null},
            ],
            "features": [{"name": "tokens", "share": 1.0, "interval": null}],
        })
    }

    #[test]
    fn an_alert_keeps_what_the_scorer_reads() {
        let expected = json!({
            "time": "2026-11-02T06:36:05.995Z", "kind": "latency", "severity": "page", "model": "reader",
            "title": "p99 rose", "atlas": [], "channel": ["email"], "instance": ["reader-1"],
            "segment": {"doc_type": ["contract"]}, "features": ["tokens"], "items": ["m9"],
            "groups": {"sex": ["Female"], "race": ["Black"]},
        });
        for output in [
            json!([alert()]).to_string(),
            json!({"alerts": [alert()]}).to_string(),
            format!("{}\n{}", alert(), alert()),
        ] {
            assert_eq!(read(&output).unwrap()[0], expected);
        }
    }

    #[test]
    fn no_alert_is_an_empty_list_and_nonsense_is_an_error() {
        assert!(read("").unwrap().is_empty());
        assert!(read("[]").unwrap().is_empty());
        assert!(read("no alerts").is_err());
        assert!(read("3").is_err());
    }
}
