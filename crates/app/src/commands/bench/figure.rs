//! What was measured, and what it should be.

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

/// One measured number.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    part: &'static str,
    name: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

/// What a figure should be on two cores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Goal {
    /// At least this much.
    AtLeast(f64),
    /// At most this much.
    AtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => least <= value,
            Self::AtMost(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", readable(least)),
            Self::AtMost(most) => format!("≤ {}", readable(most)),
        }
    }
}

/// Everything that was measured, in the order in which it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures(Vec<Figure>);

/// The figures as they are written to a file.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    version: &'static str,
    machine: String,
    figures: &'a [Figure],
}

impl Figures {
    /// Notes a figure that has no goal.
    pub(super) fn note(&mut self, part: &'static str, name: impl Into<String>, value: f64, unit: &'static str) {
        self.push(part, name.into(), value, unit, None);
    }

    /// Notes a figure with its goal.
    pub(super) fn judge(
        &mut self,
        part: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        goal: Goal,
    ) {
        self.push(part, name.into(), value, unit, Some(goal));
    }

    fn push(&mut self, part: &'static str, name: String, value: f64, unit: &'static str, goal: Option<Goal>) {
        eprintln!("{part}: {name}: {} {unit}", readable(value));
        let met = goal.map(|goal| goal.is_met(value));
        self.0.push(Figure { part, name, value, unit, goal, met });
    }

    /// The figures as people read them.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["part", "figure", "measured", "unit", "goal", ""]);
        for figure in &self.0 {
            table.add_row([
                Cell::new(figure.part),
                Cell::new(&figure.name),
                Cell::new(readable(figure.value)).set_alignment(CellAlignment::Right),
                Cell::new(figure.unit),
                Cell::new(figure.goal.map(Goal::text).unwrap_or_default()).set_alignment(CellAlignment::Right),
                Cell::new(figure.met.map_or("", |met| if met { "met" } else { "MISSED" })),
            ]);
        }
        table
    }

    /// The figures as a file holds them.
    pub(super) fn report(&self, machine: String) -> Report<'_> {
        Report { version: env!("CARGO_PKG_VERSION"), machine, figures: &self.0 }
    }
}

/// Three digits that count, and thousands apart.
fn readable(value: f64) -> String {
    let size = value.abs();
    if size < 10.0 {
        return format!("{value:.2}");
    }
    if size < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{size:.0}");
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_thousands_apart() {
        let texts = [0.034, 9.996, 12.34, 123.4, 1_234_567.0].map(readable);
        assert_eq!(texts, ["0.03", "10.00", "12.3", "123", "1,234,567"]);
    }

    #[test]
    fn a_goal_is_met_at_its_limit_and_missed_beyond_it() {
        let mut figures = Figures::default();
        figures.judge("intake", "acknowledged", 150_000.0, "events/s", Goal::AtLeast(150_000.0));
        figures.judge("intake", "p99", 50.01, "ms", Goal::AtMost(50.0));
        assert_eq!(figures.0.iter().map(|figure| figure.met).collect::<Vec<_>>(), [Some(true), Some(false)]);
        let table = figures.table().to_string();
        let rows: Vec<String> = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert!(rows.contains(&"intake acknowledged 150,000 events/s ≥ 150,000 met".to_owned()), "{table}");
        assert!(rows.contains(&"intake p99 50.0 ms ≤ 50.0 MISSED".to_owned()), "{table}");
    }
}
