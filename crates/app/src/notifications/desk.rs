//! Where notifications are decided and asked about.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use wardline_detect::Silence;
use wardline_domain::{
    Alert, AlertChange, Notice, NoticeChange, NoticeError, NoticeSubject, Notifier, Severity, Span, Timestamp,
};
use wardline_respond::incident::{Incident, Incidents, Recorded};
use wardline_store::metadata::{Message, MessageFilter, MessageStatus, Metadata, MetadataError};

use super::{
    alert_notice, incident_notice,
    routing::{self, Facts, Receiver},
    view::MessageView,
};
use crate::{
    pipeline::{self, Metrics},
    settings::{NotificationSettings, Route, Settings},
};

/// Notifications of a server.
pub(crate) struct NotificationDesk {
    pub(super) metadata: Metadata,
    pub(super) metrics: Arc<Metrics>,
    pub(super) notifiers: BTreeMap<String, Arc<dyn Notifier>>,
    routes: Vec<Route>,
    silences: Vec<Silence>,
    labels: BTreeMap<String, BTreeMap<String, String>>,
    default_labels: BTreeMap<String, String>,
    address: Option<String>,
    pub(super) give_up_after: Span,
    pub(super) most_attempts: u32,
    /// Tells the runner that there is something to send; the number only has to change.
    pub(super) news: watch::Sender<u64>,
}

/// Why nothing was sent to try a notifier.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    /// There is none of this name.
    #[error("there is no notifier `{name}`: the settings have {known}")]
    NoSuchNotifier {
        /// What was written.
        name: String,
        /// Every notifier.
        known: String,
    },
    /// It did not arrive.
    #[error(transparent)]
    NotSent(#[from] NoticeError),
}

impl NotificationDesk {
    /// A desk under the settings of a server.
    pub(crate) fn new(metadata: Metadata, metrics: Arc<Metrics>, settings: &Settings) -> Self {
        let NotificationSettings { notifiers, routes, address, give_up_after, most_attempts } = &settings.notifications;
        let labels = settings.models.iter().map(|(model, own)| (model.clone(), own.labels.clone()));
        Self {
            metadata,
            metrics,
            notifiers: notifiers.iter().map(|each| (each.name().to_owned(), Arc::clone(each))).collect(),
            routes: routes.clone(),
            silences: settings.alerts.silences.clone(),
            labels: labels.collect(),
            default_labels: settings.model_default.labels.clone(),
            address: address.clone(),
            give_up_after: *give_up_after,
            most_attempts: *most_attempts,
            news: watch::Sender::new(0),
        }
    }

    /// Messages about alerts, to be written together with them.
    pub(crate) fn messages_for_alerts(&self, changes: &[AlertChange]) -> Vec<Message> {
        let mut messages = Vec::new();
        for change in changes {
            let alert = change.alert();
            if self.routes.is_empty() || routing::is_silenced(&self.silences, alert) {
                continue;
            }
            let labels = self.labels.get(&alert.model).unwrap_or(&self.default_labels);
            let Some(notice) = alert_notice::notice_of(change, self.address.as_deref(), labels) else { continue };
            let receivers = routing::receivers(&self.routes, &Facts::of_alert(alert), &notice);
            self.add(&mut messages, &notice, &alert_notice::openings(alert), &receivers);
        }
        messages
    }

    /// Messages about an alert that is told once, such as what a rollout did.
    pub(crate) fn messages_for_told(&self, alert: &Alert) -> Vec<Message> {
        self.messages_for_alerts(&[AlertChange::Raised(alert.clone())])
    }

    /// Messages about incidents after what was recorded of them, to be written together with it.
    pub(crate) fn messages_for_incidents(&self, incidents: &Incidents, recorded: &[Recorded]) -> Vec<Message> {
        let mut messages = Vec::new();
        let mut done: Vec<&str> = Vec::new();
        for record in recorded {
            let id = record.incident.as_str();
            if self.routes.is_empty() || done.contains(&id) {
                continue;
            }
            done.push(id);
            let Some(incident) = incidents.get(id) else { continue };
            if self.is_silenced(incident) {
                continue;
            }
            let of_it = recorded.iter().filter(|record| record.incident == id);
            let facts = Facts {
                about: NoticeSubject::Incident,
                models: incident.models(),
                kinds: incident.alerts.values().map(|attached| attached.alert.kind).collect(),
                classes: incident.classes(),
            };
            for notice in incident_notice::notices_of(incident, of_it, self.address.as_deref()) {
                let receivers = routing::receivers(&self.routes, &facts, &notice);
                self.add(&mut messages, &notice, &incident_notice::openings(incident), &receivers);
            }
        }
        messages
    }

    fn is_silenced(&self, incident: &Incident) -> bool {
        let mut alerts = incident.alerts.values().map(|attached| &attached.alert).peekable();
        alerts.peek().is_some()
            && alerts.all(|alert| self.silences.iter().any(|silence| routing::silences_facts(silence, alert)))
    }

    /// Adds a notice to each of its receivers. `openings` are the ids by which they were told that there is something.
    fn add(&self, messages: &mut Vec<Message>, notice: &Notice, openings: &[String], receivers: &[Receiver]) {
        let now = pipeline::now();
        for receiver in receivers {
            let mut notice = notice.clone();
            // For whom a ticket was too little, a page is new.
            let is_first = !receiver.knows_less_severe && notice.severity > Severity::Info;
            if notice.change == NoticeChange::Changed && is_first && openings.contains(&notice.id) {
                notice.change = NoticeChange::Opened;
            }
            // An opening, or that it is more severe, is told in any case.
            let only_after = if openings.contains(&notice.id) {
                Vec::new()
            } else {
                openings.iter().map(|opening| message_id(opening, &receiver.name)).collect()
            };
            // What is told of one thing keeps its order by its time.
            let time = now.plus(messages.len() as Span);
            match message_of(Letter { notice, only_after }, &receiver.name, time) {
                Ok(message) => messages.push(message),
                Err(error) => {
                    tracing::error!(error = %error, receiver = %receiver.name, "a notice cannot be written down")
                }
            }
        }
    }

    /// Says that messages were written.
    pub(crate) fn wake(&self) {
        self.news.send_modify(|number| *number = number.wrapping_add(1));
    }

    /// Messages, the newest first.
    pub(crate) async fn views(&self, filter: &MessageFilter) -> Result<Vec<MessageView>, MetadataError> {
        let messages = self.metadata.newest_messages(filter).await?;
        Ok(messages.iter().map(MessageView::of).collect())
    }

    /// Tries a message again, at once and as if it were new; `None` where there is none of that id.
    pub(crate) async fn retry(&self, id: &str) -> Result<Option<MessageView>, MetadataError> {
        let Some(mut message) = self.metadata.message(id).await? else { return Ok(None) };
        let now = pipeline::now();
        // What arrived is not sent again.
        if matches!(message.status, MessageStatus::Dead | MessageStatus::Waiting) {
            if message.status == MessageStatus::Dead {
                message.time = now;
            }
            message.status = MessageStatus::Waiting;
            message.due = now;
            message.attempts = 0;
            self.metadata.update_messages(std::slice::from_ref(&message)).await?;
            self.wake();
        }
        Ok(Some(MessageView::of(&message)))
    }

    /// Sends a notice that says that it is a test.
    pub(crate) async fn test(&self, name: &str) -> Result<(), TestError> {
        let Some(notifier) = self.notifiers.get(name) else {
            let names: Vec<&str> = self.notifiers.keys().map(String::as_str).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(TestError::NoSuchNotifier { name: name.to_owned(), known });
        };
        let now = pipeline::now();
        Ok(notifier.send(&test_notice(now), now).await?)
    }
}

fn test_notice(now: Timestamp) -> Notice {
    let id = format!("test-{}", now.micros());
    Notice {
        key: format!("wardline-{id}"),
        subject: NoticeSubject::Test,
        subject_id: id.clone(),
        id,
        change: NoticeChange::Opened,
        severity: Severity::Info,
        kind: "test".to_owned(),
        models: vec!["none".to_owned()],
        title: "A test of Wardline's notifications: nothing is wrong".to_owned(),
        text: String::new(),
        time: now,
        began: now,
        ended: None,
        lasts: false,
        links: Vec::new(),
        fields: Vec::new(),
    }
}

/// What a message holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) notice: Notice,
    /// Where none of these messages arrived, the receiver knows nothing of what this one is about, and does not get it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) only_after: Vec<String>,
}

impl Letter {
    pub(super) fn of(message: &Message) -> Option<Self> {
        serde_json::from_str(&message.body).ok()
    }
}

/// The id of a message follows from what it tells whom.
fn message_id(notice: &str, receiver: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [notice, receiver] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    format!("n-{}", &hasher.finalize().to_hex()[..20])
}

fn message_of(letter: Letter, receiver: &str, time: Timestamp) -> Result<Message, serde_json::Error> {
    Ok(Message {
        id: message_id(&letter.notice.id, receiver),
        time,
        receiver: receiver.to_owned(),
        status: MessageStatus::Waiting,
        due: time,
        attempts: 0,
        trouble: String::new(),
        body: serde_json::to_string(&letter)?,
    })
}
