//! Where incidents live: what comes of an alert or of a command is written down, and then it is so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use wardline_domain::{Alert, AlertChange, EventBatch, Finding, Span, Timestamp};
use wardline_respond::{
    incident::{Actor, Command, Incidents, Recorded, Refused, Taken, Triage, TriageInput},
    lineage::{BlastRadius, Lineage, Node},
};
use wardline_store::metadata::{AlertFilter, LogLine, Metadata, State, Together};

use super::{IncidentView, views_of};
use crate::{notifications::NotificationDesk, pipeline};

/// The log of incidents, one subject each.
const INCIDENTS: &str = "incident";
/// The log of what the correlation was given, for a restart.
const INPUTS: &str = "triage";
/// Its only subject.
const ALL: &str = "inputs";
/// Where the groups of alerts are kept.
const GROUPS: &str = "incident_groups";
/// Where the snapshot of the correlation is kept; its sequence is the number of inputs that it has seen.
const SNAPSHOT: &str = "incident_correlation";
/// Where the place in the journal is kept up to which events were seen.
const SEEN: &str = "incident_events";
/// Alerts that were raised so long before a stop are looked at again after it.
const LOOK_BACK: Span = 7 * Timestamp::DAY;

/// Incidents of a server.
pub(crate) struct IncidentDesk {
    open: Mutex<Open>,
    /// Held from a decision until it is written down, so that logs are written in their order.
    writing: tokio::sync::Mutex<()>,
    metadata: Metadata,
    notifications: Arc<NotificationDesk>,
}

#[derive(Default)]
struct Open {
    triage: Triage,
    n_inputs: u64,
    /// The journal record up to which events were seen.
    sequence: u64,
    has_news: bool,
}

/// Why an incident did not change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IncidentError {
    /// It cannot be so.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It could not be written down.
    #[error("the incident could not be written down: {0:#}")]
    NotWritten(anyhow::Error),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl IncidentDesk {
    /// Goes on with the incidents that the logs tell of.
    pub(crate) async fn open(metadata: Metadata, notifications: Arc<NotificationDesk>) -> anyhow::Result<Self> {
        let open = read(&metadata).await?;
        Ok(Self { open: Mutex::new(open), writing: tokio::sync::Mutex::new(()), metadata, notifications })
    }

    /// Takes in alerts that were written down before a stop, and of which no incident knows.
    pub(crate) async fn catch_up(&self) -> anyhow::Result<()> {
        let since = pipeline::now().plus(-LOOK_BACK);
        let mut alerts = self.metadata.alerts(&AlertFilter { since: Some(since), ..AlertFilter::default() }).await?;
        alerts.reverse();
        for alert in alerts {
            self.take(&alert).await;
        }
        Ok(())
    }

    /// Sees the events of one journal record: what flows into what, and what changes.
    pub(crate) fn see(&self, sequence: u64, batches: &[EventBatch]) {
        let mut open = lock(&self.open);
        open.sequence = open.sequence.max(sequence);
        open.has_news = true;
        if let Err(error) = open.triage.observe(batches) {
            tracing::warn!(error = %error, "lineage does not take in these events");
        }
    }

    /// Sees a journal record that was seen before the last stop, unless what was saved includes it.
    pub(crate) fn see_again(&self, sequence: u64, batches: &[EventBatch]) {
        if lock(&self.open).sequence < sequence {
            self.see(sequence, batches);
        }
    }

    /// Takes in what was found, in its order.
    pub(crate) async fn take_all(&self, findings: &[Finding], alerts: &[AlertChange]) {
        lock(&self.open).triage.observe_findings(findings);
        for change in alerts {
            self.take(change.alert()).await;
        }
    }

    /// Takes in an alert, or what became of one.
    pub(crate) async fn take(&self, alert: &Alert) {
        let _writing = self.writing.lock().await;
        let taken = lock(&self.open).triage.take(alert);
        let written = match taken {
            Ok(taken) => self.write(taken).await,
            Err(refused) => {
                tracing::warn!(alert = %alert.id, reason = %refused, "an alert does not fit the incidents as people arranged them");
                self.reload().await
            }
        };
        if let Err(error) = written {
            tracing::error!(error = %format!("{error:#}"), alert = %alert.id, "an alert could not be taken into an incident, and is looked at again at the next start");
        }
    }

    /// A person, or a part of the product, asks for something.
    pub(crate) async fn execute(&self, id: &str, command: Command, by: &Actor) -> Result<(), IncidentError> {
        let _writing = self.writing.lock().await;
        let taken = lock(&self.open).triage.execute(id, command, by, pipeline::now())?;
        self.write(taken).await.map_err(IncidentError::NotWritten)
    }

    /// A person opens an incident without an alert.
    pub(crate) async fn declare(&self, title: String, by: &Actor) -> Result<String, IncidentError> {
        let _writing = self.writing.lock().await;
        let (id, taken) = lock(&self.open).triage.open(title, by, pipeline::now())?;
        self.write(taken).await.map_err(IncidentError::NotWritten)?;
        Ok(id)
    }

    /// Takes in what another system tells of lineage.
    ///
    /// # Errors
    /// Where there is too much of it.
    pub(crate) fn absorb(&self, graph: Lineage) -> anyhow::Result<()> {
        let mut open = lock(&self.open);
        open.has_news = true;
        Ok(open.triage.absorb(graph)?)
    }

    /// Writes down what came of something. Where that fails, what is in memory goes back to what the logs say.
    async fn write(&self, taken: Taken) -> anyhow::Result<()> {
        if taken.recorded.is_empty() && taken.inputs.is_empty() {
            return Ok(());
        }
        let together = {
            let mut open = lock(&self.open);
            let mut together = together(&open, &taken)?;
            together.messages = self.notifications.messages_for_incidents(open.triage.incidents(), &taken.recorded);
            open.n_inputs += taken.inputs.len() as u64;
            open.has_news = true;
            together
        };
        if let Err(error) = self.metadata.write_together(&together).await {
            self.reload().await?;
            return Err(error.into());
        }
        self.notifications.wake();
        taken.recorded.iter().for_each(tell);
        Ok(())
    }

    async fn reload(&self) -> anyhow::Result<()> {
        let read = read(&self.metadata).await?;
        *lock(&self.open) = read;
        Ok(())
    }

    /// Saves the correlation, and the place in the journal up to which it has seen events.
    pub(crate) async fn save(&self) -> anyhow::Result<()> {
        let _writing = self.writing.lock().await;
        let states = {
            let mut open = lock(&self.open);
            if !std::mem::take(&mut open.has_news) {
                return Ok(());
            }
            let snapshot = State { sequence: Some(open.n_inputs), body: open.triage.snapshot() };
            let seen = State { sequence: Some(open.sequence), body: Vec::new() };
            vec![(SNAPSHOT.to_owned(), snapshot), (SEEN.to_owned(), seen)]
        };
        Ok(self.metadata.write_together(&Together { states, ..Together::default() }).await?)
    }

    /// Every incident, the latest first.
    pub(crate) fn views(&self) -> Vec<IncidentView> {
        views_of(lock(&self.open).triage.incidents())
    }

    /// One incident.
    pub(crate) fn view(&self, id: &str) -> Option<IncidentView> {
        let open = lock(&self.open);
        let incidents = open.triage.incidents();
        incidents.get(id).map(|incident| IncidentView::of(incident, incidents))
    }

    /// The log of an incident as it is stored.
    pub(crate) fn log(&self, id: &str) -> Option<String> {
        lock(&self.open).triage.incidents().log(id).map(wardline_respond::chain::Chain::to_lines)
    }

    /// The title of an incident, and the ids of its alerts.
    pub(crate) fn alerts_of(&self, id: &str) -> Option<(String, Vec<String>)> {
        let open = lock(&self.open);
        let incident = open.triage.incidents().get(id)?;
        Some((incident.title.clone(), incident.alerts.keys().cloned().collect()))
    }

    /// Who is told of incidents and alerts.
    pub(crate) const fn notifications(&self) -> &Arc<NotificationDesk> {
        &self.notifications
    }

    /// What flows into what.
    pub(crate) fn lineage(&self) -> Lineage {
        lock(&self.open).triage.lineage().clone()
    }

    /// What a node that was contaminated at a moment has reached by now.
    pub(crate) fn radius(&self, node: &Node, since: Timestamp) -> Option<BlastRadius> {
        let open = lock(&self.open);
        let graph = open.triage.lineage();
        graph.blast_radius(graph.find(node)?, since, pipeline::now())
    }
}

fn together(open: &Open, taken: &Taken) -> anyhow::Result<Together> {
    let mut lines: Vec<LogLine> = taken.recorded.iter().map(line_of).collect();
    let time = taken.recorded.last().map_or_else(pipeline::now, |last| last.entry.time);
    for (place, input) in taken.inputs.iter().enumerate() {
        lines.push(LogLine {
            log: INPUTS.to_owned(),
            subject: ALL.to_owned(),
            sequence: open.n_inputs + place as u64,
            time,
            line: serde_json::to_string(input)?,
        });
    }
    let groups = State { sequence: None, body: serde_json::to_vec(open.triage.declared())? };
    Ok(Together { lines, states: vec![(GROUPS.to_owned(), groups)], messages: Vec::new() })
}

fn line_of(recorded: &Recorded) -> LogLine {
    LogLine {
        log: INCIDENTS.to_owned(),
        subject: recorded.incident.clone(),
        sequence: recorded.sequence,
        time: recorded.entry.time,
        line: recorded.line.clone(),
    }
}

/// What operators see in the server's log.
fn tell(recorded: &Recorded) {
    use wardline_respond::incident::Event;
    let (incident, by) = (&recorded.incident, recorded.entry.by.name());
    match &recorded.entry.event {
        Event::Opened { title, .. } => tracing::warn!(%incident, %by, %title, "incident opened"),
        Event::AlertAttached { alert, reason } => {
            tracing::info!(%incident, alert = %alert.id, %reason, "alert joined an incident");
        }
        Event::MergedInto { incident: into, reason } => tracing::info!(%incident, %into, %reason, "incident merged"),
        Event::OriginNamed { origin } => {
            tracing::info!(%incident, origin = %origin.node, percent = origin.percent, "origin of an incident");
        }
        Event::Mitigated { what } => tracing::info!(%incident, %by, %what, "incident mitigated"),
        Event::Resolved { what, .. } => tracing::info!(%incident, %by, %what, "incident resolved"),
        _ => {}
    }
}

/// Incidents from their logs, the correlation from its snapshot and what came after it.
async fn read(metadata: &Metadata) -> anyhow::Result<Open> {
    let mut incidents = Incidents::default();
    let lines = metadata.log_lines(INCIDENTS, None).await?;
    for log in lines.chunk_by(|one, other| one.subject == other.subject) {
        let text: String = log.iter().flat_map(|line| [line.line.as_str(), "\n"]).collect();
        if let Err(breaks) = incidents.restore(text.as_bytes(), None) {
            let (incident, damage) = (&log[0].subject, breaks.first().map(ToString::to_string).unwrap_or_default());
            tracing::error!(%incident, %damage, "the log of an incident was altered, and the incident is left out; its lines stay where they are");
        }
    }
    let groups = match metadata.get_state(GROUPS).await? {
        Some(state) => serde_json::from_slice(&state.body).context("the groups of alerts cannot be read")?,
        None => wardline_respond::incident::Declared::default(),
    };
    let snapshot = metadata.get_state(SNAPSHOT).await?;
    let first = snapshot.as_ref().and_then(|state| state.sequence).unwrap_or(0);
    let (mut triage, is_read) =
        Triage::restore(incidents, groups, snapshot.as_ref().map(|state| state.body.as_slice()));
    if !is_read {
        tracing::error!("the correlation of alerts was saved by another version and begins anew; incidents stay");
    }
    let mut n_inputs = first;
    for line in metadata.log_lines_from(INPUTS, ALL, first).await? {
        let input: TriageInput = serde_json::from_str(&line.line)
            .with_context(|| format!("input {} of the correlation cannot be read", line.sequence))?;
        triage.repeat(&input);
        n_inputs = line.sequence + 1;
    }
    let sequence = metadata.get_state(SEEN).await?.and_then(|state| state.sequence).unwrap_or(0);
    Ok(Open { triage, n_inputs, sequence, has_news: false })
}
