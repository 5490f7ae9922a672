//! The watch over all models: batches in, findings and alerts out.

mod telling;
mod together;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use wardline_domain::{
    AlertChange, EventBatch, Finding, FindingKind, Learning, RecordKind, Severity, Slice, Span, Timestamp,
};

use crate::{
    baseline::Baseline,
    budget::BudgetLedger,
    clients,
    deployments::Deployments,
    detectors::{Served, ServiceShiftWatch},
    draft::{draft, sealed},
    evidence,
    grouping::Grouping,
    model_state::ModelState,
    model_watch::ModelWatch,
    outcomes::OutcomeIndex,
    risk::Risks,
    rules::RuleWatch,
    saturation::{Saturation, SaturationWatch},
    series::Series,
    settings::WatchSettings,
    slo::{ServiceWatch, SloCount},
    wording::{clock_time, number},
};

/// Most models that are watched; events of further ones are left out, and [`Watch::left_out`] counts them.
const MOST_MODELS: usize = 10_000;

/// What a call made known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Findings, in the order in which they were made.
    pub findings: Vec<Finding>,
    /// What became of alerts, in order.
    pub alerts: Vec<AlertChange>,
}

impl Observed {
    /// Adds what a later call made known.
    fn join(&mut self, later: Self) {
        self.findings.extend(later.findings);
        self.alerts.extend(later.alerts);
    }
}

/// Watches every model of a stream.
///
/// **Invariants:** it reads no clock; its answers depend on the events in their order of arrival and on
/// their times, not on how they were cut into batches; its state is bounded.
pub struct Watch {
    settings: WatchSettings,
    models: BTreeMap<String, ModelWatch>,
    saturation: SaturationWatch,
    shifts: ServiceShiftWatch,
    grouping: Grouping,
    budget: BudgetLedger,
    deployments: Deployments,
    risks: Risks,
    /// Predictions that wait for their outcome.
    outcomes: OutcomeIndex,
    rules: RuleWatch,
    services: ServiceWatch,
    /// Events of models beyond the most that are watched.
    left_out: u64,
    /// The last minute to which events of one model have moved the clocks of all. It spares work only, so
    /// no snapshot has it.
    advanced: Option<Timestamp>,
}

/// Why a snapshot could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are no snapshot of this version.
    #[error(
        "the detectors' snapshot cannot be read: it is damaged or was written by another version; remove it and the detectors learn anew"
    )]
    Unreadable(#[from] postcard::Error),
    /// It was written in another format.
    #[error(
        "the detectors' snapshot has format {found} and this version reads {known}: remove it and the detectors learn anew"
    )]
    Format {
        /// The format that was found.
        found: u32,
        /// The format that is known.
        known: u32,
    },
}

/// The format of snapshots.
const FORMAT: u32 = 9;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    models: Vec<ModelSnapshot>,
    saturation: SaturationWatch,
    shifts: ServiceShiftWatch,
    grouping: Grouping,
    budget: BudgetLedger,
    deployments: Deployments,
    risks: Risks,
    outcomes: OutcomeIndex,
    services: ServiceWatch,
    left_out: u64,
    rules: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct ModelSnapshot {
    state: ModelState,
    /// By detector's name.
    detectors: Vec<(String, Vec<u8>)>,
}

impl Watch {
    /// A watch that has seen nothing yet.
    pub fn new(settings: WatchSettings) -> Self {
        let grouping = Grouping::new(settings.grouping_gap);
        let rules = RuleWatch::new(Arc::clone(&settings.rules));
        Self {
            settings,
            models: BTreeMap::new(),
            saturation: SaturationWatch::default(),
            shifts: ServiceShiftWatch::default(),
            grouping,
            budget: BudgetLedger::default(),
            deployments: Deployments::default(),
            risks: Risks::default(),
            outcomes: OutcomeIndex::default(),
            rules,
            services: ServiceWatch::default(),
            left_out: 0,
            advanced: None,
        }
    }

    /// Takes a batch. Logs are of concern to rules only.
    pub fn observe(&mut self, batch: &EventBatch) -> Observed {
        let mut observed = Observed::default();
        let mut told = self.rules.observe(batch);
        match (batch.kind, &batch.model) {
            (RecordKind::Outcome, _) => self.observe_outcomes(batch, &mut observed),
            (RecordKind::Inference, Some(model)) => self.observe_model(model, batch, &mut told, &mut observed),
            (RecordKind::Metric, _) => {
                self.observe_metrics(batch, &mut observed);
                self.observe_figures(batch, &mut observed);
            }
            (RecordKind::TrainingRow, Some(model)) => self.observe_training_rows(model, batch, &mut observed),
            (RecordKind::Deployment, _) => self.observe_deployments(batch, &mut observed),
            _ => {}
        }
        self.tell(told.into_iter().map(|(_, finding)| finding), &mut observed);
        observed
    }

    /// Groups findings of rules and services, which name their models themselves.
    fn tell(&mut self, findings: impl IntoIterator<Item = Finding>, observed: &mut Observed) {
        for finding in findings {
            let model = finding.model.clone();
            self.group(&model, vec![finding], observed);
        }
    }

    /// The stream's clock moves on: everything before `now` has been handed in. Silence is noticed here.
    pub fn advance(&mut self, now: Timestamp) -> Observed {
        let mut observed = Observed::default();
        let names: Vec<String> = self.models.keys().cloned().collect();
        let client_room = clients::room(names.len());
        for name in names {
            let mut findings = Vec::new();
            if let Some(watch) = self.models.get_mut(&name) {
                watch.state.client_room = client_room;
                watch.advance(now, &mut findings);
            }
            self.group(&name, findings, &mut observed);
        }
        let told = self.services.advance(&self.settings.service_slos, now);
        self.tell(told, &mut observed);
        let told = self.rules.advance(now);
        self.tell(told, &mut observed);
        observed
    }

    /// The stream ends: what is still open is judged. Every model is brought to the latest time of all
    /// first, so that one that fell silent is noticed.
    pub fn finish(&mut self) -> Observed {
        let latest = self.models.values().filter_map(|watch| watch.state.clock.now()).max();
        let mut observed = latest.map(|latest| self.advance(latest)).unwrap_or_default();
        let names: Vec<String> = self.models.keys().cloned().collect();
        for name in names {
            let mut findings = Vec::new();
            if let Some(watch) = self.models.get_mut(&name) {
                watch.finish(&mut findings);
            }
            self.group(&name, findings, &mut observed);
        }
        let told = self.services.finish(&self.settings.service_slos);
        self.tell(told, &mut observed);
        let served = |service: &str| served_by(&self.models, &self.settings, service);
        let told = self.shifts.finish(served);
        self.tell(told, &mut observed);
        let told = self.rules.finish();
        self.tell(told, &mut observed);
        observed
    }

    /// Names of the models that were seen.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// The learned profile of a model.
    pub fn baseline(&self, model: &str) -> Option<Baseline> {
        self.models.get(model).map(|watch| Baseline::of(&watch.state))
    }

    /// A model over time, for plots.
    pub fn series(&self, model: &str) -> Option<&Series> {
        self.models.get(model).map(|watch| &watch.state.series)
    }

    /// Alerts that are open, the oldest first.
    pub fn open_alerts(&self) -> impl Iterator<Item = &wardline_domain::Alert> {
        self.grouping.open()
    }

    /// Outcomes that were given up: no prediction with their id came, or it was not among those that are kept.
    pub const fn unknown_outcomes(&self) -> u64 {
        self.outcomes.unknown()
    }

    /// Share of a model's predictions that are kept for outcomes to come; below one where there are more than a few
    /// hundred thousand.
    pub fn share_kept_for_outcomes(&self, model: &str) -> Option<f64> {
        self.outcomes.share_kept(model)
    }

    /// What was counted for every objective that is set, since the beginning.
    pub fn slo_counts(&self) -> Vec<SloCount> {
        let of_models = self
            .models
            .values()
            .flat_map(|watch| watch.detectors.iter().flat_map(|detector| detector.slo_counts(&watch.state)));
        of_models.chain(self.services.counts()).collect()
    }

    /// Matches of rules that found no room in what the rules may remember.
    pub fn rule_matches_left_out(&self) -> u64 {
        self.rules.left_out()
    }

    /// Events of models beyond the most that are watched.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Everything it knows, to go on from after a restart.
    pub fn snapshot(&self) -> Vec<u8> {
        let models = self.models.values().map(snapshot_of).collect::<Result<Vec<_>, _>>();
        let written = models.and_then(|models| {
            let snapshot = SnapshotRef {
                models,
                saturation: &self.saturation,
                shifts: &self.shifts,
                grouping: &self.grouping,
                budget: &self.budget,
                deployments: &self.deployments,
                risks: &self.risks,
                outcomes: &self.outcomes,
                services: &self.services,
                left_out: self.left_out,
                rules: self.rules.save()?,
            };
            postcard::to_extend(&snapshot, FORMAT.to_le_bytes().to_vec())
        });
        // Plain data in memory always serializes; were it not so, an empty snapshot means to learn anew.
        written.unwrap_or_default()
    }

    /// Goes on from a snapshot, under settings that may have changed since.
    ///
    /// # Errors
    /// [`RestoreError`] where the bytes are no snapshot of this version.
    pub fn restore(settings: WatchSettings, bytes: &[u8]) -> Result<Self, RestoreError> {
        let (format, rest) = bytes.split_first_chunk::<4>().ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        let found = u32::from_le_bytes(*format);
        if found != FORMAT {
            return Err(RestoreError::Format { found, known: FORMAT });
        }
        let snapshot: Snapshot = postcard::from_bytes(rest)?;
        let mut watch = Self::new(settings);
        for saved in snapshot.models {
            let mut model =
                ModelWatch::new(&saved.state.name, watch.settings.of(&saved.state.name).clone(), &watch.settings);
            for (name, bytes) in &saved.detectors {
                let known = crate::detectors::DETECTORS.iter().position(|spec| spec.name == name);
                if let Some(detector) = known.and_then(|index| model.detectors.get_mut(index)) {
                    detector.load(bytes)?;
                }
            }
            let settings = model.state.settings.clone();
            model.state = saved.state;
            model.state.settings = settings;
            watch.models.insert(model.state.name.clone(), model);
        }
        watch.saturation = snapshot.saturation;
        watch.shifts = snapshot.shifts;
        watch.grouping = snapshot.grouping;
        watch.budget = snapshot.budget;
        watch.deployments = snapshot.deployments;
        watch.risks = snapshot.risks;
        watch.outcomes = snapshot.outcomes;
        watch.services = snapshot.services;
        watch.left_out = snapshot.left_out;
        watch.rules.load(&snapshot.rules)?;
        Ok(watch)
    }

    fn observe_model(
        &mut self,
        model: &str,
        batch: &EventBatch,
        told: &mut VecDeque<(usize, Finding)>,
        observed: &mut Observed,
    ) {
        let mut findings = Vec::new();
        match self.watch_of(model) {
            Some(watch) => watch.observe(batch, told, &mut findings),
            None => self.left_out += batch.len() as u64,
        }
        if let Some(watch) = self.models.get_mut(model) {
            let judged = self.outcomes.predictions(model, batch, &watch.state.entities);
            if !judged.is_empty() {
                watch.judge(&judged, &mut findings);
            }
        }
        self.group(model, findings, observed);
        let told = self.services.observe(&self.settings.service_slos, model, batch);
        self.tell(told, observed);
    }

    /// Outcomes name a prediction, and so a model, by its id alone.
    fn observe_outcomes(&mut self, batch: &EventBatch, observed: &mut Observed) {
        for (model, judged) in self.outcomes.outcomes(batch) {
            let mut findings = Vec::new();
            if let Some(watch) = self.models.get_mut(&model) {
                watch.judge(&judged, &mut findings);
            }
            self.group(&model, findings, observed);
        }
    }

    /// Training rows may come before the model serves.
    fn observe_training_rows(&mut self, model: &str, batch: &EventBatch, observed: &mut Observed) {
        let mut findings = Vec::new();
        if let Some(watch) = self.watch_of(model) {
            watch.show_rows(batch, 0..batch.len(), &mut findings);
        }
        self.group(model, findings, observed);
    }

    /// Deployments end what is told of a version that they take back.
    fn observe_deployments(&mut self, batch: &EventBatch, observed: &mut Observed) {
        let (Ok(times), Some(models)) = (batch.times(), batch.text("model")) else { return };
        for row in 0..batch.len() {
            let Some(model) = models.get(row) else { continue };
            let time = Timestamp::from_micros(times.value(row));
            let mut findings = Vec::new();
            if let Some(watch) = self.watch_of(model) {
                watch.state.retirements.observe(batch, row, time);
                watch.show_rows(batch, row..row + 1, &mut findings);
                self.deployments.observe(model, batch, row, time);
            }
            self.group(model, findings, observed);
        }
    }

    /// The watch of a model, a new one where it was not seen before; `None` where there are too many.
    fn watch_of(&mut self, model: &str) -> Option<&mut ModelWatch> {
        if !self.models.contains_key(model) {
            if self.models.len() >= MOST_MODELS {
                return None;
            }
            let watch = ModelWatch::new(model, self.settings.of(model).clone(), &self.settings);
            self.models.insert(model.to_owned(), watch);
        }
        self.models.get_mut(model)
    }

    fn observe_metrics(&mut self, batch: &EventBatch, observed: &mut Observed) {
        let models = &self.models;
        let settings = &self.settings;
        let learning = |service: &str| -> Learning {
            let served = models.values().find(|watch| watch.state.services.iter().any(|known| known == service));
            served.map_or(settings.default_model.learning, |watch| watch.state.settings.learning)
        };
        let rises = self.saturation.observe(batch, learning);
        for rise in rises {
            let served: Vec<String> = self
                .models
                .values()
                .filter(|watch| watch.state.services.contains(&rise.service))
                .map(|watch| watch.state.name.clone())
                .collect();
            for model in served {
                if let Some(watch) = self.models.get(&model) {
                    let finding = saturation_finding(&watch.state, &rise);
                    // Quiet alerts are closed by the predictions' clock alone: metrics may lag behind it.
                    let window = finding.time.since(finding.onset);
                    observed.alerts.extend(self.grouping.take(&finding, window));
                    observed.findings.push(finding);
                }
            }
        }
    }

    /// Figures of systems that are no models: shifts are on record, as evidence for incidents.
    fn observe_figures(&mut self, batch: &EventBatch, observed: &mut Observed) {
        let served = |service: &str| served_by(&self.models, &self.settings, service);
        let told = self.shifts.observe(batch, served);
        self.tell(told, observed);
        for (service, now) in self.shifts.told() {
            observed.alerts.extend(self.grouping.close_quiet(&service, now));
            if self.grouping.open().all(|alert| alert.model != service) {
                self.shifts.closed(&service);
            }
        }
    }
}

fn served_by(models: &BTreeMap<String, ModelWatch>, settings: &WatchSettings, service: &str) -> Served {
    let serves = |watch: &&ModelWatch| watch.state.services.iter().any(|known| known == service);
    let served: Vec<&ModelWatch> = models.values().filter(serves).collect();
    let learning = served.first().map_or(settings.default_model.learning, |watch| watch.state.settings.learning);
    Served { models: served.iter().map(|watch| watch.state.name.clone()).collect(), learning }
}

#[derive(Serialize)]
struct SnapshotRef<'a> {
    models: Vec<ModelSnapshot>,
    saturation: &'a SaturationWatch,
    shifts: &'a ServiceShiftWatch,
    grouping: &'a Grouping,
    budget: &'a BudgetLedger,
    deployments: &'a Deployments,
    risks: &'a Risks,
    outcomes: &'a OutcomeIndex,
    services: &'a ServiceWatch,
    left_out: u64,
    rules: Vec<u8>,
}

fn snapshot_of(watch: &ModelWatch) -> Result<ModelSnapshot, postcard::Error> {
    let detectors = crate::detectors::DETECTORS
        .iter()
        .zip(&watch.detectors)
        .map(|(spec, detector)| Ok((spec.name.to_owned(), detector.save()?)))
        .collect::<Result<Vec<_>, postcard::Error>>()?;
    Ok(ModelSnapshot { state: watch.state.clone(), detectors })
}

/// The length of the windows that a finding of this kind comes from.
fn window_of(state: &ModelState, finding: &Finding) -> Span {
    match finding.kind {
        FindingKind::DataDrift | FindingKind::PredictionDrift | FindingKind::DataQuality => {
            state.scales.last().map_or(0, |scale| scale.span)
        }
        // A slow burn shows by single failures, hours apart.
        FindingKind::SloBurn if finding.severity < Severity::Page => 2 * Timestamp::HOUR,
        // Labels come by the day, and what is told of single people takes days to show.
        FindingKind::Performance | FindingKind::Adversarial => Timestamp::DAY,
        // Training rows, people and records are judged once a day.
        FindingKind::Poisoning | FindingKind::Fairness | FindingKind::Integrity => Timestamp::DAY,
        // Abuse that comes back the next night is the same cause.
        FindingKind::Cost | FindingKind::Extraction => 13 * Timestamp::HOUR / 2,
        FindingKind::Traffic => state.learned.as_ref().map_or(0, |learned| learned.traffic.width),
        _ => 0,
    }
}

fn saturation_finding(state: &ModelState, rise: &Saturation) -> Finding {
    let mut finding = draft(state, "saturation", FindingKind::Saturation, &rise.name, rise.time);
    let place = if rise.instance.is_empty() { rise.service.as_str() } else { rise.instance.as_str() };
    finding.slice = if rise.instance.is_empty() { Slice::whole() } else { Slice::of("instance", &rise.instance) };
    finding.onset = rise.onset;
    finding.onset_interval = (rise.onset, rise.time);
    (finding.observed, finding.expected, finding.unit) = (rise.observed, rise.expected, rise.name.clone());
    (finding.n_observed, finding.n_expected) = (rise.n_observed, rise.n_expected);
    (finding.effect, finding.effect_name) = (rise.observed / rise.expected.abs().max(1e-9), "ratio".to_owned());
    finding.p_value = Some(rise.p_value);
    finding.severity = Severity::Info;
    finding.title = format!(
        "{} of {place} rose from {} to {} since {} (n={})",
        rise.name,
        number(rise.expected),
        number(rise.observed),
        clock_time(rise.onset, rise.time),
        rise.n_observed,
    );
    finding.evidence = evidence::metric(&rise.service, &rise.name, rise.onset.plus(-Timestamp::HOUR), rise.time);
    sealed(finding)
}
