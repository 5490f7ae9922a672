//! Evidence packs of a server: what was known of an incident, frozen and signed before anything is changed.

mod content;
mod room;

pub(crate) use room::EvidenceRoom;
