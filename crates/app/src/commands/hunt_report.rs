//! What a hunt found, as input of the report.

use std::{collections::BTreeMap, path::PathBuf};

use wardline_detect::{Baseline, Series, SeriesCell};
use wardline_domain::Timestamp;

use super::hunt::{self, Hunted};
use crate::{
    report::{
        Band, DeadLetterCount, Distributions, Fact, Histogram, Line, LinePlot, ModelReport, ReadSummary, ReportInput,
        Subject,
    },
    settings::Settings,
};

/// The most lines of a plot.
const MOST_LINES: usize = 6;

/// Everything on the page.
pub(super) fn input_of(hunted: &Hunted, paths: &[PathBuf], settings: &Settings) -> anyhow::Result<ReportInput> {
    let read = ReadSummary {
        sources: paths.iter().map(|path| path.display().to_string()).collect(),
        bytes: hunted.n_bytes,
        records: hunted.n_events,
        seconds: hunted.seconds,
        from: hunted.span.map(|(first, _)| first),
        until: hunted.span.map(|(_, last)| last),
    };
    let dead_letters = hunted.dead_letters.iter().map(|(reason, refused)| DeadLetterCount {
        reason: (*reason).to_owned(),
        count: refused.count,
        example: refused.first.reason.to_string(),
        place: format!("{}, byte {}", refused.first.source, refused.first.offset),
    });
    Ok(ReportInput {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        read,
        models: hunted.watch.models().filter_map(|model| model_of(hunted, model)).collect(),
        alerts: hunted.alerts.clone(),
        distributions: distributions(hunted, paths, settings)?,
        dead_letters: dead_letters.collect(),
    })
}

/// Reads the files once more, for the values that alerts name.
fn distributions(
    hunted: &Hunted,
    paths: &[PathBuf],
    settings: &Settings,
) -> anyhow::Result<BTreeMap<String, Vec<Histogram>>> {
    let mut distributions = Distributions::of(&hunted.alerts);
    if distributions.is_empty() {
        return Ok(BTreeMap::new());
    }
    for decoded in hunt::open(paths, settings)? {
        // What could not be read was said at the first reading.
        let Ok(mut decoded) = decoded else { continue };
        hunt::conceal(&mut decoded, hunted.policy.as_ref())?;
        decoded.batches.iter().for_each(|batch| distributions.observe(batch));
    }
    Ok(distributions.finish())
}

fn model_of(hunted: &Hunted, model: &str) -> Option<ModelReport> {
    let baseline = hunted.watch.baseline(model)?;
    let series = hunted.watch.series(model)?;
    Some(ModelReport {
        name: model.to_owned(),
        versions: baseline.versions.iter().map(|version| version.name.clone()).collect(),
        events: series.cells.iter().map(|cell| cell.events).sum(),
        learned_until: baseline.until.filter(|_| baseline.is_complete),
        normal: facts(&baseline),
        plots: plots(series, &baseline),
    })
}

/// The numbers that a person asks for first.
fn facts(baseline: &Baseline) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    let mut facts = vec![fact("events learned from", baseline.events.to_string())];
    if let Some(latency) = &baseline.latency_ms {
        facts.push(fact("latency p50", format!("{:.0} ms", latency.p50)));
        facts.push(fact("latency p95", format!("{:.0} ms", latency.p95)));
        facts.push(fact("latency p99", format!("{:.0} ms", latency.p99)));
    }
    facts.extend(baseline.error_rate.map(|rate| fact("failures", format!("{:.3} %", rate * 100.0))));
    let busiest = baseline.events_per_hour.iter().copied().fold(0.0, f64::max);
    if busiest > 0.0 {
        facts.push(fact("busiest hour", format!("{busiest:.0} events")));
    }
    facts
}

fn plots(series: &Series, baseline: &Baseline) -> Vec<LinePlot> {
    let hours = series.width as f64 / Timestamp::HOUR as f64;
    let cells = &series.cells;
    let mut plots = vec![plot(
        Subject::Volume,
        "Predictions",
        "events/h",
        vec![line("events/h", cells, |cell| Some(cell.events as f64 / hours))],
    )];
    plots[0].band = volume_band(series, baseline);
    if cells.iter().any(|cell| cell.failures > 0) {
        let failures = line("failures", cells, |cell| Some(cell.failures as f64 / cell.events.max(1) as f64));
        plots.push(plot(Subject::ErrorRate, "Failures", "share", vec![failures]));
    }
    if cells.iter().any(|cell| cell.latency_ms.count() > 0) {
        let quantile = |name: &str, p: f64| line(name, cells, move |cell| cell.latency_ms.quantile(p));
        plots.push(plot(
            Subject::Latency,
            "Latency",
            "ms",
            vec![quantile("p99", 0.99), quantile("p95", 0.95), quantile("p50", 0.50)],
        ));
    }
    if cells.iter().any(|cell| cell.score.1 > 0) {
        plots.push(plot(Subject::Score, "Mean score", "score", vec![line("mean", cells, SeriesCell::score_mean)]));
    }
    let decisions = named_lines(series, |window| &window.decisions);
    if decisions.len() > 1 {
        plots.push(plot(Subject::DecisionMix, "Decisions", "share", decisions));
    }
    let shifts = named_lines(series, |window| &window.shifts);
    if !shifts.is_empty() {
        plots.push(plot(Subject::FeatureShift, "Distance from the baseline", "share", shifts));
    }
    plots
}

/// What was normal for each hour of the week, give or take twice the noise of counting.
fn volume_band(series: &Series, baseline: &Baseline) -> Option<Band> {
    const HOURS_OF_A_WEEK: usize = 168;
    let by_hour = Some(&baseline.events_per_hour).filter(|rates| rates.len() == HOURS_OF_A_WEEK)?;
    let hours = series.width as f64 / Timestamp::HOUR as f64;
    let covered = (series.width / Timestamp::HOUR).max(1) as usize;
    let points = series.cells.iter().map(|cell| {
        let first = cell.start.hour_of_week();
        let rate = (first..first + covered).map(|hour| by_hour[hour % HOURS_OF_A_WEEK]).sum::<f64>() / covered as f64;
        let noise = 2.0 * (rate * hours).sqrt() / hours;
        (cell.start, (rate - noise).max(0.0), rate + noise)
    });
    Some(Band { name: "normal for the hour of the week".to_owned(), points: points.collect() })
}

fn plot(subject: Subject, title: &str, unit: &str, lines: Vec<Line>) -> LinePlot {
    LinePlot { subject, title: title.to_owned(), unit: unit.to_owned(), lines, band: None }
}

fn line(name: &str, cells: &[SeriesCell], value: impl Fn(&SeriesCell) -> Option<f64>) -> Line {
    let points = cells.iter().map(|cell| (cell.start, value(cell).unwrap_or(f64::NAN))).collect();
    Line { name: name.to_owned(), points }
}

/// One line a name, those that reach highest first.
fn named_lines(series: &Series, values: impl Fn(&wardline_detect::WindowPoint) -> &Vec<(String, f64)>) -> Vec<Line> {
    let mut by_name: BTreeMap<&str, Vec<(Timestamp, f64)>> = BTreeMap::new();
    for window in series.windows() {
        for (name, value) in values(window) {
            by_name.entry(name).or_default().push((window.start, *value));
        }
    }
    let mut lines: Vec<Line> =
        by_name.into_iter().map(|(name, points)| Line { name: name.to_owned(), points }).collect();
    let peak = |line: &Line| line.points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    lines.sort_by(|left, right| peak(right).total_cmp(&peak(left)));
    lines.truncate(MOST_LINES);
    lines
}
