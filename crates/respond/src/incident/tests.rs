use wardline_domain::{FindingKind, Severity, Timestamp};

use super::*;

const START: i64 = 1_793_600_000_000_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_micros(START + minutes * Timestamp::MINUTE)
}

pub(super) fn alert(id: &str, minutes: i64) -> AlertFacts {
    AlertFacts {
        id: id.to_owned(),
        time: at(minutes),
        onset: at(minutes - 30),
        model: "recommender".to_owned(),
        version: Some("7".to_owned()),
        kind: FindingKind::DataDrift,
        severity: Severity::Ticket,
        title: format!("what {id} tells"),
        atlas: ["AML.T0020".to_owned()].into(),
        entities: ["channel=partner-7".to_owned()].into(),
    }
}

fn ana() -> Actor {
    Actor::Person("ana".to_owned())
}

/// Incidents, and commands on them as one writes them.
struct Desk {
    incidents: Incidents,
    minutes: i64,
}

impl Desk {
    fn new() -> Self {
        Self { incidents: Incidents::default(), minutes: 100 }
    }

    fn open(&mut self, alerts: &[&str]) -> String {
        let alerts = alerts.iter().enumerate().map(|(index, id)| alert(id, index as i64)).collect();
        self.incidents.open("drift".to_owned(), alerts, None, &ana(), at(self.minutes)).unwrap().0
    }

    fn tell(&mut self, id: &str, command: Command) -> Result<usize, String> {
        self.minutes += 1;
        let recorded = self.incidents.execute(id, command, &ana(), at(self.minutes));
        recorded.map(|recorded| recorded.len()).map_err(|refused| refused.to_string())
    }

    fn get(&self, id: &str) -> &Incident {
        self.incidents.get(id).unwrap()
    }
}

fn attach(id: &str) -> Command {
    Command::Attach { alert: alert(id, 50), reason: "same channel".to_owned() }
}

fn mitigate() -> Command {
    Command::Mitigate { what: "channel is quarantined".to_owned() }
}

fn resolve(resolution: Resolution) -> Command {
    Command::Resolve { resolution, what: "trained anew without the channel".to_owned() }
}

fn reopen() -> Command {
    Command::Reopen { reason: "it is back".to_owned() }
}

#[test]
fn five_clocks_from_onset_to_resolution() {
    let mut desk = Desk::new();
    let id = desk.open(&["a-1", "a-2"]);
    assert_eq!(desk.get(&id).clocks().impact_start, Some(at(-30)));
    assert_eq!(desk.get(&id).clocks().detected, Some(at(0)));
    for command in [Command::Acknowledge, mitigate(), resolve(Resolution::Fixed)] {
        assert_eq!(desk.tell(&id, command), Ok(1));
    }
    let clocks = desk.get(&id).clocks();
    assert_eq!(clocks.to_detect(), Some(30 * Timestamp::MINUTE));
    assert_eq!(clocks.to_acknowledge(), Some(101 * Timestamp::MINUTE));
    assert_eq!(clocks.to_mitigate(), Some(102 * Timestamp::MINUTE));
    assert_eq!(clocks.to_resolve(), Some(103 * Timestamp::MINUTE));
    assert_eq!(clocks.impact(), Some(132 * Timestamp::MINUTE));
    assert_eq!(desk.get(&id).status.csf()[0], "RC.RP-06");
}

#[test]
fn a_resolved_incident_takes_no_alert_until_it_is_reopened() {
    let mut desk = Desk::new();
    let id = desk.open(&["a-1"]);
    desk.tell(&id, Command::Acknowledge).unwrap();
    desk.tell(&id, resolve(Resolution::FalseAlarm)).unwrap();
    let refused = desk.tell(&id, attach("a-2")).unwrap_err();
    assert!(refused.contains("reopen it, or open a new one that follows it"), "{refused}");
    assert_eq!(desk.get(&id).alerts.len(), 1);
    assert_eq!(desk.tell(&id, Command::Note { text: "learned later".to_owned() }), Ok(1));
    assert_eq!(desk.tell(&id, reopen()), Ok(1));
    assert_eq!(desk.tell(&id, attach("a-2")), Ok(1));
    let incident = desk.get(&id);
    assert_eq!((incident.n_reopened, incident.clocks().resolved), (1, None));
    assert!(incident.clocks().acknowledged.is_some(), "whoever took it first is not forgotten");
}

#[test]
fn an_alert_of_a_resolved_incident_may_begin_another_and_the_first_stays_closed() {
    let mut desk = Desk::new();
    let first = desk.open(&["a-1"]);
    desk.tell(&first, Command::Acknowledge).unwrap();
    desk.tell(&first, resolve(Resolution::Accepted)).unwrap();
    let second = desk.open(&["a-1"]);
    assert_ne!(first, second);
    assert_eq!(desk.incidents.of_alert("a-1"), Some(second.as_str()));
    let refused = desk.tell(&first, reopen()).unwrap_err();
    assert!(refused.contains(&second) && refused.contains("merge the two"), "{refused}");
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_do() {
    let mut desk = Desk::new();
    let id = desk.open(&["a-1"]);
    let other = desk.open(&["a-2"]);
    let said = |result: Result<usize, String>, part: &str| {
        let refused = result.unwrap_err();
        assert!(refused.contains(part), "{refused}");
    };
    said(desk.tell("i-none", Command::Acknowledge), "list incidents to find its id");
    said(desk.tell(&id, mitigate()), "acknowledge it first");
    said(desk.tell(&id, reopen()), "only a resolved incident");
    said(desk.tell(&id, attach("a-2")), "merge the two, or split it off");
    desk.tell(&id, Command::Acknowledge).unwrap();
    said(desk.tell(&id, resolve(Resolution::Fixed)), "what stopped the harm");
    said(desk.tell(&id, Command::Note { text: " ".to_owned() }), "`text` is empty");
    said(desk.tell(&id, Command::Note { text: "x".repeat(70_000) }), "link a file instead");
    said(desk.tell(&id, Command::FinishTask { number: 3, outcome: "replayed".to_owned() }), "no open task 3");
    let into = |into: &str| Command::Merge { into: into.to_owned(), reason: "one cause".to_owned() };
    said(desk.tell(&id, into(&id)), "name another one");
    assert_eq!(desk.tell(&id, into(&other)), Ok(2));
    said(desk.tell(&id, Command::Note { text: "late".to_owned() }), "work there");
    let mut huge = alert("a-3", 0);
    huge.title = "x".repeat(20_000);
    said(desk.tell(&other, Command::Attach { alert: huge, reason: "same".to_owned() }), "at most 16384");
}

#[test]
fn a_merge_moves_alerts_and_open_tasks_and_keeps_the_end_of_the_other_log() {
    let mut desk = Desk::new();
    let (from, into) = (desk.open(&["a-1", "a-2"]), desk.open(&["a-3"]));
    let task = |title: &str| Command::AddTask { title: title.to_owned(), owner: None, due: None };
    for title in ["ask the partner", "train anew"] {
        desk.tell(&from, task(title)).unwrap();
    }
    desk.tell(&from, Command::FinishTask { number: 1, outcome: "answered".to_owned() }).unwrap();
    desk.tell(&into, task("freeze the data")).unwrap();
    let merge = Command::Merge { into: into.clone(), reason: "one cause".to_owned() };
    assert_eq!(desk.tell(&from, merge), Ok(2));
    let merged = desk.get(&into);
    assert_eq!(merged.alerts.keys().collect::<Vec<_>>(), ["a-1", "a-2", "a-3"]);
    assert_eq!(merged.tasks[&2].title, "train anew");
    assert_eq!(desk.get(&from).status, Status::Merged { into: into.clone() });
    assert_eq!(desk.incidents.of_alert("a-1"), Some(into.as_str()));
    let head = desk.incidents.log(&from).unwrap().head();
    let entries = desk.incidents.log(&into).unwrap().links();
    assert!(matches!(&entries.last().unwrap().entry.event, Event::Absorbed { head: kept, .. } if *kept == head));
}

#[test]
fn a_split_leaves_something_and_takes_something() {
    let mut desk = Desk::new();
    let id = desk.open(&["a-1", "a-2", "a-3"]);
    let split = |alerts: &[&str]| Command::Split {
        alerts: alerts.iter().map(|id| (*id).to_owned()).collect(),
        title: "another cause".to_owned(),
        reason: "other feature".to_owned(),
    };
    assert!(desk.tell(&id, split(&[])).unwrap_err().contains("name at least one"));
    assert!(desk.tell(&id, split(&["a-1", "a-2", "a-3"])).unwrap_err().contains("leave at least one"));
    assert!(desk.tell(&id, split(&["a-9"])).unwrap_err().contains("is not in incident"));
    assert_eq!(desk.tell(&id, split(&["a-2"])), Ok(3));
    let new = desk.get(&id).split_off[0].clone();
    assert_eq!(desk.get(&new).split_from.as_deref(), Some(id.as_str()));
    assert_eq!(desk.incidents.of_alert("a-2"), Some(new.as_str()));
    assert_eq!(desk.incidents.of_alert("a-1"), Some(id.as_str()));
}

#[test]
fn what_is_so_already_is_not_written_again() {
    let mut desk = Desk::new();
    let id = desk.open(&["a-1"]);
    assert_eq!(desk.tell(&id, attach("a-2")), Ok(1));
    assert_eq!(desk.tell(&id, attach("a-2")), Ok(0));
    assert_eq!(desk.tell(&id, Command::Acknowledge), Ok(1));
    assert_eq!(desk.tell(&id, Command::Acknowledge), Ok(0));
    let commander = |person: Option<&str>| Command::Assign { role: Role::Commander, person: person.map(str::to_owned) };
    assert_eq!(desk.tell(&id, commander(Some("ben"))), Ok(1));
    assert_eq!(desk.tell(&id, commander(Some("ben"))), Ok(0));
    assert_eq!(desk.tell(&id, commander(None)), Ok(1));
    assert_eq!(desk.tell(&id, commander(None)), Ok(0));
}

#[test]
fn severity_and_class_come_from_alerts_until_somebody_says_otherwise() {
    let mut desk = Desk::new();
    let id = desk.open(&["a-1"]);
    assert_eq!((desk.get(&id).severity(), desk.get(&id).class()), (IncidentSeverity::Medium, Some(Class::Performance)));
    let paging = AlertFacts { severity: Severity::Page, kind: FindingKind::Poisoning, ..alert("a-2", 60) };
    desk.tell(&id, Command::Attach { alert: paging, reason: "same channel".to_owned() }).unwrap();
    assert_eq!(desk.get(&id).severity(), IncidentSeverity::High);
    assert_eq!(desk.get(&id).class(), Some(Class::Performance), "that of the first alert");
    assert_eq!(desk.get(&id).classes(), [Class::Performance, Class::Security].into());
    desk.tell(&id, Command::Classify { class: Class::Security }).unwrap();
    let critical = Command::SetSeverity { severity: IncidentSeverity::Critical, reason: "people".to_owned() };
    desk.tell(&id, critical).unwrap();
    assert_eq!((desk.get(&id).severity(), desk.get(&id).class()), (IncidentSeverity::Critical, Some(Class::Security)));
    assert_eq!(desk.get(&id).atlas(), ["AML.T0020"].into());
}
