//! Prometheus Alertmanager, through version 2 of its API: it groups, silences and routes further.
//!
//! ```toml
//! [[notifiers]]
//! name = "alertmanager"
//! kind = "alertmanager"
//! url = "http://alertmanager:9093"
//! labels = { team = "ml-platform" }
//! ```
//!
//! What goes on is sent again every minute, with an end four times as far ahead: Alertmanager would otherwise take it for
//! over, and does so by itself where Wardline cannot be heard any more. Its labels are `alertname` (`Wardline`),
//! `alert` or `incident` (the id), `model`, `kind`, `severity`, and those of the settings. An alert that becomes more severe
//! is a new one for Alertmanager, and the old one ends by itself.

use std::{collections::BTreeMap, path::PathBuf};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wardline_domain::{Notice, NoticeChange, Span, Timestamp};

use super::{
    NotifierSpec, text,
    timed::{Receiver, Trouble, timed},
};
use crate::remote::{
    Fault, SecretSource, TimeLimit,
    secret::Secret,
    web::{Web, WebAddress, below},
};

pub(super) const SPEC: NotifierSpec = NotifierSpec {
    kind: "alertmanager",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let secret = ingredients.secret(settings.secret())?;
        settings.check().map_err(|reason| ingredients.unusable(reason))?;
        let limit = settings.time_limit_ms;
        let web = Web::new(limit, settings.ca_file.as_ref(), secret.iter().cloned().collect())
            .map_err(|reason| ingredients.unusable(reason))?;
        Ok(timed(&ingredients.name, limit, Alertmanager { settings, web, secret }))
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Base address, without `/api/v2`.
    url: WebAddress,
    /// Further labels of everything that is sent.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// How often it hears that something goes on.
    #[serde(default = "one_minute")]
    resend_seconds: u32,
    /// Who signs in, with `password`.
    user: Option<String>,
    /// The password of `user`.
    password: Option<SecretSource>,
    /// A bearer token, instead of `user` and `password`.
    token: Option<SecretSource>,
    /// Certificates to trust besides those of the system.
    ca_file: Option<PathBuf>,
    #[serde(default = "TimeLimit::seconds::<10>")]
    time_limit_ms: TimeLimit,
}

const fn one_minute() -> u32 {
    60
}

/// How many times in a row Alertmanager may miss that something goes on.
const MISSED: Span = 4;
/// How long something stands that is told once: longer than groups wait.
const TOLD_ONCE: Span = Timestamp::HOUR;
/// Longest text of an annotation.
const MOST_CHARACTERS: usize = 4_000;

impl Settings {
    fn secret(&self) -> Option<&SecretSource> {
        self.password.as_ref().or(self.token.as_ref())
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=3_600).contains(&self.resend_seconds) {
            return Err(format!("`resend_seconds` is {}, and must lie between 1 and 3600", self.resend_seconds));
        }
        if self.user.is_some() != self.password.is_some() || self.password.is_some() && self.token.is_some() {
            return Err("write `user` and `password`, or `token`, or none of them".to_owned());
        }
        match self.labels.keys().find(|name| !is_label_name(name) || OWN_LABELS.contains(&name.as_str())) {
            Some(name) => Err(format!(
                "`labels.{name}` is no label of yours: use letters, digits and `_`, and none of {}",
                OWN_LABELS.join(", ")
            )),
            None => Ok(()),
        }
    }
}

const OWN_LABELS: [&str; 7] = ["alertname", "alert", "incident", "test", "model", "kind", "severity"];

fn is_label_name(name: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    !name.is_empty() && name.chars().all(is_word) && !name.starts_with(|first: char| first.is_ascii_digit())
}

struct Alertmanager {
    settings: Settings,
    web: Web,
    secret: Option<Secret>,
}

impl Alertmanager {
    fn resend(&self) -> Span {
        Span::from(self.settings.resend_seconds) * Timestamp::SECOND
    }

    /// The alert as Alertmanager reads it.
    fn alert_of(&self, notice: &Notice, now: Timestamp) -> Value {
        let mut labels: Map<String, Value> =
            self.settings.labels.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let own = [
            ("alertname", "Wardline".to_owned()),
            (notice.subject.name(), notice.subject_id.clone()),
            ("model", notice.models_text()),
            ("kind", notice.kind.clone()),
            ("severity", notice.severity.name().to_owned()),
        ];
        labels.extend(own.into_iter().map(|(name, value)| (name.to_owned(), json!(text::one_line(&value, 500)))));
        let mut annotations = Map::new();
        annotations.insert("summary".to_owned(), json!(text::one_line(&notice.title, MOST_CHARACTERS)));
        annotations.insert("description".to_owned(), json!(text::lines(&notice.text, MOST_CHARACTERS)));
        for (name, value) in &notice.fields {
            let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
            annotations.insert(
                format!("field_{}", name.chars().map(plain).collect::<String>()),
                json!(text::lines(value, MOST_CHARACTERS)),
            );
        }
        let ends = match (notice.change, notice.lasts) {
            (NoticeChange::Resolved, _) => now,
            (_, true) => now.plus(MISSED * self.resend()),
            (_, false) => now.plus(TOLD_ONCE),
        };
        let mut alert = json!({
            "startsAt": notice.began.min(now).to_string(), "endsAt": ends.to_string(),
            "labels": labels, "annotations": annotations,
        });
        if let (Some(link), Some(fields)) = (notice.links.first(), alert.as_object_mut()) {
            fields.insert("generatorURL".to_owned(), json!(link.url));
        }
        alert
    }
}

#[async_trait]
impl Receiver for Alertmanager {
    async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Trouble> {
        let url = below(&self.settings.url.0, &["api", "v2", "alerts"]);
        let mut request = self.web.client().post(url).json(&[self.alert_of(notice, now)]);
        if let Some(secret) = &self.secret {
            let secret = secret.text().map_err(Fault::Refused)?;
            request = match &self.settings.user {
                Some(user) => request.basic_auth(user, Some(secret)),
                None => request.bearer_auth(secret),
            };
        }
        let answer = self.web.send(request).await?;
        if (200..300).contains(&answer.status) { Ok(()) } else { Err(Trouble::of(&self.web, &answer, now)) }
    }

    fn repeats_every(&self) -> Option<Span> {
        Some(self.resend())
    }
}
