//! What tells people and other systems of alerts and incidents.
//!
//! **Invariants**, kept in one place (`timed`): everything has a time limit, and nothing is retried here, since whoever sends
//! has written down what is to be sent. What is sent twice carries the same ids. No secret is in a message or an error, and
//! every text from telemetry is escaped in the receiver's own syntax.

mod alertmanager;
mod base64;
mod email;
mod pagerduty;
mod slack;
mod text;
mod timed;
mod webhook;

use std::sync::Arc;

use wardline_domain::Notifier;

use crate::remote::{self, Part};
pub use crate::remote::{Environment, RemoteSettingsError, SecretSource};

/// How a kind of notifier is made.
type NotifierSpec = remote::Spec<Arc<dyn Notifier>>;

/// Every kind there is.
const NOTIFIERS: &[NotifierSpec] = &[alertmanager::SPEC, email::SPEC, pagerduty::SPEC, slack::SPEC, webhook::SPEC];

/// The kinds of notifiers there are.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    NOTIFIERS.iter().map(|spec| spec.kind)
}

/// Makes a notifier from its table in the settings: `name`, `kind`, and what its kind takes.
///
/// # Errors
/// [`RemoteSettingsError`], with the name of the notifier, for what is missing, unknown or not usable.
pub fn build(
    table: &serde_json::Value,
    environment: Environment<'_>,
) -> Result<Arc<dyn Notifier>, RemoteSettingsError> {
    remote::build(Part::Notifier, NOTIFIERS, table, environment)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn complaint(table: serde_json::Value) -> String {
        match build(&table, &|_| None) {
            Ok(notifier) => format!("{} was built", notifier.name()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_said() {
        insta::assert_snapshot!(complaint(json!({"kind": "slack"})), @"a notifier has no `name`: give it one, such as `on-call`");
        insta::assert_snapshot!(complaint(json!({"name": "a", "kind": "fax"})), @"the notifier `a` is of kind `fax`, which there is not: use one of `alertmanager`, `email`, `pagerduty`, `slack`, `webhook`");
        let open = json!({"name": "a", "kind": "slack", "address": "https://hooks.slack.com/services/T/B/x"});
        insta::assert_snapshot!(complaint(open), @r#"the settings of the notifier `a` cannot be used: a secret does not stand in the settings: write `{ file = "/path" }` or `{ environment = "NAME" }`"#);
        let hidden = json!({"name": "a", "kind": "pagerduty", "routing_key": {"environment": "PAGERDUTY_KEY"}});
        insta::assert_snapshot!(complaint(hidden), @"the settings of the notifier `a` cannot be used: the variable `PAGERDUTY_KEY` of the environment, which holds a secret, is not set: set it");
        let slow = json!({"name": "a", "kind": "alertmanager", "url": "http://a", "time_limit_ms": 0});
        insta::assert_snapshot!(complaint(slow), @"the settings of the notifier `a` cannot be used: `time_limit_ms` is 0, and must lie between 1 and 600000");
    }

    #[test]
    fn every_kind_refuses_an_unknown_setting() {
        for kind in kinds() {
            let error = complaint(json!({"name": "x", "kind": kind, "no_such_setting": 1}));
            assert!(error.contains("no_such_setting") || error.contains("missing field"), "{kind}: {error}");
        }
    }
}
