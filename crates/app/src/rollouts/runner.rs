//! Carries out what rollouts intend, each actuator one thing at a time, and hands back what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::task::JoinSet;
use wardline_domain::{Action, ActionReceipt, Alert, Finding, FindingKind, Severity, Slice, Timestamp};
use wardline_respond::rollout::{Due, Input, Outcome, TELL};

use super::desk::Desk;
use crate::pipeline;

/// How often time passes for a rollout.
const TICK: Duration = Duration::from_millis(100);
/// Longest time that one call may hold its actuator.
const LONGEST_CALL: Duration = Duration::from_secs(10);

impl Desk {
    /// Starts carrying out what is due, also what was due when the program stopped.
    pub(crate) fn run(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let desk = Arc::clone(self);
        tokio::spawn(async move {
            let mut under_way: BTreeSet<(String, u32)> = BTreeSet::new();
            let mut calls: JoinSet<(String, u32)> = JoinSet::new();
            let turns: BTreeMap<String, Arc<tokio::sync::Mutex<()>>> =
                desk.actuators.keys().map(|name| (name.clone(), Arc::default())).collect();
            loop {
                tokio::select! {
                    () = desk.wake.notified() => {}
                    () = tokio::time::sleep(TICK) => desk.tick().await,
                    Some(Ok(call)) = calls.join_next(), if !calls.is_empty() => { under_way.remove(&call); }
                }
                for (model, due) in desk.due() {
                    let call = (due.request.id.clone(), due.attempt);
                    if under_way.insert(call.clone()) {
                        let turn = turns.get(&due.actuator).map(Arc::clone).unwrap_or_default();
                        let desk = Arc::clone(&desk);
                        calls.spawn(async move {
                            let _turn = turn.lock().await;
                            desk.carry_out(&model, due).await;
                            call
                        });
                    }
                }
            }
        })
    }

    async fn tick(&self) {
        for model in self.models() {
            if let Err(error) = self.hand_in(&model, Input::Tick).await {
                tracing::error!(error = %format!("{error:#}"), %model, "a rollout could not go on");
            }
        }
    }

    async fn carry_out(&self, model: &str, due: Due) {
        // While it waited for its turn, it may have been given up.
        let is_due =
            self.due().iter().any(|(_, other)| other.request.id == due.request.id && other.attempt == due.attempt);
        if !is_due {
            return;
        }
        let outcome = if due.actuator == TELL { self.tell(model, &due).await } else { self.ask(&due).await };
        if let Outcome::Failed { reason, .. } = &outcome {
            tracing::warn!(actuator = %due.actuator, id = %due.request.id, %reason, "an action failed");
        }
        let came = Input::Came { id: due.request.id, attempt: due.attempt, outcome };
        if let Err(error) = self.hand_in(model, came).await {
            tracing::error!(error = %format!("{error:#}"), %model, "what came of an action could not be written down");
        }
    }

    async fn ask(&self, due: &Due) -> Outcome {
        let Some(actuator) = self.actuators.get(&due.actuator) else {
            let reason = format!("there is no actuator `{}` in the settings any more", due.actuator);
            return Outcome::Failed { reason, is_temporary: false };
        };
        match tokio::time::timeout(LONGEST_CALL, actuator.carry_out(&due.request)).await {
            Ok(Ok(receipt)) => Outcome::Done { receipt },
            Ok(Err(error)) => Outcome::Failed { reason: error.to_string(), is_temporary: error.is_temporary() },
            Err(_) => {
                let reason = format!("no answer within {} s", LONGEST_CALL.as_secs());
                Outcome::Failed { reason, is_temporary: true }
            }
        }
    }

    /// Raises an alert: whoever is told of alerts is told of this one.
    async fn tell(&self, model: &str, due: &Due) -> Outcome {
        let Action::Named { name, parameters } = &due.request.action else {
            return Outcome::Failed { reason: "it can only be told of".to_owned(), is_temporary: false };
        };
        let alert = alert_of(model, &due.request.id, name == "page", parameters, &due.request.reason);
        let notifications = self.incidents.notifications();
        let messages = notifications.messages_for_told(&alert);
        match self.metadata().write_alerts(std::slice::from_ref(&alert), &messages).await {
            Ok(()) => {
                notifications.wake();
                self.incidents.take(&alert).await;
                Outcome::Done { receipt: ActionReceipt::default() }
            }
            Err(error) => Outcome::Failed { reason: error.to_string(), is_temporary: true },
        }
    }
}

fn alert_of(model: &str, id: &str, is_page: bool, parameters: &BTreeMap<String, String>, reason: &str) -> Alert {
    let time = pipeline::now();
    let version = parameters.get("version").cloned();
    let is_back = parameters.get("course").is_some_and(|course| course == "back");
    let kind = if is_back || is_page { FindingKind::Rollback } else { FindingKind::Promote };
    let what = match (is_page, is_back) {
        (true, _) => "a person is needed",
        (false, true) => "rolled back",
        (false, false) => "promoted",
    };
    let severity = if kind == FindingKind::Rollback { Severity::Page } else { Severity::Info };
    let model_wide = Slice::whole();
    let began = Timestamp::from_micros(0);
    Alert::of_decision(Finding {
        // The same rollout tells the same thing once, however often it is asked to.
        id: Finding::identify("rollout", id, model, version.as_deref(), &model_wide, began),
        version,
        severity,
        title: format!("{what}: {reason}"),
        ..Finding::draft(model, "rollout", kind, "", time)
    })
}
