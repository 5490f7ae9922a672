//! Messages as they are shown.

use serde::{Deserialize, Serialize};
use wardline_domain::{NoticeChange, NoticeSubject, Severity, Timestamp};
use wardline_store::metadata::{Message, MessageStatus};

use super::desk::Letter;
use crate::screen::plain;

/// A message, without its longer texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageView {
    /// Its id.
    pub(crate) id: String,
    /// When it was made, or when somebody asked for it again.
    pub(crate) time: Timestamp,
    /// Who is to get it.
    pub(crate) receiver: String,
    /// What became of it.
    pub(crate) status: MessageStatus,
    /// When it is tried or repeated next, where it is.
    pub(crate) due: Option<Timestamp>,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) trouble: Option<String>,
    /// What it tells; nothing where its body cannot be read.
    pub(crate) notice: Option<Told>,
}

/// What a message tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The notice's id, which receivers see.
    pub(crate) id: String,
    /// What it is about.
    pub(crate) subject: NoticeSubject,
    /// The id of the alert or the incident.
    pub(crate) subject_id: String,
    /// What happened to it.
    pub(crate) change: NoticeChange,
    /// How urgent it is.
    pub(crate) severity: Severity,
    /// The models.
    pub(crate) models: Vec<String>,
    /// In one sentence.
    pub(crate) title: String,
}

impl MessageView {
    pub(super) fn of(message: &Message) -> Self {
        let letter = Letter::of(message);
        let is_open = matches!(message.status, MessageStatus::Waiting | MessageStatus::Standing);
        Self {
            id: message.id.clone(),
            time: message.time,
            receiver: message.receiver.clone(),
            status: message.status,
            due: is_open.then_some(message.due),
            attempts: message.attempts,
            trouble: (!message.trouble.is_empty()).then(|| message.trouble.clone()),
            notice: letter.map(|Letter { notice, .. }| Told {
                id: notice.id,
                subject: notice.subject,
                subject_id: notice.subject_id,
                change: notice.change,
                severity: notice.severity,
                models: notice.models,
                title: notice.title,
            }),
        }
    }
}

/// Messages for a terminal.
pub(crate) fn notifications_table(messages: &[MessageView]) -> String {
    if messages.is_empty() {
        return "no notification\n".to_owned();
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["id", "time", "to", "status", "tries", "what"]);
    for message in messages {
        let told = message.notice.as_ref().map_or_else(
            || "cannot be read".to_owned(),
            |told| {
                format!("{} {} {}: {}", told.subject.name(), told.subject_id, told.change.name(), plain(&told.title))
            },
        );
        let trouble = message.trouble.as_ref().map_or_else(String::new, |trouble| format!("\n{}", plain(trouble)));
        table.add_row([
            message.id.clone(),
            message.time.to_string(),
            plain(&message.receiver),
            message.status.name().to_owned(),
            message.attempts.to_string(),
            format!("{told}{trouble}"),
        ]);
    }
    format!("{table}\n")
}
