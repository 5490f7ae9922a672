//! The thread that watches: it sees every durable event in order, and records what it finds.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, mpsc},
};
use wardline_detect::{Baseline, BudgetReport, EntityRisk, Observed, Watch, WatchSettings};
use wardline_domain::{Alert, AlertChange, EventBatch, PrivacyPolicy, Span, Timestamp};
use wardline_store::{
    lake::Lake,
    metadata::{Metadata, State},
};

use super::metrics::{Kind, Metrics};
use crate::{incidents::IncidentDesk, notifications::NotificationDesk, rollouts::Desk};

/// Events for detection.
pub(super) struct Seen {
    pub(super) sequence: u64,
    pub(super) batches: Vec<EventBatch>,
    pub(super) received: Timestamp,
    /// Given back once the events were seen.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

/// The state of detection, and the place in the journal and in the findings that it stands for.
pub(super) struct Recovered {
    pub(super) watch: Watch,
    /// The last journal record it has seen.
    pub(super) sequence: u64,
    /// How many findings it has made. Each has its number, so that one which is made again after a crash is
    /// stored once.
    pub(super) n_findings: u64,
}

impl Recovered {
    pub(super) const fn new(watch: Watch) -> Self {
        Self { watch, sequence: 0, n_findings: 0 }
    }

    /// What was saved, under today's settings.
    pub(super) fn read(settings: WatchSettings, state: &State) -> anyhow::Result<Self> {
        let (count, snapshot) = state.body.split_at_checked(8).context("the saved state of detection is cut short")?;
        let n_findings = u64::from_le_bytes(count.try_into()?);
        let watch = Watch::restore(settings, snapshot).context("the saved state of detection cannot be read")?;
        Ok(Self { watch, sequence: state.sequence.unwrap_or(0), n_findings })
    }

    fn state(&self) -> Vec<u8> {
        let mut bytes = self.n_findings.to_le_bytes().to_vec();
        bytes.extend(self.watch.snapshot());
        bytes
    }

    /// Sees a record that was seen before the last stop, unless the saved state includes it.
    ///
    /// Of a model with hashed numbers the journal has tokens only. Its events are left out here, as they
    /// would look like ones whose inputs are missing.
    pub(super) async fn see_again(&mut self, sequence: u64, mut batches: Vec<EventBatch>, records: &Records) {
        if sequence <= self.sequence {
            return;
        }
        batches.retain(|batch| !PrivacyPolicy::has_tokens(batch));
        let observed = self.see(sequence, &batches);
        records.keep(&mut self.n_findings, observed, None).await;
    }

    /// Sees the events of one journal record; the same live and when the journal is read again.
    fn see(&mut self, sequence: u64, batches: &[EventBatch]) -> Observed {
        let observed = self.watch.observe_together(batches);
        self.sequence = sequence;
        observed
    }
}

/// Where the state of detection is kept in the metadata.
pub(super) const STATE: &str = "detection";
/// Where a state is put aside that could not be read.
pub(super) const UNREADABLE_STATE: &str = "detection.unreadable";

/// What detection writes to.
#[derive(Clone)]
pub(super) struct Records {
    pub(super) lake: Arc<Lake>,
    pub(super) metadata: Metadata,
    pub(super) metrics: Arc<Metrics>,
    /// The journal record up to which the state of detection is durable.
    pub(super) saved: Arc<AtomicU64>,
    /// Rollouts, whose judges see what detection sees.
    pub(super) rollouts: Arc<Desk>,
    /// Incidents, which alerts of one cause become.
    pub(super) incidents: Arc<IncidentDesk>,
    /// Who is told of alerts.
    pub(super) notifications: Arc<NotificationDesk>,
}

/// Detection on a thread of its own.
pub(super) struct Detection {
    queue: Mutex<Option<mpsc::Sender<Seen>>>,
    state: Arc<Mutex<Recovered>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Records that may wait for detection.
const MOST_WAITING: usize = 8;
/// How often the clock moves on without events.
const TICK: Duration = Duration::from_millis(200);
/// How often the state is saved; what came since is seen again after a crash.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// Events this much older than their arrival are history, which the clock on the wall says nothing about.
const LIVE_WITHIN: Span = 2 * Timestamp::MINUTE;
/// What an event may take from where it happened to here, beyond the delay seen lately.
const GRACE: Span = Timestamp::SECOND;

impl Detection {
    pub(super) fn start(recovered: Recovered, records: Records) -> anyhow::Result<Self> {
        let (queue, arrivals) = mpsc::channel(MOST_WAITING);
        records.saved.store(recovered.sequence, Ordering::Release);
        let state = Arc::new(Mutex::new(recovered));
        let worker = Worker {
            state: Arc::clone(&state),
            records,
            runtime: Handle::current(),
            unsaved_findings: false,
            saved_at: Instant::now(),
            delay: None,
        };
        let thread = std::thread::Builder::new().name("detection".to_owned()).spawn(move || worker.run(arrivals))?;
        Ok(Self { queue: Mutex::new(Some(queue)), state, thread: Mutex::new(Some(thread)) })
    }

    pub(super) async fn see(&self, seen: Seen) {
        let queue = lock(&self.queue).clone();
        if let Some(queue) = queue {
            let _ = queue.send(seen).await;
        }
    }

    pub(super) fn baseline(&self, model: &str) -> Option<Baseline> {
        lock(&self.state).watch.baseline(model)
    }

    pub(super) fn budget(&self) -> BudgetReport {
        lock(&self.state).watch.budget()
    }

    pub(super) fn entities(&self) -> Vec<EntityRisk> {
        let state = lock(&self.state);
        state.watch.latest().map(|now| state.watch.entities(now)).unwrap_or_default()
    }

    pub(super) fn slo_counts(&self) -> Vec<wardline_detect::slo::SloCount> {
        lock(&self.state).watch.slo_counts()
    }

    pub(super) fn models(&self) -> Vec<String> {
        lock(&self.state).watch.models().map(ToOwned::to_owned).collect()
    }

    /// Lets what waits be seen, saves the state, and ends the thread.
    pub(super) fn stop(&self) {
        drop(lock(&self.queue).take());
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    state: Arc<Mutex<Recovered>>,
    records: Records,
    runtime: Handle,
    unsaved_findings: bool,
    saved_at: Instant,
    /// How late the last record's newest event was, where it is live.
    delay: Option<Span>,
}

impl Worker {
    fn run(mut self, mut arrivals: mpsc::Receiver<Seen>) {
        let runtime = self.runtime.clone();
        loop {
            match runtime.block_on(async { tokio::time::timeout(TICK, arrivals.recv()).await }) {
                Ok(Some(seen)) => self.see(seen),
                Ok(None) => break,
                Err(_) => self.tick(),
            }
            if self.saved_at.elapsed() >= SAVE_EVERY {
                self.save();
            }
        }
        self.save();
    }

    fn see(&mut self, seen: Seen) {
        // Rollouts first: what they decide is more urgent than what is told.
        self.runtime.block_on(self.records.rollouts.see(seen.sequence, &seen.batches));
        self.records.incidents.see(seen.sequence, &seen.batches);
        let observed = lock(&self.state).see(seen.sequence, &seen.batches);
        self.keep(observed, Some(seen.received));
        let newest = seen.batches.iter().filter_map(EventBatch::time_range).map(|(_, last)| last).max();
        self.delay = newest.map(|newest| seen.received.since(newest)).filter(|delay| delay.abs() <= LIVE_WITHIN);
        drop(seen.place);
    }

    /// Moves the clock of live streams on, so that silence is heard and windows close without a next event.
    fn tick(&mut self) {
        let Some(delay) = self.delay else { return };
        let now = super::now().plus(-(delay.max(0) + GRACE));
        self.runtime.block_on(self.records.rollouts.advance(now));
        let observed = lock(&self.state).watch.advance(now);
        self.keep(observed, None);
    }

    fn keep(&mut self, observed: Observed, received: Option<Timestamp>) {
        self.unsaved_findings |= !observed.findings.is_empty();
        let mut n_findings = lock(&self.state).n_findings;
        self.runtime.block_on(self.records.keep(&mut n_findings, observed, received));
        lock(&self.state).n_findings = n_findings;
    }

    /// Saves the state and the place in the journal that it stands for.
    fn save(&mut self) {
        self.saved_at = Instant::now();
        let (sequence, body) = {
            let state = lock(&self.state);
            if self.records.saved.load(Ordering::Acquire) == state.sequence && !self.unsaved_findings {
                return;
            }
            (state.sequence, state.state())
        };
        if let Err(error) = self.runtime.block_on(self.put(sequence, body)) {
            tracing::error!(error = %format!("{error:#}"), "the state of detection could not be saved");
            return;
        }
        self.unsaved_findings = false;
        self.records.saved.store(sequence, Ordering::Release);
    }

    /// Findings go to their table first: a state that says they were made must not outlive them.
    async fn put(&self, sequence: u64, body: Vec<u8>) -> anyhow::Result<()> {
        if self.unsaved_findings {
            self.records.lake.flush_findings().await?;
        }
        self.records.rollouts.save().await?;
        self.records.incidents.save().await?;
        let state = State { sequence: Some(sequence), body };
        Ok(self.records.metadata.put_state(STATE, &state).await?)
    }
}

impl Records {
    /// Writes down what was found.
    async fn keep(&self, n_findings: &mut u64, observed: Observed, received: Option<Timestamp>) {
        for finding in &observed.findings {
            *n_findings += 1;
            if let Err(error) = self.lake.observe_findings(*n_findings, std::slice::from_ref(finding)).await {
                tracing::error!(error = %error, finding = %finding.id, "a finding could not be written");
            }
        }
        if observed.alerts.is_empty() {
            self.incidents.take_all(&observed.findings, &[]).await;
            return;
        }
        let alerts: Vec<_> = observed.alerts.iter().map(|change| change.alert().clone()).collect();
        let messages = self.notifications.messages_for_alerts(&observed.alerts);
        match self.metadata.write_alerts(&alerts, &messages).await {
            Ok(()) => self.notifications.wake(),
            Err(error) => tracing::error!(error = %error, "alerts could not be written"),
        }
        for change in &observed.alerts {
            if let AlertChange::Raised(alert) = change {
                self.announce(alert, received);
            }
        }
        self.incidents.take_all(&observed.findings, &observed.alerts).await;
    }

    fn announce(&self, alert: &Alert, received: Option<Timestamp>) {
        let (kind, severity) = (alert.kind.name(), alert.severity.name());
        tracing::info!(alert = %alert.id, model = %alert.model, kind, severity, title = %alert.title, "alert raised");
        self.metrics.alerts.get_or_create(&Kind { kind, severity }).inc();
        if let Some(received) = received {
            self.metrics.alert_delay_seconds.observe(super::now().since(received) as f64 / 1e6);
        }
    }
}
