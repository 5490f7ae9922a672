//! Every incident, each with its log; what concerns two of them is decided here.

use std::collections::{BTreeMap, BTreeSet};

use wardline_domain::Timestamp;

use super::{
    Actor, AlertFacts, Command, Entry, Event, Incident, Refused, Status,
    decide::{MAX_ALERTS, check_status, check_texts, decide},
};
use crate::chain::{Chain, ChainBreak, Damage, Head};

/// A record that was written: what a store appends to the incident's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The incident.
    pub incident: String,
    /// Its place in the incident's log.
    pub sequence: u64,
    /// Its line, without a line feed.
    pub line: String,
    /// What it records.
    pub entry: Entry,
}

/// Every incident.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incidents {
    logs: BTreeMap<String, Chain<Entry>>,
    incidents: BTreeMap<String, Incident>,
    /// Where the alerts of active incidents are.
    alerts: BTreeMap<String, String>,
}

impl Incidents {
    /// Every incident, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values()
    }

    /// An incident by its id.
    pub fn get(&self, id: &str) -> Option<&Incident> {
        self.incidents.get(id)
    }

    /// The log of an incident.
    pub fn log(&self, id: &str) -> Option<&Chain<Entry>> {
        self.logs.get(id)
    }

    /// The active incident that an alert belongs to.
    pub fn of_alert(&self, alert: &str) -> Option<&str> {
        self.alerts.get(alert).map(String::as_str)
    }

    /// Takes in the log of one incident, as it was written.
    ///
    /// # Errors
    /// What is damaged; nothing is taken in then.
    pub fn restore(&mut self, lines: &[u8], head: Option<&Head>) -> Result<&Incident, Vec<ChainBreak>> {
        let log = Chain::<Entry>::from_lines(lines, head)?;
        let reject = |reason: &str| vec![ChainBreak { sequence: 0, damage: Damage::NotUnderstood(reason.to_owned()) }];
        let entries = log.links().iter().map(|link| &link.entry);
        let Some(incident) = Incident::from_entries(entries) else {
            return Err(reject("a log begins with the opening of its incident"));
        };
        if log.links().iter().any(|link| link.entry.incident != incident.id) {
            return Err(reject("a log is of one incident"));
        }
        let id = incident.id.clone();
        if incident.status.is_active() {
            self.alerts.extend(incident.alerts.keys().map(|alert| (alert.clone(), id.clone())));
        }
        self.logs.insert(id.clone(), log);
        Ok(self.incidents.entry(id).insert_entry(incident).into_mut())
    }

    /// Opens an incident, and says its id with what was written.
    ///
    /// # Errors
    /// [`Refused`], where an alert is in another active incident, or the title says nothing.
    pub fn open(
        &mut self,
        title: String,
        alerts: Vec<AlertFacts>,
        follows: Option<String>,
        by: &Actor,
        time: Timestamp,
    ) -> Result<(String, Vec<Recorded>), Refused> {
        let command = Command::Open { title, alerts, follows };
        check_texts(&command)?;
        let Command::Open { title, alerts, follows } = command else { return Err(Refused::Empty("title")) };
        for alert in &alerts {
            self.check_alert_is_free(&alert.id, None)?;
        }
        let id = self.free_id(&title, &alerts, time);
        if MAX_ALERTS < alerts.len() {
            return Err(Refused::Full { incident: id, what: "alerts", most: MAX_ALERTS });
        }
        let opened = Event::Opened { title, split_from: None, follows };
        let attached = alerts.into_iter().map(|alert| Event::AlertAttached { alert, reason: "opened with it".into() });
        let recorded = self.record(&id, std::iter::once(opened).chain(attached).collect(), by, time)?;
        Ok((id, recorded))
    }

    /// Carries out a command on an incident.
    ///
    /// # Errors
    /// [`Refused`], which says what to do instead; nothing was written then.
    pub fn execute(
        &mut self,
        id: &str,
        command: Command,
        by: &Actor,
        time: Timestamp,
    ) -> Result<Vec<Recorded>, Refused> {
        let incident = self.incidents.get(id).ok_or_else(|| Refused::Unknown(id.to_owned()))?;
        match command {
            Command::Open { title, alerts, follows } => {
                self.open(title, alerts, follows, by, time).map(|(_, recorded)| recorded)
            }
            Command::Merge { .. } => self.merge(id, command, by, time),
            Command::Split { .. } => self.split(id, command, by, time),
            command => {
                if let Command::Attach { alert, .. } = &command {
                    self.check_alert_is_free(&alert.id, Some(id))?;
                }
                if let Command::Reopen { .. } = &command {
                    // Its alerts may have gone on in another incident meanwhile.
                    incident.alerts.keys().try_for_each(|alert| self.check_alert_is_free(alert, Some(id)))?;
                }
                let events = decide(incident, command)?;
                self.record(id, events, by, time)
            }
        }
    }

    fn merge(&mut self, id: &str, command: Command, by: &Actor, time: Timestamp) -> Result<Vec<Recorded>, Refused> {
        check_texts(&command)?;
        let from = self.incidents.get(id).ok_or_else(|| Refused::Unknown(id.to_owned()))?;
        check_status(from, &command)?;
        let Command::Merge { into, reason } = command else { return Ok(Vec::new()) };
        if into == id {
            return Err(Refused::IntoItself(into));
        }
        let target = self.incidents.get(&into).ok_or_else(|| Refused::Unknown(into.clone()))?;
        match &target.status {
            Status::Resolved => return Err(Refused::IsResolved(into)),
            Status::Merged { into: further } => {
                return Err(Refused::IsMerged { incident: into, into: further.clone() });
            }
            Status::Open | Status::Acknowledged | Status::Mitigated => {}
        }
        if MAX_ALERTS < target.alerts.len() + from.alerts.len() {
            return Err(Refused::Full { incident: into, what: "alerts", most: MAX_ALERTS });
        }
        let alerts = from.alerts.values().map(|attached| attached.alert.clone()).collect();
        let tasks = from.open_tasks().cloned().collect();
        let merged = Event::MergedInto { incident: into.clone(), reason: reason.clone() };
        let mut recorded = self.record(id, vec![merged], by, time)?;
        let head = self.logs.get(id).map(Chain::head).unwrap_or_default();
        let absorbed = Event::Absorbed { incident: id.to_owned(), head, alerts, tasks, reason };
        recorded.extend(self.record(&into, vec![absorbed], by, time)?);
        Ok(recorded)
    }

    fn split(&mut self, id: &str, command: Command, by: &Actor, time: Timestamp) -> Result<Vec<Recorded>, Refused> {
        check_texts(&command)?;
        let from = self.incidents.get(id).ok_or_else(|| Refused::Unknown(id.to_owned()))?;
        check_status(from, &command)?;
        let Command::Split { alerts, title, reason } = command else { return Ok(Vec::new()) };
        let named: BTreeSet<String> = alerts.into_iter().collect();
        let mut moved = Vec::new();
        for alert in &named {
            let attached = from
                .alerts
                .get(alert)
                .ok_or_else(|| Refused::NoSuchAlert { alert: alert.clone(), incident: id.to_owned() })?;
            moved.push(attached.alert.clone());
        }
        if moved.is_empty() || moved.len() == from.alerts.len() {
            let (has, named) = (from.alerts.len(), moved.len());
            return Err(Refused::NothingToSplit { incident: id.to_owned(), has, named });
        }
        let new = self.free_id(&title, &moved, time);
        let gone =
            Event::SplitOff { incident: new.clone(), alerts: named.into_iter().collect(), reason: reason.clone() };
        let mut recorded = self.record(id, vec![gone], by, time)?;
        let opened = Event::Opened { title, split_from: Some(id.to_owned()), follows: None };
        let attached = moved.into_iter().map(|alert| Event::AlertAttached { alert, reason: reason.clone() });
        recorded.extend(self.record(&new, std::iter::once(opened).chain(attached).collect(), by, time)?);
        Ok(recorded)
    }

    fn check_alert_is_free(&self, alert: &str, except: Option<&str>) -> Result<(), Refused> {
        match self.alerts.get(alert) {
            Some(incident) if Some(incident.as_str()) != except => {
                Err(Refused::AlertElsewhere { alert: alert.to_owned(), incident: incident.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The same for the same opening, so that a replay makes no second incident under another name.
    fn free_id(&self, title: &str, alerts: &[AlertFacts], time: Timestamp) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(title).chain(alerts.iter().map(|alert| alert.id.as_str())) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&time.micros().to_le_bytes());
        loop {
            let id = format!("i-{}", &hasher.finalize().to_hex()[..16]);
            if !self.incidents.contains_key(&id) {
                return id;
            }
            hasher.update(id.as_bytes());
        }
    }

    /// Writes events, and takes them into the projection.
    fn record(&mut self, id: &str, events: Vec<Event>, by: &Actor, time: Timestamp) -> Result<Vec<Recorded>, Refused> {
        let mut recorded = Vec::with_capacity(events.len());
        for event in events {
            let entry = Entry { incident: id.to_owned(), time, by: by.clone(), event };
            let link = self.logs.entry(id.to_owned()).or_default().append(entry)?;
            let (sequence, line, entry) = (link.sequence, link.line.clone(), link.entry.clone());
            self.project(id, &entry);
            recorded.push(Recorded { incident: id.to_owned(), sequence, line, entry });
        }
        Ok(recorded)
    }

    fn project(&mut self, id: &str, entry: &Entry) {
        match self.incidents.get_mut(id) {
            Some(incident) => incident.apply(entry),
            None => {
                self.incidents.extend(Incident::opened(entry).map(|incident| (id.to_owned(), incident)));
            }
        }
        let Some(incident) = self.incidents.get(id) else { return };
        let here = || id.to_owned();
        match &entry.event {
            Event::AlertAttached { alert, .. } => {
                self.alerts.insert(alert.id.clone(), here());
            }
            Event::Absorbed { alerts, .. } => {
                self.alerts.extend(alerts.iter().map(|alert| (alert.id.clone(), here())));
            }
            Event::Reopened { .. } => {
                self.alerts.extend(incident.alerts.keys().map(|alert| (alert.clone(), here())));
            }
            Event::SplitOff { alerts, .. } => {
                for alert in alerts {
                    self.alerts.remove(alert);
                }
            }
            Event::Resolved { .. } | Event::MergedInto { .. } => {
                for alert in incident.alerts.keys() {
                    self.alerts.remove(alert);
                }
            }
            _ => {}
        }
    }
}
