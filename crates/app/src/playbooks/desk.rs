//! Where runs of playbooks live: every input is written down with what follows from it, before anything is done.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use wardline_domain::{ActionRequest, Timestamp};
use wardline_respond::{
    incident::Actor,
    playbook::{Need, Run, RunError},
};
use wardline_store::metadata::Metadata;

use super::{
    Actuators, Book, Freeze, RunState, RunView, Shelf,
    kept::{self, Kept, Origin},
    values::{fit, values_of_alert},
};
use crate::{pipeline, settings::Settings};

/// The first pause before an action is tried again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Runs of a server.
pub(crate) struct Desk {
    open: Mutex<Open>,
    /// Held from an input until what follows is written down, so that logs are written in their order.
    writing: tokio::sync::Mutex<()>,
    metadata: Metadata,
    pub(super) actuators: Actuators,
    folder: Option<PathBuf>,
    pub(super) freeze: OnceLock<Arc<dyn Freeze>>,
    /// Tells the runner that something may be due.
    pub(super) wake: Notify,
}

#[derive(Default)]
struct Open {
    /// Runs that go on.
    runs: BTreeMap<String, Kept>,
    /// What is listed of those that are over, or that cannot go on.
    over: BTreeMap<String, RunView>,
    /// Actions that could not be carried out yet, by the ids of their requests.
    trouble: BTreeMap<String, Trouble>,
}

/// Why an action is not carried out yet.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) attempts: u32,
    pub(super) reason: String,
    next: Instant,
}

/// A run that somebody wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The playbook's name.
    pub(crate) playbook: String,
    /// The incident that it is for.
    pub(crate) incident: Option<String>,
    /// The alert that it is for.
    pub(crate) alert: Option<String>,
    /// Values that were given; one that the playbook does not take is an error.
    pub(crate) given: BTreeMap<String, String>,
    /// Values that are known besides; what the playbook takes of them, it gets.
    pub(crate) offered: BTreeMap<String, String>,
    /// Whether nothing is done in earnest.
    pub(crate) dry_run: bool,
}

/// Why a run is not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// There is no such playbook.
    #[error("there is no playbook `{name}`; there are {known}")]
    NoSuchPlaybook {
        /// What was named.
        name: String,
        /// All names.
        known: String,
    },
    /// There is no such alert.
    #[error("there is no alert `{0}`: `wardline alerts` lists them")]
    NoSuchAlert(String),
    /// The playbook cannot be used.
    #[error("the playbook `{name}` cannot be used: {problems}")]
    NotValid {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problems: String,
    },
    /// Values are missing, or are too many.
    #[error("the playbook `{name}` cannot be run like this: {problems}")]
    Values {
        /// Its name.
        name: String,
        /// What is missing or too much.
        problems: String,
    },
    /// It did not start.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It could not be written down.
    #[error("the run could not be written down: {0:#}")]
    NotWritten(anyhow::Error),
}

/// Why a run does not take what somebody says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// There is no such run.
    #[error("there is no run `{0}`: `wardline playbook runs` lists them")]
    NoSuchRun(String),
    /// The step is none, or several could be meant.
    #[error("{0}")]
    NoSuchStep(String),
    /// It waits for nothing of the sort.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It could not be read or written down.
    #[error("{0:#}")]
    NotWritten(anyhow::Error),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Goes on with the runs that were under way.
    pub(crate) async fn open(metadata: Metadata, settings: &Settings) -> anyhow::Result<Self> {
        let actuators = Actuators::new(settings);
        let mut open = Open::default();
        for (id, lines) in kept::logs(&metadata, None).await? {
            match kept::restore(&metadata, &id, &lines).await {
                Ok(kept) => {
                    let unwritten = kept.together(lines.len());
                    if !unwritten.is_empty() {
                        metadata.write_together(&unwritten).await?;
                    }
                    open.put(kept, &actuators);
                }
                Err(error) => {
                    let reason = format!("{error:#}");
                    tracing::error!(error = %reason, run = %id, "the run of a playbook cannot go on");
                    open.over.insert(id.clone(), RunView::damaged(&id, reason));
                }
            }
        }
        Ok(Self {
            open: Mutex::new(open),
            writing: tokio::sync::Mutex::new(()),
            metadata,
            actuators,
            folder: settings.playbooks.folder.clone(),
            freeze: OnceLock::new(),
            wake: Notify::new(),
        })
    }

    /// Says what freezes evidence, once; until then nothing is frozen.
    pub(crate) fn set_freeze(&self, freeze: Arc<dyn Freeze>) {
        if self.freeze.set(freeze).is_err() {
            tracing::warn!("what freezes evidence is set already");
        }
    }

    /// Every playbook, valid or not.
    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::read(self.folder.as_deref())
    }

    /// Starts a run.
    pub(crate) async fn start(self: &Arc<Self>, order: Order, by: &str) -> Result<RunView, StartError> {
        let shelf = self.shelf();
        let Some(book) = shelf.get(&order.playbook) else {
            return Err(StartError::NoSuchPlaybook { name: order.playbook, known: shelf.names() });
        };
        let alert = match &order.alert {
            None => BTreeMap::new(),
            Some(id) => {
                let found = self.metadata.alert(id).await.map_err(|error| StartError::NotWritten(error.into()))?;
                values_of_alert(&found.ok_or_else(|| StartError::NoSuchAlert(id.clone()))?)
            }
        };
        let now = pipeline::now();
        let id = format!("{}-{}", order.playbook, in_base_36(now.micros().unsigned_abs()));
        let kept = begin(&id, book, &order, alert, &Actor::Person(by.to_owned()), now)?;
        let all = kept.all_of_it(&book.bytes).map_err(StartError::NotWritten)?;
        let desk = Arc::clone(self);
        // Whoever asked may hang up; what is written and what is known must stay the same nevertheless.
        let written = tokio::spawn(async move {
            let _writing = desk.writing.lock().await;
            desk.metadata.write_together(&all).await?;
            Ok::<_, anyhow::Error>(desk.took(kept, 0))
        });
        written.await.map_err(anyhow::Error::from).and_then(|view| view).map_err(StartError::NotWritten)
    }

    /// A person approves a step.
    pub(crate) async fn approve(self: &Arc<Self>, run: &str, step: &str, by: &str) -> Result<RunView, InputError> {
        let (step, by) = (step.to_owned(), Actor::Person(by.to_owned()));
        self.hand_in(run, move |run, now| Ok(run.approve(&step_of(run, &step)?, &by, now)?)).await
    }

    /// A person refuses a step.
    pub(crate) async fn reject(
        self: &Arc<Self>,
        run: &str,
        step: &str,
        reason: &str,
        by: &str,
    ) -> Result<RunView, InputError> {
        let (step, reason, by) = (step.to_owned(), reason.to_owned(), Actor::Person(by.to_owned()));
        self.hand_in(run, move |run, now| Ok(run.reject(&step_of(run, &step)?, &reason, &by, now)?)).await
    }

    /// A person did what a step asks for, or says why not.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        run: &str,
        step: &str,
        (done, text): (bool, &str),
        by: &str,
    ) -> Result<RunView, InputError> {
        let (step, text, by) = (step.to_owned(), text.to_owned(), Actor::Person(by.to_owned()));
        self.hand_in(run, move |run, now| Ok(run.answer(&step_of(run, &step)?, done, &text, &by, now)?)).await
    }

    /// A person stops a run.
    pub(crate) async fn stop(self: &Arc<Self>, run: &str, reason: &str, by: &str) -> Result<RunView, InputError> {
        let (reason, by) = (reason.to_owned(), Actor::Person(by.to_owned()));
        self.hand_in(run, move |run, now| Ok(run.stop(&reason, &by, now)?)).await
    }

    /// Hands in an input and writes down what follows; nothing has happened where that fails.
    pub(super) async fn hand_in(
        self: &Arc<Self>,
        id: &str,
        input: impl FnOnce(&mut Run, Timestamp) -> Result<(), InputError> + Send + 'static,
    ) -> Result<RunView, InputError> {
        let (desk, id) = (Arc::clone(self), id.to_owned());
        let done = tokio::spawn(async move {
            let _writing = desk.writing.lock().await;
            let mut kept = desk.kept(&id).await?;
            let from = kept.run.log().links().len();
            input(&mut kept.run, pipeline::now())?;
            let new = kept.together(from);
            if let Err(error) = desk.metadata.write_together(&new).await {
                tracing::error!(error = %error, run = %id, "the log of a run cannot be written, and nothing is done before it is");
                desk.read_again(&id).await;
                return Err(InputError::NotWritten(error.into()));
            }
            Ok(desk.took(kept, from))
        });
        done.await.map_err(|error| InputError::NotWritten(error.into()))?
    }

    /// A run as it is now, also one that is over.
    async fn kept(&self, id: &str) -> Result<Kept, InputError> {
        if let Some(kept) = lock(&self.open).runs.get(id) {
            return Ok(kept.clone());
        }
        let logs = kept::logs(&self.metadata, Some(id)).await.map_err(InputError::NotWritten)?;
        let Some(lines) = logs.get(id) else { return Err(InputError::NoSuchRun(id.to_owned())) };
        kept::restore(&self.metadata, id, lines).await.map_err(InputError::NotWritten)
    }

    /// After a log could not be written: what is known of the run goes back to what the log says.
    async fn read_again(&self, id: &str) {
        let logs = kept::logs(&self.metadata, Some(id)).await.unwrap_or_default();
        if let Some(lines) = logs.get(id)
            && let Ok(kept) = kept::restore(&self.metadata, id, lines).await
        {
            lock(&self.open).put(kept, &self.actuators);
        }
    }

    /// What was written is so from now on.
    fn took(&self, kept: Kept, from: usize) -> RunView {
        super::view::tell_log(&kept.run, from);
        let view = RunView::of(&kept.run, &kept.origin, &self.actuators);
        lock(&self.open).put(kept, &self.actuators);
        self.wake.notify_one();
        view
    }

    /// Every run without its log, the newest first.
    pub(crate) fn runs(&self) -> Vec<RunView> {
        let open = lock(&self.open);
        let going = open.runs.values().map(|kept| self.view(kept, &open).without_log());
        let mut views: Vec<RunView> = going.chain(open.over.values().cloned()).collect();
        views.sort_by(|left, right| (right.started, &right.run).cmp(&(left.started, &left.run)));
        views
    }

    /// One run with its log.
    pub(crate) async fn run_view(&self, id: &str) -> Result<RunView, InputError> {
        if let Some(damaged) = lock(&self.open).over.get(id).filter(|view| view.state == RunState::Damaged) {
            return Ok(damaged.clone());
        }
        let kept = self.kept(id).await?;
        let open = lock(&self.open);
        Ok(self.view(&kept, &open))
    }

    fn view(&self, kept: &Kept, open: &Open) -> RunView {
        let mut view = RunView::of(&kept.run, &kept.origin, &self.actuators);
        view.add_trouble(|request| {
            open.trouble.get(request).map(|trouble| (trouble.attempts, trouble.reason.as_str()))
        });
        view
    }

    /// Runs for which time has something to do.
    pub(super) fn due(&self, now: Timestamp) -> Vec<String> {
        let is_due = |kept: &Kept| kept.run.due().is_some_and(|due| due <= now);
        lock(&self.open).runs.iter().filter(|(_, kept)| is_due(kept)).map(|(id, _)| id.clone()).collect()
    }

    /// What is to be carried out now, with its run.
    pub(super) fn to_carry_out(&self) -> Vec<(String, ActionRequest)> {
        let open = lock(&self.open);
        let now = Instant::now();
        let rests = |request: &ActionRequest| open.trouble.get(&request.id).is_some_and(|trouble| now < trouble.next);
        let of_run = |(id, kept): (&String, &Kept)| {
            let requests = kept.run.needs().into_iter().filter_map(|need| match need {
                Need::CarryOut(request) if !rests(&request) => Some((id.clone(), request)),
                _ => None,
            });
            requests.collect::<Vec<_>>()
        };
        open.runs.iter().flat_map(of_run).collect()
    }

    /// Whether a request is still asked for.
    pub(super) fn is_asked_for(&self, run: &str, request: &str) -> bool {
        let open = lock(&self.open);
        let is_it = |need: &Need| matches!(need, Need::CarryOut(own) if own.id == request);
        open.runs.get(run).is_some_and(|kept| kept.run.needs().iter().any(is_it))
    }

    /// The incident whose evidence must be frozen before a run does anything, where it has done nothing yet.
    pub(super) fn incident_to_freeze(&self, run: &str) -> Option<String> {
        let open = lock(&self.open);
        let kept = open.runs.get(run)?;
        kept.origin.incident.clone().filter(|_| !super::view::has_acted(&kept.run))
    }

    /// An action could not be carried out, and is tried again after a pause.
    pub(super) fn failed_for_now(&self, request: &str, reason: String) {
        let mut open = lock(&self.open);
        let attempts = open.trouble.get(request).map_or(0, |trouble| trouble.attempts);
        let pause = FIRST_PAUSE.saturating_mul(1 << attempts.min(10)).min(LONGEST_PAUSE);
        let trouble = Trouble { attempts: attempts + 1, reason, next: Instant::now() + pause };
        open.trouble.insert(request.to_owned(), trouble);
    }
}

impl Open {
    fn put(&mut self, kept: Kept, actuators: &Actuators) {
        let id = kept.run.id().to_owned();
        let asked: Vec<String> = kept
            .run
            .needs()
            .into_iter()
            .filter_map(|need| match need {
                Need::CarryOut(request) => Some(request.id),
                _ => None,
            })
            .collect();
        let of_run = format!("{id}/");
        self.trouble.retain(|request, _| !request.starts_with(&of_run) || asked.contains(request));
        if kept.run.finished().is_some() {
            self.runs.remove(&id);
            let view = RunView::of(&kept.run, &kept.origin, actuators).without_log();
            self.over.insert(id, view);
        } else {
            self.runs.insert(id, kept);
        }
    }
}

/// Begins a run, with nothing written yet.
fn begin(
    id: &str,
    book: &Book,
    order: &Order,
    of_alert: BTreeMap<String, String>,
    by: &Actor,
    now: Timestamp,
) -> Result<Kept, StartError> {
    let name = || order.playbook.clone();
    let playbook = book.read.clone().map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        StartError::NotValid { name: name(), problems: problems.join("; ") }
    })?;
    let mut offered = order.offered.clone();
    for (name, value) in of_alert {
        offered.entry(name).or_insert(value);
    }
    if let Some(incident) = &order.incident {
        offered.insert("incident".to_owned(), incident.clone());
    }
    let values = fit(&playbook, &order.given, &offered)
        .map_err(|problems| StartError::Values { name: name(), problems: problems.join("; ") })?;
    let run = Run::start(id, playbook, &values, order.dry_run, by, now)?;
    let origin = Origin { name: name(), incident: order.incident.clone(), alert: order.alert.clone() };
    Ok(Kept { run, origin })
}

/// The step that somebody means: by its id, the beginning of its UUID, or its name. One that waits is meant first.
fn step_of(run: &Run, meant: &str) -> Result<String, InputError> {
    let fits = |id: &str| {
        let uuid = id.split_once("--").map_or(id, |(_, uuid)| uuid);
        let name = run.playbook().steps.get(id).map(|step| step.name.as_str()).unwrap_or_default();
        id == meant || (4 <= meant.len() && uuid.starts_with(meant)) || name.eq_ignore_ascii_case(meant)
    };
    let needs = run.needs();
    let waiting: Vec<&str> = needs
        .iter()
        .filter_map(|need| match need {
            Need::Approval { step, .. } | Need::Manual { step, .. } => Some(step.as_str()),
            Need::CarryOut(_) => None,
        })
        .collect();
    let among = |steps: &[&str]| steps.iter().filter(|id| fits(id)).map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let all: Vec<&str> = run.playbook().steps.keys().map(String::as_str).collect();
    let mut found = among(&waiting);
    if found.is_empty() {
        found = among(&all);
    }
    if let [only] = found.as_slice() {
        return Ok(only.clone());
    }
    let short = |id: &&str| super::view::handle(id).to_owned();
    let problem = match found.as_slice() {
        [] if waiting.is_empty() => format!("there is no step `{meant}`, and no step waits for a person"),
        [] => {
            let waiting: Vec<String> = waiting.iter().map(short).collect();
            format!("there is no step `{meant}`: those that wait for a person are {}", waiting.join(", "))
        }
        several => {
            let several: Vec<String> = several.iter().map(|id| short(&id.as_str())).collect();
            format!("`{meant}` may be {}: write more of it", several.join(" or "))
        }
    };
    Err(InputError::NoSuchStep(problem))
}

/// A number in as few letters and digits as are easy to type.
fn in_base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.extend(char::from_digit((number % 36) as u32, 36));
        number /= 36;
    }
    digits.iter().rev().collect()
}
