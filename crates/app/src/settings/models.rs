//! Settings of models: what only an operator knows.

use std::collections::BTreeMap;

use wardline_domain::{Learning, ModelSettings, Objectives, Prices};

use super::reader::Reader;

/// `[learning]` and `[objectives]` at the top: what holds for every model. The flag says whether learning was set.
pub(super) fn read_default(reader: &mut Reader<'_>) -> (ModelSettings, bool) {
    let mut settings = ModelSettings::default();
    let learning = reader.section("learning", read_learning);
    let learning_is_set = learning.is_some();
    settings.learning = learning.unwrap_or_default();
    settings.objectives = reader.section("objectives", read_objectives);
    (settings, learning_is_set)
}

/// What is set for single models.
pub(super) struct Models {
    pub(super) settings: BTreeMap<String, ModelSettings>,
    /// Days that a model's rows are kept.
    pub(super) retention_days: BTreeMap<String, u32>,
}

/// `[models."name"]`, each over the default.
pub(super) fn read_models(reader: &mut Reader<'_>, default: &ModelSettings) -> Models {
    let mut retention_days = BTreeMap::new();
    let models = reader.each_section("models", |name, model| {
        let mut settings = default.clone();
        if let Some(learning) = model.section("learning", read_learning) {
            settings.learning = learning;
        }
        if let Some(objectives) = model.section("objectives", read_objectives) {
            settings.objectives = Some(objectives);
        }
        settings.positive_class = model.text("positive_class");
        settings.protected = model.texts("protected").unwrap_or_default();
        settings.favourable_decision = model.text("favourable_decision");
        settings.canary_versions = model.texts("canary_versions").unwrap_or_default();
        settings.prices = model.section("prices", read_prices);
        settings.labels = read_labels(model);
        retention_days.extend(super::days(model, "retention_days").map(|days| (name.to_owned(), days)));
        (name.to_owned(), settings)
    });
    Models { settings: models.into_iter().collect(), retention_days }
}

fn read_learning(reader: &mut Reader<'_>) -> Option<Learning> {
    if !reader.is_written() {
        return None;
    }
    let until = reader.moment("until");
    let span = reader.span("span");
    let least_events = reader.whole("least_events", 1..=1_000_000_000);
    let Learning::For { span: default_span, least_events: default_least } = Learning::default() else { return None };
    match (until, span.or(least_events.map(|_| default_span))) {
        (Some(_), Some(_)) => {
            reader.problem("until", "is written beside `span` or `least_events`", Some("write one or the other"));
            None
        }
        (Some(until), None) => Some(Learning::Until(until)),
        (None, span) => Some(Learning::For {
            span: span.unwrap_or(default_span),
            least_events: least_events.unwrap_or(default_least),
        }),
    }
}

fn read_objectives(reader: &mut Reader<'_>) -> Option<Objectives> {
    if !reader.is_written() {
        return None;
    }
    let default = Objectives::default();
    let share = Some("write a share, such as 0.999, not a percentage");
    Some(Objectives {
        success: reader.number("success", 0.5..=0.999_999, share),
        latency_p99_ms: reader.number("latency_p99_ms", 0.001..=1e9, None),
        latency_budget: reader.number("latency_budget", 1e-6..=0.5, share).unwrap_or(default.latency_budget),
        window_days: reader.whole("window_days", 1..=366).map_or(default.window_days, |days| days as u32),
    })
}

fn read_prices(reader: &mut Reader<'_>) -> Option<Prices> {
    if !reader.is_written() {
        return None;
    }
    Some(Prices {
        input_per_1k: reader.number("input_per_1k", 0.0..=1e6, None).unwrap_or(0.0),
        output_per_1k: reader.number("output_per_1k", 0.0..=1e6, None).unwrap_or(0.0),
        currency: reader.text("currency").unwrap_or_else(|| "USD".to_owned()),
    })
}

fn read_labels(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for key in ["owner", "runbook"] {
        if let Some(text) = reader.text(key) {
            labels.insert(key.to_owned(), text);
        }
    }
    labels
}
