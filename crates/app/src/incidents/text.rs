//! Incidents as people read them in a terminal.

use wardline_domain::{Span, Timestamp};
use wardline_respond::incident::{RankedChange, TaskState};

use super::IncidentView;
use crate::screen::{self, plain};

/// Incidents as a table, or a sentence where there are none.
pub(crate) fn incidents_table(views: &[IncidentView]) -> String {
    if views.is_empty() {
        return "no incident\n".to_owned();
    }
    let rows = views.iter().map(|view| {
        let incident = &view.incident;
        let origin = incident.origin.as_ref().map(|origin| format!("\nbegan at {}", origin.node)).unwrap_or_default();
        let alerts = match incident.alerts.len() {
            1 => "1 alert".to_owned(),
            n => format!("{n} alerts"),
        };
        vec![
            incident.id.clone(),
            minute(incident.opened),
            view.severity.name().to_owned(),
            incident.status.to_string(),
            format!("{}{origin} ({alerts})", incident.title),
        ]
    });
    screen::table(&["incident", "opened (UTC)", "severity", "status", "what it is about"], rows)
}

fn minute(time: Timestamp) -> String {
    time.to_string().get(..16).map(|text| text.replace('T', " ")).unwrap_or_default()
}

/// One incident with all that is known of it.
pub(crate) fn incident_text(view: &IncidentView) -> String {
    let incident = &view.incident;
    let class = view.class.map(|class| format!(", {}", class.name())).unwrap_or_default();
    let mut text = format!("{}  {}\n", incident.id, plain(&incident.title));
    text.push_str(&format!("{}, {}{class}; {}\n", incident.status, view.severity.name(), view.csf.join(" ")));
    let atlas: Vec<&str> = view.atlas.iter().map(String::as_str).collect();
    if !atlas.is_empty() {
        text.push_str(&format!("may be {}\n", atlas.join(", ")));
    }
    if let Some(origin) = &incident.origin {
        let others: Vec<String> = origin.others.iter().map(|(node, percent)| format!("{node} {percent} %")).collect();
        let others = if others.is_empty() { String::new() } else { format!("; or {}", others.join(", ")) };
        let origin = format!("began at {} ({} %){others}", origin.node, origin.percent);
        text.push_str(&format!("\n{}\n", plain(&origin)));
    }
    if !incident.changes.is_empty() {
        text.push_str("\nwhat changed before\n");
        let rows = incident.changes.iter().map(|change| {
            vec![format!("{} %", change.percent), minute(change.time), before_text(change), change.what.clone()]
        });
        text.push_str(&screen::table(&["share", "when (UTC)", "before", "what"], rows));
    }
    text.push_str(&clocks_text(view));
    if !view.timeline.is_empty() {
        text.push_str("\nwhat happened\n");
        let rows = view.timeline.iter().map(|entry| vec![minute(entry.time), entry.what.clone(), entry.by.clone()]);
        text.push_str(&screen::table(&["when (UTC)", "what", "by"], rows));
    }
    text.push_str(&work_text(view));
    text
}

fn before_text(change: &RankedChange) -> String {
    if change.before < 0 { "as it began".to_owned() } else { span_text(change.before) }
}

fn clocks_text(view: &IncidentView) -> String {
    let (clocks, spans) = (&view.clocks, &view.spans);
    let rows = [
        ("harm began", clocks.impact_start, None),
        ("detected", clocks.detected, spans.to_detect),
        ("acknowledged", clocks.acknowledged, spans.to_acknowledge),
        ("mitigated", clocks.mitigated, spans.to_mitigate),
        ("resolved", clocks.resolved, spans.to_resolve),
    ];
    let known = rows.into_iter().filter_map(|(name, time, span)| Some((name, time?, span)));
    let lines = known.map(|(name, time, span)| {
        let span = span.map(|span| format!("  after {}", span_text(span))).unwrap_or_default();
        format!("{name:<14}{}{span}\n", minute(time))
    });
    std::iter::once("\n".to_owned()).chain(lines).collect()
}

/// Roles, tasks, impact, evidence, and what to type next.
fn work_text(view: &IncidentView) -> String {
    let incident = &view.incident;
    let mut text = String::new();
    for (role, person) in &incident.roles {
        text.push_str(&format!("{}: {}\n", format!("{role:?}").to_lowercase(), plain(person)));
    }
    for task in incident.tasks.values() {
        let state = match &task.state {
            TaskState::Open => "open".to_owned(),
            TaskState::Done { outcome, .. } => format!("done: {outcome}"),
            TaskState::Dropped { reason } => format!("dropped: {reason}"),
        };
        let owner = task.owner.as_ref().map(|owner| format!(" ({owner})")).unwrap_or_default();
        text.push_str(&format!("task {}{owner}: {}, {}\n", task.number, plain(&task.title), plain(&state)));
    }
    if let Some(impact) = &incident.impact {
        let cost = impact
            .cost_hundredths
            .map(|cost| format!("{:.2} {}", cost as f64 / 100.0, impact.currency.as_deref().unwrap_or_default()));
        let facts = [
            impact.people.map(|people| format!("{people} people")),
            impact.decisions.map(|decisions| format!("{decisions} decisions")),
            cost,
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        text.push_str(&format!("impact: {} ({})\n", facts.join(", "), plain(&impact.basis)));
    }
    for pack in &incident.packs {
        text.push_str(&format!("evidence: {}, SHA-256 {}\n", pack.name, pack.sha256));
    }
    let id = &incident.id;
    if !view.playbooks.is_empty() && incident.status.is_active() {
        let names = view.playbooks.join(", ");
        text.push_str(&format!(
            "\nplaybooks made for this: {names}\n  wardline playbook run {} --incident {id} --dry-run\n",
            view.playbooks[0]
        ));
    }
    text
}

/// `3 h 5 min`.
fn span_text(span: Span) -> String {
    let minutes = span / Timestamp::MINUTE;
    match minutes {
        0 => format!("{} s", span / Timestamp::SECOND),
        1..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days {} h", minutes / 1_440, minutes % 1_440 / 60),
    }
}
