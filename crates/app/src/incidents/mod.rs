//! Incidents of a server: alerts come in, people work on them, and everything is written down before it counts.

mod desk;
mod text;
mod timeline;
mod view;

pub(crate) use desk::{IncidentDesk, IncidentError};
pub(crate) use text::{incident_text, incidents_table};
pub(crate) use timeline::{TimelineEntry, timeline};
pub(crate) use view::{IncidentView, views_of};
