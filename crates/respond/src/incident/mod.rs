//! Incidents: what people and machines did about alerts of one cause, as a log that cannot be changed unnoticed.
//!
//! An incident is its [events](Event), in a hash chain of its own. What is shown of it (status, clocks, tasks, people)
//! is a [projection](Incident) of them: the same events give the same incident. A [`Command`] is checked against the
//! projection and becomes events, or an error that says what to do instead.
//!
//! **Invariant:** a resolved incident takes no alert. An alert belongs to one incident at a time.

mod clocks;
mod command;
mod decide;
mod declared;
mod diagnosis;
mod event;
mod facts;
mod impact;
mod projection;
mod register;
mod status;
mod triage;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod triage_tests;

pub use clocks::Clocks;
pub use command::{Command, Refused};
pub use declared::Declared;
pub use diagnosis::{FrozenPack, OriginFacts, RankedChange};
pub use event::{Actor, Entry, Event, Resolution, Role};
pub use facts::AlertFacts;
pub use impact::Impact;
pub use projection::{Attached, Incident, Note, Task, TaskState};
pub use register::{Incidents, Recorded};
pub use status::{Class, IncidentSeverity, Status};
pub use triage::{Taken, Triage, TriageInput};
