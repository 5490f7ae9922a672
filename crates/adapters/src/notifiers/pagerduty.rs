//! PagerDuty, through version 2 of its Events API.
//!
//! ```toml
//! [[notifiers]]
//! name = "on-call"
//! kind = "pagerduty"
//! routing_key = { environment = "PAGERDUTY_ROUTING_KEY" }
//! ```
//!
//! Everything about one alert or incident has one `dedup_key`: it triggers once, is acknowledged and resolved. Severities:
//! a page is `critical`, a ticket `warning`, and what is on record `info`.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wardline_domain::{Notice, NoticeChange, Severity, Timestamp};

use super::{
    NotifierSpec, text,
    timed::{Receiver, Trouble, timed},
};
use crate::remote::{
    Fault, SecretSource, TimeLimit,
    secret::Secret,
    web::{Web, WebAddress},
};

pub(super) const SPEC: NotifierSpec = NotifierSpec {
    kind: "pagerduty",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let key = ingredients.needed_secret(&settings.routing_key)?;
        let limit = settings.time_limit_ms;
        let web = Web::new(limit, settings.ca_file.as_ref(), vec![key.clone()])
            .map_err(|reason| ingredients.unusable(reason))?;
        Ok(timed(&ingredients.name, limit, PagerDuty { settings, web, key }))
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where the integration's key is.
    routing_key: SecretSource,
    /// Where events go; the service in the EU has another address.
    #[serde(default = "usual_address")]
    url: WebAddress,
    /// What PagerDuty shows as the source.
    #[serde(default = "wardline")]
    source: String,
    /// Certificates to trust besides those of the system.
    ca_file: Option<PathBuf>,
    #[serde(default = "TimeLimit::seconds::<10>")]
    time_limit_ms: TimeLimit,
}

#[allow(clippy::expect_used, reason = "a constant that every test reads")]
fn usual_address() -> WebAddress {
    WebAddress::try_from("https://events.pagerduty.com/v2/enqueue".to_owned()).expect("it is an address")
}

fn wardline() -> String {
    "wardline".to_owned()
}

/// What PagerDuty takes.
const MOST_SUMMARY: usize = 1_024;
const MOST_KEY: usize = 255;
const MOST_DETAIL: usize = 4_000;

struct PagerDuty {
    settings: Settings,
    web: Web,
    key: Secret,
}

const fn severity_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "critical",
        Severity::Ticket => "warning",
        Severity::Info => "info",
    }
}

impl PagerDuty {
    fn event_of(&self, notice: &Notice, routing_key: &str) -> Value {
        let action = match notice.change {
            NoticeChange::Opened | NoticeChange::Changed => "trigger",
            NoticeChange::Acknowledged => "acknowledge",
            NoticeChange::Resolved => "resolve",
        };
        let key = text::one_line(&notice.key, MOST_KEY);
        let mut event = json!({"routing_key": routing_key, "event_action": action, "dedup_key": key});
        if action != "trigger" {
            return event;
        }
        let mut details: Map<String, Value> = text::fields(notice)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(text::lines(&value, MOST_DETAIL))))
            .collect();
        details.insert("text".to_owned(), json!(text::lines(&notice.text, MOST_DETAIL)));
        let links: Vec<Value> = notice
            .links
            .iter()
            .map(|link| json!({"href": link.url, "text": text::one_line(&link.label, 200)}))
            .collect();
        let payload = json!({
            "summary": text::one_line(&notice.title, MOST_SUMMARY), "source": self.settings.source,
            "severity": severity_of(notice.severity), "timestamp": notice.began.to_string(),
            "component": text::one_line(&notice.models_text(), 200), "group": notice.subject.name(), "class": notice.kind,
            "custom_details": details,
        });
        if let Some(fields) = event.as_object_mut() {
            fields.extend([
                ("payload".to_owned(), payload),
                ("links".to_owned(), json!(links)),
                ("client".to_owned(), json!("Wardline")),
            ]);
        }
        event
    }
}

#[async_trait]
impl Receiver for PagerDuty {
    async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Trouble> {
        let key = self.key.text().map_err(Fault::Refused)?;
        let request = self.web.client().post(self.settings.url.0.clone()).json(&self.event_of(notice, &key));
        let answer = self.web.send(request).await?;
        if (200..300).contains(&answer.status) { Ok(()) } else { Err(Trouble::of(&self.web, &answer, now)) }
    }
}
