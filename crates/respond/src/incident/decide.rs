//! Checks a command on one incident, and says what becomes of it.

use super::{AlertFacts, Command, Event, Incident, Refused, Resolution, Status};

/// Most bytes of a text.
pub(super) const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Most bytes of a title, a name or a label.
pub(super) const MAX_TITLE_BYTES: usize = 1_000;
/// Most bytes of what is kept of an alert.
const MAX_ALERT_BYTES: usize = 16 * 1024;
/// Most alerts of an incident: so many that all of them fit into one record when two incidents are merged.
pub(super) const MAX_ALERTS: usize = 2_000;
/// Most tasks, notes and links of an incident, each.
pub(super) const MAX_ITEMS: usize = 5_000;

/// What a command on one incident becomes. Nothing where it is so already.
pub(super) fn decide(incident: &Incident, command: Command) -> Result<Vec<Event>, Refused> {
    check_texts(&command)?;
    check_status(incident, &command)?;
    check_room(incident, &command)?;
    let so = |already: bool, event: Event| if already { Vec::new() } else { vec![event] };
    Ok(match command {
        Command::Retitle { title } => so(incident.title == title, Event::Retitled { title }),
        Command::Attach { alert, reason } => {
            let known = incident.alerts.get(&alert.id).is_some_and(|attached| attached.alert == alert);
            so(known, Event::AlertAttached { alert, reason })
        }
        Command::NameOrigin { origin } => so(incident.origin.as_ref() == Some(&origin), Event::OriginNamed { origin }),
        Command::RankChanges { changes } => so(incident.changes == changes, Event::ChangesRanked { changes }),
        Command::Freeze { pack } => so(incident.packs.contains(&pack), Event::EvidenceFrozen { pack }),
        Command::Acknowledge => so(incident.status != Status::Open, Event::Acknowledged),
        Command::Assign { role, person } => {
            so(incident.roles.get(&role) == person.as_ref(), Event::Assigned { role, person })
        }
        Command::Note { text } => vec![Event::Noted { text }],
        Command::Link { label, target } => {
            let link = (label, target);
            let known = incident.links.contains(&link);
            so(known, Event::Linked { label: link.0, target: link.1 })
        }
        Command::AddTask { title, owner, due } => {
            vec![Event::TaskAdded { number: incident.next_task(), title, owner, due }]
        }
        Command::FinishTask { number, outcome } => {
            check_task(incident, number)?;
            vec![Event::TaskDone { number, outcome }]
        }
        Command::DropTask { number, reason } => {
            check_task(incident, number)?;
            vec![Event::TaskDropped { number, reason }]
        }
        Command::SetSeverity { severity, reason } => {
            so(incident.severity_set == Some(severity), Event::SeveritySet { severity, reason })
        }
        Command::Classify { class } => so(incident.class_set == Some(class), Event::Classified { class }),
        Command::SetImpactStart { time, basis } => {
            so(incident.impact_start_set == Some(time), Event::ImpactStartSet { time, basis })
        }
        Command::StateImpact { impact } => {
            so(incident.impact.as_ref() == Some(&impact), Event::ImpactStated { impact })
        }
        Command::Mitigate { what } => vec![Event::Mitigated { what }],
        Command::Resolve { resolution, what } => vec![Event::Resolved { resolution, what }],
        Command::Reopen { reason } => vec![Event::Reopened { reason }],
        // These concern two incidents, and are decided where both are known.
        Command::Open { .. } | Command::Merge { .. } | Command::Split { .. } => Vec::new(),
    })
}

/// Whether the command fits where the incident stands.
pub(super) fn check_status(incident: &Incident, command: &Command) -> Result<(), Refused> {
    let wrong = |advice| {
        let (incident, status) = (incident.id.clone(), incident.status.clone());
        Err(Refused::WrongStatus { incident, status, advice })
    };
    match (&incident.status, command) {
        (Status::Merged { into }, _) => Err(Refused::IsMerged { incident: incident.id.clone(), into: into.clone() }),
        // What was learned afterwards is written down without opening it again.
        (Status::Resolved, Command::Note { .. } | Command::Link { .. } | Command::Reopen { .. }) => Ok(()),
        (Status::Resolved, Command::AddTask { .. } | Command::FinishTask { .. } | Command::DropTask { .. }) => Ok(()),
        (Status::Resolved, Command::Freeze { .. }) => Ok(()),
        (Status::Resolved, Command::StateImpact { .. } | Command::SetImpactStart { .. }) => Ok(()),
        (Status::Resolved, _) => Err(Refused::IsResolved(incident.id.clone())),
        (_, Command::Reopen { .. }) => wrong("only a resolved incident can be reopened; go on working on it"),
        (Status::Open, Command::Mitigate { .. }) => wrong("acknowledge it first, so that it is known who works on it"),
        (Status::Mitigated, Command::Mitigate { .. }) => wrong("add a note if something else helped as well"),
        (Status::Open, Command::Resolve { .. }) => wrong("acknowledge it first, so that it is known who works on it"),
        (Status::Acknowledged, Command::Resolve { resolution: Resolution::Fixed, .. }) => {
            wrong("say first what stopped the harm (mitigate), or resolve it as accepted or as a false alarm")
        }
        _ => Ok(()),
    }
}

fn check_room(incident: &Incident, command: &Command) -> Result<(), Refused> {
    let full = |what, has: usize, most: usize| {
        if has < most { Ok(()) } else { Err(Refused::Full { incident: incident.id.clone(), what, most }) }
    };
    match command {
        Command::Attach { alert, .. } if !incident.alerts.contains_key(&alert.id) => {
            full("alerts", incident.alerts.len(), MAX_ALERTS)
        }
        Command::Note { .. } => full("notes", incident.notes.len(), MAX_ITEMS),
        Command::Link { .. } => full("links", incident.links.len(), MAX_ITEMS),
        Command::AddTask { .. } => full("tasks", incident.tasks.len(), MAX_ITEMS),
        _ => Ok(()),
    }
}

fn check_task(incident: &Incident, number: u32) -> Result<(), Refused> {
    let open: Vec<u32> = incident.open_tasks().map(|task| task.number).collect();
    if open.contains(&number) {
        return Ok(());
    }
    Err(Refused::NoSuchTask { incident: incident.id.clone(), number, open: open.into_iter().take(20).collect() })
}

/// Whether every text says something, and not too much.
pub(super) fn check_texts(command: &Command) -> Result<(), Refused> {
    let text = |field, text: &str, most| {
        if text.trim().is_empty() {
            return Err(Refused::Empty(field));
        }
        if most < text.len() {
            return Err(Refused::TooLong { field, bytes: text.len(), most });
        }
        Ok(())
    };
    let short = |field, content: &str| text(field, content, MAX_TITLE_BYTES);
    let long = |field, content: &str| text(field, content, MAX_TEXT_BYTES);
    match command {
        Command::Open { title, alerts, .. } => {
            alerts.iter().try_for_each(check_alert)?;
            short("title", title)
        }
        Command::Retitle { title } => short("title", title),
        Command::AddTask { title, owner, .. } => {
            short("title", title)?;
            owner.as_deref().map_or(Ok(()), |owner| short("owner", owner))
        }
        Command::Assign { person, .. } => person.as_deref().map_or(Ok(()), |person| short("person", person)),
        Command::Note { text } => long("text", text),
        Command::Link { label, target } => short("label", label).and_then(|()| long("target", target)),
        Command::FinishTask { outcome, .. } => long("outcome", outcome),
        Command::SetImpactStart { basis, .. } => long("basis", basis),
        Command::StateImpact { impact } => long("basis", &impact.basis),
        Command::Mitigate { what } | Command::Resolve { what, .. } => long("what", what),
        Command::Split { title, reason, .. } => short("title", title).and_then(|()| long("reason", reason)),
        Command::Attach { alert, reason } => check_alert(alert).and_then(|()| long("reason", reason)),
        Command::DropTask { reason, .. }
        | Command::SetSeverity { reason, .. }
        | Command::Reopen { reason }
        | Command::Merge { reason, .. } => long("reason", reason),
        Command::Acknowledge
        | Command::Classify { .. }
        | Command::NameOrigin { .. }
        | Command::RankChanges { .. }
        | Command::Freeze { .. } => Ok(()),
    }
}

fn check_alert(alert: &AlertFacts) -> Result<(), Refused> {
    if alert.id.trim().is_empty() {
        return Err(Refused::Empty("alert id"));
    }
    let lists = alert.atlas.iter().chain(&alert.entities);
    let texts = [&alert.id, &alert.model, &alert.title].into_iter().chain(&alert.version).chain(lists);
    let bytes = texts.map(String::len).sum();
    if MAX_ALERT_BYTES < bytes {
        return Err(Refused::TooLong { field: "alert", bytes, most: MAX_ALERT_BYTES });
    }
    Ok(())
}
