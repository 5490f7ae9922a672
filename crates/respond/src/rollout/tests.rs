//! Rollouts against a world that answers, answers late, lies or is down, and against crashes at every write.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wardline_domain::{Action, ActionReceipt, Timestamp};

use super::*;
use crate::judge::{Beginning, DecisionRecord, Judge, JudgeSettings, State, Versions};

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_micros(1_793_600_000_000_000 + milliseconds * 1_000)
}

fn plan() -> RolloutPlan {
    let file = r#"
model: fraud
standing: "2.0"
version: "2.1"
steps: [{ weight: 10, least_requests: 100 }, { weight: 50, least_seconds: 5 }]
actuators: [edge]
escalate_to: [off]
registry: { actuator: registry, alias: champion }
"#;
    RolloutPlan::from_yaml(file).unwrap()
}

/// A record as a judge makes it, with another state.
fn record(state: State) -> Box<DecisionRecord> {
    let versions = Versions { model: "fraud".to_owned(), standing: "2.0".to_owned(), canary: "2.1".to_owned() };
    let mut judge = Judge::new(versions, JudgeSettings::default(), Beginning::At(at(0))).unwrap();
    let batch = wardline_domain::EventBatch {
        kind: wardline_domain::RecordKind::Inference,
        model: Some("fraud".into()),
        records: arrow::array::RecordBatch::try_from_iter_with_nullable([
            ("time", time_column(), true),
            ("version", text_column(), true),
        ])
        .unwrap(),
    };
    judge.observe(&[batch]);
    judge.finish();
    let mut record = judge.record().unwrap();
    record.state = state;
    record.reason = "2.1 of fraud is worse".to_owned();
    Box::new(record)
}

fn time_column() -> arrow::array::ArrayRef {
    let times = arrow::array::TimestampMicrosecondArray::from_iter_values([at(0).micros()]).with_timezone("UTC");
    std::sync::Arc::new(times)
}

fn text_column() -> arrow::array::ArrayRef {
    std::sync::Arc::new(arrow::array::StringArray::from(vec!["2.0"]))
}

/// How an actuator behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Works,
    /// It says that it is done, and does nothing.
    Lies,
    Down,
    Silent,
    /// It is down once, and works then.
    FailsOnce,
    Refuses,
}

/// What the actuators change, and how often.
#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    percent: f64,
    alias: String,
    done: BTreeMap<String, u32>,
    failed: BTreeMap<String, u32>,
    told: Vec<String>,
    last_canary: Option<Timestamp>,
}

impl World {
    fn carry_out(&mut self, due: &Due, manner: Manner) -> Option<Outcome> {
        let failed = |reason: &str, is_temporary| Some(Outcome::Failed { reason: reason.to_owned(), is_temporary });
        let is_first = !self.failed.contains_key(&due.request.id);
        match manner {
            Manner::Silent => return None,
            Manner::Down => return failed("connection refused", true),
            Manner::Refuses => return failed("forbidden", false),
            Manner::FailsOnce if is_first => {
                self.failed.insert(due.request.id.clone(), 1);
                return failed("connection refused", true);
            }
            Manner::Works | Manner::Lies | Manner::FailsOnce => {}
        }
        let was_so = self.done.contains_key(&due.request.id);
        // A target that knows the request does nothing twice.
        if !was_so && manner != Manner::Lies {
            self.done.insert(due.request.id.clone(), 1);
            match &due.request.action {
                Action::SetShare { percent, .. } => self.percent = *percent,
                Action::MoveAlias { version, .. } => self.alias.clone_from(version),
                Action::Named { name, .. } => self.told.push(name.clone()),
                Action::TagVersion { .. } => {}
            }
        }
        Some(Outcome::Done { receipt: ActionReceipt { was_so, ..ActionReceipt::default() } })
    }
}

/// A program that writes the log, asks actuators, and may stop between any two of its steps.
struct Program {
    log: Vec<LogEntry>,
    rollout: Option<Rollout>,
    world: World,
    manners: BTreeMap<&'static str, Manner>,
    plan: RolloutPlan,
    /// Steps until the next crash.
    crashes: Vec<usize>,
}

struct Crash;

impl Program {
    fn new(plan: RolloutPlan, manners: &[(&'static str, Manner)], crashes: Vec<usize>) -> Self {
        Self {
            log: Vec::new(),
            rollout: None,
            world: World { percent: 0.0, alias: "2.0".to_owned(), ..World::default() },
            manners: manners.iter().copied().collect(),
            plan,
            crashes,
        }
    }

    /// Where a crash may happen.
    fn point(&mut self) -> Result<(), Crash> {
        let Some(next) = self.crashes.last_mut() else { return Ok(()) };
        if *next == 0 {
            self.crashes.pop();
            self.rollout = None;
            return Err(Crash);
        }
        *next -= 1;
        Ok(())
    }

    fn write(&mut self, entries: Vec<LogEntry>) -> Result<(), Crash> {
        for entry in entries {
            self.point()?;
            self.log.push(entry);
        }
        self.point()
    }

    fn turn(&mut self, time: Timestamp, verdict: Option<State>) -> Result<(), Crash> {
        if self.rollout.is_none() {
            match Rollout::restore(&self.log) {
                Some(rollout) => self.rollout = Some(rollout),
                None => {
                    let (rollout, entries) = Rollout::begin("r1", self.plan.clone(), "ana", time);
                    self.rollout = Some(rollout);
                    self.write(entries)?;
                }
            }
        }
        let mut inputs = vec![Input::Seen {
            stream: time,
            canary: self.world.last_canary,
            standing: Some(time),
            canary_requests: ((time.since(at(0))) / 50_000) as u64,
        }];
        inputs.extend(verdict.map(|state| Input::Judged { state, record: record(state) }));
        inputs.push(Input::Tick);
        for input in inputs {
            let entries = self.rollout.as_mut().map(|rollout| rollout.handle(input, time)).unwrap_or_default();
            self.write(entries)?;
        }
        loop {
            let due = self.rollout.as_ref().map(Rollout::due).unwrap_or_default();
            let mut is_quiet = true;
            for due in due {
                let manner = self.manners.get(due.actuator.as_str()).copied().unwrap_or(Manner::Works);
                self.point()?;
                let outcome = self.world.carry_out(&due, manner);
                self.point()?;
                if let Some(outcome) = outcome {
                    is_quiet = false;
                    let came = Input::Came { id: due.request.id, attempt: due.attempt, outcome };
                    let entries = self.rollout.as_mut().map(|rollout| rollout.handle(came, time)).unwrap_or_default();
                    self.write(entries)?;
                }
            }
            if is_quiet {
                return Ok(());
            }
        }
    }

    /// Runs in stream time, a tenth of a second a turn; `verdict` is what the judge says from then on.
    fn run(&mut self, verdict: impl Fn(i64) -> Option<State>) -> (Option<Ending>, i64) {
        for turn in 0..3_000_i64 {
            let time = at(turn * 100);
            if self.world.percent > 0.0 {
                self.world.last_canary = Some(time);
            }
            // Whatever was not written down when the program stopped comes again.
            while self.turn(time, verdict(turn)).is_err() {}
            if let Some(ending) = self.rollout.as_ref().and_then(Rollout::ended) {
                return (Some(ending), turn * 100);
            }
        }
        (None, i64::MAX)
    }
}

const BAD_FROM: i64 = 60;

fn bad(turn: i64) -> Option<State> {
    (turn >= BAD_FROM).then_some(State::RollBack)
}

fn rolled_back(manners: &[(&'static str, Manner)]) -> (Program, Option<Ending>, i64) {
    let mut program = Program::new(plan(), manners, Vec::new());
    let (ending, after) = program.run(bad);
    (program, ending, after - BAD_FROM * 100)
}

#[test]
fn a_bad_version_goes_back_is_verified_and_the_registry_restored() {
    let (program, ending, after) = rolled_back(&[]);
    assert_eq!(ending, Some(Ending::RolledBack));
    assert!((2_000..=3_000).contains(&after), "{after}");
    assert_eq!((program.world.percent, program.world.alias.as_str()), (0.0, "2.0"));
    assert_eq!(program.world.told, ["notify"]);
    let order: Vec<&str> = program
        .log
        .iter()
        .filter_map(|entry| match &entry.entry {
            Entry::Decided { record, .. } => Some(if record.is_some() { "frozen" } else { "decided" }),
            Entry::Intended { request, .. } if request.id.starts_with("r1/back") => Some(&request.id),
            Entry::Verified { is_so, .. } => Some(if *is_so { "verified" } else { "not verified" }),
            _ => None,
        })
        .collect();
    assert_eq!(
        order,
        [
            "frozen",
            "r1/back/share/edge",
            "verified",
            "r1/back/registry",
            "r1/back/tag/registry",
            "r1/back/notify/wardline"
        ]
    );
}

#[test]
fn a_good_version_goes_through_its_steps_and_is_promoted() {
    let mut program = Program::new(plan(), &[], Vec::new());
    let (ending, _) = program.run(|turn| (turn >= 20).then_some(State::Promote));
    assert_eq!(ending, Some(Ending::Promoted));
    assert_eq!((program.world.percent, program.world.alias.as_str()), (100.0, "2.1"));
    let steps = program.log.iter().filter(|entry| matches!(entry.entry, Entry::Stepped { .. })).count();
    assert_eq!(steps, 2);
}

/// Goal: whatever the proxy does, ten seconds after the decision the good version serves or a person knows.
#[test]
fn a_proxy_that_is_down_or_slow_or_lies_leads_to_the_other_way_or_to_a_page() {
    for manner in [Manner::Down, Manner::Silent, Manner::Refuses, Manner::Lies, Manner::FailsOnce] {
        let mut program = Program::new(plan(), &[], Vec::new());
        // The way forward works; the way back meets the trouble.
        let mut reached = None;
        for turn in 0..3_000_i64 {
            if turn == BAD_FROM {
                program.manners.insert("edge", manner);
            }
            let time = at(turn * 100);
            if program.world.percent > 0.0 {
                program.world.last_canary = Some(time);
            }
            let _ = program.turn(time, bad(turn));
            let is_told = program.world.told.iter().any(|told| told == "page");
            let ending = program.rollout.as_ref().and_then(Rollout::ended);
            if is_told || ending == Some(Ending::RolledBack) {
                reached = Some(((turn - BAD_FROM) * 100, ending));
                break;
            }
        }
        let (after, _) = reached.unwrap();
        assert!(after <= 10_000, "{manner:?}: {after}");
        assert!(program.world.percent == 0.0 || program.world.told.contains(&"page".to_owned()), "{manner:?}");
    }
}

#[test]
fn when_nothing_works_a_person_is_paged_within_ten_seconds() {
    for manner in [Manner::Down, Manner::Silent, Manner::Lies, Manner::Refuses] {
        let mut program =
            Program::new(RolloutPlan { steps: Vec::new(), ..plan() }, &[("edge", manner), ("off", manner)], Vec::new());
        program.world.percent = 10.0;
        let (ending, after) = program.run(bad);
        assert_eq!(ending, Some(Ending::NeedsPerson), "{manner:?}");
        assert!(program.world.told == ["page"] && after - BAD_FROM * 100 <= 10_000, "{manner:?}: {after}");
        let page = program.log.iter().find_map(|entry| match &entry.entry {
            Entry::Intended { request, .. } if request.id.ends_with("page/wardline") => Some(request.reason.clone()),
            _ => None,
        });
        assert!(page.unwrap().contains("could not surely be set to 0 %"));
    }
}

#[test]
fn an_alias_that_cannot_be_restored_is_paged() {
    let (program, ending, _) = rolled_back(&[("registry", Manner::Refuses)]);
    assert_eq!(ending, Some(Ending::NeedsPerson));
    assert_eq!((program.world.percent, program.world.told.as_slice()), (0.0, ["page".to_owned()].as_slice()));
}

#[test]
fn a_dry_run_decides_and_does_nothing() {
    let mut program = Program::new(RolloutPlan { dry_run: true, ..plan() }, &[], Vec::new());
    let (ending, _) = program.run(bad);
    assert_eq!(ending, Some(Ending::RolledBack));
    assert!(program.world.done.is_empty() && program.world.told.is_empty());
    assert!(program.log.iter().any(|entry| matches!(&entry.entry, Entry::Came { outcome: Outcome::DryRun, .. })));
}

#[test]
fn a_hold_stops_the_steps_and_a_person_may_decide() {
    let mut program = Program::new(plan(), &[], Vec::new());
    for turn in 0..300 {
        let _ = program.turn(at(turn * 100), Some(State::Hold));
    }
    assert_eq!(program.world.percent, 10.0);
    let input = Input::Person { who: "ana".to_owned(), course: Course::Back, reason: "no".to_owned(), record: None };
    let entries = program.rollout.as_mut().unwrap().handle(input, at(30_000));
    assert!(matches!(&entries[0].entry, Entry::Decided { course: Course::Back, by, .. } if by == "ana"));
}

#[test]
fn a_model_has_one_rollout_at_a_time() {
    let mut rollouts = Rollouts::default();
    let entries = rollouts.begin("r1", plan(), "ana", at(0)).unwrap();
    let error = rollouts.begin("r2", plan(), "ana", at(0)).unwrap_err();
    assert!(error.to_string().starts_with("the rollout r1 of fraud is under way"));
    let restored = Rollouts::restore([entries.as_slice()]);
    assert_eq!(restored, rollouts);
}

#[test]
fn the_log_reads_back() {
    let (program, ..) = rolled_back(&[("edge", Manner::FailsOnce)]);
    for entry in &program.log {
        let written = serde_json::to_string(entry).unwrap();
        let read: LogEntry = serde_json::from_str(&written).unwrap();
        assert_eq!(read.sequence, entry.sequence);
    }
    let sequences: Vec<u64> = program.log.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, (0..program.log.len() as u64).collect::<Vec<_>>());
    assert_eq!(Rollout::restore(&program.log).unwrap().ended(), Some(Ending::RolledBack));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Goal: wherever the program stops, between any two writes or calls, it ends in the same place and does nothing
    /// twice.
    #[test]
    fn crashes_change_nothing(crashes in prop::collection::vec(0..60_usize, 0..12), good in any::<bool>(), fails in any::<bool>()) {
        let manners: &[(&str, Manner)] = if fails { &[("edge", Manner::FailsOnce), ("registry", Manner::FailsOnce)] } else { &[] };
        let verdict = |turn: i64| if good { (turn >= 20).then_some(State::Promote) } else { bad(turn) };
        let mut calm = Program::new(plan(), manners, Vec::new());
        let expected = calm.run(verdict).0;
        let mut stopped = Program::new(plan(), manners, crashes);
        let found = stopped.run(verdict).0;
        prop_assert_eq!(found, expected);
        prop_assert_eq!(stopped.world.percent, calm.world.percent);
        prop_assert_eq!(&stopped.world.alias, &calm.world.alias);
        prop_assert_eq!(&stopped.world.done, &calm.world.done);
        prop_assert_eq!(&stopped.world.told, &calm.world.told);
        let sequences: Vec<u64> = stopped.log.iter().map(|entry| entry.sequence).collect();
        prop_assert_eq!(sequences, (0..stopped.log.len() as u64).collect::<Vec<_>>());
    }
}
