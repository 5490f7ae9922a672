//! What happened to an incident: the entries of its log.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{AlertFacts, Class, FrozenPack, Impact, IncidentSeverity, OriginFacts, RankedChange, Task};
use crate::chain::Head;

/// Who or what did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "actor", content = "name", rename_all = "snake_case")]
pub enum Actor {
    /// A person, by the name that they signed in with.
    Person(String),
    /// A part of the product, such as `correlation`, or a playbook.
    System(String),
}

impl Actor {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::System(name) => name,
        }
    }
}

/// What a person is responsible for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides.
    Commander,
    /// Finds out.
    Investigator,
    /// Owns the model.
    ModelOwner,
    /// Owns the data.
    DataOwner,
    /// Speaks to those who are affected.
    Communications,
    /// Knows what the law asks for.
    Legal,
    /// Writes down.
    Scribe,
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The cause is gone.
    Fixed,
    /// The cause stays, and its owner accepts that.
    Accepted,
    /// There was nothing.
    FalseAlarm,
}

/// One record of an incident's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The incident.
    pub incident: String,
    /// When it was recorded.
    pub time: Timestamp,
    /// Who or what did it.
    pub by: Actor,
    /// What.
    pub event: Event,
}

/// What happened to an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened {
        /// What it is about.
        title: String,
        /// The incident that it was split off from.
        split_from: Option<String>,
        /// The resolved incident that it follows, where one is known.
        follows: Option<String>,
    },
    /// It got another title.
    Retitled {
        /// The new one.
        title: String,
    },
    /// An alert joined it, or changed since.
    AlertAttached {
        /// The alert.
        alert: AlertFacts,
        /// Why it belongs here.
        reason: String,
    },
    /// Alerts went to another incident.
    SplitOff {
        /// The other one.
        incident: String,
        /// Ids of the alerts.
        alerts: Vec<String>,
        /// Why.
        reason: String,
    },
    /// It goes on as part of another one.
    MergedInto {
        /// The other one.
        incident: String,
        /// Why.
        reason: String,
    },
    /// Another one goes on as part of this one.
    Absorbed {
        /// The other one.
        incident: String,
        /// The end of its log, so that it cannot be cut off afterwards.
        head: Head,
        /// Its alerts.
        alerts: Vec<AlertFacts>,
        /// Its open tasks; they get new numbers here.
        tasks: Vec<Task>,
        /// Why.
        reason: String,
    },
    /// Where it probably began.
    OriginNamed {
        /// Where.
        origin: OriginFacts,
    },
    /// What changed before it began, the likeliest cause first.
    ChangesRanked {
        /// The changes; none where nothing known changed.
        changes: Vec<RankedChange>,
    },
    /// What was known was put into an evidence pack.
    EvidenceFrozen {
        /// The pack.
        pack: FrozenPack,
    },
    /// Somebody took it.
    Acknowledged,
    /// Somebody got a role, or the role is free again.
    Assigned {
        /// The role.
        role: Role,
        /// Who has it.
        person: Option<String>,
    },
    /// Somebody wrote something down.
    Noted {
        /// What.
        text: String,
    },
    /// Somebody linked something.
    Linked {
        /// What it is.
        label: String,
        /// Where: an address, or a query.
        target: String,
    },
    /// There is something to do.
    TaskAdded {
        /// Its number in the incident.
        number: u32,
        /// What is to be done.
        title: String,
        /// Who does it.
        owner: Option<String>,
        /// Until when.
        due: Option<Timestamp>,
    },
    /// Something is done.
    TaskDone {
        /// The task.
        number: u32,
        /// What shows that it is done.
        outcome: String,
    },
    /// Something will not be done.
    TaskDropped {
        /// The task.
        number: u32,
        /// Why.
        reason: String,
    },
    /// Somebody set how grave it is.
    SeveritySet {
        /// How grave.
        severity: IncidentSeverity,
        /// Why.
        reason: String,
    },
    /// Somebody set what class it is of.
    Classified {
        /// The class.
        class: Class,
    },
    /// Somebody stated when the harm began.
    ImpactStartSet {
        /// When.
        time: Timestamp,
        /// How it is known.
        basis: String,
    },
    /// Somebody stated what it did.
    ImpactStated {
        /// What.
        impact: Impact,
    },
    /// The harm is stopped.
    Mitigated {
        /// What stopped it.
        what: String,
    },
    /// It is over.
    Resolved {
        /// How it ended.
        resolution: Resolution,
        /// What was done, or what was found.
        what: String,
    },
    /// It is not over.
    Reopened {
        /// Why.
        reason: String,
    },
}
