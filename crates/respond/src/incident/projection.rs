//! What the events of an incident amount to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{
    Actor, AlertFacts, Class, Clocks, Entry, Event, FrozenPack, Impact, IncidentSeverity, OriginFacts, RankedChange,
    Resolution, Role, Status,
};

/// Whether a task is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TaskState {
    /// It is.
    Open,
    /// It was.
    Done {
        /// What shows it.
        outcome: String,
        /// When.
        time: Timestamp,
    },
    /// It will not be.
    Dropped {
        /// Why.
        reason: String,
    },
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its number in the incident, from 1.
    pub number: u32,
    /// What is to be done.
    pub title: String,
    /// Who does it.
    pub owner: Option<String>,
    /// Until when.
    pub due: Option<Timestamp>,
    /// Whether it is to be done.
    pub state: TaskState,
}

/// What somebody wrote down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: Actor,
    /// What.
    pub text: String,
}

/// An alert of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The alert.
    pub alert: AlertFacts,
    /// Why it belongs here.
    pub reason: String,
}

/// An incident as its log tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// When it was opened.
    pub opened: Timestamp,
    /// When something last happened to it.
    pub updated: Timestamp,
    /// How grave somebody said it is.
    pub severity_set: Option<IncidentSeverity>,
    /// Of which class somebody said it is.
    pub class_set: Option<Class>,
    /// When somebody said the harm began.
    pub impact_start_set: Option<Timestamp>,
    /// Its alerts, by id.
    pub alerts: BTreeMap<String, Attached>,
    /// Where it probably began.
    pub origin: Option<OriginFacts>,
    /// What changed before it began, the likeliest cause first.
    pub changes: Vec<RankedChange>,
    /// Evidence packs that were made of it.
    pub packs: Vec<FrozenPack>,
    /// Who does what.
    pub roles: BTreeMap<Role, String>,
    /// What is to be done, by number; a list in JSON.
    #[serde(with = "listed")]
    pub tasks: BTreeMap<u32, Task>,
    /// What was written down.
    pub notes: Vec<Note>,
    /// What was linked: what it is, and where.
    pub links: Vec<(String, String)>,
    /// What it did, as last stated.
    pub impact: Option<Impact>,
    /// How it ended.
    pub resolution: Option<Resolution>,
    /// How often it was opened again.
    pub n_reopened: u32,
    /// Incidents that went into this one.
    pub absorbed: Vec<String>,
    /// Incidents that were split off this one.
    pub split_off: Vec<String>,
    /// The incident that it was split off from.
    pub split_from: Option<String>,
    /// The resolved incident that it follows.
    pub follows: Option<String>,
    /// Acknowledged, mitigated and resolved, as they were recorded.
    stamped: Clocks,
}

/// Tasks as a list: readers of JSON get no numbers from the names of fields.
mod listed {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Task;

    pub(super) fn serialize<S: Serializer>(tasks: &BTreeMap<u32, Task>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tasks.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u32, Task>, D::Error> {
        let tasks = Vec::<Task>::deserialize(deserializer)?;
        Ok(tasks.into_iter().map(|task| (task.number, task)).collect())
    }
}

impl Incident {
    /// An incident from its log; nothing where the log does not begin with its opening.
    pub fn from_entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<Self> {
        let mut entries = entries.into_iter();
        let mut incident = Self::opened(entries.next()?)?;
        entries.for_each(|entry| incident.apply(entry));
        Some(incident)
    }

    /// An incident from the entry that opens it.
    pub(super) fn opened(entry: &Entry) -> Option<Self> {
        let Event::Opened { title, split_from, follows } = &entry.event else { return None };
        Some(Self {
            id: entry.incident.clone(),
            title: title.clone(),
            status: Status::Open,
            opened: entry.time,
            updated: entry.time,
            severity_set: None,
            class_set: None,
            impact_start_set: None,
            alerts: BTreeMap::new(),
            origin: None,
            changes: Vec::new(),
            packs: Vec::new(),
            roles: BTreeMap::new(),
            tasks: BTreeMap::new(),
            notes: Vec::new(),
            links: Vec::new(),
            impact: None,
            resolution: None,
            n_reopened: 0,
            absorbed: Vec::new(),
            split_off: Vec::new(),
            split_from: split_from.clone(),
            follows: follows.clone(),
            stamped: Clocks::default(),
        })
    }

    /// Takes in what happened next. Entries of a log were checked before they were written, so none is refused here.
    pub(super) fn apply(&mut self, entry: &Entry) {
        self.updated = self.updated.max(entry.time);
        match &entry.event {
            Event::Opened { title, .. } | Event::Retitled { title } => self.title.clone_from(title),
            Event::AlertAttached { alert, reason } => self.attach(alert, reason),
            Event::SplitOff { incident, alerts, .. } => {
                self.alerts.retain(|id, _| !alerts.contains(id));
                self.split_off.push(incident.clone());
            }
            Event::MergedInto { incident, .. } => self.status = Status::Merged { into: incident.clone() },
            Event::Absorbed { incident, alerts, tasks, reason, .. } => {
                alerts.iter().for_each(|alert| self.attach(alert, reason));
                tasks.iter().for_each(|task| self.take_over(task.clone()));
                self.absorbed.push(incident.clone());
            }
            Event::OriginNamed { origin } => self.origin = Some(origin.clone()),
            Event::ChangesRanked { changes } => self.changes.clone_from(changes),
            Event::EvidenceFrozen { pack } => self.packs.push(pack.clone()),
            Event::Acknowledged => {
                self.status = Status::Acknowledged;
                self.stamped.acknowledged.get_or_insert(entry.time);
            }
            Event::Assigned { role, person: Some(person) } => {
                self.roles.insert(*role, person.clone());
            }
            Event::Assigned { role, person: None } => {
                self.roles.remove(role);
            }
            Event::Noted { text } => {
                self.notes.push(Note { time: entry.time, by: entry.by.clone(), text: text.clone() });
            }
            Event::Linked { label, target } => self.links.push((label.clone(), target.clone())),
            Event::SeveritySet { severity, .. } => self.severity_set = Some(*severity),
            Event::Classified { class } => self.class_set = Some(*class),
            Event::ImpactStartSet { time, .. } => self.impact_start_set = Some(*time),
            Event::ImpactStated { impact } => self.impact = Some(impact.clone()),
            other => self.apply_progress(other, entry.time),
        }
    }

    fn apply_progress(&mut self, event: &Event, time: Timestamp) {
        match event {
            Event::TaskAdded { number, title, owner, due } => {
                self.tasks.insert(
                    *number,
                    Task {
                        number: *number,
                        title: title.clone(),
                        owner: owner.clone(),
                        due: *due,
                        state: TaskState::Open,
                    },
                );
            }
            Event::TaskDone { number, outcome } => {
                self.set_task(*number, TaskState::Done { outcome: outcome.clone(), time });
            }
            Event::TaskDropped { number, reason } => {
                self.set_task(*number, TaskState::Dropped { reason: reason.clone() });
            }
            Event::Mitigated { .. } => {
                self.status = Status::Mitigated;
                self.stamped.mitigated = Some(time);
            }
            Event::Resolved { resolution, .. } => {
                self.status = Status::Resolved;
                self.resolution = Some(*resolution);
                self.stamped.resolved = Some(time);
            }
            Event::Reopened { .. } => {
                self.status = Status::Acknowledged;
                self.resolution = None;
                self.n_reopened += 1;
                self.stamped.mitigated = None;
                self.stamped.resolved = None;
            }
            _ => {}
        }
    }

    fn attach(&mut self, alert: &AlertFacts, reason: &str) {
        let attached = Attached { alert: alert.clone(), reason: reason.to_owned() };
        self.alerts.insert(alert.id.clone(), attached);
    }

    fn take_over(&mut self, task: Task) {
        let number = self.next_task();
        self.tasks.insert(number, Task { number, ..task });
    }

    fn set_task(&mut self, number: u32, state: TaskState) {
        if let Some(task) = self.tasks.get_mut(&number) {
            task.state = state;
        }
    }

    /// The number of the next task.
    pub(super) fn next_task(&self) -> u32 {
        self.tasks.keys().next_back().map_or(1, |last| last.saturating_add(1))
    }

    /// How grave it is: what somebody said, else the most urgent of its alerts.
    pub fn severity(&self) -> IncidentSeverity {
        let urgent = self.alerts.values().map(|attached| attached.alert.severity).max();
        self.severity_set.or(urgent.map(Into::into)).unwrap_or(IncidentSeverity::Medium)
    }

    /// Its class: what somebody said, else that of the first of its alerts.
    pub fn class(&self) -> Option<Class> {
        let first = self.alerts.values().min_by_key(|attached| (attached.alert.time, &attached.alert.id));
        self.class_set.or(first.map(|attached| attached.alert.kind.into()))
    }

    /// Every class that its alerts are of.
    pub fn classes(&self) -> BTreeSet<Class> {
        let alerts = self.alerts.values().map(|attached| Class::from(attached.alert.kind));
        alerts.chain(self.class_set).collect()
    }

    /// ATLAS techniques that its alerts may be a sign of.
    pub fn atlas(&self) -> BTreeSet<&str> {
        self.alerts.values().flat_map(|attached| &attached.alert.atlas).map(String::as_str).collect()
    }

    /// Models that its alerts are about.
    pub fn models(&self) -> BTreeSet<&str> {
        self.alerts.values().map(|attached| attached.alert.model.as_str()).collect()
    }

    /// Tasks that are to be done.
    pub fn open_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().filter(|task| task.state == TaskState::Open)
    }

    /// Its five clocks.
    pub fn clocks(&self) -> Clocks {
        let alerts = || self.alerts.values().map(|attached| &attached.alert);
        let raised = alerts().map(|alert| alert.time).min();
        let onset = alerts().map(|alert| alert.onset).min();
        Clocks {
            impact_start: self.impact_start_set.or(onset),
            detected: Some(raised.map_or(self.opened, |raised| raised.min(self.opened))),
            ..self.stamped
        }
    }
}
