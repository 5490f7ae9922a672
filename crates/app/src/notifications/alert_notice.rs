//! What is told of an alert.

use std::collections::BTreeMap;

use wardline_domain::{
    Alert, AlertChange, AlertStatus, Carrier, Finding, Notice, NoticeChange, NoticeLink, NoticeSubject, Severity,
};

/// Most slices and features that a notice names.
const MOST_NAMED: usize = 5;

/// What is told of a change; nothing where it says nothing new. Ids follow from what is told, so that a repetition has
/// the id of what it repeats.
pub(super) fn notice_of(
    change: &AlertChange,
    address: Option<&str>,
    labels: &BTreeMap<String, String>,
) -> Option<Notice> {
    let alert = change.alert();
    let (what, id) = match change {
        AlertChange::Closed(_) => (NoticeChange::Resolved, format!("{}/closed", alert.id)),
        // What joins a closed alert comes too late to be told.
        AlertChange::Extended(_) if alert.status == AlertStatus::Closed => return None,
        AlertChange::Raised(_) => (NoticeChange::Opened, at(alert)),
        AlertChange::Extended(_) => (NoticeChange::Changed, at(alert)),
    };
    // A rollout tells what it did: there is no end of it to wait for.
    let lasts = !(alert.status == AlertStatus::Closed && what == NoticeChange::Opened);
    let mut links: Vec<NoticeLink> = address
        .map(|address| NoticeLink { label: "alert".to_owned(), url: format!("{address}/v1/alerts/{}", alert.id) })
        .into_iter()
        .collect();
    let mut fields = fields_of(alert);
    for (name, value) in labels {
        let is_address = value.starts_with("https://") || value.starts_with("http://");
        if is_address {
            links.push(NoticeLink { label: name.clone(), url: value.clone() });
        } else {
            fields.push((name.clone(), value.clone()));
        }
    }
    Some(Notice {
        id,
        key: format!("wardline-{}", alert.id),
        subject: NoticeSubject::Alert,
        subject_id: alert.id.clone(),
        change: what,
        severity: alert.severity,
        kind: alert.kind.name().to_owned(),
        models: vec![alert.model.clone()],
        title: alert.title.clone(),
        text: text_of(alert),
        time: if what == NoticeChange::Opened { alert.time } else { alert.updated },
        began: alert.onset,
        ended: (what == NoticeChange::Resolved).then_some(alert.updated),
        lasts,
        links,
        fields,
    })
}

/// An alert is told once at each severity.
fn at(alert: &Alert) -> String {
    format!("{}/{}", alert.id, alert.severity.name())
}

/// The ids by which a receiver may have been told that there is this alert.
pub(super) fn openings(alert: &Alert) -> Vec<String> {
    [Severity::Info, Severity::Ticket, Severity::Page].map(|at| format!("{}/{}", alert.id, at.name())).to_vec()
}

fn fields_of(alert: &Alert) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            fields.push((name.to_owned(), value));
        }
    };
    add("version", alert.version.clone().unwrap_or_default());
    add("slice", if alert.slice.is_whole() { String::new() } else { alert.slice.to_string() });
    add("responsible", carriers(&alert.responsible));
    add("features", carriers(&alert.features));
    add("atlas", alert.atlas.join(", "));
    fields
}

fn carriers(carriers: &[Carrier]) -> String {
    let named = carriers.iter().take(MOST_NAMED);
    named.map(|carrier| format!("{} ({:.0} %)", carrier.name, carrier.share * 100.0)).collect::<Vec<_>>().join(", ")
}

/// What was seen beside what is normal, for each of the first findings.
fn text_of(alert: &Alert) -> String {
    let measured = |finding: &&Finding| !finding.unit.is_empty() && finding.observed.is_finite();
    let line = |finding: &Finding| {
        format!(
            "{}: {:.4} {} where {:.4} is normal ({} events against {})",
            finding.measure, finding.observed, finding.unit, finding.expected, finding.n_observed, finding.n_expected
        )
    };
    let lines: Vec<String> = alert.findings.iter().filter(measured).take(MOST_NAMED).map(line).collect();
    lines.join("\n")
}
