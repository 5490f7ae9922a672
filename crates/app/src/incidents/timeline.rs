//! What happened in an incident, in order: what the product saw and did, and what people did.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_respond::{
    incident::{Actor, Entry, Event, Incident},
    rollout::{Entry as RolloutStep, LogEntry},
};

/// Where an entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// A change of another system.
    Change,
    /// The onset of what an alert tells.
    Onset,
    /// An alert.
    Alert,
    /// The log of the incident.
    Log,
    /// The log of a rollout.
    Rollout,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TimelineEntry {
    pub(crate) time: Timestamp,
    pub(crate) source: Source,
    /// What happened, in a sentence.
    pub(crate) what: String,
    /// Who or what did it.
    pub(crate) by: String,
    /// Whether nobody had to write it down.
    pub(crate) is_automatic: bool,
}

/// What happened in an incident, from its log and from the logs of its models' rollouts.
pub(crate) fn timeline<'a>(
    incident: &Incident,
    log: impl Iterator<Item = &'a Entry>,
    rollouts: impl Iterator<Item = &'a LogEntry>,
) -> Vec<TimelineEntry> {
    let clocks = incident.clocks();
    let first = incident.changes.iter().map(|change| change.time).chain(clocks.impact_start).min();
    let last = clocks.resolved.unwrap_or(Timestamp::from_micros(i64::MAX));
    let automatic = |time, source, what: String, by: &str| TimelineEntry {
        time,
        source,
        what,
        by: by.to_owned(),
        is_automatic: true,
    };
    let changes = incident.changes.iter().map(|change| {
        let what = format!("{} ({} % of the chance that it is the cause)", change.what, change.percent);
        automatic(change.time, Source::Change, what, change.kind.name())
    });
    let mut entries: Vec<TimelineEntry> = changes.collect();
    for attached in incident.alerts.values() {
        let alert = &attached.alert;
        let onset = format!("begins: {} of {}", alert.kind.name(), alert.model);
        entries.push(automatic(alert.onset, Source::Onset, onset, "detection"));
        entries.push(automatic(alert.time, Source::Alert, alert.title.clone(), "detection"));
    }
    entries.extend(log.filter_map(of_log));
    let is_within = |entry: &&LogEntry| first.is_some_and(|first| first <= entry.time) && entry.time <= last;
    entries.extend(rollouts.filter(is_within).filter_map(of_rollout));
    entries.sort();
    entries.dedup();
    entries
}

fn of_log(entry: &Entry) -> Option<TimelineEntry> {
    let what = match &entry.event {
        // Said by the alert itself.
        Event::AlertAttached { .. } => return None,
        Event::Opened { title, follows: Some(follows), .. } => format!("opened after {follows}: {title}"),
        Event::Opened { title, split_from: Some(from), .. } => format!("split off {from}: {title}"),
        Event::Opened { title, .. } => format!("opened: {title}"),
        Event::Retitled { title } => format!("has another title: {title}"),
        Event::SplitOff { incident, alerts, reason } => format!("{} alerts went to {incident}: {reason}", alerts.len()),
        Event::MergedInto { incident, reason } => format!("goes on as part of {incident}: {reason}"),
        Event::Absorbed { incident, reason, .. } => format!("took in {incident}: {reason}"),
        Event::OriginNamed { origin } => format!("began at {} ({} %)", origin.node, origin.percent),
        Event::ChangesRanked { changes } => match changes.first() {
            Some(first) => format!("likeliest cause: {} ({} %)", first.what, first.percent),
            None => "no change is known that explains it".to_owned(),
        },
        Event::EvidenceFrozen { pack } => format!("evidence frozen in {}, SHA-256 {}", pack.name, pack.sha256),
        Event::Acknowledged => "acknowledged".to_owned(),
        Event::Assigned { role, person } => {
            let role = format!("{role:?}").to_lowercase();
            person.as_ref().map_or_else(|| format!("{role} is free"), |person| format!("{role} is {person}"))
        }
        Event::Noted { text } => format!("note: {text}"),
        Event::Linked { label, target } => format!("link: {label}, {target}"),
        Event::TaskAdded { number, title, .. } => format!("task {number}: {title}"),
        Event::TaskDone { number, outcome } => format!("task {number} done: {outcome}"),
        Event::TaskDropped { number, reason } => format!("task {number} dropped: {reason}"),
        Event::SeveritySet { severity, reason } => format!("severity {}: {reason}", severity.name()),
        Event::Classified { class } => format!("class {}", class.name()),
        Event::ImpactStartSet { time, basis } => format!("harm began {time}: {basis}"),
        Event::ImpactStated { impact } => format!("impact: {}", impact.basis),
        Event::Mitigated { what } => format!("mitigated: {what}"),
        Event::Resolved { what, .. } => format!("resolved: {what}"),
        Event::Reopened { reason } => format!("reopened: {reason}"),
    };
    let by = entry.by.name().to_owned();
    let is_automatic = matches!(entry.by, Actor::System(_));
    Some(TimelineEntry { time: entry.time, source: Source::Log, what, by, is_automatic })
}

fn of_rollout(entry: &LogEntry) -> Option<TimelineEntry> {
    let rollout = &entry.rollout;
    let what = match &entry.entry {
        RolloutStep::Started { .. } => format!("rollout {rollout} begins"),
        RolloutStep::Decided { course, reason, .. } => format!("rollout {rollout} goes {}: {reason}", course.name()),
        RolloutStep::Verified { what, .. } => format!("rollout {rollout}: {what}"),
        RolloutStep::Ended { reason, .. } => format!("rollout {rollout} ends: {reason}"),
        RolloutStep::Judged { .. }
        | RolloutStep::Stepped { .. }
        | RolloutStep::Intended { .. }
        | RolloutStep::Came { .. } => return None,
    };
    let by = "rollouts".to_owned();
    Some(TimelineEntry { time: entry.time, source: Source::Rollout, what, by, is_automatic: true })
}
