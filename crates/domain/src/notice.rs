//! Notices: what happened to an alert or an incident, told to people; and the port of whatever tells it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Severity, Span, Timestamp};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeSubject {
    /// An alert.
    Alert,
    /// An incident.
    Incident,
    /// Nothing: somebody tries whether notices arrive.
    Test,
}

impl NoticeSubject {
    /// The name in JSON and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Incident => "incident",
            Self::Test => "test",
        }
    }
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeChange {
    /// It is new.
    Opened,
    /// It is more severe, or there is more to say of it.
    Changed,
    /// Somebody took it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl NoticeChange {
    /// The name in JSON and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Where there is more to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeLink {
    /// What is there.
    pub label: String,
    /// Its address.
    pub url: String,
}

/// One thing that happened to an alert or an incident. Its texts may come from telemetry: whoever shows them escapes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for the same happening, so that it is told once.
    pub id: String,
    /// The same for all that happens to one alert or incident, so that a receiver keeps it together.
    pub key: String,
    /// What it is about.
    pub subject: NoticeSubject,
    /// The id of the alert or the incident.
    pub subject_id: String,
    /// What happened to it.
    pub change: NoticeChange,
    /// How urgent it is.
    pub severity: Severity,
    /// What is wrong: a finding's kind, or an incident's class.
    pub kind: String,
    /// The models that it concerns.
    pub models: Vec<String>,
    /// In one sentence.
    pub title: String,
    /// In some more, where there is more to say.
    pub text: String,
    /// When this happened.
    pub time: Timestamp,
    /// When what it tells of began.
    pub began: Timestamp,
    /// When it ended, where it has.
    pub ended: Option<Timestamp>,
    /// Whether a later notice says that it is over; otherwise it is told once, and that is all.
    pub lasts: bool,
    /// Where there is more to read.
    pub links: Vec<NoticeLink>,
    /// What else is known, by name and in the order in which to show it.
    pub fields: Vec<(String, String)>,
}

impl Notice {
    /// Whether what it tells of goes on, as far as is known.
    pub fn goes_on(&self) -> bool {
        self.lasts && self.change != NoticeChange::Resolved
    }

    /// `models` as one text.
    pub fn models_text(&self) -> String {
        self.models.join(", ")
    }
}

/// Why a receiver did not take a notice.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// It cannot be reached, or asks to come back: it may be tried again.
    #[error("{receiver} cannot be reached: {reason}")]
    Unreachable {
        /// The notifier.
        receiver: String,
        /// What happened, and what to do.
        reason: String,
        /// How long it asks to be left alone, where it says so.
        wait: Option<Span>,
    },
    /// It said no, and would say it again.
    #[error("{receiver} refused: {reason}")]
    Refused {
        /// The notifier.
        receiver: String,
        /// What it said, and what to do.
        reason: String,
    },
}

impl NoticeError {
    /// Whether another attempt may do better.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// How long the receiver asks to be left alone.
    pub const fn wait(&self) -> Option<Span> {
        match self {
            Self::Unreachable { wait, .. } => *wait,
            Self::Refused { .. } => None,
        }
    }
}

/// Tells one receiver. What it sends twice carries the same ids, so that the receiver can tell.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Its name in the settings.
    fn name(&self) -> &str;

    /// How often the receiver wants to hear that something still goes on; `None` where once is enough.
    fn repeats_every(&self) -> Option<Span> {
        None
    }

    /// Sends a notice; `now` is the time on the wall.
    ///
    /// # Errors
    /// [`NoticeError`], which says whether another attempt may do better.
    async fn send(&self, notice: &Notice, now: Timestamp) -> Result<(), NoticeError>;
}
