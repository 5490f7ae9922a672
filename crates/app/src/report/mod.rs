//! The report of a hunt: one HTML page that needs no network, no script and no server.
//!
//! **Invariant:** every text that came from telemetry is escaped before it is on the page.

mod axis;
mod distribution;
mod histogram_plot;
mod input;
mod line_plot;
mod reading;
mod svg;
mod timeline;
mod view;

pub(crate) use distribution::Distributions;
pub(crate) use input::{
    Band, DeadLetterCount, Fact, Histogram, Line, LinePlot, ModelReport, ReadSummary, ReportInput, Subject,
};
pub(crate) use view::clauses_of;

use minijinja::{
    AutoEscape, Environment, Error, context,
    value::{Serde, Value},
};

/// Renders the page.
///
/// # Errors
/// Only where the template and the view disagree, which a test would have shown.
pub(crate) fn render(input: &ReportInput) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page.html", include_str!("page.html"))?;
    let view = view::Page::new(input);
    environment
        .get_template("page.html")?
        .render(context! { page => Value::from(Serde(view)), style => include_str!("style.css") })
}

#[cfg(test)]
mod tests;
