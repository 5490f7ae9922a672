//! `/v1/playbooks`: what playbooks there are; starting and watching runs, and what people say to them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use wardline_respond::incident::{Actor, Command};

use super::{Shared, auth::Sender, error::ApiError};
use crate::playbooks::{BookView, InputError, Order, RunView, StartError, values_of_incident};

/// Every playbook.
#[derive(Serialize)]
pub(super) struct PlaybookList {
    playbooks: Vec<BookView>,
    /// Why the folder of the settings could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Runs, the newest first.
#[derive(Serialize)]
pub(super) struct RunList {
    runs: Vec<RunView>,
}

/// A run that somebody wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartBody {
    playbook: String,
    incident: Option<String>,
    alert: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    dry_run: bool,
}

/// What a person says to a run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputBody {
    /// The step: its id, the beginning of its UUID, or its name.
    step: Option<String>,
    #[serde(default)]
    reason: String,
    done: Option<bool>,
    #[serde(default)]
    text: String,
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        let (status, code) = match &error {
            StartError::NoSuchPlaybook { .. } => (StatusCode::NOT_FOUND, "no_such_playbook"),
            StartError::NoSuchAlert(_) => (StatusCode::NOT_FOUND, "no_such_alert"),
            StartError::NotValid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "playbook_not_valid"),
            StartError::Values { .. } | StartError::Run(_) => (StatusCode::BAD_REQUEST, "bad_values"),
            StartError::NotWritten(_) => return Self::internal(&error),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<InputError> for ApiError {
    fn from(error: InputError) -> Self {
        let (status, code) = match &error {
            InputError::NoSuchRun(_) => (StatusCode::NOT_FOUND, "no_such_run"),
            InputError::NoSuchStep(_) => (StatusCode::NOT_FOUND, "no_such_step"),
            InputError::Run(_) => (StatusCode::CONFLICT, "not_awaited"),
            InputError::NotWritten(_) => return Self::internal(&error),
        };
        Self::new(status, code, error.to_string())
    }
}

/// Lists playbooks, with what is wrong with those that cannot be used.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<PlaybookList> {
    let shelf = shared.pipeline.playbooks().shelf();
    Json(PlaybookList { playbooks: shelf.books().map(BookView::of).collect(), problem: shelf.problem })
}

/// Lists runs without their logs.
pub(super) async fn runs(State(shared): State<Arc<Shared>>) -> Json<RunList> {
    Json(RunList { runs: shared.pipeline.playbooks().runs() })
}

/// Starts a run.
pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    Json(body): Json<StartBody>,
) -> Result<(StatusCode, Json<RunView>), ApiError> {
    let named = || body.values.get("incident").filter(|id| shared.pipeline.incidents().view(id).is_some()).cloned();
    let incident = body.incident.clone().or_else(named);
    let mut offered = match &incident {
        None => BTreeMap::new(),
        Some(id) => {
            let message = || format!("there is no incident `{id}`: `wardline incident list` shows them");
            let view = shared.pipeline.incidents().view(id);
            let view = view.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "no_such_incident", message()))?;
            values_of_incident(&view.incident)
        }
    };
    let model = body.values.get("model").or_else(|| offered.get("model")).cloned();
    for (name, value) in versions(&shared, model.as_deref()).await {
        offered.entry(name).or_insert(value);
    }
    let order = Order {
        playbook: body.playbook,
        incident,
        alert: body.alert,
        given: body.values,
        offered,
        dry_run: body.dry_run,
    };
    let run = shared.pipeline.playbooks().start(order, &sender.0).await?;
    link(&shared, &run, &sender).await;
    Ok((StatusCode::CREATED, Json(run)))
}

/// Links a run to the incident that it is for, so that whoever reads the incident finds it.
async fn link(shared: &Shared, run: &RunView, sender: &Sender) {
    let Some(incident) = run.incident.as_ref().filter(|_| !run.dry_run) else { return };
    let link = Command::Link {
        label: format!("run of the playbook {}", run.playbook),
        target: format!("/v1/playbooks/runs/{}", run.run),
    };
    let by = Actor::Person(sender.0.to_string());
    if let Err(error) = shared.pipeline.incidents().execute(incident, link, &by).await {
        // The run is under way and says itself which incident it is for.
        tracing::warn!(%error, %incident, run = %run.run, "a run could not be linked to its incident");
    }
}

/// The versions of a model's latest rollout: which one is on trial, and which one stands.
async fn versions(shared: &Shared, model: Option<&str>) -> BTreeMap<String, String> {
    let Some(model) = model else { return BTreeMap::new() };
    let views = shared.pipeline.rollouts().views(Some(model)).await.unwrap_or_default();
    let of_rollout = |view: &crate::rollouts::RolloutView| {
        [("version", &view.version), ("standing", &view.standing)].map(|(name, value)| (name.to_owned(), value.clone()))
    };
    views.first().map(of_rollout).into_iter().flatten().collect()
}

/// Shows a run with its log.
pub(super) async fn one(State(shared): State<Arc<Shared>>, Path(run): Path<String>) -> Result<Json<RunView>, ApiError> {
    Ok(Json(shared.pipeline.playbooks().run_view(&run).await?))
}

/// Takes what a person says: `approve`, `reject`, `answer` or `stop`.
pub(super) async fn input(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    Path((run, input)): Path<(String, String)>,
    body: Option<Json<InputBody>>,
) -> Result<Json<RunView>, ApiError> {
    let InputBody { step, reason, done, text } = body.map(|Json(body)| body).unwrap_or_default();
    let desk = shared.pipeline.playbooks();
    let by = sender.0.as_ref();
    let lacks = |what: &str| ApiError::new(StatusCode::BAD_REQUEST, "bad_input", format!("write `{what}` in the body"));
    let step = || step.as_deref().ok_or_else(|| lacks("step"));
    let view = match input.as_str() {
        "approve" => desk.approve(&run, step()?, by).await?,
        "reject" if reason.trim().is_empty() => return Err(lacks("reason")),
        "reject" => desk.reject(&run, step()?, &reason, by).await?,
        "answer" => {
            let done = done.ok_or_else(|| lacks("done"))?;
            desk.answer(&run, step()?, (done, &text), by).await?
        }
        "stop" => desk.stop(&run, &reason, by).await?,
        other => {
            let message = format!("`{other}` is nothing that a run takes: write approve, reject, answer or stop");
            return Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_input", message));
        }
    };
    Ok(Json(view))
}
