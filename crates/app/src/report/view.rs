//! What the template shows: every number already in words, every plot already drawn.

use std::collections::BTreeSet;

use minijinja::Value;
use serde::Serialize;
use wardline_domain::{Alert, AlertStatus, Carrier, Finding, FindingKind, Severity, Timestamp};

use super::{
    histogram_plot,
    input::{LinePlot, ModelReport, ReportInput, Subject},
    line_plot::{self, Marks},
    reading::{bytes, count, digits, moment, moment_beside, percent, sentence, span, value},
    timeline,
};

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
struct AlertView {
    anchor: String,
    severity: &'static str,
    symbol: &'static str,
    severity_means: &'static str,
    kind: String,
    model: String,
    version: Option<String>,
    slice: Option<String>,
    /// The title's first clause.
    title: Value,
    /// Its other clauses.
    also: Vec<Value>,
    onset: String,
    onset_interval: Option<String>,
    raised: String,
    lasted: String,
    n_findings: String,
    comparison: Option<Comparison>,
    responsible: Vec<CarrierView>,
    features: Vec<CarrierView>,
    atlas: Vec<String>,
    plots: Vec<PlotView>,
    histograms: Vec<HistogramView>,
    evidence: String,
    findings: Vec<FindingView>,
}

/// Observed against expected, as the leading finding says it.
#[derive(Debug, Serialize)]
struct Comparison {
    measure: String,
    observed: String,
    n_observed: String,
    expected: String,
    n_expected: String,
    effect: String,
    effect_name: String,
    /// Lengths of the two bars, in per cent of the longer one.
    observed_width: f64,
    expected_width: f64,
}

#[derive(Debug, Serialize)]
struct CarrierView {
    name: String,
    share: String,
    interval: Option<String>,
    width: f64,
}

#[derive(Debug, Serialize)]
struct PlotView {
    title: String,
    unit: String,
    band: Option<String>,
    drawing: Value,
}

#[derive(Debug, Serialize)]
struct HistogramView {
    title: String,
    before: String,
    after: String,
    drawing: Value,
}

#[derive(Debug, Serialize)]
struct FindingView {
    time: String,
    detector: String,
    title: Value,
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

impl AlertView {
    fn new(alert: &Alert, anchor: &str, input: &ReportInput) -> Self {
        let leading = alert.findings.first();
        let mut clauses = alert.title.split("; ");
        let model = input.models.iter().find(|model| model.name == alert.model);
        let (symbol, severity_means) = match alert.severity {
            Severity::Page => ("▲", "look at it now"),
            Severity::Ticket => ("■", "look at it in working hours"),
            Severity::Info => ("●", "on record"),
        };
        Self {
            anchor: anchor.to_owned(),
            severity: alert.severity.name(),
            symbol,
            severity_means,
            kind: kind_in_words(alert.kind).to_owned(),
            model: alert.model.clone(),
            version: alert.version.clone(),
            slice: (!alert.slice.is_whole()).then(|| alert.slice.to_string()),
            title: html(clauses.next().unwrap_or("")),
            also: clauses.map(html).collect(),
            onset: moment(alert.onset),
            onset_interval: leading.filter(|finding| finding.onset_interval.0 < finding.onset_interval.1).map(
                |finding| {
                    let (earliest, latest) = finding.onset_interval;
                    format!(
                        "between {} and {}",
                        moment_beside(earliest, alert.onset),
                        moment_beside(latest, alert.onset)
                    )
                },
            ),
            raised: format!("{}, {} after the onset", moment(alert.time), span(alert.time.since(alert.onset))),
            lasted: match alert.status {
                AlertStatus::Open => "goes on".to_owned(),
                AlertStatus::Closed => format!("last seen {}", moment(alert.updated)),
            },
            n_findings: count(alert.n_findings),
            comparison: leading.map(Comparison::new),
            responsible: alert.responsible.iter().map(CarrierView::new).collect(),
            features: alert.features.iter().map(CarrierView::new).collect(),
            atlas: alert.atlas.clone(),
            plots: model.map_or_else(Vec::new, |model| plots_of(alert, model, input)),
            histograms: input
                .distributions
                .get(&alert.id)
                .into_iter()
                .flatten()
                .filter_map(HistogramView::new)
                .collect(),
            evidence: leading.map_or_else(String::new, |finding| finding.evidence.clone()),
            findings: alert.findings.iter().map(FindingView::new).collect(),
        }
    }
}

const fn kind_in_words(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Traffic => "traffic",
        FindingKind::Errors => "errors",
        FindingKind::SloBurn => "error budget",
        FindingKind::Latency => "latency",
        FindingKind::Saturation => "saturation",
        FindingKind::DataDrift => "data drift",
        FindingKind::PredictionDrift => "prediction drift",
        FindingKind::DataQuality => "data quality",
    }
}

/// Subjects that tell an alert, the most telling first.
fn subjects_of(alert: &Alert) -> &'static [Subject] {
    let measures_latency = alert.findings.first().is_some_and(|finding| finding.measure.starts_with("latency"));
    match alert.kind {
        FindingKind::Traffic => &[Subject::Volume],
        FindingKind::SloBurn if measures_latency => &[Subject::Latency, Subject::Volume],
        FindingKind::Errors | FindingKind::SloBurn => &[Subject::ErrorRate, Subject::Volume],
        FindingKind::Latency | FindingKind::Saturation => &[Subject::Latency, Subject::Volume],
        FindingKind::PredictionDrift => &[Subject::Score, Subject::DecisionMix],
        FindingKind::DataDrift | FindingKind::DataQuality => &[Subject::FeatureShift, Subject::Score],
    }
}

/// A plot shows at least so many points where the series has them.
const LEAST_POINTS: usize = 24;

fn plots_of(alert: &Alert, model: &ModelReport, input: &ReportInput) -> Vec<PlotView> {
    let Some((from, until)) = input.read.from.zip(input.read.until) else { return Vec::new() };
    // What came before is shown for at least as long as what came after, so that normal can be seen.
    let lasted = alert.updated.since(alert.onset).max(30 * Timestamp::MINUTE);
    let before = (2 * lasted).clamp(3 * Timestamp::HOUR, 7 * Timestamp::DAY);
    let near = (alert.onset.plus(-before).max(from), alert.updated.plus(lasted / 2).min(until));
    let interval = alert.findings.first().map_or((alert.onset, alert.onset), |finding| finding.onset_interval);
    let marks = |(from, until): (Timestamp, Timestamp)| Marks {
        from,
        until,
        onset: Some((alert.onset, interval.0, interval.1)),
        learned_until: model.learned_until,
    };
    subjects_of(alert)
        .iter()
        .filter_map(|subject| model.plots.iter().find(|plot| plot.subject == *subject))
        .filter_map(|plot| {
            let mut shown = near;
            // Coarse series need a longer stretch to show what normal looked like.
            while points_within(plot, shown) < LEAST_POINTS && (from < shown.0 || shown.1 < until) {
                let wider = shown.1.since(shown.0).max(Timestamp::MINUTE) / 2;
                shown = (shown.0.plus(-wider).max(from), shown.1.plus(wider / 2).min(until));
            }
            PlotView::new(plot, &marks(shown))
        })
        .collect()
}

fn points_within(plot: &LinePlot, (from, until): (Timestamp, Timestamp)) -> usize {
    plot.lines.first().map_or(0, |line| line.points.iter().filter(|(time, _)| from <= *time && *time <= until).count())
}

impl Comparison {
    fn new(finding: &Finding) -> Self {
        let (observed, expected) = (finding.observed, finding.expected);
        let longer = observed.abs().max(expected.abs());
        let width = |number: f64| {
            if longer > 0.0 && number.is_finite() { (number.abs() / longer * 100.0).clamp(0.5, 100.0) } else { 0.5 }
        };
        Self {
            measure: finding.measure.clone(),
            observed: value(observed, &finding.unit),
            n_observed: count(finding.n_observed),
            expected: value(expected, &finding.unit),
            n_expected: count(finding.n_expected),
            effect: digits(finding.effect),
            effect_name: finding.effect_name.replace('_', " "),
            observed_width: width(observed),
            expected_width: width(expected),
        }
    }
}

impl CarrierView {
    fn new(carrier: &Carrier) -> Self {
        let share = if carrier.share.is_finite() { carrier.share } else { 0.0 };
        Self {
            name: carrier.name.clone(),
            share: percent(share),
            interval: carrier.interval.map(|(low, high)| format!("{} to {}", percent(low), percent(high))),
            width: (share * 100.0).clamp(0.5, 100.0),
        }
    }
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

impl HistogramView {
    fn new(histogram: &super::Histogram) -> Option<Self> {
        let drawing = histogram_plot::draw(histogram)?;
        Some(Self {
            title: histogram.title.clone(),
            before: count(histogram.n_before),
            after: count(histogram.n_after),
            drawing: Value::from_safe_string(drawing),
        })
    }
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        Self { time: moment(finding.time), detector: finding.detector.clone(), title: html(&finding.title) }
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
