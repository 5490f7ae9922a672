//! A report's input as a hunt would give it: three models, three alerts.

use std::collections::BTreeMap;

use wardline_domain::{Alert, AlertStatus, Carrier, Finding, FindingKind, Severity, Slice, Timestamp};

use crate::report::{
    Band, DeadLetterCount, Fact, Histogram, Line, LinePlot, ModelReport, ReadSummary, ReportInput, Subject,
    input::HistogramBin,
};

/// Monday, 2 November 2026.
const FROM: Timestamp = Timestamp::from_micros(1_793_577_600_000_000);
const HOURS: i64 = 24 * 9;

fn at(hours: f64) -> Timestamp {
    FROM.plus((hours * Timestamp::HOUR as f64) as i64)
}

/// A value that wanders a little and always the same way.
fn wobble(hour: i64, seed: i64) -> f64 {
    let mixed = (hour * 7_919 + seed * 104_729).wrapping_mul(2_654_435_761) >> 7;
    (mixed.rem_euclid(1_000) as f64 / 1_000.0 - 0.5) * 2.0
}

fn by_hour(value: impl Fn(i64) -> f64) -> Vec<(Timestamp, f64)> {
    (0..HOURS).map(|hour| (at(hour as f64), value(hour))).collect()
}

fn day(hour: i64) -> f64 {
    0.55 + 0.45 * ((hour % 24 - 14) as f64 / 24.0 * std::f64::consts::TAU).cos()
}

fn plot(
    subject: Subject,
    title: &str,
    unit: &str,
    lines: Vec<(&str, Vec<(Timestamp, f64)>)>,
    band: Option<(&str, f64)>,
) -> LinePlot {
    let band = band.map(|(name, width)| Band {
        name: name.to_owned(),
        points: lines[0].1.iter().map(|(time, value)| (*time, value * (1.0 - width), value * (1.0 + width))).collect(),
    });
    let lines = lines.into_iter().map(|(name, points)| Line { name: name.to_owned(), points }).collect();
    LinePlot { subject, title: title.to_owned(), unit: unit.to_owned(), lines, band }
}

fn model(name: &str, peak: f64, slow: impl Fn(i64) -> f64, errors: impl Fn(i64) -> f64) -> ModelReport {
    let volume = by_hour(|hour| peak * day(hour) * (1.0 + 0.08 * wobble(hour, 1)));
    let quantile =
        |factor: f64, seed: i64| by_hour(|hour| 180.0 * factor * slow(hour) * (1.0 + 0.05 * wobble(hour, seed)));
    let normal = [
        ("volume", "410 /h at 14:00"),
        ("errors", "0.06 %"),
        ("latency p50", "180 ms"),
        ("latency p99", "612 ms"),
        ("score", "0.31 on average"),
    ];
    ModelReport {
        name: name.to_owned(),
        versions: vec!["2.3.1".to_owned()],
        events: 61_204,
        learned_until: Some(at(7.0 * 24.0)),
        normal: normal
            .iter()
            .map(|(name, value)| Fact { name: (*name).to_owned(), value: (*value).to_owned() })
            .collect(),
        plots: vec![
            plot(Subject::Volume, "Volume", "predictions/h", vec![("all", volume)], Some(("normal for the hour", 0.2))),
            plot(Subject::ErrorRate, "Error rate", "share", vec![("errors", by_hour(&errors))], None),
            plot(
                Subject::Latency,
                "Latency",
                "ms",
                vec![("p99", quantile(3.4, 2)), ("p95", quantile(2.1, 3)), ("p50", quantile(1.0, 4))],
                None,
            ),
            plot(
                Subject::Score,
                "Score",
                "mean",
                vec![("score", by_hour(|hour| 0.31 + 0.02 * wobble(hour, 5) + if hour > 200 { 0.3 } else { 0.0 }))],
                Some(("normal", 0.08)),
            ),
        ],
    }
}

fn finding(alert: &Alert, measure: &str, unit: &str, observed: f64, expected: f64) -> Finding {
    Finding {
        id: format!("f-{}", alert.id),
        time: alert.time,
        kind: alert.kind,
        detector: alert.kind.name().to_owned(),
        measure: measure.to_owned(),
        model: alert.model.clone(),
        version: alert.version.clone(),
        slice: alert.slice.clone(),
        onset: alert.onset,
        onset_interval: (alert.onset.plus(-12 * Timestamp::MINUTE), alert.onset.plus(4 * Timestamp::MINUTE)),
        observed,
        expected,
        unit: unit.to_owned(),
        n_observed: 412,
        n_expected: 48_120,
        effect: observed / expected,
        effect_name: "ratio".to_owned(),
        p_value: None,
        severity: alert.severity,
        atlas: alert.atlas.clone(),
        responsible: alert.responsible.clone(),
        features: alert.features.clone(),
        title: alert.title.clone(),
        evidence: format!(
            "SELECT date_bin(INTERVAL '1 hour', time) AS hour, instance, count(*) AS n,\n       percentile({measure}, 0.99) AS p99\nFROM \"model.{}\"\nWHERE time >= TIMESTAMP '{}'\nGROUP BY 1, 2 ORDER BY 1, 2",
            alert.model, alert.onset
        ),
        p_limit: None,
        held_back: None,
    }
}

fn carrier(name: &str, share: f64) -> Carrier {
    Carrier { name: name.to_owned(), share, interval: Some(((share - 0.06).max(0.0), (share + 0.04).min(1.0))) }
}

fn alert(number: u32, kind: FindingKind, severity: Severity, model: &str, onset: f64, title: &str) -> Alert {
    Alert {
        id: format!("a-{number}"),
        time: at(onset + 0.07),
        updated: at(onset + 2.6),
        status: if number == 3 { AlertStatus::Open } else { AlertStatus::Closed },
        kind,
        severity,
        model: model.to_owned(),
        version: None,
        slice: Slice::whole(),
        onset: at(onset),
        title: title.to_owned(),
        atlas: Vec::new(),
        responsible: Vec::new(),
        features: Vec::new(),
        n_findings: 4,
        findings: Vec::new(),
    }
}

/// Three alerts.
pub(crate) fn alerts() -> Vec<Alert> {
    let mut slow = alert(
        1,
        FindingKind::Latency,
        Severity::Ticket,
        "document-reader",
        176.4,
        "latency p99 of document-reader 2.3.1 rose from 612 ms to 2.1 s since 08:24 (n=412), carried by instance reader-api-1 (93 %); gc_pause_ms of reader-api-1 rose from 11 ms to 1.5 s",
    );
    slow.responsible = vec![carrier("instance=reader-api-1", 0.93), carrier("channel=scanner", 0.11)];
    let leading = finding(&slow, "latency_ms", "ms", 2_140.0, 612.0);
    let saturation = Finding {
        kind: FindingKind::Saturation,
        detector: "saturation".to_owned(),
        title: "gc_pause_ms of reader-api-1 rose from 11 ms to 1.5 s in the same minutes".to_owned(),
        ..leading.clone()
    };
    slow.findings = vec![leading, saturation];
    let mut errors = alert(
        2,
        FindingKind::Errors,
        Severity::Page,
        "card-fraud",
        187.0,
        "6.1 % of card-fraud 3.2's predictions fail, 0.03 % of 3.1's beside it (n=312 against 2,804)",
    );
    errors.version = Some("3.2".to_owned());
    errors.findings = vec![finding(&errors, "status", "share", 0.061, 0.000_3)];
    let mut shift = alert(
        3,
        FindingKind::PredictionDrift,
        Severity::Ticket,
        "credit-limit",
        201.0,
        "`raise` is 94 % of credit-limit 5.1's decisions, normally 55 %, since 09:00 (n=840): income_eur is 100 times what it was",
    );
    shift.version = Some("5.1".to_owned());
    shift.features = vec![carrier("income_eur", 0.97), carrier("age", 0.02)];
    shift.atlas = vec!["AML.T0020".to_owned()];
    shift.findings = vec![finding(&shift, "score", "", 0.87, 0.53)];
    vec![slow, errors, shift]
}

/// The whole input.
pub(crate) fn input() -> ReportInput {
    let burst = |from: i64, until: i64, high: f64, low: f64| {
        move |hour: i64| if (from..until).contains(&hour) { high } else { low }
    };
    let mut fraud = model("card-fraud", 700.0, |_| 0.25, burst(187, 191, 0.006, 0.000_3));
    fraud.versions = vec!["3.1".to_owned(), "3.2".to_owned()];
    let bins = [
        ("under 1k", 0.1, 0.0),
        ("1k–2k", 0.24, 0.0),
        ("2k–4k", 0.41, 0.0),
        ("4k–8k", 0.2, 0.01),
        ("8k–100k", 0.05, 0.14),
        ("over 100k", 0.0, 0.85),
    ];
    let histogram = Histogram {
        title: "income_eur".to_owned(),
        bins: bins
            .iter()
            .map(|(label, before, after)| HistogramBin { label: (*label).to_owned(), before: *before, after: *after })
            .collect(),
        n_before: 21_404,
        n_after: 840,
    };
    ReportInput {
        version: "0.1.0".to_owned(),
        read: ReadSummary {
            sources: vec!["telemetry/2026-11/".to_owned()],
            bytes: 168_402_112,
            records: 302_118,
            seconds: 0.94,
            from: Some(FROM),
            until: Some(at(HOURS as f64)),
        },
        models: vec![
            model("document-reader", 210.0, burst(176, 179, 3.4, 1.0), |_| 0.001_5),
            fraud,
            model("credit-limit", 190.0, |_| 0.3, |_| 0.000_6),
            model("ticket-router", 260.0, |_| 0.2, |_| 0.000_8),
        ],
        alerts: alerts(),
        distributions: BTreeMap::from([("a-3".to_owned(), vec![histogram])]),
        dead_letters: vec![DeadLetterCount {
            reason: "feature_changed_type".to_owned(),
            count: 17,
            example: "feature `age` of model `credit-limit` is text; it has been a number so far".to_owned(),
            place: "telemetry/2026-11/07.ndjson.gz, byte 104,220".to_owned(),
        }],
    }
}
