//! Draws a distribution before and after an onset, as pairs of bars.

use super::{
    axis::{Scale, value_ticks},
    input::Histogram,
    reading::{count, percent},
    svg::Svg,
};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 18.0;
const BOTTOM: f64 = 34.0;

/// Draws a distribution; `None` where it has no bin.
pub(super) fn draw(histogram: &Histogram) -> Option<String> {
    let highest = histogram
        .bins
        .iter()
        .map(|bin| bin.before.max(bin.after))
        .filter(|share| share.is_finite())
        .fold(0.0, f64::max);
    if histogram.bins.is_empty() || highest <= 0.0 {
        return None;
    }
    let ticks = value_ticks(0.0, highest, 3);
    let y = Scale::new(0.0, ticks.last().copied()?, HEIGHT - BOTTOM, TOP);
    let mut svg = Svg::new(WIDTH, HEIGHT, &says(histogram));
    for tick in &ticks {
        let place = y.place(*tick);
        svg.line("grid", (LEFT, place), (WIDTH - RIGHT, place));
        svg.word("tick left", (LEFT - 6.0, place + 4.0), &percent(*tick));
    }
    let slot = (WIDTH - LEFT - RIGHT) / histogram.bins.len() as f64;
    // At most so many labels fit side by side.
    let every = (histogram.bins.len() as f64 * 62.0 / (WIDTH - LEFT - RIGHT)).ceil().max(1.0) as usize;
    for (index, bin) in histogram.bins.iter().enumerate() {
        let left = LEFT + slot * index as f64;
        let bars = [("bar before", bin.before, 0.08), ("bar after", bin.after, 0.5)];
        for (class, share, offset) in bars {
            let top = y.place(if share.is_finite() { share } else { 0.0 });
            let hint = format!("{}: {} before, {} after", bin.label, percent(bin.before), percent(bin.after));
            svg.rectangle(class, (left + slot * offset, top), (slot * 0.42, HEIGHT - BOTTOM - top), &hint);
        }
        if index % every == 0 {
            let shown: String = bin.label.chars().take(11).collect();
            svg.word("tick", (left + slot / 2.0, HEIGHT - BOTTOM + 14.0), &shown);
        }
    }
    Some(svg.finish())
}

fn says(histogram: &Histogram) -> String {
    let moved = histogram.bins.iter().max_by(|a, b| (a.after - a.before).abs().total_cmp(&(b.after - b.before).abs()));
    let most = moved.map_or_else(String::new, |bin| {
        format!(" The bin {} moved most: {} before, {} after.", bin.label, percent(bin.before), percent(bin.after))
    });
    format!(
        "{}: distribution before ({} events) and after ({} events).{most}",
        histogram.title,
        count(histogram.n_before),
        count(histogram.n_after)
    )
}
