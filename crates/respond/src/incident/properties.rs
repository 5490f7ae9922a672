//! What holds for every sequence of commands, legal or not.

use proptest::prelude::*;
use wardline_domain::Timestamp;

use super::{tests::alert, *};
use crate::chain::{Damage, verify};

/// A command, and which of the incidents it is for.
fn commands() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((0u8..16, 0u8..4, 0u8..8), 1..60)
}

fn command(which: u8, number: u8, ids: &[String]) -> Command {
    let text = || format!("because of {number}");
    let name = format!("a-{number}");
    match which {
        0 | 1 => Command::Attach { alert: alert(&name, i64::from(number)), reason: text() },
        2 => Command::Acknowledge,
        3 => Command::Mitigate { what: text() },
        4 => Command::Resolve { resolution: Resolution::Fixed, what: text() },
        5 => Command::Resolve { resolution: Resolution::FalseAlarm, what: text() },
        6 => Command::Reopen { reason: text() },
        7 => Command::Merge { into: ids[usize::from(number) % ids.len()].clone(), reason: text() },
        8 => Command::Split { alerts: vec![name], title: text(), reason: text() },
        9 => Command::AddTask { title: text(), owner: None, due: None },
        10 => Command::FinishTask { number: u32::from(number), outcome: text() },
        11 => Command::DropTask { number: u32::from(number), reason: text() },
        12 => Command::Assign { role: Role::Commander, person: Some(name) },
        13 => Command::StateImpact { impact: Impact { people: Some(7), basis: text(), ..Impact::default() } },
        14 => Command::SetImpactStart { time: Timestamp::from_micros(1_793_000_000_000_000), basis: text() },
        _ => Command::Note { text: text() },
    }
}

/// What ran, and which commands were not refused.
fn run(steps: &[(u8, u8, u8)]) -> Incidents {
    let mut incidents = Incidents::default();
    let by = Actor::System("correlation".to_owned());
    let mut time = Timestamp::from_micros(1_793_600_000_000_000);
    for number in 0..3 {
        let alerts = vec![alert(&format!("a-{number}"), number)];
        incidents.open(format!("incident {number}"), alerts, None, &by, time).unwrap();
    }
    for &(which, incident, number) in steps {
        time = time.plus(Timestamp::MINUTE);
        let ids: Vec<String> = incidents.iter().map(|incident| incident.id.clone()).collect();
        let id = &ids[usize::from(incident) % ids.len()];
        let before = incidents.clone();
        let command = command(which, number, &ids);
        let resolved = before.get(id).is_some_and(|incident| incident.status == Status::Resolved);
        let attaches = matches!(command, Command::Attach { .. });
        match incidents.execute(id, command, &by, time) {
            Ok(_) => assert!(!(resolved && attaches), "a resolved incident swallowed an alert"),
            Err(_) => assert_eq!(before, incidents, "what is refused changes nothing"),
        }
    }
    incidents
}

proptest! {
    #[test]
    fn a_log_tells_everything_and_alerts_are_in_one_place(steps in commands()) {
        let incidents = run(&steps);
        let mut restored = Incidents::default();
        let mut seen = std::collections::BTreeMap::new();
        for incident in incidents.iter() {
            let log = incidents.log(&incident.id).unwrap();
            let lines = log.to_lines();
            prop_assert_eq!(verify(lines.as_bytes(), Some(&log.head())), vec![]);
            prop_assert_eq!(restored.restore(lines.as_bytes(), Some(&log.head())).unwrap(), incident);
            if incident.status.is_active() {
                for alert in incident.alerts.keys() {
                    prop_assert!(seen.insert(alert.clone(), incident.id.clone()).is_none(), "{} is twice", alert);
                    prop_assert_eq!(incidents.of_alert(alert), Some(incident.id.as_str()));
                }
            }
            let clocks = incident.clocks();
            prop_assert!(clocks.detected.is_some());
            prop_assert_eq!(clocks.resolved.is_some(), incident.status == Status::Resolved);
            if incident.resolution == Some(Resolution::Fixed) {
                prop_assert!(clocks.mitigated.is_some() && clocks.acknowledged.is_some());
            }
        }
        prop_assert_eq!(restored, incidents);
    }

    #[test]
    fn the_same_commands_give_the_same_bytes(steps in commands()) {
        let lines = |incidents: &Incidents| -> Vec<String> {
            incidents.iter().map(|incident| incidents.log(&incident.id).unwrap().to_lines()).collect()
        };
        prop_assert_eq!(lines(&run(&steps)), lines(&run(&steps)));
    }

    #[test]
    fn a_record_that_was_taken_out_or_changed_is_named(steps in commands(), place in 0.0f64..1.0) {
        let incidents = run(&steps);
        let log = incidents.iter().map(|incident| incidents.log(&incident.id).unwrap())
            .max_by_key(|log| log.links().len()).unwrap();
        let at = (place * log.links().len() as f64) as usize;
        let mut lines: Vec<String> = log.links().iter().map(|link| link.line.clone()).collect();
        lines[at] = lines[at].replacen("2026-", "2027-", 1);
        let breaks = verify(lines.join("\n").as_bytes(), Some(&log.head()));
        prop_assert_eq!(&breaks[0].damage, &Damage::Altered);
        prop_assert_eq!(breaks[0].sequence, at as u64);
        lines.remove(at);
        let breaks = verify(lines.join("\n").as_bytes(), Some(&log.head()));
        prop_assert_eq!(&breaks[0].damage, &Damage::Missing);
        prop_assert_eq!(breaks[0].sequence, at as u64);
    }
}
