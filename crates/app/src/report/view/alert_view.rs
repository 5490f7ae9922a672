//! What the template shows of one alert.

use minijinja::Value;
use serde::Serialize;
use wardline_domain::{Alert, AlertStatus, Carrier, Finding, FindingKind, Severity, Timestamp};

use super::{
    super::{
        histogram_plot,
        input::{Histogram, LinePlot, ModelReport, ReportInput, Subject},
        line_plot::Marks,
        reading::{count, digits, moment, moment_beside, percent, span, value},
    },
    PlotView, html,
};

#[derive(Debug, Serialize)]
pub(super) struct AlertView {
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

impl AlertView {
    pub(super) fn new(alert: &Alert, anchor: &str, input: &ReportInput) -> Self {
        let leading = alert.findings.first();
        let mut clauses = clauses_of(&alert.title).into_iter();
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
            onset_interval: onset_interval(alert).map(|(earliest, latest)| {
                format!("between {} and {}", moment_beside(earliest, alert.onset), moment_beside(latest, alert.onset))
            }),
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
        FindingKind::Performance => "performance",
        FindingKind::Fairness => "fairness",
        FindingKind::Adversarial => "adversarial input",
        FindingKind::Poisoning => "poisoning",
        FindingKind::Extraction => "extraction",
        FindingKind::Injection => "prompt injection",
        FindingKind::Cost => "cost",
        FindingKind::Integrity => "integrity",
        FindingKind::Cascade => "downstream system",
        FindingKind::Rollback => "rollback",
        FindingKind::Promote => "promotion",
    }
}

/// Between which moments it began: never later than it was raised.
fn onset_interval(alert: &Alert) -> Option<(Timestamp, Timestamp)> {
    let (earliest, latest) = alert.findings.first()?.onset_interval;
    let latest = latest.min(alert.time);
    (earliest < latest).then_some((earliest, latest))
}

/// The clauses of a title: `; ` parts them, except within parentheses.
pub(crate) fn clauses_of(title: &str) -> Vec<&str> {
    let mut clauses = Vec::new();
    let (mut depth, mut start) = (0u32, 0);
    for (at, character) in title.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ';' if depth == 0 && title[at + 1..].starts_with(' ') => {
                clauses.push(&title[start..at]);
                start = at + 2;
            }
            _ => {}
        }
    }
    clauses.push(&title[start..]);
    clauses
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
        FindingKind::DataDrift | FindingKind::DataQuality | FindingKind::Adversarial | FindingKind::Poisoning => {
            &[Subject::FeatureShift, Subject::Score]
        }
        FindingKind::Performance => &[Subject::Score, Subject::FeatureShift],
        FindingKind::Fairness => &[Subject::DecisionMix, Subject::Score],
        FindingKind::Rollback | FindingKind::Promote => &[Subject::ErrorRate, Subject::Latency],
        FindingKind::Extraction
        | FindingKind::Injection
        | FindingKind::Cost
        | FindingKind::Integrity
        | FindingKind::Cascade => &[Subject::Volume, Subject::Score],
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
    let interval = onset_interval(alert).unwrap_or((alert.onset, alert.onset));
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
        let (unit, measure) = unit_and_measure(finding);
        Self {
            measure,
            observed: value(observed, unit),
            n_observed: count(finding.n_observed),
            expected: value(expected, unit),
            n_expected: count(finding.n_expected),
            effect: digits(finding.effect),
            effect_name: finding.effect_name.replace('_', " "),
            observed_width: width(observed),
            expected_width: width(expected),
        }
    }
}

/// The unit that stands beside the numbers, and the heading above them: a long unit belongs there.
fn unit_and_measure(finding: &Finding) -> (&str, String) {
    const LONGEST: usize = 9;
    let (unit, measure) = (finding.unit.as_str(), finding.measure.as_str());
    match unit {
        _ if unit == measure => ("", measure.to_owned()),
        _ if unit.starts_with("share ") => ("share", format!("{measure}: {unit}")),
        _ if unit.len() > LONGEST => ("", format!("{measure}: {unit}")),
        _ => (unit, measure.to_owned()),
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

impl HistogramView {
    fn new(histogram: &Histogram) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::sample;

    #[test]
    fn clauses_end_at_semicolons_outside_of_parentheses() {
        assert_eq!(
            clauses_of("p99 rose (n=3; p50 2 ms); carried by a; b"),
            ["p99 rose (n=3; p50 2 ms)", "carried by a", "b"]
        );
        assert_eq!(clauses_of("one; two)"), ["one", "two)"]);
        assert_eq!(clauses_of(""), [""]);
    }

    #[test]
    fn nothing_began_after_it_was_raised() {
        let mut alert = sample::alerts().remove(0);
        alert.findings[0].onset_interval.1 = alert.time.plus(Timestamp::DAY);
        assert_eq!(onset_interval(&alert).map(|(_, latest)| latest), Some(alert.time));
        alert.findings[0].onset_interval.0 = alert.time;
        assert_eq!(onset_interval(&alert), None);
    }

    #[test]
    fn long_units_stand_in_the_heading() {
        let mut finding = sample::alerts().remove(2).findings.remove(0);
        let mut told = |unit: &str| {
            finding.unit = unit.to_owned();
            let (unit, measure) = unit_and_measure(&finding);
            (unit.to_owned(), measure)
        };
        assert_eq!(
            told("share of events that moved"),
            ("share".to_owned(), "score: share of events that moved".to_owned())
        );
        assert_eq!(told("events/h"), ("events/h".to_owned(), "score".to_owned()));
        assert_eq!(told("score"), (String::new(), "score".to_owned()));
    }
}
