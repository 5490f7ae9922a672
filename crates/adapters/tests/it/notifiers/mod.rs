//! Notifiers against the real Alertmanager, a real SMTP server, the library that verifies Standard Webhooks, and servers that
//! answer as PagerDuty and Slack do.

mod alertmanager;
mod email;
mod web;

use std::sync::Arc;

use serde_json::Value;
use wardline_adapters::notifiers;
use wardline_domain::{Notice, NoticeChange, NoticeLink, NoticeSubject, Notifier, Severity, Timestamp};

pub(crate) use crate::actuators::{block_on, programs, server};

/// A notifier from a table of settings; every secret of the environment is `very-secret-text-0123456789`.
pub(crate) fn build(table: Value) -> Arc<dyn Notifier> {
    notifiers::build(&table, &|_| Some(SECRET.to_owned())).unwrap()
}

pub(crate) const SECRET: &str = "very-secret-text-0123456789";

/// The time on the wall.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros() as i64)
}

/// What happened to an alert whose texts try to be more than texts.
pub(crate) fn notice(change: NoticeChange) -> Notice {
    let began = now().plus(-10 * Timestamp::MINUTE);
    Notice {
        id: format!("a-17/0/{}", change.name()),
        key: "wardline-a-17".to_owned(),
        subject: NoticeSubject::Alert,
        subject_id: "a-17".to_owned(),
        change,
        severity: Severity::Page,
        kind: "latency".to_owned(),
        models: vec!["fraud <!channel> & co".to_owned()],
        title: "p99 of *fraud* is 900 ms\r\nBcc: everybody@example.org <script>alert(1)</script>".to_owned(),
        text: "since 06:00;\n<https://evil.example|click> {{ .Labels }}".to_owned(),
        time: now(),
        began,
        ended: (change == NoticeChange::Resolved).then(now),
        lasts: true,
        links: vec![NoticeLink {
            label: "the alert".to_owned(),
            url: "https://wardline.example/v1/alerts/a-17".to_owned(),
        }],
        fields: vec![("slice".to_owned(), "channel=<web> \"x\"".to_owned())],
    }
}
