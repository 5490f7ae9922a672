//! Slack, and what takes Slack's messages (Mattermost, Rocket.Chat), through an incoming webhook.
//!
//! ```toml
//! [[notifiers]]
//! name = "ml-alerts"
//! kind = "slack"
//! address = { file = "/etc/wardline/slack-webhook" }
//! ```
//!
//! The address of the webhook is the secret. Whatever comes from telemetry is shown as plain text, in which nothing is a
//! link, a mention or a format.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use wardline_domain::{Notice, NoticeLink, Timestamp};

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
    kind: "slack",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let address = ingredients.needed_secret(&settings.address)?;
        let limit = settings.time_limit_ms;
        let web = Web::new(limit, settings.ca_file.as_ref(), vec![address.clone()])
            .map_err(|reason| ingredients.unusable(reason))?;
        let slack = Slack { web, address };
        slack.url().map_err(|reason| ingredients.unusable(reason))?;
        Ok(timed(&ingredients.name, limit, slack))
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where the address of the webhook is.
    address: SecretSource,
    /// Certificates to trust besides those of the system.
    ca_file: Option<PathBuf>,
    #[serde(default = "TimeLimit::seconds::<10>")]
    time_limit_ms: TimeLimit,
}

/// What Slack takes: longer texts, and more fields, are refused.
const MOST_HEADER: usize = 150;
const MOST_TEXT: usize = 2_900;
const MOST_FIELDS: usize = 10;
const MOST_FIELD: usize = 1_900;

struct Slack {
    web: Web,
    address: Secret,
}

impl Slack {
    fn url(&self) -> Result<reqwest::Url, String> {
        let read = WebAddress::try_from(self.address.text()?);
        // The complaint would hold the address, which is the secret.
        read.map(|address| address.0)
            .map_err(|_| "the secret `address` is no web address: copy it from Slack".to_owned())
    }
}

/// `&`, `<` and `>` begin everything that Slack does not show as it is.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text that stays within a length after escaping.
fn escaped_within(text: &str, most: usize) -> String {
    let (mut shown, mut length) = (String::new(), 0);
    for character in text.chars() {
        let piece = escaped(&character.to_string());
        length += piece.chars().count();
        if most < length {
            shown.push('…');
            break;
        }
        shown.push_str(&piece);
    }
    shown
}

fn plain(text: &str, most: usize) -> Value {
    json!({"type": "plain_text", "text": escaped_within(text, most - 1), "emoji": false})
}

fn link_of(link: &NoticeLink) -> String {
    // `|` would end the address.
    let url = escaped(&link.url.replace('|', "%7C"));
    format!("<{url}|{}>", escaped(&text::one_line(&link.label, 100)).replace('|', "/"))
}

fn message_of(notice: &Notice) -> Value {
    let heading = text::heading(notice);
    let title = text::one_line(&notice.title, MOST_TEXT);
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&format!("{heading}: {}", text::one_line(&notice.models_text(), 80)), MOST_HEADER)}),
        json!({"type": "section", "text": plain(&title, MOST_TEXT)}),
    ];
    if !notice.text.is_empty() {
        blocks.push(json!({"type": "section", "text": plain(&text::lines(&notice.text, MOST_TEXT), MOST_TEXT)}));
    }
    let fields: Vec<Value> = text::fields(notice)
        .iter()
        .take(MOST_FIELDS)
        .map(|(name, value)| plain(&format!("{name}\n{}", text::lines(value, MOST_FIELD)), MOST_FIELD))
        .collect();
    blocks.push(json!({"type": "section", "fields": fields}));
    if !notice.links.is_empty() {
        let links: Vec<String> = notice.links.iter().take(5).map(link_of).collect();
        let text = json!({"type": "mrkdwn", "text": links.join("  "), "verbatim": true});
        blocks.push(json!({"type": "context", "elements": [text]}));
    }
    json!({"text": escaped_within(&format!("{heading}: {title}"), MOST_TEXT), "blocks": blocks})
}

#[async_trait]
impl Receiver for Slack {
    async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Trouble> {
        let url = self.url().map_err(Fault::Refused)?;
        let answer = self.web.send(self.web.client().post(url).json(&message_of(notice))).await?;
        if (200..300).contains(&answer.status) { Ok(()) } else { Err(Trouble::of(&self.web, &answer, now)) }
    }
}
