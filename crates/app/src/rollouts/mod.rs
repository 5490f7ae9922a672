//! Rollouts of a server: judges see what detection sees, decisions are written down, and a runner carries them out.
//!
//! Nothing here holds up intake: judges run on detection's thread behind the journal, and actuators on tasks of their
//! own.

mod desk;
mod runner;
mod view;

pub(crate) use desk::{Desk, StartError};
pub(crate) use view::{RolloutView, argo_answer, flagger_says};
