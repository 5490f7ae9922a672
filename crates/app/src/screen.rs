//! What people see in a terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use wardline_domain::{Alert, Severity};

use crate::report::clauses_of;

/// Width where the answer goes to a file or a pipe.
const PAGE_WIDTH: u16 = 110;

/// Text from telemetry without what would steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() && character != '\n' { '\u{fffd}' } else { character })
        .collect()
}

/// Alerts as a table, or a sentence where there are none.
pub(crate) fn alerts_table(alerts: &[Alert]) -> String {
    if alerts.is_empty() {
        return "no alert: nothing that was looked at differs from what is normal\n".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.set_width(PAGE_WIDTH);
    }
    table.set_header(["raised (UTC)", "severity", "what happened"]);
    for alert in alerts {
        table.add_row([minute(alert), severity(alert.severity).to_owned(), told(alert)]);
    }
    // Times and severities in one piece, and the rest for the sentence.
    table.set_constraints([
        ColumnConstraint::Absolute(Width::Fixed(18)),
        ColumnConstraint::Absolute(Width::Fixed(10)),
        ColumnConstraint::LowerBoundary(Width::Fixed(40)),
    ]);
    format!("{table}\n")
}

/// A table with a heading, as wide as the screen.
pub(crate) fn table(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.set_width(PAGE_WIDTH);
    }
    table.set_header(heading);
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    format!("{table}\n")
}

/// `2026-11-17 11:55`: seconds are in the JSON.
fn minute(alert: &Alert) -> String {
    alert.time.to_string().get(..16).map(|text| text.replace('T', " ")).unwrap_or_default()
}

/// Severity in words that need no colour.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "PAGE",
        Severity::Ticket => "ticket",
        Severity::Info => "info",
    }
}

/// The sentence, a clause a line, and how much stands behind it.
fn told(alert: &Alert) -> String {
    let sentence = plain(&clauses_of(&alert.title).join(";\n"));
    match alert.n_findings {
        0 | 1 => sentence,
        n => format!("{sentence}\n({n} findings)"),
    }
}
