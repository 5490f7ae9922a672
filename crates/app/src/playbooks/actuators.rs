//! Which actuator carries out an action of a playbook.

use std::{collections::BTreeMap, sync::Arc};

use wardline_domain::{Action, Actuator};

use super::freeze::FREEZE_EVIDENCE;
use crate::settings::Settings;

/// Every actuator of the settings, and which one is meant where several could.
#[derive(Clone, Default)]
pub(crate) struct Actuators {
    all: Vec<Arc<dyn Actuator>>,
    /// Names of actuators by names of actions.
    named: BTreeMap<String, String>,
}

/// The name of an action in `[playbooks.actuators]`.
fn name_of(action: &Action) -> &str {
    match action {
        Action::SetShare { .. } => "set_share",
        Action::MoveAlias { .. } => "move_alias",
        Action::TagVersion { .. } => "tag_version",
        Action::Named { name, .. } => name,
    }
}

impl Actuators {
    /// Those of the settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { all: settings.rollouts.actuators.clone(), named: settings.playbooks.actuators.clone() }
    }

    /// Whether an action freezes evidence, and the settings name no actuator for it: then the product does it itself.
    pub(super) fn is_frozen_here(&self, action: &Action) -> bool {
        name_of(action) == FREEZE_EVIDENCE && !self.named.contains_key(FREEZE_EVIDENCE)
    }

    /// The actuator that carries out an action.
    ///
    /// # Errors
    /// Why there is none, or which of several is meant, and what to do.
    pub(crate) fn of(&self, action: &Action) -> Result<&Arc<dyn Actuator>, String> {
        let name = name_of(action);
        if let Some(named) = self.named.get(name) {
            let found = self.all.iter().find(|actuator| actuator.name() == named);
            let found = found.ok_or_else(|| {
                format!("`playbooks.actuators.{name}` names `{named}`, and there is no such actuator in the settings")
            })?;
            return if found.can(action) {
                Ok(found)
            } else {
                Err(format!("the actuator `{named}` cannot do `{name}` for this: see `playbooks.actuators.{name}`"))
            };
        }
        let able: Vec<&Arc<dyn Actuator>> = self.all.iter().filter(|actuator| actuator.can(action)).collect();
        match able.as_slice() {
            [only] => Ok(only),
            [] => Err(format!(
                "no actuator of the settings can do `{name}` for this: add [[actuators]] of kind \"http\" with `actions.{name}`, or one that can"
            )),
            several => {
                let names: Vec<&str> = several.iter().map(|actuator| actuator.name()).collect();
                Err(format!(
                    "{} can all do `{name}`: say which one with `{name} = \"{}\"` in [playbooks.actuators]",
                    names.join(", "),
                    names.first().copied().unwrap_or_default()
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wardline_adapters::actuators;

    use super::*;

    fn gateway(name: &str) -> Arc<dyn Actuator> {
        let table = json!({
            "name": name, "kind": "http", "actions": {"revoke_key": {"url": "http://127.0.0.1:9/{{ parameters.key }}"}},
        });
        actuators::build(&table, &|_| None).unwrap()
    }

    fn found(names: &[&str], named: &[(&str, &str)], action: &str) -> Result<String, String> {
        let named = named.iter().map(|(action, name)| ((*action).to_owned(), (*name).to_owned())).collect();
        let actuators = Actuators { all: names.iter().map(|name| gateway(name)).collect(), named };
        let action =
            Action::Named { name: action.to_owned(), parameters: [("key".to_owned(), "k-1".to_owned())].into() };
        actuators.of(&action).map(|actuator| actuator.name().to_owned())
    }

    #[test]
    fn one_that_can_is_taken_and_of_several_the_one_that_is_named() {
        assert_eq!(found(&["a"], &[], "revoke_key").unwrap(), "a");
        assert_eq!(found(&["a", "b"], &[("revoke_key", "b")], "revoke_key").unwrap(), "b");
        insta::assert_snapshot!(found(&["a", "b"], &[], "revoke_key").unwrap_err(), @r#"a, b can all do `revoke_key`: say which one with `revoke_key = "a"` in [playbooks.actuators]"#);
        insta::assert_snapshot!(found(&["a"], &[], "open_ticket").unwrap_err(), @r#"no actuator of the settings can do `open_ticket` for this: add [[actuators]] of kind "http" with `actions.open_ticket`, or one that can"#);
        let cannot = found(&["a"], &[("open_ticket", "a")], "open_ticket").unwrap_err();
        assert!(cannot.starts_with("the actuator `a` cannot do `open_ticket`"), "{cannot}");
    }
}
