//! Settings of alerts: the budget of false ones, and silences.

use std::collections::BTreeMap;

use wardline_detect::{BudgetSettings, FalseAlerts, Silence};
use wardline_domain::{FindingKind, ModelSettings, Slo};

use super::reader::Reader;

/// What holds for alerts of every model.
#[derive(Clone, Debug)]
pub(crate) struct AlertSettings {
    /// False alerts in 30 days that people accept.
    pub(crate) budget: BudgetSettings,
    /// False findings of a model in a week that detectors may make.
    pub(crate) false_alerts_per_week: f64,
    /// What no alert is wanted about.
    pub(crate) silences: Vec<Silence>,
    /// Objectives of services, which several models serve.
    pub(crate) service_slos: Vec<Slo>,
}

/// `[budget]`, `[budget.models."name"]` and `[[silences]]`.
pub(super) fn read(reader: &mut Reader<'_>) -> AlertSettings {
    let default = wardline_detect::WatchSettings::default();
    let mut weekly = default.false_alerts_per_week;
    let budget = reader.section("budget", |section| {
        let all = read_false_alerts(section, default.budget.all);
        weekly = section.number("findings_per_model_week", 0.001..=100.0, None).unwrap_or(weekly);
        let own = |name: &str, table: &mut Reader<'_>| (name.to_owned(), read_false_alerts(table, all));
        let models: BTreeMap<String, FalseAlerts> = section.each_section("models", own).into_iter().collect();
        for (name, own) in &models {
            if own.pages > all.pages || own.tickets > all.tickets {
                let what = format!("gives `{name}` more than there is for all models");
                section.problem("models", what, Some("raise `budget.false_pages_a_month` or `false_tickets_a_month`"));
            }
        }
        BudgetSettings { all, models }
    });
    let silences = reader.each_item("silences", read_silence).into_iter().flatten().collect();
    AlertSettings { budget, false_alerts_per_week: weekly, silences, service_slos: Vec::new() }
}

fn read_false_alerts(reader: &mut Reader<'_>, default: FalseAlerts) -> FalseAlerts {
    let hint = Some("0 holds back everything but what objectives and rules tell");
    FalseAlerts {
        pages: reader.number("false_pages_a_month", 0.0..=10_000.0, hint).unwrap_or(default.pages),
        tickets: reader.number("false_tickets_a_month", 0.0..=10_000.0, hint).unwrap_or(default.tickets),
    }
}

fn read_silence(reader: &mut Reader<'_>) -> Option<Silence> {
    let silence = Silence {
        name: reader.text("name").unwrap_or_default(),
        model: reader.text("model"),
        kind: reader.text("kind").and_then(|name| read_kind(reader, &name)),
        detector: reader.text("detector"),
        slice: reader.text("slice").and_then(|text| read_slice(reader, &text)),
        from: reader.moment("from"),
        until: reader.moment("until"),
    };
    if silence.name.is_empty() {
        reader.problem("name", "is missing", Some("say what it is for, such as `database upgrade`"));
    }
    if silence == (Silence { name: silence.name.clone(), ..Silence::default() }) {
        let hint = "write model, kind, detector, slice, from or until";
        reader.problem("name", "is of a silence without a condition, which would silence everything", Some(hint));
        return None;
    }
    if let (Some(from), Some(until)) = (silence.from, silence.until)
        && until <= from
    {
        reader.problem("until", format!("is {until}, and must be after `from`, which is {from}"), None);
    }
    Some(silence)
}

fn read_kind(reader: &mut Reader<'_>, name: &str) -> Option<FindingKind> {
    let kind = serde_json::from_value(serde_json::Value::String(name.to_owned())).ok();
    if kind.is_none() {
        reader.problem(
            "kind",
            format!("is `{name}`, and is none"),
            Some("write one such as latency, data_drift or injection"),
        );
    }
    kind
}

fn read_slice(reader: &mut Reader<'_>, text: &str) -> Option<(String, String)> {
    let slice = text.split_once('=').map(|(dimension, value)| (dimension.to_owned(), value.to_owned()));
    if slice.is_none() {
        reader.problem("slice", format!("is `{text}`"), Some("write dimension=value, such as instance=api-2"));
    }
    slice
}

impl AlertSettings {
    /// Settings of the watch, with what is set for models.
    pub(crate) fn watch(
        &self,
        default_model: ModelSettings,
        models: BTreeMap<String, ModelSettings>,
    ) -> wardline_detect::WatchSettings {
        wardline_detect::WatchSettings {
            default_model,
            models,
            false_alerts_per_week: self.false_alerts_per_week,
            budget: self.budget.clone(),
            silences: self.silences.clone(),
            service_slos: self.service_slos.clone(),
            ..wardline_detect::WatchSettings::default()
        }
    }
}
