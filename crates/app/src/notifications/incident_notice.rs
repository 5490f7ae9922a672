//! What is told of an incident.

use std::collections::BTreeSet;

use wardline_domain::{Notice, NoticeChange, NoticeLink, NoticeSubject, Severity};
use wardline_respond::incident::{Event, Incident, IncidentSeverity, Recorded};

/// Most alerts and changes that a notice names.
const MOST_NAMED: usize = 5;
/// How many of the times that it was opened again are looked back on.
const MOST_REOPENED: usize = 5;

/// What is told of an incident after these records of it, in their order. Ids follow from what is told, so that a
/// repetition has the id of what it repeats.
pub(super) fn notices_of<'a>(
    incident: &Incident,
    recorded: impl Iterator<Item = &'a Recorded>,
    address: Option<&str>,
) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    for record in recorded {
        let Some((change, what)) = change_of(incident, &record.entry.event) else { continue };
        let id = format!("{}/{}/{what}", incident.id, incident.n_reopened);
        // An opening comes with its alerts, and is told once, after them.
        match notices.iter_mut().find(|notice| notice.id == id) {
            Some(_) => {}
            None => notices.push(Notice { id, change, time: record.entry.time, ..notice_of(incident, address) }),
        }
    }
    notices
}

/// What an event means for those who are told, and the name of what is told.
fn change_of(incident: &Incident, event: &Event) -> Option<(NoticeChange, String)> {
    let at_severity = format!("at-{}", incident.severity().name());
    Some(match event {
        Event::Opened { .. } | Event::Reopened { .. } => (NoticeChange::Opened, at_severity),
        Event::AlertAttached { .. } | Event::SeveritySet { .. } | Event::Absorbed { .. } => {
            (NoticeChange::Changed, at_severity)
        }
        Event::Acknowledged => (NoticeChange::Acknowledged, "acknowledged".to_owned()),
        Event::Mitigated { .. } => (NoticeChange::Changed, "mitigated".to_owned()),
        Event::Resolved { .. } => (NoticeChange::Resolved, "resolved".to_owned()),
        Event::MergedInto { .. } => (NoticeChange::Resolved, "merged".to_owned()),
        _ => return None,
    })
}

/// The ids by which a receiver may have been told that there is this incident.
pub(super) fn openings(incident: &Incident) -> Vec<String> {
    let severities =
        [IncidentSeverity::Low, IncidentSeverity::Medium, IncidentSeverity::High, IncidentSeverity::Critical];
    let at = |n_reopened: u32| severities.map(|at| format!("{}/{n_reopened}/at-{}", incident.id, at.name()));
    (0..=incident.n_reopened).rev().take(MOST_REOPENED).flat_map(at).collect()
}

/// How urgent an incident is for those who are told.
pub(super) const fn urgency(severity: IncidentSeverity) -> Severity {
    match severity {
        IncidentSeverity::Low => Severity::Info,
        IncidentSeverity::Medium => Severity::Ticket,
        IncidentSeverity::High | IncidentSeverity::Critical => Severity::Page,
    }
}

fn notice_of(incident: &Incident, address: Option<&str>) -> Notice {
    let clocks = incident.clocks();
    let link = |address: &str| NoticeLink {
        label: "incident".to_owned(),
        url: format!("{address}/v1/incidents/{}", incident.id),
    };
    Notice {
        id: String::new(),
        key: format!("wardline-{}", incident.id),
        subject: NoticeSubject::Incident,
        subject_id: incident.id.clone(),
        change: NoticeChange::Changed,
        severity: urgency(incident.severity()),
        kind: incident.class().map_or("incident", |class| class.name()).to_owned(),
        models: incident.models().into_iter().map(str::to_owned).collect(),
        title: incident.title.clone(),
        text: text_of(incident),
        time: incident.updated,
        began: clocks.impact_start.unwrap_or(incident.opened),
        ended: clocks.resolved,
        lasts: true,
        links: address.map(link).into_iter().collect(),
        fields: fields_of(incident),
    }
}

fn fields_of(incident: &Incident) -> Vec<(String, String)> {
    let mut fields = vec![
        ("status", incident.status.to_string()),
        ("severity", incident.severity().name().to_owned()),
        ("alerts", incident.alerts.len().to_string()),
    ];
    fields.extend(incident.origin.as_ref().map(|origin| ("origin", format!("{} ({} %)", origin.node, origin.percent))));
    let atlas: BTreeSet<&str> = incident.atlas();
    if !atlas.is_empty() {
        fields.push(("atlas", atlas.into_iter().collect::<Vec<_>>().join(", ")));
    }
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Its alerts, and what changed before it began.
fn text_of(incident: &Incident) -> String {
    let mut lines: Vec<String> =
        incident.alerts.values().take(MOST_NAMED).map(|attached| attached.alert.title.clone()).collect();
    let left = incident.alerts.len().saturating_sub(MOST_NAMED);
    if left > 0 {
        lines.push(format!("and {left} more alerts"));
    }
    for change in incident.changes.iter().take(MOST_NAMED) {
        lines.push(format!("changed before, at {}: {} ({} %)", change.time, change.what, change.percent));
    }
    lines.join("\n")
}
