//! The words of Wardline: record kinds and their Arrow schemas, batches of events, dead letters, the
//! privacy policy, model settings, findings and alerts, and the catalogue of attacks (MITRE ATLAS).
//!
//! **Invariant:** nothing here waits, reads, writes, or looks at a clock. Every other crate speaks in
//! these types, and this crate knows none of them.

mod action;
mod alert;
mod batch;
mod clock;
mod dead_letter;
mod finding;
mod kind;
mod model_settings;
mod name;
mod notice;
mod privacy;
mod refusal;
mod slice;
mod slo;
mod time;

pub mod atlas;
pub mod column;
pub mod schema;

pub use action::{Action, ActionError, ActionReceipt, ActionRequest, Actuator};
pub use alert::{Alert, AlertChange, AlertStatus};
pub use batch::{BatchError, EventBatch, TextColumn};
pub use clock::StreamClock;
pub use dead_letter::{DeadLetter, DeadLetterReason};
pub use finding::{Carrier, Finding, FindingKind, HeldBack, Severity};
pub use kind::{RecordKind, UnknownKind};
pub use model_settings::{Learning, ModelSettings, Objectives, Prices};
pub use name::{class_name, mix_bits, sql_literal, stable_hash};
pub use notice::{Notice, NoticeChange, NoticeError, NoticeLink, NoticeSubject, Notifier};
pub use privacy::{FieldRule, PrivacyError, PrivacyKey, PrivacyPolicy, Treatment};
pub use refusal::is_refusal;
pub use slice::Slice;
pub use slo::{BurnRule, Indicator, Slo, SloMetric};
pub use time::{Span, Timestamp, TimestampError};
