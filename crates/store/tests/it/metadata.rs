//! Alerts, logs, messages and state that outlive the process: the same tests on SQLite and on a real PostgreSQL.

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use wardline_domain::{Alert, AlertStatus, FindingKind, Severity, Slice, Timestamp};
use wardline_store::{
    Metadata, MetadataError,
    metadata::{
        Acknowledgement, AlertFilter, LogLine, Message, MessageFilter, MessageStatus, Postgres as Address,
        RolloutEntry, State, Together, Verdict,
    },
};

use crate::{postgres::Postgres, rows::monday};

/// Where a test keeps its metadata: a data folder, and a database where it is not in the folder.
struct Place {
    folder: TempDir,
    address: Option<String>,
}

impl Place {
    fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), address: None }
    }

    fn postgres() -> Self {
        Self { address: Some(Postgres::shared().database()), ..Self::sqlite() }
    }

    async fn open(&self) -> Metadata {
        self.try_open().await.unwrap()
    }

    async fn try_open(&self) -> Result<Metadata, MetadataError> {
        let folder = self.folder.path();
        match &self.address {
            None => Metadata::open(&folder.join("metadata.sqlite")).await,
            Some(address) => Metadata::open_postgres(&Address::at(address, None).unwrap(), folder, monday()).await,
        }
    }

    /// Carries out a statement behind the store's back.
    async fn tamper(&self, sql: &'static str) {
        if let Some(address) = &self.address {
            Postgres::shared().ask(address, sql);
            return;
        }
        let file = self.folder.path().join("metadata.sqlite");
        let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
}

/// Runs each test on both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&super::Place::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&super::Place::postgres()).await;
            })*
        }
    };
}

on_both![
    alerts_are_kept_changed_and_found,
    state_is_replaced_and_forgotten,
    the_last_word_on_an_alert_is_kept,
    the_log_of_a_rollout_is_added_to_and_never_changed,
    what_belongs_together_is_written_together,
    lines_come_in_the_order_of_their_bytes,
    a_message_waits_until_it_was_sent_or_given_up,
    any_text_comes_back_as_it_was,
    one_of_many_writers_gets_a_place_in_a_log,
    a_store_of_a_newer_version_is_not_touched,
];

pub(crate) fn alert(number: i64, severity: Severity) -> Alert {
    let time = monday().plus(number * Timestamp::MINUTE);
    Alert {
        id: format!("a-{number}"),
        time,
        updated: time,
        status: AlertStatus::Open,
        kind: FindingKind::Latency,
        severity,
        model: if number % 2 == 0 { "fraud".into() } else { "churn".into() },
        version: Some("1".into()),
        slice: Slice::of("channel", "web"),
        onset: time,
        title: "it is slow".into(),
        atlas: vec![],
        responsible: vec![],
        features: vec![],
        n_findings: 1,
        findings: vec![],
    }
}

async fn alerts_are_kept_changed_and_found(place: &Place) {
    let metadata = place.open().await;
    let alerts: Vec<Alert> =
        (0..6).map(|number| alert(number, if number == 3 { Severity::Page } else { Severity::Ticket })).collect();
    metadata.upsert_alerts(&alerts).await.unwrap();
    let mut closed = alerts[1].clone();
    closed.status = AlertStatus::Closed;
    closed.updated = monday().plus(Timestamp::HOUR);
    metadata.upsert_alerts(std::slice::from_ref(&closed)).await.unwrap();
    metadata.close().await;

    let metadata = place.open().await;
    let ids = |filter: AlertFilter| {
        let metadata = metadata.clone();
        async move { metadata.alerts(&filter).await.unwrap().into_iter().map(|alert| alert.id).collect::<Vec<_>>() }
    };
    assert_eq!(ids(AlertFilter { limit: Some(2), ..AlertFilter::default() }).await, ["a-5", "a-4"]);
    assert_eq!(ids(AlertFilter { status: Some(AlertStatus::Closed), ..AlertFilter::default() }).await, ["a-1"]);
    assert_eq!(ids(AlertFilter { least_severity: Some(Severity::Page), ..AlertFilter::default() }).await, ["a-3"]);
    let model = AlertFilter { model: Some("churn".into()), since: Some(alerts[2].time), ..AlertFilter::default() };
    assert_eq!(ids(model).await, ["a-5", "a-3"]);
    let after = AlertFilter { changed_after: Some((alerts[4].updated, "a-4".into())), ..AlertFilter::default() };
    assert_eq!(ids(after).await, ["a-5", "a-1"]);
    assert_eq!(metadata.alert("a-1").await.unwrap(), Some(closed));
    assert_eq!(metadata.alert("a-9").await.unwrap(), None);
}

async fn state_is_replaced_and_forgotten(place: &Place) {
    let metadata = place.open().await;
    assert_eq!(metadata.get_state("detectors").await.unwrap(), None);
    for sequence in [None, Some(7)] {
        let state = State { sequence, body: (0..=255).cycle().take(100_000).collect() };
        metadata.put_state("detectors", &state).await.unwrap();
        assert_eq!(metadata.get_state("detectors").await.unwrap(), Some(state));
    }
    metadata.remove_state("detectors").await.unwrap();
    assert_eq!(metadata.get_state("detectors").await.unwrap(), None);
}

async fn the_last_word_on_an_alert_is_kept(place: &Place) {
    let metadata = place.open().await;
    let said = |alert: &str, verdict, minute| Acknowledgement {
        alert: alert.to_owned(),
        time: monday().plus(minute * Timestamp::MINUTE),
        verdict,
        note: format!("{minute}"),
    };
    for said in [said("a-2", Verdict::True, 0), said("a-1", Verdict::Known, 1), said("a-2", Verdict::False, 2)] {
        metadata.acknowledge(&said).await.unwrap();
    }
    let expected = [said("a-1", Verdict::Known, 1), said("a-2", Verdict::False, 2)];
    assert_eq!(metadata.acknowledgements().await.unwrap(), expected);
}

async fn the_log_of_a_rollout_is_added_to_and_never_changed(place: &Place) {
    let metadata = place.open().await;
    let entry = |rollout: &str, model: &str, sequence| RolloutEntry {
        rollout: rollout.to_owned(),
        sequence,
        model: model.to_owned(),
        time: monday(),
        body: format!("{{\"step\":{sequence}}}"),
    };
    let (first, second, other) = (entry("r-1", "fraud", 0), entry("r-1", "fraud", 1), entry("r-2", "churn", 0));
    metadata.append_rollout_entries(&[first.clone(), other.clone()]).await.unwrap();
    let taken = RolloutEntry { body: "{}".to_owned(), ..first.clone() };
    assert!(metadata.append_rollout_entries(&[second.clone(), taken]).await.is_err());
    assert_eq!(metadata.rollout_entries(None).await.unwrap(), [first.clone(), other]);
    metadata.append_rollout_entries(std::slice::from_ref(&second)).await.unwrap();
    assert_eq!(metadata.rollout_entries(Some("fraud")).await.unwrap(), [first, second]);
    assert_eq!(metadata.rollout_entries(Some("ads")).await.unwrap(), []);
}

fn line(subject: &str, sequence: u64) -> LogLine {
    LogLine {
        log: "incident".to_owned(),
        subject: subject.to_owned(),
        sequence,
        time: monday().plus(sequence as i64),
        line: format!("{{\"sequence\":{sequence}}}"),
    }
}

fn message(id: &str, due: i64) -> Message {
    Message {
        id: id.to_owned(),
        time: monday(),
        receiver: "pager".to_owned(),
        status: MessageStatus::Waiting,
        due: monday().plus(due),
        attempts: 0,
        trouble: String::new(),
        body: "{}".to_owned(),
    }
}

async fn what_belongs_together_is_written_together(place: &Place) {
    let metadata = place.open().await;
    let state = |byte| State { sequence: Some(u64::from(byte)), body: vec![byte] };
    let good = Together {
        lines: vec![line("i-1", 0), line("i-1", 1)],
        states: vec![("projection".to_owned(), state(1))],
        messages: vec![message("m-1", 0)],
    };
    metadata.write_together(&good).await.unwrap();
    let bad = Together {
        lines: vec![line("i-1", 2), line("i-1", 1)],
        states: vec![("projection".to_owned(), state(2))],
        messages: vec![message("m-2", 0)],
    };
    assert!(metadata.write_together(&bad).await.is_err(), "a line is there already");
    assert_eq!(metadata.log_lines("incident", None).await.unwrap(), good.lines);
    assert_eq!(metadata.get_state("projection").await.unwrap(), Some(state(1)));
    assert_eq!(metadata.messages(MessageStatus::Waiting, 10).await.unwrap(), good.messages);
    metadata.write_together(&Together::default()).await.unwrap();
}

async fn lines_come_in_the_order_of_their_bytes(place: &Place) {
    let metadata = place.open().await;
    let subjects = ["A", "B", "_", "a", "a b", "a-b", "ä"];
    let lines = subjects.iter().rev().flat_map(|subject| [line(subject, 0), line(subject, 10), line(subject, 9)]);
    metadata.write_together(&Together { lines: lines.collect(), ..Together::default() }).await.unwrap();
    let read = metadata.log_lines("incident", None).await.unwrap();
    let found: Vec<(&str, u64)> = read.iter().map(|line| (line.subject.as_str(), line.sequence)).collect();
    let expected: Vec<(&str, u64)> =
        subjects.iter().flat_map(|subject| [(*subject, 0), (*subject, 9), (*subject, 10)]).collect();
    assert_eq!(found, expected);
    assert_eq!(metadata.log_lines("incident", Some("a")).await.unwrap(), [line("a", 0), line("a", 9), line("a", 10)]);
    assert_eq!(metadata.log_lines_from("incident", "a", 9).await.unwrap(), [line("a", 9), line("a", 10)]);
    assert_eq!(metadata.log_lines_from("playbook", "a", 0).await.unwrap(), []);
}

async fn a_message_waits_until_it_was_sent_or_given_up(place: &Place) {
    let metadata = place.open().await;
    let messages = vec![message("m-2", 2), message("m-1", 1), message("m-3", 3)];
    metadata.write_together(&Together { messages, ..Together::default() }).await.unwrap();
    let tried = Message { attempts: 1, due: monday().plus(9), trouble: "503".to_owned(), ..message("m-1", 1) };
    metadata.update_messages(std::slice::from_ref(&tried)).await.unwrap();
    let again = Together { messages: vec![message("m-1", 0)], ..Together::default() };
    metadata.write_together(&again).await.unwrap();
    let waiting = metadata.messages(MessageStatus::Waiting, 2).await.unwrap();
    assert_eq!(waiting, [message("m-2", 2), message("m-3", 3)]);
    for (id, due, status) in [("m-2", 2, MessageStatus::Sent), ("m-3", 3, MessageStatus::Dead)] {
        metadata.update_messages(&[Message { status, ..message(id, due) }]).await.unwrap();
    }
    assert_eq!(metadata.messages(MessageStatus::Waiting, 10).await.unwrap(), [tried]);
    assert_eq!(metadata.messages(MessageStatus::Dead, 10).await.unwrap()[0].id, "m-3");

    let stands = Message { status: MessageStatus::Standing, time: monday().plus(-1), ..message("m-2", 2) };
    metadata.update_messages(std::slice::from_ref(&stands)).await.unwrap();
    let outbox: Vec<String> =
        metadata.outbox("pager", 10).await.unwrap().into_iter().map(|message| message.id).collect();
    assert_eq!(outbox, ["m-2", "m-1"], "the oldest first, whatever is due");
    let filter = |status, receiver: &str| MessageFilter { status, receiver: Some(receiver.to_owned()), limit: 2 };
    let ids = |messages: Vec<Message>| messages.into_iter().map(|message| message.id).collect::<Vec<_>>();
    assert_eq!(ids(metadata.newest_messages(&filter(None, "pager")).await.unwrap()), ["m-1", "m-3"]);
    assert_eq!(ids(metadata.newest_messages(&filter(Some(MessageStatus::Standing), "pager")).await.unwrap()), ["m-2"]);
    assert!(metadata.newest_messages(&filter(None, "mail")).await.unwrap().is_empty());
    assert_eq!(metadata.message("m-2").await.unwrap(), Some(stands));
    assert_eq!(metadata.message("m-9").await.unwrap(), None);
    metadata.forget_messages(monday().plus(1)).await.unwrap();
    assert_eq!(ids(metadata.newest_messages(&filter(None, "pager")).await.unwrap()), ["m-1", "m-2"]);
    // Of an alert and what is told of it, both are there or none.
    metadata.write_alerts(&[], &[message("m-4", 0), message("m-4", 0)]).await.unwrap();
    assert_eq!(metadata.message("m-4").await.unwrap(), Some(message("m-4", 0)));
}

/// Goal: what telemetry holds keeps no alert from being written. Method: names with NUL, and longer than the entry
/// of an index may be.
async fn any_text_comes_back_as_it_was(place: &Place) {
    let metadata = place.open().await;
    let long: String =
        (0..40_000_u32).map(|i| char::from(b'!' + (i.wrapping_mul(2_654_435_761) >> 25) as u8 % 90)).collect();
    let names = ["a\0b", "\u{10FFFF}0", "'; DROP TABLE alert; --", "\\0 \u{1F980} \u{FEFF}", &long];
    for (number, name) in (0..).zip(names) {
        let own = Alert { model: name.into(), version: Some(name.into()), ..alert(number, Severity::Ticket) };
        metadata.upsert_alerts(std::slice::from_ref(&own)).await.unwrap();
        let filter = AlertFilter { model: Some(name.into()), ..AlertFilter::default() };
        assert_eq!(metadata.alerts(&filter).await.unwrap(), std::slice::from_ref(&own));
        let said = Acknowledgement { alert: own.id, time: monday(), verdict: Verdict::True, note: name.into() };
        metadata.acknowledge(&said).await.unwrap();
        assert!(metadata.acknowledgements().await.unwrap().contains(&said));
    }
}

async fn one_of_many_writers_gets_a_place_in_a_log(place: &Place) {
    let metadata = place.open().await;
    let writers = (0..16).map(|writer| {
        let metadata = metadata.clone();
        tokio::spawn(async move {
            let mut own = 0;
            for sequence in 0..8 {
                let mut line = line("i-1", sequence);
                line.line = format!("{writer}");
                let together = Together { lines: vec![line], ..Together::default() };
                own += u32::from(metadata.write_together(&together).await.is_ok());
            }
            own
        })
    });
    let written: u32 = futures::future::join_all(writers).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(written, 8);
    assert_eq!(metadata.log_lines("incident", Some("i-1")).await.unwrap().len(), 8);
}

async fn a_store_of_a_newer_version_is_not_touched(place: &Place) {
    place.open().await.close().await;
    place.tamper("INSERT INTO format (version) VALUES (99)").await;
    let error = place.try_open().await.unwrap_err();
    assert!(matches!(&error, MetadataError::Newer { found: 99, .. }), "{error}");
}
