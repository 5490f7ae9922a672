//! What people see in a terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use wardline_domain::{Alert, Carrier, Severity};

/// Alerts as a table, or a sentence where there are none.
pub(crate) fn alerts_table(alerts: &[Alert]) -> String {
    if alerts.is_empty() {
        return "no alert: nothing that was looked at differs from what is normal\n".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.set_width(140);
    }
    table.set_header(["raised", "severity", "model", "what happened", "carried by", "findings"]);
    for alert in alerts {
        table.add_row([
            Cell::new(alert.time.to_string()),
            Cell::new(severity(alert.severity)),
            Cell::new(
                alert
                    .version
                    .as_ref()
                    .map_or_else(|| alert.model.clone(), |version| format!("{} {version}", alert.model)),
            ),
            Cell::new(&alert.title),
            Cell::new(carried_by(alert)),
            Cell::new(alert.n_findings).set_alignment(CellAlignment::Right),
        ]);
    }
    format!("{table}\n")
}

/// Severity in words that need no colour.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "PAGE",
        Severity::Ticket => "ticket",
        Severity::Info => "info",
    }
}

/// The first slices and features that carry an alert.
fn carried_by(alert: &Alert) -> String {
    let most = |carriers: &[Carrier]| {
        carriers
            .iter()
            .take(3)
            .map(|carrier| format!("{} ({:.0} %)", carrier.name, carrier.share * 100.0))
            .collect::<Vec<_>>()
    };
    let mut named = most(&alert.responsible);
    named.extend(most(&alert.features));
    if named.is_empty() { alert.slice.to_string() } else { named.join("\n") }
}
