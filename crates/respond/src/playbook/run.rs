//! A run of a playbook: checks inputs, writes the log, and says what is needed next.

use std::collections::BTreeMap;

use wardline_domain::{ActionRequest, Timestamp};

use super::{
    Filled, Outcome, Playbook, Record, RunError, RunEvent, StepKind,
    state::{Phase, State},
};
use crate::{
    chain::{Chain, Head},
    incident::Actor,
};

/// What a run waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// People must approve a step.
    Approval {
        /// The step.
        step: String,
        /// Who did already.
        approved: Vec<String>,
    },
    /// People must do something.
    Manual {
        /// The step.
        step: String,
        /// What they are told.
        text: String,
    },
    /// An actuator must carry something out. Asked for again after a restart, under the same id.
    CarryOut(ActionRequest),
}

/// A run of a playbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    playbook: Playbook,
    state: State,
    log: Chain<Record>,
}

impl Run {
    /// Starts a playbook.
    ///
    /// # Errors
    /// [`RunError`] where a variable has no value, or one is given that is not given from outside.
    pub fn start(
        id: &str,
        playbook: Playbook,
        given: &BTreeMap<String, String>,
        dry_run: bool,
        by: &Actor,
        time: Timestamp,
    ) -> Result<Self, RunError> {
        if let Some(name) = given.keys().find(|name| playbook.variables.get(*name).is_none_or(|known| !known.external))
        {
            return Err(RunError::NotExternal(name.clone()));
        }
        let mut values = BTreeMap::new();
        for (name, variable) in &playbook.variables {
            let value = given.get(name).or(variable.value.as_ref());
            let value = value.ok_or_else(|| RunError::NoValue(name.clone()))?;
            values.insert(name.clone(), value.clone());
        }
        let started = RunEvent::Started {
            run: id.to_owned(),
            playbook: playbook.id.clone(),
            playbook_sha256: playbook.sha256.clone(),
            values,
            dry_run,
        };
        let mut run = Self { playbook, state: State::default(), log: Chain::default() };
        run.input(started, by, time)?;
        Ok(run)
    }

    /// Goes on where a log ends. What had to follow from its last input, and was not written any more, is written now.
    ///
    /// # Errors
    /// [`RunError`] where the log is damaged, or is not one of this version of the playbook.
    pub fn resume(playbook: Playbook, lines: &[u8], head: Option<&Head>) -> Result<Self, RunError> {
        let log = Chain::<Record>::from_lines(lines, head).map_err(RunError::Damaged)?;
        let mut links = log.links().iter().peekable();
        let starts = |event: &RunEvent| matches!(event, RunEvent::Started { playbook_sha256, .. } if *playbook_sha256 == playbook.sha256);
        match links.peek().map(|link| &link.entry.event) {
            None => return Err(RunError::NotStarted),
            Some(event) if starts(event) => {}
            Some(RunEvent::Started { .. }) => return Err(RunError::OtherPlaybook(0)),
            Some(_) => return Err(RunError::NotStarted),
        }
        let mut state = State::default();
        let mut unwritten = Vec::new();
        while let Some(link) = links.next() {
            let Record { time, by, event } = &link.entry;
            if !event.is_input() {
                return Err(RunError::OtherPlaybook(link.sequence));
            }
            for followed in state.take(&playbook, event, by.name(), *time) {
                match links.peek() {
                    Some(next) if next.entry.event == followed => {
                        links.next();
                    }
                    Some(next) => return Err(RunError::OtherPlaybook(next.sequence)),
                    None => unwritten.push(Record { time: *time, by: by.clone(), event: followed }),
                }
            }
        }
        let mut log = log.clone();
        for record in unwritten {
            log.append(record)?;
        }
        Ok(Self { playbook, state, log })
    }

    /// The playbook.
    pub fn playbook(&self) -> &Playbook {
        &self.playbook
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.state.run
    }

    /// Whether nothing is done in earnest.
    pub const fn is_dry_run(&self) -> bool {
        self.state.dry_run
    }

    /// Values of its variables.
    pub const fn values(&self) -> &BTreeMap<String, String> {
        &self.state.values
    }

    /// What a step does, with values filled in; why not, where a value is missing.
    pub fn commands(&self, step: &str) -> Vec<Result<Filled, String>> {
        match self.playbook.steps.get(step).map(|step| &step.kind) {
            Some(StepKind::Action { commands, .. }) => {
                commands.iter().map(|command| Filled::of(command, &self.state.values)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Until when a step that was begun must be over.
    pub fn deadline(&self, step: &str) -> Option<Timestamp> {
        let number = self.state.place_of(step)?;
        self.state.places.get(&number).map(|place| place.deadline)
    }

    /// Steps whose delay has not passed, each with the end of its delay.
    pub fn delayed(&self) -> Vec<(&str, Timestamp)> {
        let delay = |place: &'_ super::state::Place| match place.phase {
            Phase::Delayed { until } => Some(until),
            _ => None,
        };
        self.state.places.values().filter_map(|place| Some((place.step.as_str(), delay(place)?))).collect()
    }

    /// The log.
    pub fn log(&self) -> &Chain<Record> {
        &self.log
    }

    /// Whether it is over, and how it ended.
    pub fn finished(&self) -> Option<bool> {
        self.state.finished
    }

    /// What it waits for, in the order of its branches.
    pub fn needs(&self) -> Vec<Need> {
        let need = |place: &super::state::Place| match &place.phase {
            Phase::Delayed { .. } => None,
            Phase::Approving { approved } => {
                Some(Need::Approval { step: place.step.clone(), approved: approved.iter().cloned().collect() })
            }
            Phase::Asking { text, .. } => Some(Need::Manual { step: place.step.clone(), text: text.clone() }),
            Phase::Carrying { request, .. } => Some(Need::CarryOut(request.clone())),
        };
        self.state.places.values().filter_map(need).collect()
    }

    /// When [`Run::pass_time`] has something to do.
    pub fn due(&self) -> Option<Timestamp> {
        self.state.due()
    }

    /// A person approves a step.
    ///
    /// # Errors
    /// [`RunError`] where it waits for nothing of the sort, or the same person did already.
    pub fn approve(&mut self, step: &str, by: &Actor, time: Timestamp) -> Result<(), RunError> {
        match self.phase(step) {
            Some(Phase::Approving { approved }) if approved.contains(by.name()) => {
                Err(RunError::SamePerson { step: step.to_owned(), person: by.name().to_owned() })
            }
            Some(Phase::Approving { .. }) => self.input(RunEvent::Approved { step: step.to_owned() }, by, time),
            _ => Err(self.not_awaited(step, "an approval")),
        }
    }

    /// A person refuses a step, which then has failed.
    ///
    /// # Errors
    /// [`RunError`] where it waits for nothing of the sort.
    pub fn reject(&mut self, step: &str, reason: &str, by: &Actor, time: Timestamp) -> Result<(), RunError> {
        match self.phase(step) {
            Some(Phase::Approving { .. }) => {
                self.input(RunEvent::Rejected { step: step.to_owned(), reason: reason.to_owned() }, by, time)
            }
            _ => Err(self.not_awaited(step, "an approval")),
        }
    }

    /// A person did what a step asked for, or says why not.
    ///
    /// # Errors
    /// [`RunError`] where it waits for nothing of the sort.
    pub fn answer(&mut self, step: &str, done: bool, text: &str, by: &Actor, time: Timestamp) -> Result<(), RunError> {
        match self.phase(step) {
            Some(Phase::Asking { .. }) => {
                self.input(RunEvent::Answered { step: step.to_owned(), done, text: text.to_owned() }, by, time)
            }
            _ => Err(self.not_awaited(step, "an answer")),
        }
    }

    /// An actuator says what came of a request. What comes after its step was over is recorded, and changes nothing.
    ///
    /// # Errors
    /// [`RunError`] where nobody asked for it.
    pub fn report(&mut self, request: &str, outcome: Outcome, by: &Actor, time: Timestamp) -> Result<(), RunError> {
        let carries = |need: &Need| matches!(need, Need::CarryOut(own) if own.id == request);
        if !self.needs().iter().any(carries) && !self.state.given_up.contains(request) {
            return Err(self.not_awaited(request, "an outcome"));
        }
        self.write(RunEvent::Reported { request: request.to_owned(), outcome }, by, time)
    }

    /// Time passes: delays end, and what took too long has failed.
    ///
    /// # Errors
    /// [`RunError::NotRecorded`] where the log cannot be written.
    pub fn pass_time(&mut self, now: Timestamp, by: &Actor) -> Result<(), RunError> {
        if self.state.due().is_some_and(|due| due <= now) {
            self.input(RunEvent::Passed, by, now)?;
        }
        Ok(())
    }

    /// Somebody stops the run.
    ///
    /// # Errors
    /// [`RunError::Over`] where it is over.
    pub fn stop(&mut self, reason: &str, by: &Actor, time: Timestamp) -> Result<(), RunError> {
        self.input(RunEvent::Stopped { reason: reason.to_owned() }, by, time)
    }

    fn phase(&self, step: &str) -> Option<&Phase> {
        self.state.place_of(step).and_then(|number| self.state.places.get(&number)).map(|place| &place.phase)
    }

    fn not_awaited(&self, step: &str, input: &'static str) -> RunError {
        if self.state.finished.is_some() {
            return RunError::Over;
        }
        let waits = match self.phase(step) {
            None => "nothing, because the run is elsewhere",
            Some(Phase::Delayed { .. }) => "its delay to pass",
            Some(Phase::Approving { .. }) => "an approval",
            Some(Phase::Asking { .. }) => "the answer of a person",
            Some(Phase::Carrying { .. }) => "the outcome of an action",
        };
        RunError::NotAwaited { step: step.to_owned(), input, waits: waits.to_owned() }
    }

    fn input(&mut self, event: RunEvent, by: &Actor, time: Timestamp) -> Result<(), RunError> {
        if self.state.finished.is_some() {
            return Err(RunError::Over);
        }
        self.write(event, by, time)
    }

    fn write(&mut self, event: RunEvent, by: &Actor, time: Timestamp) -> Result<(), RunError> {
        let followed = self.state.take(&self.playbook, &event, by.name(), time);
        for event in std::iter::once(event).chain(followed) {
            self.log.append(Record { time, by: by.clone(), event })?;
        }
        Ok(())
    }
}
