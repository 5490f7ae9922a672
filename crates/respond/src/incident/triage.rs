//! Alerts in, incidents out: correlation, incidents, and what is known of their cause.
//!
//! The same for a stream and for files. What it was given is a list of [`TriageInput`]s: after a crash, those that
//! came after the last snapshot bring the correlation back to where it was ([`Triage::repeat`]), while incidents come
//! back from their own logs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, EventBatch, Finding, Severity, Span, Timestamp};

use super::{Actor, AlertFacts, Command, Declared, Incident, Incidents, OriginFacts, RankedChange, Recorded, Refused};
use crate::{
    correlation::{Correlator, Signal},
    lineage::{Flow, Lineage, LineageError, LineageFeed, Mentions},
    what_changed::{Change, ChangeFeed, ChangeKind, Onset, rank},
};

/// An alert that goes on for so long after its incident was resolved was not mended.
const STILL_THERE: Span = Timestamp::HOUR;
/// Groups up to this size have their origin looked at after each alert, larger ones now and then.
const SMALL_GROUP: usize = 30;
/// A diagnosis is written anew where a chance moved by so many percent.
const NEWS_PERCENT: u8 = 10;

/// What the correlation was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum TriageInput {
    /// Edges of the graph.
    Flows {
        /// The edges.
        flows: Vec<Flow>,
    },
    /// An alert.
    Alert {
        /// What the correlation sees of it.
        signal: Signal,
    },
    /// An alert that went on.
    WentOn {
        /// Its id.
        alert: String,
        /// Until when.
        until: Timestamp,
    },
    /// Groups whose incident is over.
    Closed {
        /// The groups.
        groups: Vec<String>,
    },
}

/// What came of something.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// What is written to the logs of incidents.
    pub recorded: Vec<Recorded>,
    /// What is written down for a restart.
    pub inputs: Vec<TriageInput>,
}

/// Alerts in, incidents out.
#[derive(Clone, Debug, Default)]
pub struct Triage {
    incidents: Incidents,
    declared: Declared,
    correlator: Correlator,
    lineage: LineageFeed,
    changes: ChangeFeed,
    mentions: Mentions,
}

/// The form of a snapshot.
const FORMAT: u8 = 1;

fn by_correlation() -> Actor {
    Actor::System("correlation".to_owned())
}

impl Triage {
    /// From what was saved: incidents from their logs, groups, and a snapshot. What the snapshot lacks comes by
    /// [`Triage::repeat`]. Nothing where the snapshot is of another version; the incidents are then as they were, and
    /// the correlation learns anew.
    pub fn restore(incidents: Incidents, declared: Declared, snapshot: Option<&[u8]>) -> (Self, bool) {
        let fresh = Self { incidents, declared, ..Self::default() };
        let Some(bytes) = snapshot else { return (fresh, true) };
        let read = bytes.split_first().filter(|(format, _)| **format == FORMAT);
        match read.and_then(|(_, rest)| postcard::from_bytes(rest).ok()) {
            Some((correlator, lineage, changes, mentions)) => {
                (Self { correlator, lineage, changes, mentions, ..fresh }, true)
            }
            None => (fresh, false),
        }
    }

    /// All but incidents and groups.
    pub fn snapshot(&self) -> Vec<u8> {
        let state = (&self.correlator, &self.lineage, &self.changes, &self.mentions);
        postcard::to_extend(&state, vec![FORMAT]).unwrap_or_default()
    }

    /// Every incident.
    pub const fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// Which incident each group is; small, and saved with every change.
    pub const fn declared(&self) -> &Declared {
        &self.declared
    }

    /// What flows into what.
    pub const fn lineage(&self) -> &Lineage {
        self.lineage.graph()
    }

    /// Sees events: what flows into what, and what changes.
    ///
    /// # Errors
    /// [`LineageError`] where a batch breaks the event schema, or there are too many nodes.
    pub fn observe(&mut self, batches: &[EventBatch]) -> Result<(), LineageError> {
        for batch in batches {
            self.changes.observe(batch)?;
            self.lineage.observe(batch)?;
            let flows = self.mentions.observe(batch)?;
            self.lineage.add(flows)?;
        }
        Ok(())
    }

    /// Sees findings: traffic that is not as usual is a change for everything else.
    pub fn observe_findings(&mut self, findings: &[Finding]) {
        findings.iter().for_each(|finding| self.changes.observe_finding(finding));
    }

    /// Takes in a graph that another system tells.
    ///
    /// # Errors
    /// [`LineageError::Full`] where there are too many nodes or edges.
    pub fn absorb(&mut self, graph: Lineage) -> Result<(), LineageError> {
        self.lineage.absorb(graph)
    }

    /// Brings the correlation back to where it was; incidents are not touched.
    pub fn repeat(&mut self, input: &TriageInput) {
        match input {
            TriageInput::Flows { flows } => self.learn(flows),
            TriageInput::Alert { signal } => {
                self.correlator.observe(signal);
            }
            TriageInput::WentOn { alert, until } => {
                self.correlator.went_on(alert, *until);
            }
            TriageInput::Closed { groups } => groups.iter().for_each(|group| self.correlator.close(group)),
        }
    }

    fn learn(&mut self, flows: &[Flow]) {
        let mut graph: Lineage = self.correlator.lineage().clone();
        // A graph that is full knows enough; what does not fit is related to nothing.
        flows.iter().for_each(|(from, to, edge)| {
            let _ = graph.add_edge(from.clone(), to.clone(), edge.clone());
        });
        self.correlator.set_lineage(Arc::new(graph));
    }

    /// Takes in an alert, or what became of one.
    ///
    /// # Errors
    /// [`Refused`] where people arranged incidents in a way that it no longer fits; what was written up to then is in
    /// the incidents, and the caller restores them from their logs.
    pub fn take(&mut self, alert: &Alert) -> Result<Taken, Refused> {
        let (facts, signal) = (AlertFacts::from(alert), Signal::from(alert));
        let time = alert.updated.max(alert.time);
        let mut taken = Taken::default();
        let shown = self.mentions.observe_alert(alert);
        if let Err(error) = self.lineage.add(shown) {
            // A graph that is full knows enough.
            debug_assert!(matches!(error, LineageError::Full { .. }));
        }
        let flows = self.lineage.news();
        if !flows.is_empty() {
            self.learn(&flows);
            taken.inputs.push(TriageInput::Flows { flows });
        }
        let is_new = self.correlator.group_of(&alert.id).is_none();
        if !is_new && self.correlator.went_on(&alert.id, time) {
            taken.inputs.push(TriageInput::WentOn { alert: alert.id.clone(), until: time });
        }
        match self.of_alert(&alert.id) {
            Some(incident) if incident.status.is_active() => {
                let id = incident.id.clone();
                let is_news = is_news(&incident.alerts[&alert.id].alert, &facts);
                if is_news {
                    let attach = Command::Attach { alert: facts, reason: "it went on".to_owned() };
                    taken.recorded.extend(self.incidents.execute(&id, attach, &by_correlation(), time)?);
                }
                return Ok(taken);
            }
            // It was resolved: what comes a little later was under way then.
            Some(over) if time.since(over.updated) < STILL_THERE || facts.severity == Severity::Info => {
                return Ok(taken);
            }
            Some(over) => {
                let (title, follows) = (facts.title.clone(), Some(over.id.clone()));
                let (id, recorded) = self.incidents.open(title, vec![facts], follows, &by_correlation(), time)?;
                taken.recorded.extend(recorded);
                taken.recorded.extend(self.diagnose(&id, None, alert, time)?);
                return Ok(taken);
            }
            None if !is_new => {
                // It told nobody anything until now.
                let group = self.correlator.group_of(&alert.id).unwrap_or_default().to_owned();
                if facts.severity != Severity::Info {
                    taken.recorded.extend(self.declared.join(
                        &mut self.incidents,
                        &group,
                        &facts,
                        "",
                        &by_correlation(),
                        time,
                    )?);
                    if let Some(id) = self.declared.incident_of(&group).map(str::to_owned) {
                        taken.recorded.extend(self.diagnose(&id, Some(&group), alert, time)?);
                    }
                }
                return Ok(taken);
            }
            None => {}
        }
        for change in self.correlator.observe(&signal) {
            taken.recorded.extend(self.declared.apply(&mut self.incidents, &change, &facts, time)?);
        }
        taken.inputs.push(TriageInput::Alert { signal });
        let group = self.correlator.group_of(&alert.id).map(str::to_owned);
        let incident = group.as_deref().and_then(|group| self.declared.incident_of(group)).map(str::to_owned);
        if let Some(id) = incident {
            taken.recorded.extend(self.diagnose(&id, group.as_deref(), alert, time)?);
        }
        Ok(taken)
    }

    /// The incident that holds an alert; where several do, the one that holds it now.
    fn of_alert(&self, alert: &str) -> Option<&Incident> {
        let now = self.incidents.of_alert(alert).and_then(|id| self.incidents.get(id));
        now.or_else(|| {
            let held = self.incidents.iter().filter(|incident| incident.alerts.contains_key(alert));
            held.max_by_key(|incident| incident.updated)
        })
    }

    /// Says where an incident began and what changed before, where there is news.
    fn diagnose(
        &mut self,
        id: &str,
        group: Option<&str>,
        alert: &Alert,
        time: Timestamp,
    ) -> Result<Vec<Recorded>, Refused> {
        let Some(incident) = self.incidents.get(id) else { return Ok(Vec::new()) };
        let (n_alerts, known) = (incident.alerts.len(), incident.origin.clone());
        let earliest = incident.alerts.values().map(|attached| &attached.alert).min_by_key(|facts| facts.onset);
        let is_first = earliest.is_none_or(|facts| facts.id == alert.id);
        let mut recorded = Vec::new();
        if n_alerts <= SMALL_GROUP || n_alerts.is_power_of_two() {
            let origin = group.and_then(|group| self.correlator.origin(group));
            if let Some(origin) = origin.as_ref().and_then(OriginFacts::of)
                && known.is_none_or(|known| is_other_origin(&known, &origin))
            {
                let name = Command::NameOrigin { origin };
                recorded.extend(self.incidents.execute(id, name, &by_correlation(), time)?);
            }
        }
        if is_first {
            let onset = Onset::from(alert);
            // Traffic is no cause of itself.
            let is_other = |change: &&Change| change.kind != ChangeKind::Traffic || change.node != onset.node;
            let others: Vec<Change> = self.changes.changes().iter().filter(is_other).cloned().collect();
            let changes = RankedChange::of(&rank(&onset, &others, self.correlator.lineage()));
            recorded.extend(self.incidents.execute(id, Command::RankChanges { changes }, &by_correlation(), time)?);
        }
        Ok(recorded)
    }

    /// Carries out what somebody asks for.
    ///
    /// # Errors
    /// [`Refused`], which says what to do instead; nothing was written then.
    pub fn execute(&mut self, id: &str, command: Command, by: &Actor, time: Timestamp) -> Result<Taken, Refused> {
        let recorded = self.incidents.execute(id, command.clone(), by, time)?;
        let mut taken = Taken { recorded, inputs: Vec::new() };
        match command {
            Command::Resolve { .. } => {
                let groups = self.declared.close(id);
                groups.iter().for_each(|group| self.correlator.close(group));
                taken.inputs.extend((!groups.is_empty()).then_some(TriageInput::Closed { groups }));
            }
            Command::Merge { into, .. } => self.declared.merged(id, &into),
            _ => {}
        }
        Ok(taken)
    }

    /// Opens an incident that somebody saw without an alert.
    ///
    /// # Errors
    /// [`Refused`] where the title says nothing.
    pub fn open(&mut self, title: String, by: &Actor, time: Timestamp) -> Result<(String, Taken), Refused> {
        let (id, recorded) = self.incidents.open(title, Vec::new(), None, by, time)?;
        Ok((id, Taken { recorded, inputs: Vec::new() }))
    }
}

/// Whether an alert changed in a way that somebody who works on it would want to know.
fn is_news(known: &AlertFacts, now: &AlertFacts) -> bool {
    (known.severity, known.kind, &known.version, known.onset) != (now.severity, now.kind, &now.version, now.onset)
        || !now.atlas.is_subset(&known.atlas)
}

fn is_other_origin(known: &OriginFacts, now: &OriginFacts) -> bool {
    known.node != now.node || NEWS_PERCENT <= known.percent.abs_diff(now.percent)
}
