//! Incidents from groups of alerts: what the correlation changes becomes commands on incidents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{Severity, Timestamp};

use super::{Actor, AlertFacts, Command, Incidents, Recorded, Refused};
use crate::correlation::GroupChange;

/// Which incident each group of alerts is.
///
/// An alert that tells nobody anything ([`Severity::Info`]) opens no incident by itself: its group waits until one joins
/// that does, and then comes along whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    of_group: BTreeMap<String, String>,
    /// Alerts of groups that are no incident yet.
    waiting: BTreeMap<String, Vec<AlertFacts>>,
}

/// Most groups that wait to become an incident: the oldest are forgotten.
const MAX_WAITING: usize = 5_000;

impl Declared {
    /// The incident of a group.
    pub fn incident_of(&self, group: &str) -> Option<&str> {
        self.of_group.get(group).map(String::as_str)
    }

    /// Groups of an incident: whoever resolves it closes them in the correlation, so that nothing joins any more.
    pub fn groups_of(&self, incident: &str) -> Vec<&str> {
        self.of_group.iter().filter(|(_, id)| *id == incident).map(|(group, _)| group.as_str()).collect()
    }

    /// Forgets the groups of an incident that is over, and says which they were.
    pub fn close(&mut self, incident: &str) -> Vec<String> {
        let groups: Vec<String> = self.groups_of(incident).into_iter().map(str::to_owned).collect();
        groups.iter().for_each(|group| {
            self.of_group.remove(group);
        });
        groups
    }

    /// The groups of one incident are those of another from now on.
    pub fn merged(&mut self, from: &str, into: &str) {
        self.of_group.values_mut().filter(|id| *id == from).for_each(|id| into.clone_into(id));
    }

    /// Carries a change over to incidents. `alert` is the alert that made the correlation change its mind.
    ///
    /// Where people resolved the incident meanwhile, it takes nothing: a new one that follows it is opened.
    ///
    /// # Errors
    /// [`Refused`] where the incidents were split or merged by people in a way that the change no longer fits; what was
    /// written up to then stays.
    pub fn apply(
        &mut self,
        incidents: &mut Incidents,
        change: &GroupChange,
        alert: &AlertFacts,
        time: Timestamp,
    ) -> Result<Vec<Recorded>, Refused> {
        let by = Actor::System("correlation".to_owned());
        match change {
            GroupChange::Opened { group, .. } => self.join(incidents, group, alert, "", &by, time),
            GroupChange::Joined { group, reason, .. } => self.join(incidents, group, alert, reason, &by, time),
            GroupChange::Merged { from, into, reason, .. } => self.merge(incidents, from, into, reason, &by, time),
            GroupChange::Moved { from, into, alerts, reason } => {
                if let Some(waiting) = self.waiting.get_mut(from) {
                    let (moving, staying) = waiting.drain(..).partition(|facts| alerts.contains(&facts.id));
                    *waiting = staying;
                    return self.join_all(incidents, into, moving, reason, &by, time);
                }
                match (self.of_group.get(from), self.of_group.get(into)) {
                    (Some(from), Some(into)) => relocate(incidents, from, into, alerts, reason, &by, time),
                    // What is an incident already stays one, rather than to wait again.
                    _ => Ok(Vec::new()),
                }
            }
        }
    }

    fn join_all(
        &mut self,
        incidents: &mut Incidents,
        group: &str,
        alerts: Vec<AlertFacts>,
        reason: &str,
        by: &Actor,
        time: Timestamp,
    ) -> Result<Vec<Recorded>, Refused> {
        let mut recorded = Vec::new();
        for alert in &alerts {
            recorded.extend(self.join(incidents, group, alert, reason, by, time)?);
        }
        Ok(recorded)
    }

    /// An alert joins a group, which may become an incident by that.
    pub(super) fn join(
        &mut self,
        incidents: &mut Incidents,
        group: &str,
        alert: &AlertFacts,
        reason: &str,
        by: &Actor,
        time: Timestamp,
    ) -> Result<Vec<Recorded>, Refused> {
        let Some(id) = self.of_group.get(group).cloned() else {
            let mut alerts = self.waiting.remove(group).unwrap_or_default();
            alerts.retain(|known| known.id != alert.id);
            alerts.push(alert.clone());
            if alert.severity == Severity::Info {
                self.wait(group, alerts);
                return Ok(Vec::new());
            }
            return self.open(incidents, group, alerts, None, by, time);
        };
        let reason = if reason.is_empty() { "it is of the same group".to_owned() } else { reason.to_owned() };
        let attach = Command::Attach { alert: alert.clone(), reason };
        match incidents.execute(&id, attach, by, time) {
            Err(Refused::IsResolved(resolved)) => {
                self.of_group.remove(group);
                if alert.severity == Severity::Info {
                    self.wait(group, vec![alert.clone()]);
                    return Ok(Vec::new());
                }
                self.open(incidents, group, vec![alert.clone()], Some(resolved), by, time)
            }
            other => other,
        }
    }

    fn wait(&mut self, group: &str, alerts: Vec<AlertFacts>) {
        if MAX_WAITING <= self.waiting.len() {
            let oldest = self.waiting.iter().min_by_key(|(_, alerts)| alerts.first().map(|alert| alert.time));
            if let Some(oldest) = oldest.map(|(group, _)| group.clone()) {
                self.waiting.remove(&oldest);
            }
        }
        self.waiting.insert(group.to_owned(), alerts);
    }

    fn merge(
        &mut self,
        incidents: &mut Incidents,
        from: &str,
        into: &str,
        reason: &str,
        by: &Actor,
        time: Timestamp,
    ) -> Result<Vec<Recorded>, Refused> {
        if let Some(alerts) = self.waiting.remove(from) {
            return self.join_all(incidents, into, alerts, reason, by, time);
        }
        let Some(from) = self.of_group.remove(from) else { return Ok(Vec::new()) };
        let Some(goes_on) = self.of_group.get(into).cloned() else {
            // The group that goes on is no incident yet: it becomes this one.
            self.of_group.insert(into.to_owned(), from);
            let alerts = self.waiting.remove(into).unwrap_or_default();
            return self.join_all(incidents, into, alerts, reason, by, time);
        };
        if from == goes_on {
            return Ok(Vec::new());
        }
        self.merged(&from, &goes_on);
        incidents.execute(&from, Command::Merge { into: goes_on, reason: reason.to_owned() }, by, time)
    }

    fn open(
        &mut self,
        incidents: &mut Incidents,
        group: &str,
        alerts: Vec<AlertFacts>,
        follows: Option<String>,
        by: &Actor,
        time: Timestamp,
    ) -> Result<Vec<Recorded>, Refused> {
        // The sentence of an alert names its model wherever that matters.
        let told = alerts.iter().max_by_key(|alert| (alert.severity, std::cmp::Reverse(alert.time)));
        let title = told.map(|alert| alert.title.clone()).unwrap_or_default();
        let (id, recorded) = incidents.open(title, alerts, follows, by, time)?;
        self.of_group.insert(group.to_owned(), id);
        Ok(recorded)
    }
}

/// Alerts leave one incident for another: a split and a merge, so that both logs tell of it.
fn relocate(
    incidents: &mut Incidents,
    from: &str,
    into: &str,
    alerts: &[String],
    reason: &str,
    by: &Actor,
    time: Timestamp,
) -> Result<Vec<Recorded>, Refused> {
    let Some(incident) = incidents.get(from) else { return Err(Refused::Unknown(from.to_owned())) };
    // What people moved elsewhere stays where they put it.
    let moving: Vec<String> = alerts.iter().filter(|alert| incident.alerts.contains_key(*alert)).cloned().collect();
    if moving.is_empty() || from == into {
        return Ok(Vec::new());
    }
    let merge = || Command::Merge { into: into.to_owned(), reason: reason.to_owned() };
    if moving.len() == incident.alerts.len() {
        return incidents.execute(from, merge(), by, time);
    }
    let title = format!("moved from {from}");
    let split = Command::Split { alerts: moving, title, reason: reason.to_owned() };
    let mut recorded = incidents.execute(from, split, by, time)?;
    let new = recorded.last().map(|last| last.incident.clone()).unwrap_or_default();
    recorded.extend(incidents.execute(&new, merge(), by, time)?);
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use proptest::prelude::*;

    use super::*;
    use crate::{
        correlation::{CorrelationSettings, Correlator, Signal},
        incident::{Resolution, Status, tests::alert},
        lineage::{Edge, EdgeKind, Lag, Lineage, Node, NodeKind, Uses},
    };

    fn correlator() -> Correlator {
        let mut graph = Lineage::default();
        let model = |name: &str| Node::new(NodeKind::Model, name).unwrap();
        let after = |hours| Edge::new(EdgeKind::Read, Uses::always()).with_lag(Lag::about(hours * Timestamp::HOUR));
        for (from, to, hours) in [("a", "b", 2), ("a", "c", 3), ("d", "c", 2), ("c", "e", 10)] {
            graph.add_edge(model(from), model(to), after(hours)).unwrap();
        }
        Correlator::new(CorrelationSettings::default(), Arc::new(graph)).unwrap()
    }

    fn signal(facts: &AlertFacts, node: &str) -> Signal {
        Signal {
            id: facts.id.clone(),
            time: facts.time,
            onset: facts.onset,
            onset_interval: (facts.onset, facts.onset),
            node: format!("model={node}"),
            entities: BTreeSet::new(),
        }
    }

    #[test]
    fn a_resolved_incident_is_followed_by_a_new_one() {
        let (mut correlator, mut incidents, mut declared) = (correlator(), Incidents::default(), Declared::default());
        let mut observe = |incidents: &mut Incidents, id: &str, node: &str, minutes: i64| {
            let facts = alert(id, minutes);
            for change in correlator.observe(&signal(&facts, node)) {
                declared.apply(incidents, &change, &facts, facts.time).unwrap();
            }
        };
        observe(&mut incidents, "1", "a", 0);
        let id = incidents.of_alert("1").unwrap().to_owned();
        let ana = Actor::Person("ana".to_owned());
        let what = "nothing found".to_owned();
        incidents.execute(&id, Command::Acknowledge, &ana, alert("x", 5).time).unwrap();
        let resolve = Command::Resolve { resolution: Resolution::FalseAlarm, what };
        incidents.execute(&id, resolve, &ana, alert("x", 6).time).unwrap();
        observe(&mut incidents, "2", "b", 120);
        let new = incidents.get(incidents.of_alert("2").unwrap()).unwrap();
        assert_eq!(new.follows.as_deref(), Some(id.as_str()));
        assert_eq!(incidents.get(&id).unwrap().alerts.len(), 1);
        assert_eq!(incidents.get(&id).unwrap().status, Status::Resolved);
    }

    proptest! {
        #[test]
        fn incidents_hold_what_groups_hold(
            alerts in prop::collection::vec((0usize..6, 0i64..4_000, 0i64..600), 1..40),
        ) {
            let (mut correlator, mut incidents, mut declared) =
                (correlator(), Incidents::default(), Declared::default());
            let nodes = ["a", "b", "c", "d", "e", "far"];
            let mut facts: Vec<(AlertFacts, &str)> = alerts.iter().enumerate().map(|(number, (node, minutes, delay))| {
                let told = alert(&format!("n-{number}"), minutes + delay);
                (AlertFacts { onset: told.time.plus(-delay * Timestamp::MINUTE), ..told }, nodes[*node])
            }).collect();
            facts.sort_by_key(|(facts, _)| facts.time);
            for (facts, node) in &facts {
                for change in correlator.observe(&signal(facts, node)) {
                    declared.apply(&mut incidents, &change, facts, facts.time).unwrap();
                }
            }
            for (facts, _) in &facts {
                let group = correlator.group_of(&facts.id).unwrap();
                prop_assert_eq!(declared.incident_of(group), incidents.of_alert(&facts.id));
            }
        }
    }
}
