//! Carries out what runs intend, each actuator one thing at a time, and hands back what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinSet;
use wardline_domain::{Action, ActionError, ActionReceipt, ActionRequest};
use wardline_respond::{incident::Actor, playbook::Outcome};

use super::desk::{Desk, InputError};
use crate::pipeline;

/// How often time passes for a run.
const TICK: Duration = Duration::from_millis(100);

/// Whose turn it is at each actuator.
type Turns = Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>;

impl Desk {
    /// Starts carrying out what is due, also what was due when the program stopped.
    pub(crate) fn run(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let desk = Arc::clone(self);
        tokio::spawn(async move {
            let mut under_way: BTreeSet<String> = BTreeSet::new();
            let mut calls: JoinSet<String> = JoinSet::new();
            let turns: Arc<Turns> = Arc::default();
            loop {
                tokio::select! {
                    () = desk.wake.notified() => {}
                    () = tokio::time::sleep(TICK) => desk.pass_time().await,
                    Some(Ok(call)) = calls.join_next(), if !calls.is_empty() => { under_way.remove(&call); }
                }
                for (run, request) in desk.to_carry_out() {
                    if under_way.insert(request.id.clone()) {
                        let (desk, turns) = (Arc::clone(&desk), Arc::clone(&turns));
                        calls.spawn(async move {
                            desk.carry_out(&run, &request, &turns).await;
                            request.id
                        });
                    }
                }
            }
        })
    }

    async fn pass_time(self: &Arc<Self>) {
        let clock = || Actor::System("clock".to_owned());
        for run in self.due(pipeline::now()) {
            let passed = self.hand_in(&run, move |run, now| Ok(run.pass_time(now, &clock())?)).await;
            if let Err(error) = passed {
                tracing::error!(error = %error, %run, "a run could not go on");
            }
        }
    }

    async fn carry_out(self: &Arc<Self>, run: &str, request: &ActionRequest, turns: &Turns) {
        let (by, came) = match self.freezes(&request.action) {
            Some(incident) => ("evidence".to_owned(), self.freeze(&incident).await),
            None => match self.actuators.of(&request.action) {
                Err(reason) => {
                    let target = "the settings".to_owned();
                    ("playbook".to_owned(), Err(ActionError::Refused { target, reason }))
                }
                Ok(actuator) => {
                    let turn = turn_of(turns, actuator.name());
                    let _turn = turn.lock().await;
                    // While it waited for its turn, it may have been given up.
                    if !self.is_asked_for(run, &request.id) {
                        return;
                    }
                    let frozen = match self.incident_to_freeze(run) {
                        Some(incident) => self.freeze(&incident).await.map(drop),
                        None => Ok(()),
                    };
                    let came = match frozen {
                        Ok(()) => actuator.carry_out(request).await,
                        Err(error) => Err(error),
                    };
                    (actuator.name().to_owned(), came)
                }
            },
        };
        self.report(run, request, by, came).await;
    }

    async fn report(
        self: &Arc<Self>,
        run: &str,
        request: &ActionRequest,
        by: String,
        came: Result<ActionReceipt, ActionError>,
    ) {
        let id = &request.id;
        let outcome = match came {
            Ok(receipt) => Outcome::Done { receipt },
            Err(error) if error.is_temporary() => {
                tracing::warn!(actuator = %by, %id, %error, "an action could not be carried out, and is tried again");
                return self.failed_for_now(id, error.to_string());
            }
            Err(error) => {
                tracing::warn!(actuator = %by, %id, %error, "an action failed");
                Outcome::Failed { reason: error.to_string() }
            }
        };
        let request = id.clone();
        let handed_in =
            self.hand_in(run, move |run, now| Ok(run.report(&request, outcome, &Actor::System(by), now)?)).await;
        match handed_in {
            Ok(_) => {}
            // It was given up while it was carried out, and nobody asks any more.
            Err(InputError::Run(error)) => tracing::warn!(%error, %id, "what came of an action is not asked for"),
            Err(error) => {
                tracing::error!(%error, %id, "what came of an action could not be written down");
                self.failed_for_now(id, error.to_string());
            }
        }
    }

    /// The incident whose evidence an action freezes, where that is done here.
    fn freezes(&self, action: &Action) -> Option<String> {
        let Action::Named { parameters, .. } = action else { return None };
        let is_here = self.freeze.get().is_some() && self.actuators.is_frozen_here(action);
        if is_here { parameters.get("incident").cloned() } else { None }
    }

    async fn freeze(&self, incident: &str) -> Result<ActionReceipt, ActionError> {
        let Some(freeze) = self.freeze.get() else { return Ok(ActionReceipt::default()) };
        let frozen = freeze.before_first_action(incident).await?;
        Ok(ActionReceipt { before: None, after: Some(frozen), was_so: false })
    }
}

fn turn_of(turns: &Turns, actuator: &str) -> Arc<tokio::sync::Mutex<()>> {
    let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(turns.entry(actuator.to_owned()).or_default())
}
