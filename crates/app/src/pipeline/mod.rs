//! The product in one file: from what arrived to what is wrong with it.
//!
//! [`Pipeline::take_in`] waits on no other system than the local disk. Detection runs behind the journal on a
//! thread of its own, in the order of the journal, and everything after the journal can be rebuilt from it.

mod decoders;
mod detection;
mod downstream;
mod maintenance;
mod metrics;
mod open;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::body::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use wardline_adapters::Decoded;
use wardline_detect::Baseline;
use wardline_domain::{DeadLetter, EventBatch, PrivacyPolicy, Timestamp};
use wardline_store::{
    dead_letters::{DeadLetterError, DeadLetterFilter, DeadLetters, StoredDeadLetter},
    journal::{AppendError, Appended, Journal},
    lake::Lake,
    metadata::{Metadata, State},
    sql::Engine,
};

use self::{
    decoders::Decoders,
    detection::Detection,
    downstream::{Downstream, Durable},
    metrics::Reason,
};
pub(crate) use self::{
    metrics::{Delivery, Metrics},
    open::secret_file,
};
use crate::{
    evidence::EvidenceRoom, incidents::IncidentDesk, notifications::NotificationDesk, playbooks::Desk as PlaybookDesk,
    rollouts::Desk,
};

/// The live data plane of one data folder.
pub(crate) struct Pipeline {
    decoders: Decoders,
    saved_schema: tokio::sync::Mutex<u64>,
    policy: PrivacyPolicy,
    dead_letters: Arc<DeadLetters>,
    journal: Arc<Journal>,
    max_journal_bytes: u64,
    downstream: Downstream,
    waiting: Arc<Semaphore>,
    lake: Arc<Lake>,
    engine: Arc<Engine>,
    metadata: Metadata,
    detection: Arc<Detection>,
    rollouts: Arc<Desk>,
    playbooks: Arc<PlaybookDesk>,
    incidents: Arc<IncidentDesk>,
    evidence: Arc<EvidenceRoom>,
    notifications: Arc<NotificationDesk>,
    metrics: Arc<Metrics>,
    background: Mutex<Vec<tokio::task::JoinHandle<()>>>,
    /// Held for as long as the data folder is in use.
    _lock: std::fs::File,
}

/// What became of one body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Taken {
    /// Events that are durable now and were not before.
    pub(crate) accepted: u64,
    /// Events that were durable before.
    pub(crate) duplicates: u64,
    /// Records that went to dead letters.
    pub(crate) rejected: u64,
    /// The first few of them, with their reasons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reasons: Vec<Rejection>,
}

/// A record that went to dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rejection {
    /// Where it started in the body, in bytes.
    pub(crate) offset: u64,
    /// Why.
    pub(crate) reason: String,
}

/// The most reasons that an answer repeats; all of them are with the dead letters.
const MOST_REASONS: usize = 10;

/// Why a body could not be taken in.
#[derive(Debug)]
pub(crate) enum IntakeError {
    /// It may be sent again, later.
    NotNow {
        /// Stable name.
        code: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// It will never be taken.
    Refused {
        /// Stable name.
        code: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The server failed.
    Failed(anyhow::Error),
}

/// How long a body waits for its turn before its sender is told to come back.
const LONGEST_TURN: Duration = Duration::from_secs(2);
/// How long the end waits for what is under way; the journal has the rest.
const LONGEST_END: Duration = Duration::from_secs(10);

impl Pipeline {
    /// Takes in one body of NDJSON. When it returns, every good record is on disk.
    ///
    /// # Errors
    /// [`IntakeError::NotNow`] where the disk does not take it; nothing of the body is then stored, except
    /// dead letters.
    pub(crate) async fn take_in(&self, lines: Bytes, sender: &str) -> Result<Taken, IntakeError> {
        let arrived_at = Instant::now();
        let received = now();
        self.refuse_when_behind()?;
        let place = self.place().await?;
        let Decoded { batches, dead_letters, .. } = self.decoders.decode(lines, sender, received).await?;
        self.save_schema().await?;
        let n_events = batches.iter().map(EventBatch::len).sum();
        let written = treat(&self.policy, &batches)?;

        let dead_letters = self.keep(dead_letters).await?;
        let appended = self.make_durable(batches, written, received, place).await?;
        let taken = Taken::count(n_events, &appended, &dead_letters);
        self.count(&taken, &dead_letters, arrived_at);
        Ok(taken)
    }

    /// A place among the bodies that are under way.
    async fn place(&self) -> Result<OwnedSemaphorePermit, IntakeError> {
        let turn = tokio::time::timeout(LONGEST_TURN, Arc::clone(&self.waiting).acquire_owned()).await;
        turn.map_err(|_| self.behind())?.map_err(|error| IntakeError::Failed(error.into()))
    }

    fn behind(&self) -> IntakeError {
        self.metrics.requests_unavailable.inc();
        let message = "detection or the tables do not keep up: send again in some seconds; if it stays so, see the server's log, or send slower";
        IntakeError::NotNow { code: "behind", message: message.to_owned() }
    }

    /// Writes the columns of the models down before the first event that has a new one: a feature that is
    /// hashed leaves no trace of its type in the tables.
    async fn save_schema(&self) -> Result<(), IntakeError> {
        let registry = self.decoders.registry();
        let version = registry.version();
        let mut saved = self.saved_schema.lock().await;
        if *saved == version {
            return Ok(());
        }
        let body = serde_json::to_vec(&registry.snapshot()).map_err(anyhow::Error::from)?;
        if let Err(error) = self.metadata.put_state(open::SCHEMA_STATE, &State { sequence: None, body }).await {
            self.metrics.requests_unavailable.inc();
            let message =
                format!("the metadata cannot be written: {error}: free space, or mount the data folder for writing");
            return Err(IntakeError::NotNow { code: "metadata_failed", message });
        }
        *saved = version;
        Ok(())
    }

    /// Writes the events to the journal, which hands them on in its own order; returns once they are synced.
    async fn make_durable(
        &self,
        arrived: Vec<EventBatch>,
        written: Vec<EventBatch>,
        received: Timestamp,
        place: OwnedSemaphorePermit,
    ) -> Result<Appended, IntakeError> {
        let (sender, receiver) = oneshot::channel();
        let downstream = self.downstream.clone();
        let treated = written.clone();
        self.journal.append_then(written, move |result| {
            if let Ok(appended) = &result
                && let Some(sequence) = appended.sequence
            {
                let fresh = appended.fresh.clone();
                downstream.pass(Durable {
                    sequence,
                    written: appended.written.clone(),
                    arrived,
                    treated,
                    fresh,
                    received,
                    place,
                });
            }
            // A caller that hung up does not need the answer.
            let _ = sender.send(result);
        });
        receiver.await.map_err(anyhow::Error::from)?.map_err(|error| self.not_now(&error))
    }

    /// Keeps what was refused, with its reason.
    async fn keep(&self, letters: Vec<DeadLetter>) -> Result<Vec<DeadLetter>, IntakeError> {
        if letters.is_empty() {
            return Ok(letters);
        }
        self.with_dead_letters(move |kept| kept.append(&letters).map(|_| letters)).await
    }

    /// Does something with the dead letters off the threads that answer requests.
    async fn with_dead_letters<T: Send + 'static>(
        &self,
        work: impl FnOnce(&DeadLetters) -> Result<T, DeadLetterError> + Send + 'static,
    ) -> Result<T, IntakeError> {
        let letters = Arc::clone(&self.dead_letters);
        match tokio::task::spawn_blocking(move || work(&letters)).await.map_err(anyhow::Error::from)? {
            Ok(done) => Ok(done),
            Err(DeadLetterError::NotStored(error)) => Err(self.not_now(&error)),
            Err(error) => Err(IntakeError::Failed(error.into())),
        }
    }

    fn not_now(&self, error: &AppendError) -> IntakeError {
        if !error.is_temporary() {
            return IntakeError::Refused { code: "batch_too_large", message: error.to_string() };
        }
        self.metrics.requests_unavailable.inc();
        let code = match error {
            AppendError::Busy { .. } => "busy",
            AppendError::DiskFull { .. } => "disk_full",
            AppendError::ReadOnly { .. } => "read_only",
            AppendError::Closed => "stopping",
            _ => "disk_failed",
        };
        IntakeError::NotNow { code, message: error.to_string() }
    }

    /// The journal holds what detection and the lake have yet to take; it may not grow without end.
    fn refuse_when_behind(&self) -> Result<(), IntakeError> {
        let status = self.journal.status();
        if status.bytes <= self.max_journal_bytes {
            return Ok(());
        }
        self.metrics.requests_unavailable.inc();
        let message = format!(
            "the journal holds {} MiB that the lake could not take yet: see the server's log, or raise `intake.max_journal_mib`",
            status.bytes / (1024 * 1024)
        );
        Err(IntakeError::NotNow { code: "behind", message })
    }

    fn count(&self, taken: &Taken, letters: &[DeadLetter], arrived_at: Instant) {
        self.metrics.events_accepted.inc_by(taken.accepted);
        self.metrics.events_duplicate.inc_by(taken.duplicates);
        for letter in letters {
            self.metrics.dead_letters.get_or_create(&Reason { reason: letter.reason_name() }).inc();
        }
        self.metrics.acknowledge_seconds.observe(arrived_at.elapsed().as_secs_f64());
    }

    /// Puts refused records through again.
    ///
    /// # Errors
    /// Where they cannot be read or stored.
    pub(crate) async fn replay_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<Taken, IntakeError> {
        let letters = self.with_dead_letters(move |kept| kept.take_for_replay(&filter, limit)).await?;
        let mut total = Taken::default();
        let mut done = Vec::with_capacity(letters.len());
        for StoredDeadLetter { id, letter, .. } in letters {
            let record = Bytes::from(letter.record.into_bytes());
            // If it is refused again, it is kept again, with its new reason, before the old one goes.
            let taken = self.take_in(record, &letter.source).await?;
            done.push(id);
            total.accepted += taken.accepted;
            total.duplicates += taken.duplicates;
            total.rejected += taken.rejected;
            total.reasons.extend(taken.reasons);
            total.reasons.truncate(MOST_REASONS);
        }
        self.with_dead_letters(move |kept| kept.resolve(&done)).await?;
        Ok(total)
    }

    /// Why events cannot be taken in now, if they cannot.
    ///
    /// # Errors
    /// The reason, in words.
    pub(crate) async fn readiness(&self) -> Result<(), String> {
        self.refuse_when_behind().map_err(|error| match error {
            IntakeError::NotNow { message, .. } | IntakeError::Refused { message, .. } => message,
            IntakeError::Failed(error) => format!("{error:#}"),
        })?;
        if let Some(trouble) = self.lake.commit_trouble() {
            return Err(trouble);
        }
        if self.waiting.available_permits() == 0 {
            return Err("detection or the tables do not keep up".to_owned());
        }
        if self.downstream.is_closed() {
            return Err("detection has stopped: see the server's log, and start it again".to_owned());
        }
        self.metadata.get_state(open::SCHEMA_STATE).await.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The records that were refused, newest first.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub(crate) async fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<StoredDeadLetter>, IntakeError> {
        self.with_dead_letters(move |kept| kept.list(&filter, limit)).await
    }

    /// SQL over everything that was taken in.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Alerts and states.
    pub(crate) const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Runs of playbooks.
    pub(crate) const fn playbooks(&self) -> &Arc<PlaybookDesk> {
        &self.playbooks
    }

    /// Rollouts under way.
    pub(crate) const fn rollouts(&self) -> &Arc<Desk> {
        &self.rollouts
    }

    /// Incidents.
    pub(crate) const fn incidents(&self) -> &Arc<IncidentDesk> {
        &self.incidents
    }

    /// Evidence packs.
    pub(crate) const fn evidence(&self) -> &Arc<EvidenceRoom> {
        &self.evidence
    }

    /// Who is told of what.
    pub(crate) const fn notifications(&self) -> &Arc<NotificationDesk> {
        &self.notifications
    }

    /// Wardline's own metrics.
    pub(crate) fn metrics(&self) -> &Metrics {
        self.metrics.tail_bytes.set(self.lake.tail_bytes() as i64);
        // Every record that is under way holds a place until detection has seen it.
        let under_way = downstream::MOST_WAITING - self.waiting.available_permits();
        self.metrics.detection_lag_records.set(under_way as i64);
        &self.metrics
    }

    /// What is normal for a model.
    pub(crate) fn baseline(&self, model: &str) -> Option<Baseline> {
        self.detection.baseline(model)
    }

    /// The budget of false alerts, and what came of it.
    pub(crate) fn budget(&self) -> wardline_detect::BudgetReport {
        self.detection.budget()
    }

    /// What was counted for every objective.
    pub(crate) fn slo_counts(&self) -> Vec<wardline_detect::slo::SloCount> {
        self.detection.slo_counts()
    }

    /// What findings name, the riskiest first.
    pub(crate) fn entities(&self) -> Vec<wardline_detect::EntityRisk> {
        self.detection.entities()
    }

    /// The models that were seen.
    pub(crate) fn models(&self) -> Vec<String> {
        self.detection.models()
    }

    /// Returns once everything that was acknowledged has been seen by detection.
    ///
    /// # Errors
    /// Where the pipeline is stopping.
    pub(crate) async fn catch_up(&self) -> anyhow::Result<()> {
        // Every record that is under way holds a place; all places together mean that none is.
        let _all = self.waiting.acquire_many(downstream::MOST_WAITING as u32).await?;
        Ok(())
    }

    /// Ends it: what is under way is finished, states are saved, and all rows are committed.
    ///
    /// # Errors
    /// Where the last rows cannot be committed; the journal still has them.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        if tokio::time::timeout(LONGEST_END, self.catch_up()).await.is_err() {
            tracing::warn!("the tables do not keep up; the journal has what they lack, for the next start");
        }
        for task in self.background.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
        let detection = Arc::clone(&self.detection);
        let stopped = tokio::task::spawn_blocking(move || detection.stop());
        if tokio::time::timeout(LONGEST_END, stopped).await.is_err() {
            tracing::warn!("detection did not end in time; it sees its last events again at the next start");
        }
        tokio::time::timeout(LONGEST_END, self.lake.close())
            .await
            .context("the last rows could not be committed in time; the journal has them")??;
        Ok(())
    }
}

/// Each batch as the privacy policy lets it be written.
fn treat(policy: &PrivacyPolicy, batches: &[EventBatch]) -> anyhow::Result<Vec<EventBatch>> {
    Ok(batches.iter().map(|batch| policy.apply(batch)).collect::<Result<_, _>>()?)
}

impl Taken {
    fn count(n_events: usize, appended: &Appended, letters: &[DeadLetter]) -> Self {
        let reasons = letters.iter().take(MOST_REASONS);
        Self {
            accepted: appended.n_written() as u64,
            duplicates: n_events.saturating_sub(appended.n_written()) as u64,
            rejected: letters.len() as u64,
            reasons: reasons
                .map(|letter| Rejection { offset: letter.offset, reason: letter.reason.to_string() })
                .collect(),
        }
    }
}

impl From<anyhow::Error> for IntakeError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// The time on the wall, which only this crate looks at.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(chrono::Utc::now().timestamp_micros())
}
