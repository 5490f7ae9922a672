//! Where rollouts and their judges live: what comes in is judged, what follows is written down before it is done.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use tokio::sync::Notify;
use wardline_domain::{Actuator, EventBatch, RecordKind, Timestamp, column};
use wardline_respond::{
    judge::{Beginning, DecisionRecord, Judge, State as Standing, Trial},
    rollout::{Course, Due, Entry, Input, LogEntry, Outcome, Refused, Rollout, RolloutPlan, Rollouts},
};
use wardline_store::metadata::{Metadata, RolloutEntry, State};

use super::view::RolloutView;
use crate::{incidents::IncidentDesk, pipeline, settings::RolloutSettings};

/// Where the judges are kept in the metadata.
const STATE: &str = "rollout_judges";

/// Rollouts of a server.
pub(crate) struct Desk {
    open: Mutex<Open>,
    /// Held from a decision until it is written down, so that logs are written in their order.
    writing: tokio::sync::Mutex<()>,
    metadata: Metadata,
    pub(super) incidents: Arc<IncidentDesk>,
    pub(super) actuators: BTreeMap<String, Arc<dyn Actuator>>,
    folder: Option<PathBuf>,
    /// Tells the runner that something may be due.
    pub(super) wake: Notify,
}

#[derive(Default)]
struct Open {
    rollouts: Rollouts,
    judges: BTreeMap<String, Judge>,
    /// The journal record up to which the judges have seen everything.
    sequence: u64,
}

/// Why a rollout is not begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The plan cannot be, or another rollout is under way.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It names an actuator that there is not.
    #[error("there is no actuator `{name}`: add [[actuators]] with this name to the settings, or name one of: {known}")]
    NoSuchActuator {
        /// What was written.
        name: String,
        /// Every actuator.
        known: String,
    },
    /// It could not be written down.
    #[error("the rollout could not be written down: {0:#}")]
    NotWritten(anyhow::Error),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Goes on with the rollouts that the log says are under way.
    pub(crate) async fn open(
        metadata: Metadata,
        settings: &RolloutSettings,
        incidents: Arc<IncidentDesk>,
    ) -> anyhow::Result<Self> {
        let logs = logs_of(&metadata, None).await?;
        let rollouts = Rollouts::restore(logs.values().map(Vec::as_slice));
        let mut judges: BTreeMap<String, Judge> = BTreeMap::new();
        let saved = metadata.get_state(STATE).await?;
        let sequence = saved.as_ref().and_then(|state| state.sequence).unwrap_or(0);
        if let Some(state) = saved {
            let read = Judge::restore_all(&state.body).unwrap_or_else(|| {
                tracing::error!("the judges of rollouts were saved by another version and begin anew");
                Vec::new()
            });
            judges = read.into_iter().map(|judge| (judge.versions().model.clone(), judge)).collect();
        }
        judges.retain(|model, _| rollouts.of(model).is_some());
        for rollout in rollouts.open() {
            let model = &rollout.plan().model;
            if !judges.contains_key(model) {
                judges.insert(model.clone(), judge_of(rollout.plan(), Beginning::FirstSeen)?);
            }
        }
        let actuators =
            settings.actuators.iter().map(|actuator| (actuator.name().to_owned(), Arc::clone(actuator))).collect();
        Ok(Self {
            open: Mutex::new(Open { rollouts, judges, sequence }),
            writing: tokio::sync::Mutex::new(()),
            metadata,
            incidents,
            actuators,
            folder: settings.folder.clone(),
            wake: Notify::new(),
        })
    }

    /// Begins a rollout.
    pub(crate) async fn start(&self, plan: RolloutPlan, by: &str) -> Result<String, StartError> {
        let named = plan.actuators.iter().chain(&plan.escalate_to).chain(plan.registry.as_ref().map(|at| &at.actuator));
        if let Some(name) = named.into_iter().find(|name| !self.actuators.contains_key(*name)) {
            let known: Vec<&str> = self.actuators.keys().map(String::as_str).collect();
            return Err(StartError::NoSuchActuator { name: name.clone(), known: known.join(", ") });
        }
        let _writing = self.writing.lock().await;
        let now = pipeline::now();
        let id = format!("{}-{}", plan.model, now.micros());
        let model = plan.model.clone();
        let entries = {
            let mut open = lock(&self.open);
            let entries = open.rollouts.begin(&id, plan.clone(), by, now)?;
            let judge = judge_of(&plan, Beginning::FirstSeen).map_err(StartError::NotWritten)?;
            open.judges.insert(model.clone(), judge);
            entries
        };
        self.write(&model, &entries).await.map_err(StartError::NotWritten)?;
        Ok(id)
    }

    /// A person decides: to promote or to go back. `false` where there is nothing to decide.
    pub(crate) async fn decide(&self, model: &str, course: Course, who: &str, reason: &str) -> anyhow::Result<bool> {
        let record = self.record(model).map(|mut record| {
            who.clone_into(&mut record.by);
            Box::new(record)
        });
        let input = Input::Person { who: who.to_owned(), course, reason: reason.to_owned(), record };
        self.hand_in(model, input).await.map(|entries| entries > 0)
    }

    /// Hands in an input and writes down what follows; answers how many entries that were.
    pub(super) async fn hand_in(&self, model: &str, input: Input) -> anyhow::Result<usize> {
        let _writing = self.writing.lock().await;
        let entries = {
            let mut open = lock(&self.open);
            let entries = open.rollouts.handle(model, input, pipeline::now());
            let Open { rollouts, judges, .. } = &mut *open;
            if let (Some(percent), Some(judge)) = (share_set(rollouts, model, &entries), judges.get_mut(model)) {
                judge.set_share(percent);
            }
            entries
        };
        self.write(model, &entries).await?;
        Ok(entries.len())
    }

    /// Writes entries down. Where that fails, what is in memory goes back to what the log says, and the inputs come
    /// again: the evidence stays, and actuators are asked again by the same ids.
    async fn write(&self, model: &str, entries: &[LogEntry]) -> anyhow::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let rows = entries.iter().map(|entry| row_of(model, entry)).collect::<anyhow::Result<Vec<_>>>()?;
        if let Err(error) = self.metadata.append_rollout_entries(&rows).await {
            tracing::error!(error = %error, %model, "the log of a rollout cannot be written, and nothing is done before it is");
            let logs = logs_of(&self.metadata, None).await?;
            lock(&self.open).rollouts = Rollouts::restore(logs.values().map(Vec::as_slice));
            return Err(error.into());
        }
        for entry in entries {
            tell_log(entry);
        }
        let mut open = lock(&self.open);
        if open.rollouts.of(model).is_none() {
            open.judges.remove(model);
        }
        drop(open);
        self.wake.notify_one();
        Ok(())
    }

    /// Sees the events of one journal record, on detection's thread.
    pub(crate) async fn see(&self, sequence: u64, batches: &[EventBatch]) {
        self.begin_by_deployment(batches).await;
        let inputs = {
            let mut open = lock(&self.open);
            open.sequence = open.sequence.max(sequence);
            let mut inputs = Vec::new();
            let Open { rollouts, judges, .. } = &mut *open;
            for (model, judge) in judges {
                let is_concerned =
                    batches.iter().any(|batch| batch.model.as_deref().is_none_or(|of_batch| of_batch == model));
                if is_concerned {
                    judge.observe(batches);
                }
                let found = inputs_of(judge, rollouts.of(model));
                inputs.extend(found.into_iter().map(|input| (model.clone(), input)));
            }
            inputs
        };
        self.hand_in_all(inputs).await;
    }

    /// Sees a journal record that was seen before the last stop, unless the saved judges include it.
    pub(crate) async fn see_again(&self, sequence: u64, batches: &[EventBatch]) {
        if lock(&self.open).sequence < sequence {
            self.see(sequence, batches).await;
        }
    }

    /// Time passes without events.
    pub(crate) async fn advance(&self, now: Timestamp) {
        let inputs: Vec<(String, Input)> = {
            let mut open = lock(&self.open);
            let Open { rollouts, judges, .. } = &mut *open;
            let each = judges.iter_mut().flat_map(|(model, judge)| {
                judge.advance(now);
                inputs_of(judge, rollouts.of(model)).into_iter().map(|input| (model.clone(), input))
            });
            each.collect()
        };
        self.hand_in_all(inputs).await;
    }

    async fn hand_in_all(&self, inputs: Vec<(String, Input)>) {
        for (model, input) in inputs {
            if let Err(error) = self.hand_in(&model, input).await {
                tracing::error!(error = %format!("{error:#}"), %model, "a rollout could not go on");
            }
        }
    }

    /// A deployment of a version that has a rollout file begins its rollout.
    async fn begin_by_deployment(&self, batches: &[EventBatch]) {
        let Some(folder) = &self.folder else { return };
        for batch in batches.iter().filter(|batch| batch.kind == RecordKind::Deployment) {
            let text = |name: &str, row: usize| batch.text(name).and_then(|column| column.get(row)).map(str::to_owned);
            for row in 0..batch.len() {
                let (Some(model), Some(version)) = (text(column::MODEL, row), text(column::VERSION, row)) else {
                    continue;
                };
                if text("action", row).as_deref() != Some("canary_start")
                    || lock(&self.open).rollouts.of(&model).is_some()
                {
                    continue;
                }
                let Some(plan) = plan_in(folder, &model, &version) else { continue };
                match self.start(plan, "deployment").await {
                    Ok(rollout) => tracing::info!(%rollout, %model, %version, "a deployment began a rollout"),
                    Err(error) => tracing::error!(error = %error, %model, "a deployment could not begin its rollout"),
                }
            }
        }
    }

    /// The judges and the journal record that they have seen last.
    pub(crate) async fn save(&self) -> anyhow::Result<()> {
        let state = {
            let open = lock(&self.open);
            State { sequence: Some(open.sequence), body: Judge::save_all(open.judges.values()) }
        };
        Ok(self.metadata.put_state(STATE, &state).await?)
    }

    /// What is due now, with its model.
    pub(super) fn due(&self) -> Vec<(String, Due)> {
        lock(&self.open).rollouts.due().map(|(model, due)| (model.to_owned(), due)).collect()
    }

    /// Models with a rollout under way.
    pub(super) fn models(&self) -> Vec<String> {
        lock(&self.open).rollouts.open().map(|rollout| rollout.plan().model.clone()).collect()
    }

    /// The store.
    pub(super) const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// How a model's trial stands, where a rollout is under way.
    pub(crate) fn record(&self, model: &str) -> Option<DecisionRecord> {
        lock(&self.open).judges.get(model)?.record()
    }

    /// Every rollout, the newest first, with its log.
    pub(crate) async fn views(&self, model: Option<&str>) -> anyhow::Result<Vec<RolloutView>> {
        let logs = logs_of(&self.metadata, model).await?;
        let mut views: Vec<RolloutView> = logs.into_values().filter_map(RolloutView::of).collect();
        for view in &mut views {
            if view.ending.is_none()
                && let Some(record) = self.record(&view.model)
            {
                view.add(&record);
            }
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.started));
        Ok(views)
    }
}

/// What a judge says of its rollout that the rollout does not know yet.
fn inputs_of(judge: &Judge, rollout: Option<&Rollout>) -> Vec<Input> {
    let (Some(stream), Some(rollout)) = (judge.now(), rollout) else { return Vec::new() };
    let [canary, standing] = judge.last_seen();
    let canary_requests = judge.trial().map_or(0, Trial::canary_requests);
    let mut inputs = vec![Input::Seen { stream, canary, standing, canary_requests }];
    let Some(state) = judge.state() else { return inputs };
    let is_known = match state {
        Standing::RollBack => rollout.course() == Course::Back,
        Standing::Observe => matches!(rollout.judged(), None | Some(Standing::Observe)),
        Standing::Hold | Standing::Promote => rollout.judged() == Some(state),
    };
    if !is_known && let Some(record) = judge.record() {
        inputs.push(Input::Judged { state, record: Box::new(record) });
    }
    inputs
}

/// The share that actuators have set, where these entries say so.
fn share_set(rollouts: &Rollouts, model: &str, entries: &[LogEntry]) -> Option<f64> {
    let rollout = rollouts.of(model).filter(|rollout| rollout.course() == Course::Forward)?;
    let is_share = |id: &str| id.contains("/step-") && id.contains("/share/");
    let is_set = |entry: &LogEntry| matches!(&entry.entry, Entry::Came { id, outcome: Outcome::Done { .. }, .. } if is_share(id));
    entries.iter().any(is_set).then(|| rollout.percent())
}

fn judge_of(plan: &RolloutPlan, beginning: Beginning) -> anyhow::Result<Judge> {
    let mut judge = Judge::new(plan.versions(), plan.judge.clone(), beginning)?;
    if let Some(step) = plan.steps.first() {
        judge.ask_for(step.weight);
    }
    Ok(judge)
}

/// A file of the folder that is about this version.
fn plan_in(folder: &std::path::Path, model: &str, version: &str) -> Option<RolloutPlan> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|file| file.path());
    let is_plan = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    files
        .filter(is_plan)
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .filter_map(|text| RolloutPlan::from_yaml(&text).ok())
        .find(|plan| plan.model == model && plan.version == version)
}

fn row_of(model: &str, entry: &LogEntry) -> anyhow::Result<RolloutEntry> {
    Ok(RolloutEntry {
        rollout: entry.rollout.clone(),
        sequence: entry.sequence,
        model: model.to_owned(),
        time: entry.time,
        body: serde_json::to_string(entry)?,
    })
}

async fn logs_of(metadata: &Metadata, model: Option<&str>) -> anyhow::Result<BTreeMap<String, Vec<LogEntry>>> {
    let mut logs: BTreeMap<String, Vec<LogEntry>> = BTreeMap::new();
    for row in metadata.rollout_entries(model).await? {
        let entry: LogEntry = serde_json::from_str(&row.body)
            .with_context(|| format!("entry {} of the rollout {} cannot be read", row.sequence, row.rollout))?;
        logs.entry(row.rollout).or_default().push(entry);
    }
    Ok(logs)
}

/// What operators see in the server's log.
fn tell_log(entry: &LogEntry) {
    let rollout = &entry.rollout;
    match &entry.entry {
        Entry::Started { by, .. } => tracing::info!(%rollout, %by, "rollout begun"),
        Entry::Judged { state, reason, .. } => tracing::info!(%rollout, %state, %reason, "rollout judged"),
        Entry::Decided { course, by, reason, .. } => {
            tracing::warn!(%rollout, course = course.name(), %by, %reason, "rollout decided");
        }
        Entry::Stepped { step, .. } => tracing::info!(%rollout, step, "rollout step"),
        Entry::Verified { is_so, what } => tracing::info!(%rollout, is_so, %what, "rollout verified"),
        Entry::Ended { ending, reason } => tracing::info!(%rollout, ?ending, %reason, "rollout ended"),
        Entry::Intended { .. } | Entry::Came { .. } => {}
    }
}
