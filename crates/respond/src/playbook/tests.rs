use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use wardline_domain::{Action, ActionReceipt, Timestamp};

use super::*;
use crate::incident::Actor;

const START: i64 = 1_793_600_000_000_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_micros(START + minutes * Timestamp::MINUTE)
}

fn person(name: &str) -> Actor {
    Actor::Person(name.to_owned())
}

fn shipped(name: &str) -> Playbook {
    let found = SHIPPED.iter().find(|shipped| shipped.name == name).unwrap();
    Playbook::read(found.json.as_bytes()).unwrap()
}

/// A value for everything that is given from outside.
fn values(playbook: &Playbook) -> BTreeMap<String, String> {
    let external = playbook.variables.iter().filter(|(_, variable)| variable.external && variable.value.is_none());
    external.map(|(name, _)| (name.clone(), name.trim_matches('_').to_owned())).collect()
}

fn done() -> Outcome {
    Outcome::Done { receipt: ActionReceipt::default() }
}

/// Does whatever the run needs next.
fn do_next(run: &mut Run, minutes: i64, fails: bool) -> bool {
    let Some(need) = run.needs().into_iter().next() else { return false };
    let time = at(minutes);
    match need {
        Need::Approval { step, approved } => {
            run.approve(&step, &person(&format!("approver-{}", approved.len())), time).unwrap();
        }
        Need::Manual { step, .. } => run.answer(&step, !fails, "as asked", &person("ana"), time).unwrap(),
        Need::CarryOut(request) => {
            let outcome = if fails { Outcome::Failed { reason: "unreachable".to_owned() } } else { done() };
            run.report(&request.id, outcome, &Actor::System("actuator".to_owned()), time).unwrap();
        }
    }
    true
}

fn started(name: &str, change: &[(&str, &str)], dry_run: bool) -> Run {
    let playbook = shipped(name);
    let mut given = values(&playbook);
    given.extend(change.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Run::start("r-1", playbook, &given, dry_run, &person("ana"), at(0)).unwrap()
}

fn events(run: &Run) -> Vec<&RunEvent> {
    run.log().links().iter().map(|link| &link.entry.event).collect()
}

fn actions(run: &Run) -> Vec<String> {
    let intended = |event: &RunEvent| match event {
        RunEvent::Intended { request, .. } => Some(request.action.to_string()),
        _ => None,
    };
    events(run).into_iter().filter_map(intended).collect()
}

#[test]
fn ten_playbooks_come_with_the_product_and_each_goes_to_its_end() {
    assert_eq!(SHIPPED.len(), 10);
    for shipped in SHIPPED {
        let mut dry = started(shipped.name, &[], true);
        assert_eq!(dry.finished(), Some(true), "{}", shipped.name);
        assert!(dry.needs().is_empty() && actions(&dry).is_empty(), "{}: a dry run asks for nothing", shipped.name);
        assert!(events(&dry).iter().any(|event| matches!(event, RunEvent::WouldDo { .. })));
        assert!(matches!(dry.stop("late", &person("ana"), at(1)), Err(RunError::Over)));
        let mut run = started(shipped.name, &[], false);
        let mut minutes = 1;
        while do_next(&mut run, minutes, false) {
            minutes += 1;
            assert!(minutes < 100, "{}", shipped.name);
        }
        assert_eq!(run.finished(), Some(true), "{}", shipped.name);
        assert!(actions(&run)[0].starts_with("freeze_evidence"), "{}: evidence comes first", shipped.name);
    }
}

#[test]
fn every_branch_of_every_playbook_can_be_gone_through() {
    for shipped in SHIPPED {
        let playbook = self::shipped(shipped.name);
        let mut entered = std::collections::BTreeSet::new();
        let choices = [
            ("__cause__", "pipe"),
            ("__cause__", "world"),
            ("__cause__", "load"),
            ("__cause__", "replica"),
            ("__cause__", "client"),
            ("__cause__", "version"),
            ("__lost_points__", "5"),
            ("__lost_points__", "1"),
            ("__trained__", "true"),
            ("__clients__", "4"),
            ("__clients__", "1"),
            ("__source__", "user"),
            ("__source__", "document"),
            ("__source__", "tool"),
            ("__loop__", "true"),
            ("__loop__", "false"),
            ("__ratio__", "0.7"),
        ];
        for (name, value) in
            choices.into_iter().filter(|(name, _)| playbook.variables.contains_key(*name)).chain([("", "")])
        {
            for (fails_from, n_fails) in [(usize::MAX, 0), (0, 1), (1, 1), (2, 1), (1, 2), (2, 2)] {
                let change: &[(&str, &str)] = if name.is_empty() { &[] } else { &[(name, value)] };
                let mut run = started(shipped.name, change, false);
                let mut n_done = 0;
                while do_next(&mut run, 1, fails_from <= n_done && n_done - fails_from < n_fails) {
                    n_done += 1;
                }
                assert!(run.finished().is_some());
                entered.extend(events(&run).into_iter().filter_map(|event| match event {
                    RunEvent::Entered { step } => Some(step.clone()),
                    _ => None,
                }));
            }
        }
        let never: Vec<&String> = playbook.steps.keys().filter(|step| !entered.contains(*step)).collect();
        assert!(never.is_empty(), "{}: {never:?}", shipped.name);
    }
}

#[test]
fn nothing_is_intended_before_it_is_approved_by_different_people() {
    let mut run = started("poisoning_by_channel", &[("__trained__", "true")], false);
    while !actions(&run).iter().any(|action| action.starts_with("exclude")) {
        do_next(&mut run, 1, false);
    }
    do_next(&mut run, 2, false);
    let Some(Need::Approval { step, .. }) = run.needs().into_iter().next() else { panic!("{:?}", run.needs()) };
    run.approve(&step, &person("ana"), at(3)).unwrap();
    let again = run.approve(&step, &person("ana"), at(4)).unwrap_err().to_string();
    assert!(again.contains("another person must"), "{again}");
    let early = run.report("r-1/x/1/0", done(), &person("ana"), at(4)).unwrap_err().to_string();
    assert!(early.contains("does not wait for an outcome"), "{early}");
    let answer = run.answer(&step, true, "done", &person("ana"), at(4)).unwrap_err().to_string();
    assert!(answer.contains("it waits for an approval"), "{answer}");
    let before = actions(&run).len();
    run.approve(&step, &person("ben"), at(5)).unwrap();
    assert_eq!(actions(&run).len(), before + 1);
    let Some(Need::CarryOut(request)) = run.needs().into_iter().next() else { panic!() };
    let expected = Action::SetShare {
        model: "model".to_owned(),
        version: "version".to_owned(),
        standing: "standing".to_owned(),
        percent: 0.0,
    };
    assert_eq!(request.action, expected);
}

#[test]
fn what_is_refused_or_takes_too_long_goes_to_whoever_takes_over() {
    let mut run = started("drift", &[], false);
    let due = run.due().unwrap();
    run.pass_time(due.plus(-1), &Actor::System("clock".to_owned())).unwrap();
    let Some(Need::CarryOut(request)) = run.needs().into_iter().next() else { panic!() };
    run.pass_time(due, &Actor::System("clock".to_owned())).unwrap();
    assert!(events(&run).iter().any(
        |event| matches!(event, RunEvent::Left { reason: Some(reason), .. } if reason.starts_with("ACTION_TIMEOUT"))
    ));
    let Some(Need::Manual { text, .. }) = run.needs().into_iter().next() else { panic!() };
    assert!(text.contains("could not go on"), "{text}");
    // The outcome comes after all: it is on record and changes nothing.
    let before = run.needs();
    run.report(&request.id, done(), &Actor::System("actuator".to_owned()), due.plus(1)).unwrap();
    assert_eq!(run.needs(), before);
    assert!(matches!(events(&run).last(), Some(RunEvent::CameLate { .. })));
    do_next(&mut run, 9_000, false);
    assert_eq!(run.finished(), Some(false), "a playbook that went to its exception did not come to its end");
}

#[test]
fn branches_side_by_side_are_all_waited_for() {
    let mut run = started("adversarial_input", &[], false);
    while run.needs().len() < 2 {
        do_next(&mut run, 1, false);
    }
    assert_eq!(run.needs().len(), 2);
    let ends_after = |run: &Run| events(run).into_iter().filter(|event| matches!(event, RunEvent::Left { .. })).count();
    let before = ends_after(&run);
    for _ in 0..4 {
        do_next(&mut run, 2, false);
    }
    assert_eq!(ends_after(&run), before + 3, "two steps, and then the step that holds them");
    assert!(matches!(run.needs()[..], [Need::Manual { .. }]));
}

/// A playbook of a few steps.
fn small(workflow: Value) -> Vec<u8> {
    let playbook = json!({
        "type": "playbook", "spec_version": "cacao-2.0", "name": "small",
        "id": "playbook--11111111-1111-4111-8111-111111111111",
        "created_by": "identity--22222222-2222-4222-8222-222222222222",
        "created": "2026-11-02T06:36:05.995Z", "modified": "2026-11-02T06:36:05.995Z",
        "workflow_start": "start--00000000-0000-4000-8000-000000000001",
        "playbook_variables": {"__n__": {"type": "integer", "external": true}},
        "agent_definitions": {"group--33333333-3333-4333-8333-333333333333": {"type": "group", "name": "people"}},
        "workflow": workflow,
    });
    playbook.to_string().into_bytes()
}

fn id(kind: &str, number: u32) -> String {
    format!("{kind}--00000000-0000-4000-8000-{number:012}")
}

fn looping() -> Vec<u8> {
    let agent = "group--33333333-3333-4333-8333-333333333333";
    small(json!({
        id("start", 1): {"type": "start", "on_completion": id("while-condition", 2)},
        id("while-condition", 2): {"type": "while-condition", "condition": "__n__:value > 3", "on_true": id("action", 3),
            "on_completion": id("end", 4)},
        id("action", 3): {"type": "action", "delay": 60_000, "agent": agent, "on_success": id("end", 5),
            "commands": [{"type": "manual", "command": "once more, __n__:value"}]},
        id("end", 4): {"type": "end"}, id("end", 5): {"type": "end"},
    }))
}

#[test]
fn a_loop_that_never_ends_ends() {
    let given = |value: &str| BTreeMap::from([("__n__".to_owned(), value.to_owned())]);
    let playbook = Playbook::read(&looping()).unwrap();
    let run = Run::start("r", playbook.clone(), &given("1"), false, &person("ana"), at(0)).unwrap();
    assert_eq!(run.finished(), Some(true));
    let dry = Run::start("r", playbook.clone(), &given("7"), true, &person("ana"), at(0)).unwrap();
    assert_eq!(dry.finished(), Some(false));
    let mut run = Run::start("r", playbook, &given("7"), false, &person("ana"), at(0)).unwrap();
    assert!(run.needs().is_empty(), "its delay has not passed");
    run.pass_time(at(1), &person("clock")).unwrap();
    assert_eq!(run.needs(), [Need::Manual { step: id("action", 3), text: "once more, 7".to_owned() }]);
    do_next(&mut run, 2, false);
    assert_eq!(run.due(), Some(at(3)), "the next round waits again");
}

#[test]
fn a_run_says_which_values_it_lacks() {
    let playbook = Playbook::read(&looping()).unwrap();
    let start = |given: &[(&str, &str)]| {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Run::start("r", playbook.clone(), &given, false, &person("ana"), at(0)).map(drop).unwrap_err().to_string()
    };
    assert!(start(&[]).contains("variable `__n__` has no value"));
    assert!(start(&[("__m__", "1")]).contains("leave it out"));
}

#[test]
fn what_is_wrong_with_a_playbook_is_said_all_at_once() {
    let refused = |workflow: Value| -> String {
        let problems = Playbook::read(&small(workflow)).unwrap_err();
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    };
    let found = refused(json!({
        id("start", 1): {"type": "start", "on_completion": id("action", 2), "on_success": id("end", 3)},
        id("action", 2): {"type": "action", "commands": [{"type": "bash", "command": "rm"}], "agent": "nobody"},
        id("decision", 9): {"type": "decision"},
        "end--x": {"type": "end"},
    }));
    for part in [
        "keep one or the other",
        "not in `agent_definitions`",
        "CACAO 2.0 does not know",
        "type of its step and a UUID",
    ] {
        assert!(found.contains(part), "{part} is not in {found}");
    }
    let found = refused(json!({
        id("start", 1): {"type": "start", "on_completion": id("if-condition", 2)},
        id("if-condition", 2): {"type": "if-condition", "condition": "__m__:value = 'x'", "on_true": id("end", 7)},
        id("end", 3): {"type": "end"},
    }));
    for part in [
        "leads nowhere",
        "not in `playbook_variables`",
        "is not in `workflow`",
        "never reached",
        "no step that does anything",
    ] {
        assert!(found.contains(part), "{part} is not in {found}");
    }
    let condition =
        refused(json!({id("if-condition", 2): {"type": "if-condition", "condition": "true", "on_true": id("end", 7)}}));
    assert!(condition.contains("`true` is no comparison"), "{condition}");
    assert!(Playbook::read(b"{}").unwrap_err()[0].to_string().contains("check it against the CACAO 2.0 schema"));
}

#[test]
fn conditions_compare_numbers_as_numbers_and_texts_as_texts() {
    let values: BTreeMap<String, String> =
        [("__n__", "10"), ("__s__", "a OR b")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let holds = |text: &str| super::condition::Condition::parse(text).unwrap().holds(&values);
    assert!(holds("__n__:value > 9"));
    assert!(!holds("__n__:value < 9"));
    assert!(holds("__s__:value = 'a OR b'"));
    assert!(holds("__n__:value = 1 OR __n__:value >= 10 AND __s__:value != 'x'"));
    assert!(!holds("__unknown__:value != 'x'"), "what has no value fulfils nothing");
    for text in ["__n__:value = 1 OR __n__:value >= 10 AND __s__:value != 'a OR b'", "__s__:value = 'true'"] {
        assert_eq!(super::condition::Condition::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn the_log_goes_on_only_with_the_playbook_that_it_is_of() {
    let run = started("drift", &[], false);
    let lines = run.log().to_lines();
    assert_eq!(Run::resume(shipped("drift"), lines.as_bytes(), None).unwrap(), run);
    assert!(matches!(Run::resume(shipped("latency"), lines.as_bytes(), None), Err(RunError::OtherPlaybook(0))));
    let damaged = lines.replacen("freeze", "forget", 1);
    assert!(matches!(Run::resume(shipped("drift"), damaged.as_bytes(), None), Err(RunError::Damaged(_))));
    assert!(matches!(Run::resume(shipped("drift"), b"", None), Err(RunError::NotStarted)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: wherever the process dies, the run goes on as if it had not, and nothing is intended twice.
    /// Method: a run is cut after any record of its log, resumed, and carried on with the same answers.
    #[test]
    fn a_run_that_died_anywhere_goes_on(which in 0usize..10, fails_at in 0usize..8, cut in 0.0f64..1.0) {
        let name = SHIPPED[which].name;
        let go_on = |run: &mut Run, mut n_done: usize| {
            while do_next(run, n_done as i64 + 1, n_done == fails_at) {
                n_done += 1;
            }
        };
        let mut whole = started(name, &[], false);
        go_on(&mut whole, 0);
        let lines: Vec<&str> = whole.log().links().iter().map(|link| link.line.as_str()).collect();
        let kept = 1 + (cut * (lines.len() - 1) as f64) as usize;
        let mut resumed = Run::resume(shipped(name), lines[..kept].join("\n").as_bytes(), None).unwrap();
        let n_inputs = resumed.log().links().iter().filter(|link| link.entry.event.is_input()).count();
        go_on(&mut resumed, n_inputs - 1);
        prop_assert_eq!(resumed.log().to_lines(), whole.log().to_lines());
        let mut requests: Vec<&str> = events(&resumed).into_iter().filter_map(|event| match event {
            RunEvent::Intended { request, .. } => Some(request.id.as_str()),
            _ => None,
        }).collect();
        let n_requests = requests.len();
        requests.sort_unstable();
        requests.dedup();
        prop_assert_eq!(requests.len(), n_requests);
    }

    #[test]
    fn damaged_playbooks_are_refused_or_read_without_panic(place in 0.0f64..1.0, byte in any::<u8>()) {
        let mut bytes = SHIPPED[4].json.as_bytes().to_vec();
        let at = (place * bytes.len() as f64) as usize;
        bytes[at] = byte;
        if let Err(problems) = Playbook::read(&bytes) {
            prop_assert!(!problems.is_empty());
        }
    }
}
