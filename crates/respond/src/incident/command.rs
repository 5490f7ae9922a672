//! What people and machines may ask of an incident, and why it is refused.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{
    AlertFacts, Class, FrozenPack, Impact, IncidentSeverity, OriginFacts, RankedChange, Resolution, Role, Status,
};
use crate::chain::AppendError;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Declares an incident; see [`super::Incidents::open`].
    Open {
        /// What it is about.
        title: String,
        /// Alerts that it begins with.
        alerts: Vec<AlertFacts>,
        /// The resolved incident that it follows, where one is known.
        follows: Option<String>,
    },
    /// Gives it another title.
    Retitle {
        /// The new one.
        title: String,
    },
    /// Adds an alert, or what changed of one.
    Attach {
        /// The alert.
        alert: AlertFacts,
        /// Why it belongs here.
        reason: String,
    },
    /// Says where it probably began.
    NameOrigin {
        /// Where.
        origin: OriginFacts,
    },
    /// Says what changed before it began.
    RankChanges {
        /// The likeliest cause first.
        changes: Vec<RankedChange>,
    },
    /// Says that evidence was frozen.
    Freeze {
        /// The pack.
        pack: FrozenPack,
    },
    /// Takes it.
    Acknowledge,
    /// Gives a role to a person, or frees it.
    Assign {
        /// The role.
        role: Role,
        /// Who gets it.
        person: Option<String>,
    },
    /// Writes something down.
    Note {
        /// What.
        text: String,
    },
    /// Links something.
    Link {
        /// What it is.
        label: String,
        /// Where.
        target: String,
    },
    /// Adds something to do.
    AddTask {
        /// What.
        title: String,
        /// Who does it.
        owner: Option<String>,
        /// Until when.
        due: Option<Timestamp>,
    },
    /// Says that something is done.
    FinishTask {
        /// Which task.
        number: u32,
        /// What shows it.
        outcome: String,
    },
    /// Says that something will not be done.
    DropTask {
        /// Which task.
        number: u32,
        /// Why.
        reason: String,
    },
    /// Sets how grave it is.
    SetSeverity {
        /// How grave.
        severity: IncidentSeverity,
        /// Why.
        reason: String,
    },
    /// Sets its class.
    Classify {
        /// The class.
        class: Class,
    },
    /// States when the harm began.
    SetImpactStart {
        /// When.
        time: Timestamp,
        /// How it is known.
        basis: String,
    },
    /// States what it did.
    StateImpact {
        /// What.
        impact: Impact,
    },
    /// Says that the harm is stopped.
    Mitigate {
        /// What stopped it.
        what: String,
    },
    /// Says that it is over.
    Resolve {
        /// How it ended.
        resolution: Resolution,
        /// What was done, or what was found.
        what: String,
    },
    /// Says that it is not over.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Lets it go on as part of another one.
    Merge {
        /// The other one.
        into: String,
        /// Why.
        reason: String,
    },
    /// Moves some of its alerts to a new incident.
    Split {
        /// Ids of the alerts.
        alerts: Vec<String>,
        /// What the new one is about.
        title: String,
        /// Why.
        reason: String,
    },
}

impl Command {
    /// Whether only the product itself may ask for it: what it would state is not for people to state.
    pub const fn is_internal(&self) -> bool {
        matches!(self, Self::Attach { .. } | Self::NameOrigin { .. } | Self::RankChanges { .. } | Self::Freeze { .. })
    }
}

/// Why a command was refused, and what to do instead.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No such incident.
    #[error("there is no incident `{0}`: list incidents to find its id")]
    Unknown(String),
    /// It is resolved.
    #[error("incident `{0}` is resolved and takes nothing more: reopen it, or open a new one that follows it")]
    IsResolved(String),
    /// It is part of another one.
    #[error("incident `{incident}` goes on as part of `{into}`: work there")]
    IsMerged {
        /// The incident.
        incident: String,
        /// The one that it is part of.
        into: String,
    },
    /// The command does not fit where the incident stands.
    #[error("incident `{incident}` is {status}: {advice}")]
    WrongStatus {
        /// The incident.
        incident: String,
        /// Where it stands.
        status: Status,
        /// What to do.
        advice: &'static str,
    },
    /// An alert is elsewhere.
    #[error("alert `{alert}` belongs to incident `{incident}`: merge the two, or split it off there first")]
    AlertElsewhere {
        /// The alert.
        alert: String,
        /// Where it is.
        incident: String,
    },
    /// An alert is not in the incident.
    #[error("alert `{alert}` is not in incident `{incident}`: name alerts that it lists")]
    NoSuchAlert {
        /// The alert.
        alert: String,
        /// The incident.
        incident: String,
    },
    /// Nothing or everything would be split off.
    #[error(
        "of the {has} alerts of incident `{incident}`, {named} would go: name at least one, and leave at least one"
    )]
    NothingToSplit {
        /// The incident.
        incident: String,
        /// How many alerts it has.
        has: usize,
        /// How many were named.
        named: usize,
    },
    /// An incident cannot be merged with itself.
    #[error("incident `{0}` cannot be merged into itself: name another one")]
    IntoItself(String),
    /// No open task of that number.
    #[error("incident `{incident}` has no open task {number}: its open tasks are {open:?}")]
    NoSuchTask {
        /// The incident.
        incident: String,
        /// The number.
        number: u32,
        /// Numbers of its open tasks.
        open: Vec<u32>,
    },
    /// A text that must say something says nothing.
    #[error("`{0}` is empty: say it in a few words, because others will read the log")]
    Empty(&'static str),
    /// A text is too long.
    #[error("`{field}` has {bytes} bytes, and at most {most} are kept: link a file instead")]
    TooLong {
        /// Which text.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        most: usize,
    },
    /// It has as many as it may have.
    #[error("incident `{incident}` has {most} {what}, and takes no more: open another one that follows it")]
    Full {
        /// The incident.
        incident: String,
        /// What there are too many of.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// The record could not be written.
    #[error(transparent)]
    NotRecorded(#[from] AppendError),
}
