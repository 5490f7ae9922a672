//! Rollouts as they are shown, and as other tools ask about them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wardline_domain::Timestamp;
use wardline_respond::{
    judge::{DecisionRecord, State},
    rollout::{Course, Ending, LogEntry, Rollout},
};

/// A rollout with its log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RolloutView {
    pub(crate) rollout: String,
    pub(crate) model: String,
    pub(crate) standing: String,
    pub(crate) version: String,
    pub(crate) started: Timestamp,
    pub(crate) course: Course,
    pub(crate) percent: f64,
    /// Where the judge says that it stands.
    pub(crate) state: Option<State>,
    pub(crate) ending: Option<Ending>,
    pub(crate) reason: String,
    /// Evidence that the version is worse, while the rollout is under way.
    pub(crate) e: Option<f64>,
    pub(crate) canary_requests: Option<u64>,
    pub(crate) log: Vec<LogEntry>,
}

impl RolloutView {
    pub(super) fn of(log: Vec<LogEntry>) -> Option<Self> {
        let rollout = Rollout::restore(&log)?;
        let plan = rollout.plan();
        Some(Self {
            rollout: rollout.id().to_owned(),
            model: plan.model.clone(),
            standing: plan.standing.clone(),
            version: plan.version.clone(),
            started: log.first()?.time,
            course: rollout.course(),
            percent: rollout.percent(),
            state: rollout.judged(),
            ending: rollout.ended(),
            reason: rollout.reason().to_owned(),
            e: None,
            canary_requests: None,
            log,
        })
    }

    /// Adds what the judge knows now.
    pub(super) fn add(&mut self, record: &DecisionRecord) {
        self.e = Some(record.e);
        self.canary_requests = Some(record.canary_requests);
        self.state = Some(record.state);
        if self.reason.is_empty() {
            self.reason.clone_from(&record.reason);
        }
    }

    /// Whether it goes back or went back.
    pub(crate) fn is_back(&self) -> bool {
        self.course == Course::Back || self.state == Some(State::RollBack)
    }

    /// Whether it may have all traffic.
    pub(crate) fn is_good(&self) -> bool {
        !self.is_back() && (self.course == Course::Through || self.state == Some(State::Promote))
    }

    /// Whether it may go on with its steps.
    pub(crate) fn may_go_on(&self) -> bool {
        !self.is_back() && self.state != Some(State::Hold)
    }
}

/// What Flagger's webhooks are answered: `rollback`, `confirm-promotion` and `rollout`; `None` for others.
///
/// Flagger reads the status alone. Without a rollout nothing is held up and nothing is rolled back.
pub(crate) fn flagger_says(hook: &str, view: Option<&RolloutView>) -> Option<bool> {
    match hook {
        "rollback" => Some(view.is_some_and(RolloutView::is_back)),
        "confirm-promotion" => Some(view.is_some_and(RolloutView::is_good)),
        "rollout" | "confirm-rollout" | "confirm-traffic-increase" => Some(view.is_none_or(RolloutView::may_go_on)),
        _ => None,
    }
}

/// What an `AnalysisTemplate` of Argo Rollouts with a `web` metric reads: `failureCondition: result.roll_back`,
/// `successCondition: result.promote`; anything else is inconclusive.
pub(crate) fn argo_answer(view: Option<&RolloutView>) -> Value {
    let state = view.and_then(|view| view.state).map_or("observe", State::name);
    json!({
        "state": state,
        "roll_back": view.is_some_and(RolloutView::is_back),
        "promote": view.is_some_and(RolloutView::is_good),
        "hold": view.is_some_and(|view| !view.may_go_on() && !view.is_back()),
        "e": view.and_then(|view| view.e),
        "canary_requests": view.and_then(|view| view.canary_requests),
        "reason": view.map_or("no rollout of this model", |view| view.reason.as_str()),
    })
}
