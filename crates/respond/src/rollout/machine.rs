//! One rollout: what was decided and seen goes in, what is to be done comes out.
//!
//! **Invariant:** the state is what the log says. An entry is written down before anything follows from it, so a
//! program that stops anywhere goes on from the log in the middle, and asks for the same things by the same ids.

use std::collections::BTreeMap;

use wardline_domain::{Action, ActionRequest, Span, Timestamp};

use super::{
    log::{Course, Ending, Entry, LogEntry, Outcome},
    plan::{Promotion, RolloutPlan},
    script::{Stage, Task, tasks},
};
use crate::judge::{DecisionRecord, State};

/// An actuator of traffic that says nothing for so long has failed.
const ANSWER_WITHIN: Span = 2 * Timestamp::SECOND;
/// Any other: registries take seconds for a change, and nobody waits for them meanwhile.
const REGISTRY_ANSWERS_WITHIN: Span = 10 * Timestamp::SECOND;
/// Attempts at one thing.
const MOST_ATTEMPTS: u32 = 3;
/// Time before the second attempt; twice that before the third.
const BETWEEN_ATTEMPTS: Span = 200_000;
/// The stream shows that a version is cut off when it has not answered for so long.
const QUIET_FOR: Span = 2 * Timestamp::SECOND;
/// It is waited for so long.
const VERIFY_WITHIN: Span = 5 * Timestamp::SECOND;
/// So long after a decision to go back, a person is paged if the stream does not show that it worked.
const PAGE_AFTER: Span = 9 * Timestamp::SECOND;
/// The same where another program has to ask first, once in each of its intervals.
const PAGE_AFTER_ASKED: Span = 2 * Timestamp::MINUTE;

/// What may happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Time passes.
    Tick,
    /// What the stream shows: its clock, when each version last answered, and how often the new one has.
    Seen {
        /// The latest time of any prediction.
        stream: Timestamp,
        /// When the new version last answered.
        canary: Option<Timestamp>,
        /// When the standing one did.
        standing: Option<Timestamp>,
        /// Requests that the new version has answered.
        canary_requests: u64,
    },
    /// The judge says where the trial stands.
    Judged {
        /// Where.
        state: State,
        /// The evidence.
        record: Box<DecisionRecord>,
    },
    /// An actuator answered.
    Came {
        /// The request's id.
        id: String,
        /// Which attempt.
        attempt: u32,
        /// What came of it.
        outcome: Outcome,
    },
    /// A person decides: to promote or to go back.
    Person {
        /// Who.
        who: String,
        /// Which way.
        course: Course,
        /// Why.
        reason: String,
        /// The evidence so far.
        record: Option<Box<DecisionRecord>>,
    },
}

/// Something that is to be carried out, once what says so is written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// By which actuator.
    pub actuator: String,
    /// What.
    pub request: ActionRequest,
    /// Which attempt.
    pub attempt: u32,
}

#[derive(Clone, Debug, PartialEq)]
struct Asked {
    actuator: String,
    request: ActionRequest,
    attempt: u32,
    since: Timestamp,
    outcome: Option<Outcome>,
}

impl Asked {
    const fn is_done(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Done { .. } | Outcome::DryRun))
    }

    fn is_settled(&self) -> bool {
        match &self.outcome {
            None => false,
            Some(Outcome::Done { .. } | Outcome::DryRun) => true,
            Some(Outcome::Failed { is_temporary, .. }) => !is_temporary || self.attempt >= MOST_ATTEMPTS,
        }
    }
}

/// One rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    id: String,
    plan: RolloutPlan,
    next_sequence: u64,
    course: Course,
    step: usize,
    stage: Stage,
    /// When the stage began, and when the course was decided.
    since: Timestamp,
    decided: Timestamp,
    reason: String,
    asked: BTreeMap<String, Asked>,
    judged: Option<State>,
    may_promote: bool,
    /// When the step began, and how often the new version had answered by then; `None` before the first.
    step_began: Option<(Timestamp, u64)>,
    has_paged: bool,
    ended: Option<Ending>,
    /// What the stream shows; not in the log, as it comes again.
    seen: Option<(Timestamp, Option<Timestamp>, Option<Timestamp>)>,
    canary_requests: u64,
}

impl Rollout {
    /// Begins a rollout; its first entries are to be written down.
    pub fn begin(id: &str, plan: RolloutPlan, by: &str, time: Timestamp) -> (Self, Vec<LogEntry>) {
        let mut rollout = Self::empty(id, plan.clone(), time);
        let first = rollout.log(time, Entry::Started { plan: Box::new(plan), by: by.to_owned() });
        let mut entries = vec![first];
        entries.extend(rollout.go_on(time));
        (rollout, entries)
    }

    /// Goes on from a log; `None` where it does not begin with the beginning.
    pub fn restore(entries: &[LogEntry]) -> Option<Self> {
        let first = entries.first()?;
        let Entry::Started { plan, .. } = &first.entry else { return None };
        let mut rollout = Self::empty(&first.rollout, plan.as_ref().clone(), first.time);
        entries.iter().for_each(|entry| rollout.apply(entry));
        Some(rollout)
    }

    fn empty(id: &str, plan: RolloutPlan, time: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            plan,
            next_sequence: 0,
            course: Course::Forward,
            step: 0,
            stage: Stage::Verify,
            since: time,
            decided: time,
            reason: String::new(),
            asked: BTreeMap::new(),
            judged: None,
            may_promote: false,
            step_began: None,
            has_paged: false,
            ended: None,
            seen: None,
            canary_requests: 0,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its plan.
    pub const fn plan(&self) -> &RolloutPlan {
        &self.plan
    }

    /// How it ended, once it has.
    pub const fn ended(&self) -> Option<Ending> {
        self.ended
    }

    /// Which way it goes.
    pub const fn course(&self) -> Course {
        self.course
    }

    /// The step of the plan, from 0.
    pub const fn step(&self) -> usize {
        self.step
    }

    /// Where the judge said that it stands.
    pub const fn judged(&self) -> Option<State> {
        self.judged
    }

    /// Why it goes the way it goes.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The share that the new version should have now.
    pub fn percent(&self) -> f64 {
        super::script::percent_of(&self.plan, self.course, self.step)
    }

    /// Takes an input; the entries are to be written down before [`Rollout::due`] is acted on.
    pub fn handle(&mut self, input: Input, time: Timestamp) -> Vec<LogEntry> {
        if self.ended.is_some() {
            return Vec::new();
        }
        let mut entries: Vec<LogEntry> = self.answer(input).into_iter().map(|entry| self.log(time, entry)).collect();
        entries.extend(self.go_on(time));
        entries
    }

    /// What is intended and has no outcome yet.
    pub fn due(&self) -> Vec<Due> {
        let open = self.asked.values().filter(|asked| asked.outcome.is_none() && self.ended.is_none());
        open.map(|asked| Due {
            actuator: asked.actuator.clone(),
            request: asked.request.clone(),
            attempt: asked.attempt,
        })
        .collect()
    }

    /// What an input itself puts into the log.
    fn answer(&mut self, input: Input) -> Option<Entry> {
        match input {
            Input::Tick => None,
            Input::Seen { stream, canary, standing, canary_requests } => {
                self.seen = Some((stream, canary, standing));
                self.canary_requests = self.canary_requests.max(canary_requests);
                None
            }
            Input::Came { id, attempt, outcome } => {
                let asked = self.asked.get(&id)?;
                // An answer that came too late still counts where it says that it is done.
                let is_current = asked.attempt == attempt && asked.outcome.is_none();
                let is_late = !asked.is_done() && matches!(outcome, Outcome::Done { .. });
                (is_current || is_late).then_some(Entry::Came { id, attempt, outcome })
            }
            Input::Judged { state, record } => {
                let reason = record.reason.clone();
                match state {
                    State::RollBack if self.course != Course::Back => Some(Entry::Decided {
                        course: Course::Back,
                        by: record.by.clone(),
                        reason,
                        record: Some(record),
                    }),
                    _ if self.course == Course::Forward && self.judged != Some(state) => {
                        let record = (state != State::Observe).then_some(record);
                        Some(Entry::Judged { state, reason, record })
                    }
                    _ => None,
                }
            }
            Input::Person { who, course, reason, record } => {
                let may = match course {
                    Course::Back => self.course != Course::Back,
                    Course::Through => self.course == Course::Forward,
                    Course::Forward => false,
                };
                may.then_some(Entry::Decided { course, by: who, reason, record })
            }
        }
    }

    /// Whatever follows without a further input.
    fn go_on(&mut self, time: Timestamp) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        while let Some(entry) = self.next(time) {
            entries.push(self.log(time, entry));
        }
        entries
    }

    fn log(&mut self, time: Timestamp, entry: Entry) -> LogEntry {
        let entry = LogEntry { rollout: self.id.clone(), sequence: self.next_sequence, time, entry };
        self.apply(&entry);
        entry
    }

    /// The next entry that follows from the state; `None` where something must happen first.
    fn next(&self, time: Timestamp) -> Option<Entry> {
        if self.ended.is_some() {
            return None;
        }
        if self.course == Course::Back && self.stage < Stage::Page && self.page_at() <= time {
            let what = format!(
                "{} s after the decision the stream does not show that {} is cut off",
                self.page_after() / Timestamp::SECOND,
                self.plan.version
            );
            return Some(Entry::Verified { is_so: false, what });
        }
        match self.stage {
            Stage::Verify | Stage::VerifyAgain if self.course == Course::Back => self.verify(time),
            Stage::Verify => self.forward(time),
            Stage::End => Some(self.end()),
            _ => self.tasks().into_iter().find_map(|task| self.ask(task, time)),
        }
    }

    fn tasks(&self) -> Vec<Task> {
        let reason = if self.stage == Stage::Page { self.page_text() } else { self.reason.clone() };
        tasks(&self.id, &self.plan, self.course, self.step, self.stage, &reason)
    }

    fn page_text(&self) -> String {
        let failed: Vec<String> = self
            .asked
            .values()
            .filter_map(|asked| match &asked.outcome {
                Some(Outcome::Failed { reason, .. }) => Some(format!("{}: {reason}", asked.actuator)),
                _ => None,
            })
            .collect();
        let why =
            if failed.is_empty() { "the stream does not show that it worked".to_owned() } else { failed.join("; ") };
        format!(
            "{} of {} could not surely be set to {} % of the traffic: {why}. Decided because: {}",
            self.plan.version,
            self.plan.model,
            self.percent(),
            self.reason
        )
    }

    /// Asks for a task, again where it failed, or says that its actuator did not answer.
    fn ask(&self, task: Task, time: Timestamp) -> Option<Entry> {
        let Task { actuator, request } = task;
        let Some(asked) = self.asked.get(&request.id) else {
            return Some(Entry::Intended { actuator, request, attempt: 1 });
        };
        if self.plan.dry_run && asked.outcome.is_none() {
            return Some(Entry::Came { id: request.id, attempt: asked.attempt, outcome: Outcome::DryRun });
        }
        let is_traffic = matches!(request.action, Action::SetShare { .. });
        let within = if is_traffic { ANSWER_WITHIN } else { REGISTRY_ANSWERS_WITHIN };
        match &asked.outcome {
            None if asked.since.plus(within) <= time => Some(Entry::Came {
                id: request.id,
                attempt: asked.attempt,
                outcome: Outcome::Failed {
                    reason: format!("no answer within {} s", within / Timestamp::SECOND),
                    is_temporary: true,
                },
            }),
            Some(Outcome::Failed { is_temporary: true, .. })
                if asked.attempt < MOST_ATTEMPTS
                    && asked.since.plus(BETWEEN_ATTEMPTS * i64::from(asked.attempt)) <= time =>
            {
                // The words of the first attempt stay: it is the same request.
                Some(Entry::Intended { actuator, request: asked.request.clone(), attempt: asked.attempt + 1 })
            }
            _ => None,
        }
    }

    const fn page_after(&self) -> Span {
        if self.plan.actuators.is_empty() { PAGE_AFTER_ASKED } else { PAGE_AFTER }
    }

    const fn page_at(&self) -> Timestamp {
        self.decided.plus(self.page_after())
    }

    /// What the stream shows of the version that was cut off.
    fn verify(&self, time: Timestamp) -> Option<Entry> {
        if self.plan.dry_run {
            return Some(Entry::Verified {
                is_so: true,
                what: "nothing was changed, so nothing is verified".to_owned(),
            });
        }
        let version = &self.plan.version;
        let limit = if self.plan.actuators.is_empty() { PAGE_AFTER_ASKED } else { VERIFY_WITHIN };
        let Some((stream, canary, standing)) = self.seen else {
            let what = "no request was seen, so it is not known whether it worked".to_owned();
            return (self.since.plus(limit) <= time).then_some(Entry::Verified { is_so: false, what });
        };
        let quiet_from = canary.map_or(self.since, |canary| canary.max(self.since));
        let is_served = standing.is_some_and(|standing| standing > self.since);
        if is_served && quiet_from.plus(QUIET_FOR) <= stream {
            let what =
                format!("{version} has answered nothing from {quiet_from} to {stream}, and {} has", self.plan.standing);
            return Some(Entry::Verified { is_so: true, what });
        }
        if time < self.since.plus(limit) {
            return None;
        }
        let what = match canary.filter(|canary| *canary > self.since) {
            Some(canary) => format!("{version} still answered at {canary}"),
            None => "no request was seen since, so it is not known whether it worked".to_owned(),
        };
        Some(Entry::Verified { is_so: false, what })
    }

    /// A step is left once it has seen enough, and the last one for all traffic once the evidence says so.
    fn forward(&self, time: Timestamp) -> Option<Entry> {
        if self.course == Course::Through || !matches!(self.judged, None | Some(State::Observe | State::Promote)) {
            return None;
        }
        if let Some(failed) = self.asked.values().find(|asked| !asked.is_done()) {
            let reason = format!("its share could not be set by {}", failed.actuator);
            let decided = Entry::Decided { course: Course::Back, by: "wardline".to_owned(), reason, record: None };
            return Some(decided);
        }
        if let Some(step) = self.plan.steps.get(self.step) {
            let Some((began, requests)) = self.step_began else {
                return Some(Entry::Stepped { step: 0, canary_requests: self.canary_requests });
            };
            let seconds = i64::try_from(step.least_seconds).unwrap_or(i64::MAX / Timestamp::SECOND);
            let enough = self.canary_requests.saturating_sub(requests) >= step.least_requests
                && began.plus(seconds.saturating_mul(Timestamp::SECOND)) <= time;
            if !enough {
                return None;
            }
            if self.step + 1 < self.plan.steps.len() {
                return Some(Entry::Stepped { step: self.step + 1, canary_requests: self.canary_requests });
            }
        }
        let may = self.may_promote && self.plan.promotion == Promotion::Automatic;
        may.then(|| Entry::Decided {
            course: Course::Through,
            by: "wardline".to_owned(),
            reason: self.reason.clone(),
            record: None,
        })
    }

    fn end(&self) -> Entry {
        let ending = match self.course {
            _ if self.has_paged => Ending::NeedsPerson,
            Course::Through => Ending::Promoted,
            Course::Back | Course::Forward => Ending::RolledBack,
        };
        Entry::Ended { ending, reason: self.reason.clone() }
    }

    /// Takes an entry of the log: the only place where what is logged changes.
    fn apply(&mut self, entry: &LogEntry) {
        self.next_sequence = entry.sequence + 1;
        match &entry.entry {
            Entry::Started { .. } => {}
            Entry::Judged { state, reason, .. } => {
                self.judged = Some(*state);
                self.may_promote |= *state == State::Promote;
                self.reason.clone_from(reason);
            }
            Entry::Decided { course, reason, .. } => {
                (self.course, self.decided) = (*course, entry.time);
                self.reason.clone_from(reason);
                // What was under way on the other course is no longer waited for.
                self.asked.clear();
                self.enter(Stage::Share, entry.time);
            }
            Entry::Stepped { step, canary_requests } => {
                self.step = *step;
                self.step_began = Some((entry.time, *canary_requests));
                self.enter(Stage::Share, entry.time);
            }
            Entry::Intended { actuator, request, attempt } => {
                let asked = Asked {
                    actuator: actuator.clone(),
                    request: request.clone(),
                    attempt: *attempt,
                    since: entry.time,
                    outcome: None,
                };
                self.asked.insert(request.id.clone(), asked);
                self.has_paged |= self.stage == Stage::Page;
            }
            Entry::Came { id, outcome, .. } => {
                if let Some(asked) = self.asked.get_mut(id) {
                    (asked.outcome, asked.since) = (Some(outcome.clone()), entry.time);
                }
                self.settle(entry.time);
            }
            Entry::Verified { is_so, .. } => self.verified(*is_so, entry.time),
            Entry::Ended { ending, .. } => self.ended = Some(*ending),
        }
    }

    fn verified(&mut self, is_so: bool, time: Timestamp) {
        let may_escalate = self.stage == Stage::Verify && !self.plan.escalate_to.is_empty() && time < self.page_at();
        let next = match (is_so, may_escalate) {
            (true, _) => Stage::Alias,
            (false, true) => Stage::Escalate,
            (false, false) => Stage::Page,
        };
        self.enter(next, time);
    }

    fn enter(&mut self, stage: Stage, time: Timestamp) {
        (self.stage, self.since) = (stage, time);
        self.settle(time);
    }

    /// Goes to the next stage where all of this one is settled.
    fn settle(&mut self, time: Timestamp) {
        if matches!(self.stage, Stage::Verify | Stage::VerifyAgain | Stage::End) {
            return;
        }
        let asked: Vec<Option<&Asked>> = self.tasks().iter().map(|task| self.asked.get(&task.request.id)).collect();
        if !asked.iter().all(|asked| asked.is_some_and(Asked::is_settled)) {
            return;
        }
        let is_done = asked.iter().flatten().all(|asked| asked.is_done());
        let next = self.after(is_done, asked.is_empty());
        self.enter(next, time);
    }

    fn after(&self, is_done: bool, is_empty: bool) -> Stage {
        let is_back = self.course == Course::Back;
        match self.stage {
            Stage::Share if is_done && self.course == Course::Through => Stage::Alias,
            // Where a share could not be set on the way forward, it goes back.
            Stage::Share if is_done || self.course == Course::Forward => Stage::Verify,
            Stage::Share if is_back && !self.plan.escalate_to.is_empty() => Stage::Escalate,
            Stage::Escalate if is_done && !is_empty => Stage::VerifyAgain,
            Stage::Share | Stage::Escalate => Stage::Page,
            Stage::Page if self.course == Course::Through => Stage::End,
            Stage::Page => Stage::Alias,
            Stage::Alias if is_done || self.has_paged => Stage::Tag,
            Stage::Alias => Stage::Page,
            Stage::Tag if self.has_paged => Stage::End,
            Stage::Tag => Stage::Tell,
            Stage::Tell | Stage::Verify | Stage::VerifyAgain | Stage::End => Stage::End,
        }
    }
}
