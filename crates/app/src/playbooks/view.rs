//! Runs as they are shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_respond::playbook::{Filled, Need, Outcome, Playbook, Run, RunEvent, StepKind};

use super::{Actuators, kept::Origin, values::plain};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    /// It goes on.
    Running,
    /// It came to its end.
    Done,
    /// It ended elsewhere.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// Its log cannot be read.
    Damaged,
}

impl RunState {
    /// Its name, as in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Damaged => "damaged",
        }
    }
}

/// What a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Waits {
    /// People must approve.
    Approval,
    /// People must do something and say so.
    Answer,
    /// An actuator is at work.
    Actuator,
    /// Time must pass.
    Delay,
}

/// One thing that a run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NeedView {
    pub(crate) waits: Waits,
    /// The step's id.
    pub(crate) step: String,
    /// What is enough to name it in a command.
    pub(crate) handle: String,
    pub(crate) name: String,
    /// What is done, or what people are told.
    pub(crate) what: Vec<String>,
    /// How many people must approve.
    pub(crate) approvals: u32,
    /// Who did already.
    pub(crate) approved: Vec<String>,
    /// When the step has failed, or its delay is over.
    pub(crate) until: Option<Timestamp>,
    /// The id of what an actuator was asked for.
    pub(crate) request: Option<String>,
    /// How often the actuator was asked in vain.
    pub(crate) attempts: u32,
    /// Why in vain.
    pub(crate) trouble: Option<String>,
}

/// A record of a run's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordView {
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
    pub(crate) by: String,
    /// What happened, for people; nothing where that goes without saying.
    pub(crate) text: Option<String>,
    pub(crate) event: RunEvent,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunView {
    pub(crate) run: String,
    /// The playbook's name when it was started.
    pub(crate) playbook: String,
    pub(crate) title: String,
    pub(crate) playbook_sha256: String,
    pub(crate) incident: Option<String>,
    pub(crate) alert: Option<String>,
    pub(crate) started: Timestamp,
    pub(crate) by: String,
    pub(crate) dry_run: bool,
    pub(crate) state: RunState,
    /// Why it cannot go on, where its log is damaged.
    pub(crate) problem: Option<String>,
    /// Values of its variables, by plain names.
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) needs: Vec<NeedView>,
    /// Left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) log: Vec<RecordView>,
}

/// What is enough to name a step in a command: the first part of its UUID.
pub(super) fn handle(step: &str) -> &str {
    let uuid = step.split_once("--").map_or(step, |(_, uuid)| uuid);
    uuid.split_once('-').map_or(uuid, |(first, _)| first)
}

/// Whether anything was done already.
pub(super) fn has_acted(run: &Run) -> bool {
    let is_done = |event: &RunEvent| matches!(event, RunEvent::Reported { outcome: Outcome::Done { .. }, .. });
    run.log().links().iter().any(|link| is_done(&link.entry.event))
}

impl RunView {
    pub(super) fn of(run: &Run, origin: &Origin, actuators: &Actuators) -> Self {
        let links = run.log().links();
        let first = links.first().map(|link| &link.entry);
        let is_stopped = links.iter().any(|link| matches!(link.entry.event, RunEvent::Stopped { .. }));
        let words = Words { run, actuators };
        let record = |link: &wardline_respond::chain::Link<wardline_respond::playbook::Record>| RecordView {
            sequence: link.sequence,
            time: link.entry.time,
            by: link.entry.by.name().to_owned(),
            text: words.of(&link.entry.event),
            event: link.entry.event.clone(),
        };
        Self {
            run: run.id().to_owned(),
            playbook: origin.name.clone(),
            title: run.playbook().name.clone(),
            playbook_sha256: run.playbook().sha256.clone(),
            incident: origin.incident.clone(),
            alert: origin.alert.clone(),
            started: first.map_or(Timestamp::from_micros(0), |record| record.time),
            by: first.map(|record| record.by.name().to_owned()).unwrap_or_default(),
            dry_run: run.is_dry_run(),
            state: match run.finished() {
                None => RunState::Running,
                Some(true) => RunState::Done,
                Some(false) if is_stopped => RunState::Stopped,
                Some(false) => RunState::Failed,
            },
            problem: None,
            values: run
                .values()
                .iter()
                .filter(|(name, _)| words.is_given(name))
                .map(|(name, value)| (plain(name).to_owned(), value.clone()))
                .collect(),
            needs: words.needs(),
            log: links.iter().map(record).collect(),
        }
    }

    /// A run whose log or playbook cannot be read.
    pub(super) fn damaged(run: &str, problem: String) -> Self {
        Self {
            run: run.to_owned(),
            playbook: String::new(),
            title: String::new(),
            playbook_sha256: String::new(),
            incident: None,
            alert: None,
            started: Timestamp::from_micros(0),
            by: String::new(),
            dry_run: false,
            state: RunState::Damaged,
            problem: Some(problem),
            values: BTreeMap::new(),
            needs: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Adds how often, and why in vain, actuators were asked.
    pub(super) fn add_trouble<'a>(&mut self, of: impl Fn(&str) -> Option<(u32, &'a str)>) {
        for need in &mut self.needs {
            if let Some((attempts, reason)) = need.request.as_deref().and_then(&of) {
                need.attempts = attempts;
                need.trouble = Some(reason.to_owned());
            }
        }
    }

    /// Whether it waits for nothing but actuators that are at work.
    pub(crate) fn is_at_work(&self) -> bool {
        let at_work = |need: &NeedView| need.waits == Waits::Actuator && need.trouble.is_none();
        self.state == RunState::Running && self.needs.iter().all(at_work)
    }

    pub(super) fn without_log(mut self) -> Self {
        self.log.clear();
        self
    }
}

/// What is said of a run.
struct Words<'a> {
    run: &'a Run,
    actuators: &'a Actuators,
}

/// The name of a step, in quotes.
fn quoted(playbook: &Playbook, step: &str) -> String {
    format!("\"{}\"", playbook.steps.get(step).map_or(step, |step| step.name.as_str()))
}

/// How many people must approve a step.
pub(super) fn approvals_of(playbook: &Playbook, step: &str) -> u32 {
    match playbook.steps.get(step).map(|step| &step.kind) {
        Some(StepKind::Action { approvals, .. }) => *approvals,
        _ => 0,
    }
}

fn people(number: u32) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{number} people") }
}

/// The step that a request is of: `run/step/visit/command`.
fn step_of_request(request: &str) -> &str {
    request.rsplit('/').nth(2).unwrap_or(request)
}

impl Words<'_> {
    /// Whether a variable is given from outside.
    fn is_given(&self, variable: &str) -> bool {
        self.run.playbook().variables.get(variable).is_some_and(|known| known.external)
    }

    fn name(&self, step: &str) -> String {
        quoted(self.run.playbook(), step)
    }

    /// Who does what.
    fn doing(&self, filled: &Result<Filled, String>) -> String {
        match filled {
            Ok(Filled::Text(text)) => format!("people: {text}"),
            Ok(Filled::Action(action)) if self.actuators.is_frozen_here(action) => format!("wardline: {action}"),
            Ok(Filled::Action(action)) => match self.actuators.of(action) {
                Ok(actuator) => format!("{}: {action}", actuator.name()),
                Err(reason) => format!("nobody: {action}\n({reason})"),
            },
            Err(problem) => format!("nothing: {problem}"),
        }
    }

    fn needs(&self) -> Vec<NeedView> {
        let need = |waits, step: &str, what| NeedView {
            waits,
            step: step.to_owned(),
            handle: handle(step).to_owned(),
            name: self.run.playbook().steps.get(step).map(|step| step.name.clone()).unwrap_or_default(),
            what,
            approvals: 0,
            approved: Vec::new(),
            until: self.run.deadline(step),
            request: None,
            attempts: 0,
            trouble: None,
        };
        let of_needs = self.run.needs().into_iter().map(|wanted| match wanted {
            Need::Approval { step, approved } => NeedView {
                approvals: approvals_of(self.run.playbook(), &step),
                approved,
                ..need(
                    Waits::Approval,
                    &step,
                    self.run.commands(&step).iter().map(|filled| self.doing(filled)).collect(),
                )
            },
            Need::Manual { step, text } => need(Waits::Answer, &step, vec![text]),
            Need::CarryOut(request) => NeedView {
                request: Some(request.id.clone()),
                ..need(
                    Waits::Actuator,
                    step_of_request(&request.id),
                    vec![self.doing(&Ok(Filled::Action(request.action)))],
                )
            },
        });
        let delayed = self
            .run
            .delayed()
            .into_iter()
            .map(|(step, until)| NeedView { until: Some(until), ..need(Waits::Delay, step, Vec::new()) });
        of_needs.chain(delayed).collect()
    }

    /// What happened, for people.
    fn of(&self, event: &RunEvent) -> Option<String> {
        Some(match event {
            RunEvent::Started { dry_run: true, .. } => "began a dry run".to_owned(),
            RunEvent::Started { .. } => "began the run".to_owned(),
            RunEvent::Approved { step } => format!("approved {}", self.name(step)),
            RunEvent::Rejected { step, reason } => format!("refused {}: {reason}", self.name(step)),
            RunEvent::Answered { step, done: true, text } => format!("did {}: {text}", self.name(step)),
            RunEvent::Answered { step, done: false, text } => format!("did not do {}: {text}", self.name(step)),
            RunEvent::Reported { request, outcome } => {
                format!("{}: {}", self.name(step_of_request(request)), outcome_text(outcome))
            }
            RunEvent::Stopped { reason } => format!("stopped the run: {reason}"),
            RunEvent::ApprovalAsked { step, approvals } => {
                format!("{} waits until {} approved", self.name(step), have(*approvals))
            }
            RunEvent::ManualAsked { step, text, .. } => format!("{} asks people: {text}", self.name(step)),
            RunEvent::Intended { step, request, .. } => format!("{} is to {}", self.name(step), request.action),
            RunEvent::WouldDo { step, command, .. } => self.would(step, *command as usize),
            RunEvent::Decided { step, to: Some(to) } => format!("{} leads to {}", self.name(step), self.name(to)),
            RunEvent::Decided { step, to: None } => format!("{} takes no branch", self.name(step)),
            RunEvent::Left { step, went_well: false, reason } => {
                format!("{} has failed: {}", self.name(step), reason.as_deref().unwrap_or("no reason is known"))
            }
            RunEvent::CameLate { .. } => "that came after its step was over, and changes nothing".to_owned(),
            RunEvent::Finished { went_well: true } => "the run came to its end".to_owned(),
            RunEvent::Finished { went_well: false } => "the run ended without coming to its end".to_owned(),
            RunEvent::Passed | RunEvent::Entered { .. } | RunEvent::Left { .. } => return None,
        })
    }

    /// What would be done, in a dry run.
    fn would(&self, step: &str, command: usize) -> String {
        let what = self.run.commands(step).get(command).map(|filled| self.doing(filled)).unwrap_or_default();
        match approvals_of(self.run.playbook(), step) {
            0 => format!("{}\n{what}", self.name(step)),
            approvals => format!("{}, once {} approved\n{what}", self.name(step), have(approvals)),
        }
    }
}

fn have(approvals: u32) -> String {
    format!("{} {}", people(approvals), if approvals == 1 { "has" } else { "have" })
}

fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed { reason } => format!("failed: {reason}"),
        Outcome::Done { receipt } => {
            let now = receipt.after.as_ref().map_or_else(String::new, |after| format!(", now {after}"));
            let before = receipt.before.as_ref().filter(|_| !receipt.was_so);
            let before = before.map_or_else(String::new, |before| format!(", before {before}"));
            format!("{}{before}{now}", if receipt.was_so { "it was so already" } else { "done" })
        }
    }
}

/// What operators see in the server's log of what is new in a run.
pub(super) fn tell_log(run: &Run, from: usize) {
    let id = run.id();
    for link in run.log().links().iter().skip(from) {
        let by = link.entry.by.name();
        match &link.entry.event {
            RunEvent::Started { dry_run, .. } => {
                tracing::info!(run = %id, %by, dry_run, playbook = %run.playbook().name, "run of a playbook begun");
            }
            RunEvent::Approved { step } => tracing::info!(run = %id, %by, %step, "step approved"),
            RunEvent::Rejected { step, reason } => tracing::warn!(run = %id, %by, %step, %reason, "step refused"),
            RunEvent::Intended { request, .. } => {
                tracing::warn!(run = %id, request = %request.id, action = %request.action, "action intended");
            }
            RunEvent::Left { step, went_well: false, reason } => {
                tracing::warn!(run = %id, %step, reason = reason.as_deref().unwrap_or_default(), "step failed");
            }
            RunEvent::Stopped { reason } => tracing::warn!(run = %id, %by, %reason, "run stopped"),
            RunEvent::Finished { went_well } => tracing::info!(run = %id, went_well, "run over"),
            _ => {}
        }
    }
}
