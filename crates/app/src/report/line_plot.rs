//! Draws values over time: lines with their names beside them, the normal range, onset and learning.

use wardline_domain::Timestamp;

use super::{
    axis::{Scale, time_ticks, value_ticks},
    input::{LinePlot, Subject},
    reading::{moment, value},
    svg::Svg,
};

const WIDTH: f64 = 540.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 92.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 26.0;
/// Least distance of two names beside their lines.
const NAME_HEIGHT: f64 = 14.0;

/// What is marked on a plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// The stretch of time that is shown.
    pub(super) from: Timestamp,
    /// Its end.
    pub(super) until: Timestamp,
    /// When something began, and between which moments that lies.
    pub(super) onset: Option<(Timestamp, Timestamp, Timestamp)>,
    /// When the baseline was complete.
    pub(super) learned_until: Option<Timestamp>,
}

/// Draws a plot; `None` where it has fewer than two values in the stretch of time.
pub(super) fn draw(plot: &LinePlot, marks: &Marks) -> Option<String> {
    let within = |time: Timestamp| marks.from <= time && time <= marks.until;
    let values =
        || plot.lines.iter().flat_map(|line| &line.points).filter(|(time, value)| within(*time) && value.is_finite());
    if values().count() < 2 {
        return None;
    }
    let band = || plot.band.iter().flat_map(|band| &band.points).filter(|(time, ..)| within(*time));
    let high = values().map(|(_, value)| *value).chain(band().map(|(_, _, high)| *high)).fold(0.0, f64::max);
    let low = values().map(|(_, value)| *value).fold(0.0, f64::min);
    // Fractions of one event an hour, of a failure: an empty scale would make noise look like a mountain.
    let high = if plot.subject == Subject::ErrorRate { high.max(0.002) } else { high };
    let ticks = value_ticks(low, high, 4);
    let (lowest, highest) = (ticks.first().copied()?, ticks.last().copied()?);
    let x = Scale::new(marks.from.micros() as f64, marks.until.micros() as f64, LEFT, WIDTH - RIGHT);
    let y = Scale::new(lowest, highest, HEIGHT - BOTTOM, TOP);

    let mut svg = Svg::new(WIDTH, HEIGHT, &says(plot, marks));
    draw_learning(&mut svg, marks, x);
    draw_axes(&mut svg, plot, marks, &ticks, (x, y));
    svg.area(
        "band",
        band().map(|(time, _, high)| (x.at(*time), y.place(*high))).chain(
            band().collect::<Vec<_>>().into_iter().rev().map(|(time, low, _)| (x.at(*time), y.place(low.max(lowest)))),
        ),
    );
    draw_onset(&mut svg, marks, x);
    for (index, line) in plot.lines.iter().enumerate().rev() {
        let places = line.points.iter().filter(|(time, _)| within(*time));
        let class = format!("line line-{}", index % 6);
        svg.path(&class, places.map(|(time, value)| value.is_finite().then(|| (x.at(*time), y.place(*value)))));
    }
    draw_names(&mut svg, plot, y, &within);
    Some(svg.finish())
}

/// The plot in words.
fn says(plot: &LinePlot, marks: &Marks) -> String {
    let mut text = format!("{} from {} to {}.", plot.title, moment(marks.from), moment(marks.until));
    for line in &plot.lines {
        let split = marks.onset.map_or(marks.until, |(onset, ..)| onset);
        let mean = |holds: &dyn Fn(Timestamp) -> bool| {
            let values: Vec<f64> = line
                .points
                .iter()
                .filter(|(time, value)| holds(*time) && value.is_finite())
                .map(|(_, value)| *value)
                .collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let before = mean(&|time| marks.from <= time && time < split);
        let after = mean(&|time| split <= time && time <= marks.until);
        match (before, after, marks.onset) {
            (Some(before), Some(after), Some(_)) => {
                text.push_str(&format!(
                    " {}: {} before the onset, {} after it.",
                    line.name,
                    value(before, &plot.unit),
                    value(after, &plot.unit)
                ));
            }
            (Some(mean), ..) => text.push_str(&format!(" {}: {} on average.", line.name, value(mean, &plot.unit))),
            _ => {}
        }
    }
    text
}

fn draw_learning(svg: &mut Svg, marks: &Marks, x: Scale) {
    let Some(learned) = marks.learned_until.filter(|learned| marks.from < *learned) else { return };
    let end = x.at(learned.min(marks.until));
    svg.rectangle("learning", (LEFT, TOP), (end - LEFT, HEIGHT - BOTTOM - TOP), "what is normal was learned here");
    if end - LEFT > 60.0 {
        svg.word("note", (LEFT + 5.0, TOP + 11.0), "learning");
    }
}

fn draw_axes(svg: &mut Svg, plot: &LinePlot, marks: &Marks, ticks: &[f64], (x, y): (Scale, Scale)) {
    for tick in ticks {
        let place = y.place(*tick);
        svg.line("grid", (LEFT, place), (WIDTH - RIGHT, place));
        svg.word("tick left", (LEFT - 7.0, place + 4.0), &value(*tick, tick_unit(plot)));
    }
    for (time, text) in time_ticks(marks.from, marks.until, 6) {
        let place = x.at(time);
        svg.line("grid", (place, HEIGHT - BOTTOM), (place, HEIGHT - BOTTOM + 4.0));
        svg.word("tick", (place, HEIGHT - 8.0), &text);
    }
}

/// Long units are in the heading already.
fn tick_unit(plot: &LinePlot) -> &str {
    if matches!(plot.unit.as_str(), "ms" | "share") { &plot.unit } else { "" }
}

fn draw_onset(svg: &mut Svg, marks: &Marks, x: Scale) {
    let Some((onset, earliest, latest)) =
        marks.onset.filter(|(onset, ..)| marks.from <= *onset && *onset <= marks.until)
    else {
        return;
    };
    let clamp = |time: Timestamp| x.at(time.max(marks.from).min(marks.until));
    let (from, until) = (clamp(earliest), clamp(latest));
    if until - from > 1.0 {
        svg.rectangle(
            "onset-interval",
            (from, TOP),
            (until - from, HEIGHT - BOTTOM - TOP),
            "it began between these moments",
        );
    }
    let place = x.at(onset);
    svg.line("onset", (place, TOP - 4.0), (place, HEIGHT - BOTTOM));
    let class = if place > WIDTH / 2.0 { "note onset-name left" } else { "note onset-name" };
    svg.word(class, (if place > WIDTH / 2.0 { place - 5.0 } else { place + 5.0 }, TOP + 7.0), "onset");
}

/// Names stand beside the ends of their lines, so that no legend and no colour is needed to read them.
fn draw_names(svg: &mut Svg, plot: &LinePlot, y: Scale, within: &dyn Fn(Timestamp) -> bool) {
    let mut names: Vec<(f64, usize, &str)> = plot
        .lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| {
            let last = line.points.iter().rev().find(|(time, value)| within(*time) && value.is_finite())?;
            Some((y.place(last.1), index, line.name.as_str()))
        })
        .collect();
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest_free = TOP + 4.0;
    let room_below = |left: usize| HEIGHT - BOTTOM - (left as f64) * NAME_HEIGHT;
    let total = names.len();
    for (rank, (place, index, name)) in names.into_iter().enumerate() {
        let place = place.min(room_below(total - rank - 1)).max(lowest_free);
        lowest_free = place + NAME_HEIGHT;
        svg.line(&format!("line line-{}", index % 6), (WIDTH - RIGHT + 4.0, place), (WIDTH - RIGHT + 16.0, place));
        let shown: String = name.chars().take(12).collect();
        svg.word("name", (WIDTH - RIGHT + 20.0, place + 4.0), &shown);
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::{Band, Line};
    use super::*;

    fn plot(values: &[f64]) -> LinePlot {
        let from = Timestamp::from_micros(1_793_577_600_000_000);
        let points = |scale: f64| {
            values
                .iter()
                .enumerate()
                .map(|(hour, value)| (from.plus(hour as i64 * Timestamp::HOUR), value * scale))
                .collect::<Vec<_>>()
        };
        let band = points(1.0).into_iter().map(|(time, value)| (time, value - 1.0, value + 1.0)).collect();
        LinePlot {
            subject: Subject::Latency,
            title: "Latency".to_owned(),
            unit: "ms".to_owned(),
            lines: vec![
                Line { name: "p99".to_owned(), points: points(1.0) },
                Line { name: "p50".to_owned(), points: points(0.5) },
            ],
            band: Some(Band { name: "normal".to_owned(), points: band }),
        }
    }

    fn marks(hours: i64, onset: Option<i64>) -> Marks {
        let from = Timestamp::from_micros(1_793_577_600_000_000);
        let at = |hour: i64| from.plus(hour * Timestamp::HOUR);
        Marks {
            from,
            until: at(hours),
            onset: onset.map(|hour| (at(hour), at(hour - 1), at(hour + 1))),
            learned_until: Some(at(1)),
        }
    }

    #[test]
    fn a_plot_says_what_it_shows() {
        let text = draw(&plot(&[100.0, 100.0, 300.0, 300.0]), &marks(3, Some(2))).unwrap();
        assert!(
            text.contains(
                "p99: 100 ms before the onset, 300 ms after it. p50: 50 ms before the onset, 150 ms after it."
            ),
            "{text}"
        );
        assert!(text.contains(">onset<") && text.contains(">p50<") && text.contains("class=\"band\""), "{text}");
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        assert!(draw(&plot(&[]), &marks(3, None)).is_none());
        assert!(draw(&plot(&[f64::NAN, f64::NAN]), &marks(3, None)).is_none());
        assert!(!draw(&plot(&[0.0, 0.0]), &marks(3, None)).unwrap().contains("NaN"));
    }
}
