//! Translates a case's `config.json` into Wardline's settings.
//!
//! What an operator knows is written there in other words than ours, and folders not seen yet may leave
//! keys out or have more: nothing is required, and what has no counterpart is noted.

use serde_json::{Map, Value};
use toml::Table;

/// Settings, and what was left out of them.
#[derive(Debug)]
pub(crate) struct Translated {
    /// The settings file.
    pub(crate) settings: Table,
    /// Keys without a counterpart.
    pub(crate) notes: Vec<String>,
}

/// Keys that only describe the case.
const DESCRIBES: [&str; 5] = ["case", "scenario", "score_meaning", "description", "title"];

/// Translates what an operator knows; `models_in_events` is asked where it names no model.
pub(crate) fn translate(known: &Value, models_in_events: impl FnOnce() -> Vec<String>) -> Translated {
    let mut translated = Translated { settings: Table::new(), notes: Vec::new() };
    let Some(known) = known.as_object() else {
        translated.notes.push("is not a JSON object, so nothing was set".to_owned());
        return translated;
    };
    let mut common = Table::new();
    translated.read(known, &mut common);
    if let Some(learning) = common.remove("learning") {
        translated.settings.insert("learning".to_owned(), learning);
    }
    if let Some(objectives) = common.get("objectives") {
        translated.settings.insert("objectives".to_owned(), objectives.clone());
    }
    let mut models: Vec<(String, Table)> = Vec::new();
    for (name, own) in named_models(known.get("models")) {
        let mut table = common.clone();
        if let Some(own) = own {
            translated.read(own, &mut table);
        }
        models.push((name, table));
    }
    if models.is_empty() && !common.is_empty() {
        models.extend(models_in_events().into_iter().map(|name| (name, common.clone())));
    }
    let models: Table = models.into_iter().map(|(name, table)| (name, table.into())).collect();
    if !models.is_empty() {
        translated.settings.insert("models".to_owned(), models.into());
    }
    translated
}

impl Translated {
    /// Reads the keys of the whole case or of one model into a model's table.
    fn read(&mut self, known: &Map<String, Value>, table: &mut Table) {
        for (key, value) in known {
            let understood = match key.as_str() {
                "models" | "model" | "name" => true,
                "learn_until" => set(section(table, "learning"), "until", moment(value)),
                "slo" | "objectives" => self.read_objectives(value, table),
                "positive_class" => set(table, "positive_class", text(value)),
                "canary" => read_canary(value, table),
                "groups" => self.read_groups(value, table),
                "prices" => self.read_prices(value, table),
                other => DESCRIBES.contains(&other),
            };
            if !understood {
                self.notes.push(format!("`{key}` has no counterpart in the settings, or another form than usual"));
            }
        }
        // A section that nothing was read into says nothing.
        table.retain(|_, value| value.as_table().is_none_or(|inside| !inside.is_empty()));
    }

    fn read_objectives(&mut self, value: &Value, table: &mut Table) -> bool {
        let Some(objectives) = value.as_object() else { return false };
        let section = section(table, "objectives");
        for (key, value) in objectives {
            let number = value.as_f64();
            let understood = match key.as_str() {
                "success" | "availability" => {
                    set(section, "success", number.filter(|share| (0.5..=0.999_999).contains(share)).map(Into::into))
                }
                "p99_ms" | "latency_p99_ms" => {
                    set(section, "latency_p99_ms", number.filter(|ms| *ms > 0.0).map(Into::into))
                }
                "latency_budget" => set(section, "latency_budget", number.map(Into::into)),
                "window_days" => set(section, "window_days", value.as_i64().map(Into::into)),
                // Ours follow from the objective: 2 % of the budget in an hour is a burn of 14.4.
                "fast_burn" | "slow_burn" => true,
                _ => false,
            };
            if !understood {
                self.notes.push(format!("`slo.{key}` has no counterpart in the settings, or another form than usual"));
            }
        }
        true
    }

    fn read_groups(&mut self, value: &Value, table: &mut Table) -> bool {
        if let Some(attributes) = texts(value) {
            return set(table, "protected", Some(attributes));
        }
        let Some(groups) = value.as_object() else { return false };
        for (key, value) in groups {
            let understood = match key.as_str() {
                "attributes" | "protected" => set(table, "protected", texts(value)),
                "favourable" | "favorable" | "favourable_decision" => set(table, "favourable_decision", text(value)),
                "rule" => true,
                _ => false,
            };
            if !understood {
                self.notes.push(format!("`groups.{key}` has no counterpart in the settings"));
            }
        }
        true
    }

    fn read_prices(&mut self, value: &Value, table: &mut Table) -> bool {
        let Some(prices) = value.as_object() else { return false };
        let section = section(table, "prices");
        for (key, value) in prices {
            let understood = match key.as_str() {
                "input_per_1k" | "output_per_1k" => set(section, key, value.as_f64().map(Into::into)),
                "currency" => set(section, key, text(value)),
                _ => false,
            };
            if !understood {
                self.notes.push(format!("`prices.{key}` has no counterpart in the settings"));
            }
        }
        true
    }
}

/// Models by name, each with keys of its own where it has any.
fn named_models(models: Option<&Value>) -> Vec<(String, Option<&Map<String, Value>>)> {
    let by_entry = |entry: &'_ Value| -> Option<String> {
        entry.as_str().or_else(|| entry["name"].as_str()).or_else(|| entry["model"].as_str()).map(str::to_owned)
    };
    match models {
        Some(Value::Array(entries)) => {
            entries.iter().filter_map(|entry| by_entry(entry).map(|name| (name, entry.as_object()))).collect()
        }
        Some(Value::Object(entries)) => entries.iter().map(|(name, own)| (name.clone(), own.as_object())).collect(),
        Some(Value::String(name)) => vec![(name.clone(), None)],
        _ => Vec::new(),
    }
}

fn read_canary(value: &Value, table: &mut Table) -> bool {
    let named = value.get("canary").or_else(|| value.get("version")).unwrap_or(value);
    let versions = text(named).map(|version| toml::Value::Array(vec![version])).or_else(|| texts(named));
    set(table, "canary_versions", versions)
}

fn section<'a>(table: &'a mut Table, name: &str) -> &'a mut Table {
    let entry = table.entry(name.to_owned()).or_insert_with(|| Table::new().into());
    if !entry.is_table() {
        *entry = Table::new().into();
    }
    match entry {
        toml::Value::Table(inside) => inside,
        _ => unreachable!("the entry was made a table above"),
    }
}

/// Sets a key where there is a value; whether there was one.
fn set(table: &mut Table, key: &str, value: Option<toml::Value>) -> bool {
    match value {
        Some(value) => {
            table.insert(key.to_owned(), value);
            true
        }
        None => false,
    }
}

fn text(value: &Value) -> Option<toml::Value> {
    match value {
        Value::String(text) => Some(text.clone().into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<toml::Value> {
    value.as_array().map(|values| toml::Value::Array(values.iter().filter_map(text).collect()))
}

/// A moment as text; epoch numbers are settings' text as well.
fn moment(value: &Value) -> Option<toml::Value> {
    text(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn none() -> Vec<String> {
        Vec::new()
    }

    #[test]
    fn everything_that_is_usual_is_translated() {
        let known = json!({
            "case": "one", "learn_until": "2026-05-12T10:00:00.000Z", "models": ["credit"],
            "slo": {"success": 0.9999, "p99_ms": 150, "window_days": 30, "fast_burn": 14.4, "latency_budget": 0.01},
            "positive_class": "decline", "score_meaning": "probability of `decline`",
            "canary": {"stable": "2.0", "canary": "2.1", "weight": 10},
            "groups": {"attributes": ["sex"], "favourable": "approve", "rule": "four fifths"},
            "prices": {"input_per_1k": 0.003, "output_per_1k": 0.015, "currency": "USD"},
        });
        let translated = translate(&known, none);
        assert_eq!(translated.notes, Vec::<String>::new());
        let expected = r#"
            [learning]
            until = "2026-05-12T10:00:00.000Z"
            [objectives]
            success = 0.9999
            latency_p99_ms = 150.0
            window_days = 30
            latency_budget = 0.01
            [models.credit]
            positive_class = "decline"
            canary_versions = ["2.1"]
            protected = ["sex"]
            favourable_decision = "approve"
            objectives = { success = 0.9999, latency_p99_ms = 150.0, window_days = 30, latency_budget = 0.01 }
            prices = { input_per_1k = 0.003, output_per_1k = 0.015, currency = "USD" }
        "#;
        assert_eq!(translated.settings, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn nothing_is_required_and_nothing_unknown_is_passed_on() {
        assert!(translate(&json!({}), none).settings.is_empty());
        assert!(translate(&json!([1]), none).notes[0].contains("not a JSON object"));
        let translated =
            translate(&json!({"slo": {"success": 1.5, "depth": 3}, "weather": "fine", "slo_": null}), none);
        assert!(translated.settings.is_empty(), "{}", translated.settings);
        assert_eq!(translated.notes.len(), 4, "{:?}", translated.notes);
    }

    #[test]
    fn models_may_have_their_own_keys_or_be_left_out() {
        let known = json!({"positive_class": "yes", "models": [{"name": "a", "positive_class": "no"}, "b"]});
        let settings = translate(&known, none).settings;
        assert_eq!(settings["models"]["a"]["positive_class"].as_str(), Some("no"));
        assert_eq!(settings["models"]["b"]["positive_class"].as_str(), Some("yes"));
        let settings = translate(&json!({"positive_class": "yes"}), || vec!["seen".to_owned()]).settings;
        assert_eq!(settings["models"]["seen"]["positive_class"].as_str(), Some("yes"));
    }

    #[test]
    fn the_settings_read_back_as_toml() {
        let known = json!({"learn_until": 1_793_601_365, "models": {"model \"x\".y": {"canary": ["1", "2"]}}});
        let settings = translate(&known, none).settings;
        assert_eq!(settings.to_string().parse::<Table>().unwrap(), settings);
        assert_eq!(settings["learning"]["until"].as_str(), Some("1793601365"));
        assert_eq!(settings["models"]["model \"x\".y"]["canary_versions"].as_array().map(Vec::len), Some(2));
    }
}
