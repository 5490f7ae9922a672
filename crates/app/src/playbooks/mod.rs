//! Playbooks of a server: runs are written down before anything is done, and a runner carries them out.
//!
//! A run is a log in the metadata; the file of its playbook is kept beside it, so that an upgrade or an edit changes no
//! run that is under way. What people say comes over HTTP with their names, what actuators say from a task of its own,
//! and both are in the log before anything follows from them.

mod actuators;
mod desk;
mod freeze;
mod kept;
mod listed;
mod runner;
mod shelf;
mod text;
mod values;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use actuators::Actuators;
pub(crate) use desk::{Desk, InputError, Order, StartError};
pub(crate) use freeze::Freeze;
pub(crate) use listed::{BookView, dry_run};
pub(crate) use shelf::{Book, Shelf};
pub(crate) use text::{book_text, run_text, runs_text, shelf_text};
pub(crate) use values::values_of_incident;
pub(crate) use view::{RunState, RunView};
