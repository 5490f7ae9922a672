//! All rollouts that are under way, at most one of each model.

use std::collections::BTreeMap;

use wardline_domain::Timestamp;

use super::{
    log::LogEntry,
    machine::{Due, Input, Rollout},
    plan::{PlanError, RolloutPlan},
};

/// Why a rollout is not begun.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Another one of the same model is under way.
    #[error("the rollout {rollout} of {model} is under way: end it first, with `wardline rollout abort {model}`")]
    Busy {
        /// The model.
        model: String,
        /// The rollout that is under way.
        rollout: String,
    },
    /// The plan cannot be.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Rollouts by model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollouts {
    open: BTreeMap<String, Rollout>,
}

impl Rollouts {
    /// Goes on with every rollout of these logs that has not ended; each log in order.
    pub fn restore<'a>(logs: impl IntoIterator<Item = &'a [LogEntry]>) -> Self {
        let rollouts = logs.into_iter().filter_map(Rollout::restore).filter(|rollout| rollout.ended().is_none());
        Self { open: rollouts.map(|rollout| (rollout.plan().model.clone(), rollout)).collect() }
    }

    /// Begins a rollout.
    ///
    /// # Errors
    /// [`Refused`] where another one of the model is under way, or the plan cannot be.
    pub fn begin(&mut self, id: &str, plan: RolloutPlan, by: &str, time: Timestamp) -> Result<Vec<LogEntry>, Refused> {
        plan.check()?;
        let model = plan.model.clone();
        if let Some(open) = self.open.get(&model) {
            return Err(Refused::Busy { model, rollout: open.id().to_owned() });
        }
        let (rollout, entries) = Rollout::begin(id, plan, by, time);
        self.open.insert(model, rollout);
        Ok(entries)
    }

    /// Hands an input to a model's rollout; the entries are to be written down. One that has ended is let go.
    pub fn handle(&mut self, model: &str, input: Input, time: Timestamp) -> Vec<LogEntry> {
        let Some(rollout) = self.open.get_mut(model) else { return Vec::new() };
        let entries = rollout.handle(input, time);
        if rollout.ended().is_some() {
            self.open.remove(model);
        }
        entries
    }

    /// The rollout of a model that is under way.
    pub fn of(&self, model: &str) -> Option<&Rollout> {
        self.open.get(model)
    }

    /// All that are under way.
    pub fn open(&self) -> impl Iterator<Item = &Rollout> {
        self.open.values()
    }

    /// What is intended and has no outcome yet, with its model.
    pub fn due(&self) -> impl Iterator<Item = (&str, Due)> {
        self.open.iter().flat_map(|(model, rollout)| rollout.due().into_iter().map(move |due| (model.as_str(), due)))
    }
}
