//! A baseline as text for a terminal.

use std::fmt::Write as _;

use crate::{
    baseline::{Baseline, LearnedMeasure, LearnedShare, Quantiles},
    traffic_baseline::Season,
    wording::{milliseconds, number, percent, span},
};

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The whole profile.
pub(crate) fn render(baseline: &Baseline) -> String {
    let mut text = String::new();
    head(&mut text, baseline);
    traffic(&mut text, baseline);
    if let Some(latency) = &baseline.latency_ms {
        let ms = milliseconds;
        line(
            &mut text,
            "latency",
            &format!(
                "p50 {}, p95 {}, p99 {}, most {}",
                ms(latency.p50),
                ms(latency.p95),
                ms(latency.p99),
                ms(latency.max)
            ),
        );
    }
    if let Some(rate) = baseline.error_rate {
        line(&mut text, "errors", &percent(rate));
    }
    for (title, role) in [("outputs", "output"), ("inputs", "input"), ("timings", "timing")] {
        measures(&mut text, title, baseline.measures.iter().filter(|measure| measure.role == role));
    }
    named_shares(&mut text, "versions", &baseline.versions);
    named_shares(&mut text, "slices", &baseline.slices);
    for remark in &baseline.remarks {
        line(&mut text, "note", remark);
    }
    text
}

fn head(text: &mut String, baseline: &Baseline) {
    let state = if baseline.is_complete { "baseline" } else { "baseline, still learning," };
    let _ = write!(text, "{state} of {}: {} predictions", baseline.model, baseline.events);
    if let (Some(from), Some(until)) = (baseline.from, baseline.until) {
        let _ = write!(text, " from {from} to {until} ({})", span(until.since(from)));
    }
    text.push('\n');
}

fn traffic(text: &mut String, baseline: &Baseline) {
    if baseline.events_per_hour.len() != 168 {
        return;
    }
    let most = baseline.events_per_hour.iter().copied().fold(0.0, f64::max);
    let mean = baseline.events_per_hour.iter().sum::<f64>() / 168.0;
    let known = match baseline.season {
        Some(Season::Week) => "by hour of the week",
        Some(Season::Day) => "by hour of the day",
        _ => "no season known yet",
    };
    line(text, "traffic", &format!("{} predictions an hour on average, {known}, UTC", number(mean)));
    if baseline.season == Some(Season::None) {
        return;
    }
    for (day, hours) in DAYS.iter().zip(baseline.events_per_hour.chunks(24)) {
        let bars: String = hours.iter().map(|&events| bar(events, most)).collect();
        let high = hours.iter().copied().fold(0.0, f64::max);
        let _ = writeln!(text, "  {:<10}{day} {bars} up to {}", "", number(high));
    }
}

fn bar(value: f64, most: f64) -> char {
    let step = if most > 0.0 { (value / most * 7.0).round() as usize } else { 0 };
    BARS[step.min(7)]
}

fn measures<'a>(text: &mut String, title: &str, measures: impl Iterator<Item = &'a LearnedMeasure>) {
    for (place, measure) in measures.enumerate() {
        let name = wardline_domain::column::feature_of(&measure.name).unwrap_or(&measure.name);
        let title = if place == 0 { title } else { "" };
        let told = match &measure.quantiles {
            Some(quantiles) => format!("{name:<24} {}  {}", plot(&measure.shape), numbers(quantiles)),
            None => format!("{name:<24} {}", categories(&measure.categories)),
        };
        let shift =
            measure.normal_shift.map_or_else(String::new, |shift| format!("  (moves up to {})", percent(shift)));
        line(text, title, &format!("{told}{shift}"));
    }
}

fn plot(shape: &[u64]) -> String {
    let most = shape.iter().copied().max().unwrap_or(0) as f64;
    shape.iter().map(|&count| bar(count as f64, most)).collect()
}

fn numbers(quantiles: &Quantiles) -> String {
    let Quantiles { p05, p50, p95, mean, .. } = *quantiles;
    format!("p5 {}, p50 {}, p95 {}, mean {}", number(p05), number(p50), number(p95), number(mean))
}

fn categories(shares: &[LearnedShare]) -> String {
    let named: Vec<String> =
        shares.iter().take(6).map(|share| format!("{} {}", share.name, percent(share.share))).collect();
    let more = if shares.len() > 6 { format!(", and {} more", shares.len() - 6) } else { String::new() };
    format!("{}{more}", named.join(", "))
}

fn named_shares(text: &mut String, title: &str, shares: &[LearnedShare]) {
    if shares.is_empty() {
        return;
    }
    let named: Vec<String> =
        shares.iter().take(12).map(|share| format!("{} {}", share.name, percent(share.share))).collect();
    let more = if shares.len() > 12 { format!(", and {} more", shares.len() - 12) } else { String::new() };
    line(text, title, &format!("{}{more}", named.join(", ")));
}

fn line(text: &mut String, title: &str, told: &str) {
    let _ = writeln!(text, "  {title:<10}{told}");
}
