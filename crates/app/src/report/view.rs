//! What the template shows: every number already in words, every plot already drawn.

mod alert_view;

use std::collections::BTreeSet;

use minijinja::Value;
use serde::Serialize;
use wardline_domain::{Alert, Severity, Timestamp};

use super::{
    input::{LinePlot, ModelReport, ReportInput},
    line_plot::{self, Marks},
    reading::{bytes, count, digits, moment, sentence, span},
    timeline,
};
use alert_view::AlertView;
pub(crate) use alert_view::clauses_of;

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    version: String,
    verdict: String,
    /// Class of the verdict: `page`, `ticket`, `info` or `quiet`.
    tone: &'static str,
    sources: Vec<String>,
    facts: Vec<FactView>,
    timeline: Option<Value>,
    alerts: Vec<AlertView>,
    models: Vec<ModelView>,
    dead_letters: Vec<DeadLetterView>,
    n_dead_letters: String,
}

#[derive(Debug, Serialize)]
struct FactView {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct PlotView {
    title: String,
    unit: String,
    band: Option<String>,
    drawing: Value,
}

#[derive(Debug, Serialize)]
struct ModelView {
    name: String,
    versions: String,
    events: String,
    learned: String,
    n_alerts: usize,
    state: String,
    normal: Vec<FactView>,
    plots: Vec<PlotView>,
}

#[derive(Debug, Serialize)]
struct DeadLetterView {
    reason: String,
    count: String,
    example: Value,
    place: String,
}

impl Page {
    /// The page of an input.
    pub(super) fn new(input: &ReportInput) -> Self {
        let mut alerts: Vec<&Alert> = input.alerts.iter().collect();
        alerts.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.time.cmp(&b.time)).then(a.id.cmp(&b.id)));
        let anchored: Vec<(&Alert, String)> =
            alerts.iter().enumerate().map(|(index, alert)| (*alert, format!("alert-{}", index + 1))).collect();
        let mut models: Vec<&ModelReport> = input.models.iter().collect();
        models.sort_by(|a, b| alerts_of(b, &alerts).cmp(&alerts_of(a, &alerts)).then(a.name.cmp(&b.name)));
        let stretch = input.read.from.zip(input.read.until).filter(|(from, until)| from < until);
        let n_dead_letters: u64 = input.dead_letters.iter().map(|letters| letters.count).sum();
        Self {
            version: input.version.clone(),
            verdict: verdict(&alerts, models.len()),
            tone: alerts.first().map_or("quiet", |alert| alert.severity.name()),
            sources: input.read.sources.clone(),
            facts: facts(input, n_dead_letters),
            timeline: stretch
                .filter(|_| !models.is_empty())
                .map(|(from, until)| Value::from_safe_string(timeline::draw(&models, &anchored, from, until))),
            alerts: anchored.iter().map(|(alert, anchor)| AlertView::new(alert, anchor, input)).collect(),
            models: models.iter().map(|model| ModelView::new(model, &alerts, stretch)).collect(),
            dead_letters: input.dead_letters.iter().map(DeadLetterView::new).collect(),
            n_dead_letters: count(n_dead_letters),
        }
    }
}

fn alerts_of(model: &ModelReport, alerts: &[&Alert]) -> usize {
    alerts.iter().filter(|alert| alert.model == model.name).count()
}

/// The page in one sentence.
fn verdict(alerts: &[&Alert], n_models: usize) -> String {
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    if alerts.is_empty() {
        return match n_models {
            0 => "No model was seen".to_owned(),
            1 => "Nothing is wrong with the one model that was seen".to_owned(),
            n => format!("Nothing is wrong with any of {n} models"),
        };
    }
    let touched: BTreeSet<&str> = alerts.iter().map(|alert| alert.model.as_str()).collect();
    let pages = alerts.iter().filter(|alert| alert.severity == Severity::Page).count();
    let urgent = match pages {
        0 => "none of them urgent".to_owned(),
        _ if pages == alerts.len() => if pages == 1 { "and it is urgent" } else { "all of them urgent" }.to_owned(),
        n => format!("{n} of them urgent"),
    };
    format!("{} in {} of {}, {urgent}", plural(alerts.len(), "alert"), touched.len(), plural(n_models, "model"))
}

fn facts(input: &ReportInput, n_dead_letters: u64) -> Vec<FactView> {
    let read = &input.read;
    let events: u64 = input.models.iter().map(|model| model.events).sum();
    let rate = if read.seconds > 0.0 {
        format!("{} records/s", digits((read.records as f64 / read.seconds).round()))
    } else {
        "–".to_owned()
    };
    let mut facts = vec![
        fact("Read", format!("{} records, {}", count(read.records), bytes(read.bytes))),
        fact("In", format!("{} s, {rate}", digits(read.seconds))),
        fact("Predictions", format!("{} of {} models", count(events), input.models.len())),
        fact("Not taken in", format!("{} records", count(n_dead_letters))),
    ];
    if let Some((from, until)) = read.from.zip(read.until) {
        facts.push(fact("From", moment(from)));
        facts.push(fact("To", format!("{} ({})", moment(until), span(until.since(from)))));
    }
    facts
}

/// A sentence from telemetry, escaped.
fn html(text: &str) -> Value {
    Value::from_safe_string(sentence(text))
}

fn fact(name: &str, value: String) -> FactView {
    FactView { name: name.to_owned(), value }
}

impl PlotView {
    fn new(plot: &LinePlot, marks: &Marks) -> Option<Self> {
        let drawing = line_plot::draw(plot, marks)?;
        Some(Self {
            title: plot.title.clone(),
            // `ms` and shares are written at each tick.
            unit: if matches!(plot.unit.as_str(), "ms" | "share") { String::new() } else { plot.unit.clone() },
            band: plot.band.as_ref().map(|band| band.name.clone()),
            drawing: Value::from_safe_string(drawing),
        })
    }
}

impl ModelView {
    fn new(model: &ModelReport, alerts: &[&Alert], stretch: Option<(Timestamp, Timestamp)>) -> Self {
        let n_alerts = alerts_of(model, alerts);
        let draw = |(from, until): (Timestamp, Timestamp)| {
            let marks = Marks { from, until, onset: None, learned_until: model.learned_until };
            model.plots.iter().filter_map(|plot| PlotView::new(plot, &marks)).collect()
        };
        let state = match (model.learned_until, n_alerts) {
            (_, n) if n > 0 => format!("{n} alert{}", if n == 1 { "" } else { "s" }),
            (None, _) => "still learning: nothing was judged".to_owned(),
            (Some(_), _) => "as normal".to_owned(),
        };
        Self {
            name: model.name.clone(),
            versions: model.versions.join(", "),
            events: count(model.events),
            learned: model.learned_until.map_or_else(|| "not complete".to_owned(), moment),
            n_alerts,
            state,
            normal: model.normal.iter().map(|known| fact(&known.name, known.value.clone())).collect(),
            plots: stretch.map_or_else(Vec::new, draw),
        }
    }
}

impl DeadLetterView {
    fn new(letters: &super::DeadLetterCount) -> Self {
        Self {
            reason: letters.reason.replace('_', " "),
            count: count(letters.count),
            example: html(&letters.example),
            place: letters.place.clone(),
        }
    }
}
