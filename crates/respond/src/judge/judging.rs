//! The judge of one trial: batches of records in, changes of state and the record of the decision out.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, RecordKind, Timestamp};

use super::{
    baseline::{Frozen, Learning},
    event::Role,
    key::Key,
    order::{Order, Record},
    reading::{self, Deployed, Versions},
    record::{BadEvent, DecisionRecord},
    settings::{Audience, JudgeSettings, SettingError},
    trial::{BadIn, Trial},
    verdict::{Change, State},
};

/// Bad events of the canary that a record lists: the first and the last ones.
const FIRST_LISTED: usize = 50;
const LAST_LISTED: usize = 50;
/// The format in which judges are saved.
const FORMAT: u8 = 1;
/// Who sets the shares of a rollout.
const OWN_NAME: &str = "wardline";
/// Deployments and names that are remembered.
const MOST_DEPLOYMENTS: usize = 32;
const MOST_NAMES: usize = 256;

/// When a trial begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Beginning {
    /// With the deployment that says so, or with the first request that the version answers.
    #[default]
    FirstSeen,
    /// At a moment; what the version answers before is no part of it.
    At(Timestamp),
}

/// Judges one version beside the standing one.
///
/// **Invariants:** it reads no clock; its answers depend on the records in their order of arrival and on their
/// times, not on how they were cut into batches; its state is bounded and can be written down at any time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    versions: Versions,
    settings: JudgeSettings,
    beginning: Beginning,
    /// Share in per cent that was asked for.
    percent: Option<f64>,
    order: Order,
    learning: Learning,
    /// Given instead of learned: a replay.
    given: Option<Option<Frozen>>,
    trial: Option<Trial>,
    started: Option<Timestamp>,
    is_learned_within: bool,
    started_percent: Option<f64>,
    audience: Audience,
    decision: Option<Box<DecisionRecord>>,
    deployments: VecDeque<Deployed>,
    names: BTreeMap<Key, String>,
    first_bad: Vec<BadEvent>,
    last_bad: VecDeque<BadEvent>,
    n_bad: u64,
    /// When each version last answered.
    last_seen: [Option<Timestamp>; 2],
}

impl Judge {
    /// A judge that has seen nothing.
    ///
    /// # Errors
    /// [`SettingError`] where a setting cannot be.
    pub fn new(versions: Versions, settings: JudgeSettings, beginning: Beginning) -> Result<Self, SettingError> {
        settings.check()?;
        Ok(Self {
            versions,
            settings,
            beginning,
            percent: None,
            order: Order::default(),
            learning: Learning::default(),
            given: None,
            trial: None,
            started: None,
            is_learned_within: false,
            started_percent: None,
            audience: Audience::People,
            decision: None,
            deployments: VecDeque::new(),
            names: BTreeMap::new(),
            first_bad: Vec::new(),
            last_bad: VecDeque::new(),
            n_bad: 0,
            last_seen: [None; 2],
        })
    }

    /// Judges as bytes, to go on from after a restart.
    pub fn save_all<'a>(judges: impl IntoIterator<Item = &'a Self>) -> Vec<u8> {
        let judges: Vec<&Self> = judges.into_iter().collect();
        // Plain data in memory always serializes; were it not so, nothing saved means to begin anew.
        postcard::to_extend(&judges, vec![FORMAT]).unwrap_or_default()
    }

    /// Judges from their bytes; `None` where another version wrote them.
    pub fn restore_all(bytes: &[u8]) -> Option<Vec<Self>> {
        let (format, rest) = bytes.split_first()?;
        (*format == FORMAT).then(|| postcard::from_bytes(rest).ok())?
    }

    /// A judge for what was decided: from the record's baseline, at the record's beginning.
    pub(super) fn of_record(record: &DecisionRecord) -> Result<Self, SettingError> {
        let beginning = Beginning::At(record.started);
        let mut judge = Self::new(record.versions.clone(), record.settings.clone(), beginning)?;
        judge.given = Some(if record.is_learned_within { None } else { Some(record.frozen.clone()) });
        judge.percent = record.asked_percent;
        judge.audience = record.audience;
        for deployed in record.deployments.iter().filter(|deployed| deployed.by == OWN_NAME) {
            judge.order.push(Record::Deployment(deployed.clone()));
        }
        Ok(judge)
    }

    /// Learns what is usual from the trial's own first events, whatever came before.
    pub fn learn_within(&mut self) {
        self.given = Some(None);
    }

    /// The share that is asked for, in per cent, where no deployment says so.
    pub fn ask_for(&mut self, percent: f64) {
        self.percent = Some(percent);
        if let Some(trial) = &mut self.trial {
            trial.plan(percent);
        }
    }

    /// A share was set by the rollout itself, in per cent: as if a deployment said so, so that a replay sees it too.
    pub fn set_share(&mut self, percent: f64) {
        let Some(time) = self.order.now() else { return self.ask_for(percent) };
        self.order.push(Record::Deployment(Deployed {
            time,
            version: self.versions.canary.clone(),
            action: "canary_step".to_owned(),
            weight: Some(percent),
            commit: String::new(),
            dataset_version: String::new(),
            by: OWN_NAME.to_owned(),
        }));
    }

    /// The versions.
    pub const fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Where the trial stands; `None` before it begins.
    pub fn state(&self) -> Option<State> {
        self.trial.as_ref().map(Trial::state)
    }

    /// The trial, once it has begun.
    pub const fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref()
    }

    /// The stream's clock.
    pub const fn now(&self) -> Option<Timestamp> {
        self.order.now()
    }

    /// When the version on trial and the standing one last answered a person.
    pub const fn last_seen(&self) -> [Option<Timestamp>; 2] {
        self.last_seen
    }

    /// Takes the batches of one body or of one piece of a file; those of other models are left out.
    pub fn observe(&mut self, batches: &[EventBatch]) -> Vec<Change> {
        for batch in batches {
            self.read(batch);
        }
        let passed = self.order.passed();
        self.show(passed)
    }

    /// The stream's clock moves on: everything before `now` has been handed in.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Change> {
        self.order.advance(now);
        let passed = self.order.passed();
        self.show(passed)
    }

    /// The stream ends.
    pub fn finish(&mut self) -> Vec<Change> {
        let rest = self.order.rest();
        self.show(rest)
    }

    fn read(&mut self, batch: &EventBatch) {
        let order = &mut self.order;
        match (batch.kind, batch.model.as_deref()) {
            (RecordKind::Inference, Some(model)) if model == self.versions.model => {
                reading::events(batch, &self.versions, &self.settings, |event, id| {
                    order.push(Record::Prediction(event, id.into()));
                });
                let names = &mut self.names;
                reading::names(batch, &self.settings, |key, name| {
                    if names.len() < MOST_NAMES && !names.contains_key(&key) {
                        names.insert(key, name.to_owned());
                    }
                });
            }
            (RecordKind::Outcome, _) => {
                reading::outcomes(batch, |outcome, id| order.push(Record::Outcome(outcome, id.into())));
            }
            (RecordKind::Deployment, _) => {
                reading::deployments(batch, &self.versions.model, |deployed| order.push(Record::Deployment(deployed)));
            }
            _ => {}
        }
    }

    /// Shows records in their order. All of one moment are shown together, so a trial begins before the first.
    fn show(&mut self, records: Vec<Record>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut rest = records.as_slice();
        while let Some(first) = rest.first() {
            let moment = first.time();
            let n = rest.iter().take_while(|record| record.time() == moment).count();
            let (together, later) = rest.split_at(n);
            rest = later;
            if self.trial.is_none() && self.begins(together, moment) {
                self.begin(together, moment);
            }
            for record in together {
                changes.extend(self.take(record));
            }
        }
        changes
    }

    fn begins(&self, together: &[Record], moment: Timestamp) -> bool {
        match self.beginning {
            Beginning::At(start) => start <= moment,
            Beginning::FirstSeen => together.iter().any(|record| match record {
                Record::Prediction(event, _) => event.role != Role::Standing,
                Record::Deployment(deployed) => {
                    deployed.version == self.versions.canary && deployed.action.starts_with("canary")
                }
                Record::Outcome(..) => false,
            }),
        }
    }

    fn begin(&mut self, together: &[Record], moment: Timestamp) {
        for record in together {
            if let Record::Deployment(deployed) = record {
                self.follow(deployed);
            }
        }
        let frozen = match self.given.take() {
            Some(given) => given,
            None => self.learning.freeze(),
        };
        self.is_learned_within = frozen.is_none();
        self.started_percent = self.percent;
        self.started = Some(moment);
        let is_mirrored =
            |record: &Record| matches!(record, Record::Prediction(event, _) if event.role == Role::Shadow);
        if self.percent.is_none_or(|percent| percent <= 0.0) && together.iter().any(is_mirrored) {
            self.audience = Audience::Copies;
        }
        let plan = self.percent.map(|percent| percent / 100.0);
        // The settings were checked.
        self.trial = Trial::new(self.settings.clone(), frozen, plan, self.audience).ok();
    }

    /// What a deployment says of the share.
    fn follow(&mut self, deployed: &Deployed) {
        if deployed.version == self.versions.canary
            && deployed.action.starts_with("canary")
            && let Some(weight) = deployed.weight
            && self.percent != Some(weight)
        {
            self.ask_for(weight);
        }
    }

    fn take(&mut self, record: &Record) -> Option<Change> {
        match record {
            Record::Deployment(deployed) => {
                self.follow(deployed);
                if self.deployments.len() >= MOST_DEPLOYMENTS {
                    self.deployments.pop_front();
                }
                self.deployments.push_back(deployed.clone());
                None
            }
            Record::Prediction(event, id) => {
                match event.role {
                    Role::Canary => self.last_seen[0] = Some(event.time),
                    Role::Standing => self.last_seen[1] = Some(event.time),
                    Role::Shadow => {}
                }
                let Some(trial) = &mut self.trial else {
                    if event.role == Role::Standing {
                        self.learning.observe(event);
                    }
                    return None;
                };
                let (bad, change) = trial.observe(event);
                if event.role != Role::Standing {
                    self.list(bad, id, event.time);
                }
                self.changed(change)
            }
            Record::Outcome(outcome, id) => {
                let (bad, change) = self.trial.as_mut()?.observe_outcome(outcome);
                self.list(bad, id, outcome.time);
                self.changed(change)
            }
        }
    }

    /// A decision's record is of the event that decided; what comes later is no part of it.
    fn changed(&mut self, change: Option<Change>) -> Option<Change> {
        if let Some(change) = &change
            && change.state.is_decision()
        {
            self.decision = self.compile(Some(change)).map(Box::new);
        }
        change
    }

    fn list(&mut self, bad: BadIn, id: &str, time: Timestamp) {
        if bad == 0 {
            return;
        }
        self.n_bad += 1;
        let event = BadEvent::new(id, time, bad);
        if self.first_bad.len() < FIRST_LISTED {
            self.first_bad.push(event);
            return;
        }
        if self.last_bad.len() >= LAST_LISTED {
            self.last_bad.pop_front();
        }
        self.last_bad.push_back(event);
    }

    /// What was decided last.
    pub fn decision(&self) -> Option<&DecisionRecord> {
        self.decision.as_deref()
    }

    /// The record of what was decided, or of how it stands; `None` before the trial begins.
    pub fn record(&self) -> Option<DecisionRecord> {
        self.decision().cloned().or_else(|| self.compile(None))
    }

    fn compile(&self, change: Option<&Change>) -> Option<DecisionRecord> {
        let (trial, started) = (self.trial.as_ref()?, self.started?);
        let name = |key: Key| self.names.get(&key).cloned().unwrap_or_default();
        let mut record = DecisionRecord::of(trial, &self.versions, started, change, name);
        record.asked_percent = self.started_percent;
        record.audience = self.audience;
        record.is_learned_within = self.is_learned_within;
        record.time = change.map(|change| change.time).or(self.order.now());
        record.deployments = self.deployments.iter().cloned().collect();
        record.bad_events = self.first_bad.iter().chain(&self.last_bad).cloned().collect();
        record.bad_events_left_out = self.n_bad - record.bad_events.len() as u64;
        Some(record)
    }
}
