//! Draws every alert of every model on one axis of time.

use wardline_domain::{Alert, Timestamp};

use super::{
    axis::{Scale, time_ticks},
    input::ModelReport,
    reading::moment,
    svg::Svg,
};

const WIDTH: f64 = 1_080.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 26.0;
const LANE: f64 = 30.0;
const BOTTOM: f64 = 26.0;
/// An alert is at least this wide, however short it was.
const LEAST_WIDTH: f64 = 7.0;

/// Draws the lanes of all models; `anchors` are the alerts' places on the page.
pub(super) fn draw(models: &[&ModelReport], alerts: &[(&Alert, String)], from: Timestamp, until: Timestamp) -> String {
    let height = LANE * models.len() as f64 + BOTTOM;
    let x = Scale::new(from.micros() as f64, until.micros() as f64, LEFT, WIDTH - RIGHT);
    let mut svg = Svg::new(
        WIDTH,
        height,
        &format!("{} alerts of {} models over time; the table below lists them.", alerts.len(), models.len()),
    );
    for (time, text) in time_ticks(from, until, 10) {
        svg.line("grid", (x.at(time), 0.0), (x.at(time), height - BOTTOM));
        svg.word("tick", (x.at(time), height - 9.0), &text);
    }
    for (lane, model) in models.iter().enumerate() {
        let top = LANE * lane as f64;
        if let Some(learned) = model.learned_until.filter(|learned| from < *learned) {
            let end = x.at(learned.min(until));
            svg.rectangle("learning", (LEFT, top + 3.0), (end - LEFT, LANE - 6.0), "what is normal was learned here");
            if lane == 0 && end - LEFT > 60.0 {
                svg.word("note", (LEFT + 6.0, top + LANE / 2.0 + 4.0), "learning");
            }
        }
        svg.line("lane", (LEFT, top + LANE), (WIDTH - RIGHT, top + LANE));
        let shown: String = model.name.chars().take(24).collect();
        svg.word("lane-name", (LEFT - 10.0, top + LANE / 2.0 + 4.0), &shown);
        for (alert, anchor) in alerts.iter().filter(|(alert, _)| alert.model == model.name) {
            let (start, end) = (x.at(alert.onset.max(from).min(until)), x.at(alert.updated.max(from).min(until)));
            let width = (end - start).max(LEAST_WIDTH);
            svg.open_link(anchor);
            let hint = format!("{}: {} ({})", alert.severity.name(), alert.title, moment(alert.onset));
            svg.rectangle(
                &format!("alert {}", alert.severity.name()),
                (start.min(WIDTH - RIGHT - width), top + 8.0),
                (width, LANE - 15.0),
                &hint,
            );
            svg.close_link();
        }
    }
    svg.finish()
}
