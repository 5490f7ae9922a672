//! The machine: what follows from an input.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wardline_domain::{ActionRequest, Timestamp};

use super::{Command, Filled, Outcome, Playbook, RunEvent, StepKind};

/// Most steps that one run goes through: a loop that never ends ends here.
const MAX_VISITS: u32 = 10_000;
/// Most branches that are open at a time.
const MAX_THREADS: usize = 1_000;

/// What a place in the playbook waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// For its delay to pass.
    Delayed { until: Timestamp },
    /// For people to approve.
    Approving { approved: BTreeSet<String> },
    /// For people to do it.
    Asking { command: usize, text: String },
    /// For an actuator.
    Carrying { command: usize, request: ActionRequest },
}

/// A place in the playbook, with the branches around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) step: String,
    pub(super) phase: Phase,
    pub(super) deadline: Timestamp,
    frames: Vec<Frame>,
    visit: u32,
}

/// A branch: where it came from, and which group of parallel branches it is of.
#[derive(Clone, Debug, PartialEq)]
struct Frame {
    step: String,
    group: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Group {
    left: usize,
    failed: bool,
}

/// Where to go on.
#[derive(Clone, Debug, PartialEq)]
struct Going {
    step: String,
    frames: Vec<Frame>,
}

/// The state of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) run: String,
    pub(super) dry_run: bool,
    pub(super) values: BTreeMap<String, String>,
    pub(super) places: BTreeMap<u32, Place>,
    /// Requests whose outcome counts no more.
    pub(super) given_up: BTreeSet<String>,
    pub(super) finished: Option<bool>,
    /// Where to go on before anything else is taken; empty between inputs.
    queue: VecDeque<Going>,
    groups: BTreeMap<u32, Group>,
    next: u32,
    n_visits: u32,
    in_exception: bool,
}

impl State {
    /// What follows from an input that was checked.
    pub(super) fn take(&mut self, playbook: &Playbook, input: &RunEvent, by: &str, now: Timestamp) -> Vec<RunEvent> {
        let mut events = Vec::new();
        match input {
            RunEvent::Started { run, values, dry_run, .. } => {
                self.run.clone_from(run);
                self.values.clone_from(values);
                self.dry_run = *dry_run;
                self.queue.push_back(Going { step: playbook.start.clone(), frames: Vec::new() });
            }
            RunEvent::Approved { step } => self.approved(playbook, step, by, &mut events),
            RunEvent::Rejected { step, reason } => {
                let result = Err(format!("{by} refused: {reason}"));
                if let Some(number) = self.place_of(step) {
                    self.leave_place(playbook, number, result, &mut events);
                }
            }
            RunEvent::Answered { step, done, text } => {
                if let Some(number) = self.place_of(step) {
                    let result = if *done { Ok(()) } else { Err(format!("{by}: {text}")) };
                    self.go_on_with_commands(playbook, number, result, &mut events);
                }
            }
            RunEvent::Reported { request, outcome } => self.reported(playbook, request, outcome, &mut events),
            RunEvent::Passed => self.passed(playbook, now, &mut events),
            RunEvent::Stopped { .. } => self.finish(false, &mut events),
            _ => {}
        }
        self.go(playbook, now, &mut events);
        events
    }

    /// The place of a step.
    pub(super) fn place_of(&self, step: &str) -> Option<u32> {
        self.places.iter().find(|(_, place)| place.step == step).map(|(number, _)| *number)
    }

    /// When something is due next.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let due = |place: &Place| match place.phase {
            Phase::Delayed { until } => until.min(place.deadline),
            _ => place.deadline,
        };
        self.places.values().map(due).min()
    }

    fn approved(&mut self, playbook: &Playbook, step: &str, by: &str, events: &mut Vec<RunEvent>) {
        let Some(number) = self.place_of(step) else { return };
        let needed = match playbook.steps.get(step).map(|step| &step.kind) {
            Some(StepKind::Action { approvals, .. }) => *approvals as usize,
            _ => 0,
        };
        let Some(place) = self.places.get_mut(&number) else { return };
        let Phase::Approving { approved } = &mut place.phase else { return };
        approved.insert(by.to_owned());
        if needed <= approved.len() {
            self.command(playbook, number, 0, events);
        }
    }

    fn reported(&mut self, playbook: &Playbook, request: &str, outcome: &Outcome, events: &mut Vec<RunEvent>) {
        let carries = |place: &Place| matches!(&place.phase, Phase::Carrying { request: own, .. } if own.id == request);
        let Some(number) = self.places.iter().find(|(_, place)| carries(place)).map(|(number, _)| *number) else {
            events.push(RunEvent::CameLate { request: request.to_owned() });
            return;
        };
        let result = match outcome {
            Outcome::Done { .. } => Ok(()),
            Outcome::Failed { reason } => Err(reason.clone()),
        };
        self.go_on_with_commands(playbook, number, result, events);
    }

    fn passed(&mut self, playbook: &Playbook, now: Timestamp, events: &mut Vec<RunEvent>) {
        let numbers: Vec<u32> = self.places.keys().copied().collect();
        for number in numbers {
            let Some(place) = self.places.get(&number) else { continue };
            match place.phase {
                Phase::Delayed { until } if until <= now => self.begin_action(playbook, number, events),
                _ if place.deadline <= now => {
                    let reason = "ACTION_TIMEOUT: it took longer than the step allows".to_owned();
                    self.leave_place(playbook, number, Err(reason), events);
                }
                _ => {}
            }
        }
    }

    /// Goes on, from place to place, until everything waits or is over.
    fn go(&mut self, playbook: &Playbook, now: Timestamp, events: &mut Vec<RunEvent>) {
        while let Some(Going { step, frames }) = self.queue.pop_front() {
            self.n_visits += 1;
            if MAX_VISITS < self.n_visits || MAX_THREADS < self.places.len() + self.queue.len() {
                let reason = Some(format!("the run went through {MAX_VISITS} steps, or has {MAX_THREADS} branches"));
                events.push(RunEvent::Left { step, went_well: false, reason });
                return self.finish(false, events);
            }
            events.push(RunEvent::Entered { step: step.clone() });
            let Some(found) = playbook.steps.get(&step) else { continue };
            match &found.kind {
                StepKind::Start => self.leave(playbook, step, frames, Ok(()), events),
                StepKind::End => self.end(playbook, frames, true, events),
                StepKind::Action { .. } => self.arrive(playbook, step, frames, now, events),
                StepKind::Parallel { branches } => {
                    let group = self.number();
                    self.groups.insert(group, Group { left: branches.len(), failed: false });
                    let branch =
                        |start: &String| Going { step: start.clone(), frames: inside(&frames, &step, Some(group)) };
                    self.queue.extend(branches.iter().map(branch));
                }
                kind => {
                    let to = self.branch(kind);
                    events.push(RunEvent::Decided { step: step.clone(), to: to.clone() });
                    match to {
                        Some(start) => {
                            self.queue.push_back(Going { step: start, frames: inside(&frames, &step, None) });
                        }
                        None => self.leave(playbook, step, frames, Ok(()), events),
                    }
                }
            }
        }
    }

    fn branch(&self, kind: &StepKind) -> Option<String> {
        match kind {
            StepKind::If { condition, on_true, on_false } => {
                if condition.holds(&self.values) {
                    Some(on_true.clone())
                } else {
                    on_false.clone()
                }
            }
            StepKind::While { condition, on_true } => condition.holds(&self.values).then(|| on_true.clone()),
            StepKind::Switch { variable, cases } => {
                let value = self.values.get(variable).map(String::as_str).unwrap_or_default();
                cases.get(value).or_else(|| cases.get("default")).cloned()
            }
            _ => None,
        }
    }

    /// An action is reached: it waits, asks, or begins.
    fn arrive(
        &mut self,
        playbook: &Playbook,
        step: String,
        frames: Vec<Frame>,
        now: Timestamp,
        events: &mut Vec<RunEvent>,
    ) {
        let Some(found) = playbook.steps.get(&step) else { return };
        let span = |milliseconds: u64| i64::try_from(milliseconds).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000);
        let begins = now.plus(span(found.delay_ms));
        let place = Place {
            step,
            phase: Phase::Delayed { until: begins },
            deadline: begins.plus(span(found.timeout_ms)),
            frames,
            visit: self.n_visits,
        };
        let number = self.number();
        self.places.insert(number, place);
        if found.delay_ms == 0 || self.dry_run {
            self.begin_action(playbook, number, events);
        }
    }

    fn begin_action(&mut self, playbook: &Playbook, number: u32, events: &mut Vec<RunEvent>) {
        let Some(place) = self.places.get_mut(&number) else { return };
        let step = place.step.clone();
        let needed = match playbook.steps.get(&step).map(|step| &step.kind) {
            Some(StepKind::Action { approvals, .. }) => *approvals,
            _ => 0,
        };
        if needed == 0 || self.dry_run {
            return self.command(playbook, number, 0, events);
        }
        place.phase = Phase::Approving { approved: BTreeSet::new() };
        events.push(RunEvent::ApprovalAsked { step, approvals: needed });
    }

    /// A command of a step is over: the next one begins, or the step is left.
    fn go_on_with_commands(
        &mut self,
        playbook: &Playbook,
        number: u32,
        result: Result<(), String>,
        events: &mut Vec<RunEvent>,
    ) {
        if result.is_err() {
            return self.leave_place(playbook, number, result, events);
        }
        let done = match self.places.get(&number).map(|place| &place.phase) {
            Some(Phase::Asking { command, .. } | Phase::Carrying { command, .. }) => *command,
            _ => return,
        };
        self.command(playbook, number, done + 1, events);
    }

    /// Begins a command of a step, or leaves the step where there is none.
    fn command(&mut self, playbook: &Playbook, number: u32, command: usize, events: &mut Vec<RunEvent>) {
        let mut command = command;
        loop {
            let Some(place) = self.places.get(&number) else { return };
            let (step, visit) = (place.step.clone(), place.visit);
            let found = playbook.steps.get(&step);
            let next = found.and_then(|found| match &found.kind {
                StepKind::Action { commands, .. } => Some((found, commands.get(command)?)),
                _ => None,
            });
            let Some((found, next)) = next else { return self.leave_place(playbook, number, Ok(()), events) };
            let made = self.make(next, &found.name, &format!("{}/{step}/{visit}/{command}", self.run));
            let place_command = command as u32;
            let phase = match made {
                Err(reason) => return self.leave_place(playbook, number, Err(reason), events),
                Ok(made) if self.dry_run => {
                    let what = match made {
                        Made::Text(text) => format!("ask people: {text}"),
                        Made::Request(request) => request.action.to_string(),
                    };
                    events.push(RunEvent::WouldDo { step, command: place_command, what });
                    command += 1;
                    continue;
                }
                Ok(Made::Text(text)) => {
                    events.push(RunEvent::ManualAsked { step, command: place_command, text: text.clone() });
                    Phase::Asking { command, text }
                }
                Ok(Made::Request(request)) => {
                    events.push(RunEvent::Intended { step, command: place_command, request: request.clone() });
                    Phase::Carrying { command, request }
                }
            };
            if let Some(place) = self.places.get_mut(&number) {
                place.phase = phase;
            }
            return;
        }
    }

    /// Fills variables into a command.
    fn make(&self, command: &Command, reason: &str, id: &str) -> Result<Made, String> {
        Ok(match Filled::of(command, &self.values)? {
            Filled::Text(text) => Made::Text(text),
            Filled::Action(action) => {
                Made::Request(ActionRequest { id: id.to_owned(), action, reason: reason.to_owned() })
            }
        })
    }

    /// A step that waited is over.
    fn leave_place(
        &mut self,
        playbook: &Playbook,
        number: u32,
        result: Result<(), String>,
        events: &mut Vec<RunEvent>,
    ) {
        let Some(place) = self.places.remove(&number) else { return };
        if let (Phase::Carrying { request, .. }, Err(_)) = (&place.phase, &result) {
            self.given_up.insert(request.id.clone());
        }
        self.leave(playbook, place.step, place.frames, result, events);
    }

    /// Says that a step is over, and where to go on.
    fn leave(
        &mut self,
        playbook: &Playbook,
        step: String,
        frames: Vec<Frame>,
        result: Result<(), String>,
        events: &mut Vec<RunEvent>,
    ) {
        let went_well = result.is_ok();
        let next = playbook.steps.get(&step).and_then(|step| step.flow.next(went_well)).map(str::to_owned);
        events.push(RunEvent::Left { step, went_well, reason: result.err() });
        match next {
            Some(step) => self.queue.push_back(Going { step, frames }),
            None => self.end(playbook, frames, went_well, events),
        }
    }

    /// A branch is over, or the run.
    fn end(&mut self, playbook: &Playbook, mut frames: Vec<Frame>, went_well: bool, events: &mut Vec<RunEvent>) {
        let Some(frame) = frames.pop() else {
            if went_well {
                self.finish(!self.in_exception, events)
            } else {
                self.except(playbook, events)
            }
            return;
        };
        if let Some(number) = frame.group {
            let Some(group) = self.groups.get_mut(&number) else { return };
            group.left = group.left.saturating_sub(1);
            group.failed |= !went_well;
            if 0 < group.left {
                return;
            }
            let failed = self.groups.remove(&number).is_some_and(|group| group.failed);
            let result = if failed { Err("a branch of it failed".to_owned()) } else { Ok(()) };
            return self.leave(playbook, frame.step, frames, result, events);
        }
        let is_loop = matches!(playbook.steps.get(&frame.step).map(|step| &step.kind), Some(StepKind::While { .. }));
        if is_loop && went_well {
            self.queue.push_back(Going { step: frame.step, frames });
            return;
        }
        let result = if went_well { Ok(()) } else { Err("its branch failed".to_owned()) };
        self.leave(playbook, frame.step, frames, result, events);
    }

    /// A failure that nothing handled.
    fn except(&mut self, playbook: &Playbook, events: &mut Vec<RunEvent>) {
        match &playbook.exception {
            Some(exception) if !self.in_exception => {
                self.in_exception = true;
                self.give_up();
                self.queue.push_back(Going { step: exception.clone(), frames: Vec::new() });
            }
            _ => self.finish(false, events),
        }
    }

    fn finish(&mut self, went_well: bool, events: &mut Vec<RunEvent>) {
        self.give_up();
        self.finished = Some(went_well);
        events.push(RunEvent::Finished { went_well });
    }

    fn give_up(&mut self) {
        for place in std::mem::take(&mut self.places).into_values() {
            if let Phase::Carrying { request, .. } = place.phase {
                self.given_up.insert(request.id);
            }
        }
        self.groups.clear();
        self.queue.clear();
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

enum Made {
    Text(String),
    Request(ActionRequest),
}

fn inside(frames: &[Frame], step: &str, group: Option<u32>) -> Vec<Frame> {
    frames.iter().cloned().chain([Frame { step: step.to_owned(), group }]).collect()
}
