//! Numbers and times as people read them in titles.

use wardline_domain::{Carrier, Span, Timestamp};

/// A share: `0.42 %`, `93 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        size if size >= 10.0 => format!("{percent:.0} %"),
        size if size >= 0.995 => format!("{percent:.1} %"),
        size if size >= 0.0995 => format!("{percent:.2} %"),
        0.0 => "0 %".to_owned(),
        _ => format!("{percent:.3} %"),
    }
}

/// A latency: `38 ms`, `1.2 s`.
pub(crate) fn milliseconds(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.0} s", value / 1_000.0),
        value if value >= 1_000.0 => format!("{:.1} s", value / 1_000.0),
        value if value >= 10.0 => format!("{value:.0} ms"),
        value => format!("{value:.1} ms"),
    }
}

/// A number with three figures.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// A time for a title: `09:24` on the same day, else `2026-07-06 09:24`.
pub(crate) fn clock_time(time: Timestamp, now: Timestamp) -> String {
    let text = time.to_string();
    let day = text.get(..10).unwrap_or_default();
    let minute = text.get(11..16).unwrap_or_default();
    if time.floor(Timestamp::DAY) == now.floor(Timestamp::DAY) { minute.to_owned() } else { format!("{day} {minute}") }
}

/// A length of time: `90 s`, `5 min`, `6 h`, `3 d`.
pub(crate) fn span(span: Span) -> String {
    let round = |unit: Span| (span as f64 / unit as f64 * 10.0).round() / 10.0;
    match span {
        span if span >= 2 * Timestamp::DAY => format!("{} d", round(Timestamp::DAY)),
        span if span >= 2 * Timestamp::HOUR || span % Timestamp::HOUR == 0 => format!("{} h", round(Timestamp::HOUR)),
        span if span >= 2 * Timestamp::MINUTE || span % Timestamp::MINUTE == 0 => {
            format!("{} min", round(Timestamp::MINUTE))
        }
        _ => format!("{} s", round(Timestamp::SECOND)),
    }
}

/// `, carried by instance triage-api-2 (93 %)`; nothing where no slice carries it.
pub(crate) fn carried_by(carriers: &[Carrier]) -> String {
    let mut named: Vec<&Carrier> = Vec::new();
    for carrier in carriers {
        let dimension = dimension_of(carrier);
        if named.iter().filter(|other| dimension_of(other) == dimension).count() < 3 && named.len() < 4 {
            named.push(carrier);
        }
    }
    if named.is_empty() {
        return String::new();
    }
    let texts: Vec<String> = named
        .iter()
        .map(|carrier| format!("{} ({})", carrier.name.replacen('=', " ", 1), percent(carrier.share)))
        .collect();
    format!(", carried by {}", texts.join(", "))
}

fn dimension_of(carrier: &Carrier) -> &str {
    carrier.name.split('=').next().unwrap_or_default()
}

/// `doc-triage 2.3.1`, or the name alone.
pub(crate) fn model_and_version(model: &str, version: Option<&str>) -> String {
    version.map_or_else(|| model.to_owned(), |version| format!("{model} {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let texts = [
            percent(0.93),
            percent(0.042),
            percent(0.000_123),
            milliseconds(1_234.0),
            milliseconds(38.2),
            span(90 * Timestamp::SECOND),
            span(Timestamp::HOUR),
        ];
        assert_eq!(texts, ["93 %", "4.2 %", "0.012 %", "1.2 s", "38 ms", "90 s", "1 h"]);
    }
}
