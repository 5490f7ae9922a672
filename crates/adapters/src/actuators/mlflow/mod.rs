//! The model registry of MLflow: aliases, tags, and which training data a version came from.
//!
//! MLflow keeps no history of aliases and knows no compare-and-set. So the history of our own moves is kept beside the
//! model, as the tag `wardline.alias_history.ALIAS`, written before the move; and an alias is moved only from the version
//! that is meant, where the action names one.
//!
//! The action `pin_dataset` (`model`, `version`) marks the model's training data as good: it follows the version to its
//! run and that run's inputs, and notes their names and digests as the tag `wardline.training_dataset`.

mod history;
mod reader;
mod rest;

use async_trait::async_trait;
use wardline_domain::{Action, ActionRequest};

pub use self::{
    history::{AliasHistory, AliasMove},
    reader::{AliasReader, AliasState},
};

use self::rest::{RegistrySettings, Rest};
use super::{
    ActuatorSpec,
    checked::{Fault, Target, checked},
};

pub(super) const SPEC: ActuatorSpec = ActuatorSpec {
    kind: "mlflow",
    build: |ingredients| {
        let settings: RegistrySettings = ingredients.read()?;
        Ok(checked(&ingredients.name, settings.time_limit_ms, Mlflow { rest: Rest::new(&ingredients, settings)? }))
    },
};

const PIN_DATASET: &str = "pin_dataset";
const DATASET_TAG: &str = "wardline.training_dataset";

/// How many of our own moves of an alias are kept.
const MOST_MOVES: usize = 20;

struct Mlflow {
    rest: Rest,
}

/// What an action means in the registry.
enum Aim {
    Alias { model: String, alias: String, version: String, from: Option<String> },
    VersionTag { model: String, version: String, key: String, value: String },
    Dataset { model: String, datasets: String },
}

impl Mlflow {
    /// Notes the move before it is made: a crash leaves a note too many, never a move that nobody remembers.
    async fn note_move(
        &self,
        model: &str,
        alias: &str,
        noted: Option<&str>,
        entry: AliasNote<'_>,
    ) -> Result<(), Fault> {
        let mut moves: Vec<serde_json::Value> =
            noted.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        moves.retain(|earlier| earlier.get("request").and_then(|id| id.as_str()) != Some(entry.request));
        moves.push(serde_json::json!({
            "from": entry.from, "to": entry.to, "request": entry.request, "reason": entry.reason,
        }));
        let excess = moves.len().saturating_sub(MOST_MOVES);
        let kept = serde_json::Value::from(moves.split_off(excess)).to_string();
        self.rest.set_model_tag(model, &history_tag(alias), &kept).await
    }
}

fn history_tag(alias: &str) -> String {
    format!("wardline.alias_history.{alias}")
}

/// What holds.
struct State {
    /// The version, the value of the tag, or the datasets; `None` where there is none yet.
    found: Option<String>,
    /// The moves of the alias that are noted.
    noted: Option<String>,
}

struct AliasNote<'a> {
    from: Option<&'a str>,
    to: &'a str,
    request: &'a str,
    reason: &'a str,
}

#[async_trait]
impl Target for Mlflow {
    type Aim = Aim;
    type State = State;

    fn can(&self, action: &Action) -> bool {
        let model = match action {
            Action::MoveAlias { model, .. } | Action::TagVersion { model, .. } => model,
            Action::Named { name, parameters } if name == PIN_DATASET && parameters.contains_key("version") => {
                let Some(model) = parameters.get("model") else { return false };
                model
            }
            _ => return false,
        };
        self.rest.knows(model)
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        match action {
            Action::MoveAlias { model, alias, version, from } => Ok(Aim::Alias {
                model: self.rest.model(model),
                alias: alias.clone(),
                version: self.rest.version(version)?,
                from: from.as_deref().map(|from| self.rest.version(from)).transpose()?,
            }),
            Action::TagVersion { model, version, key, value } => Ok(Aim::VersionTag {
                model: self.rest.model(model),
                version: self.rest.version(version)?,
                key: key.clone(),
                value: value.clone(),
            }),
            Action::Named { parameters, .. } => {
                let parameter = |name: &str| parameters.get(name).map_or("", String::as_str);
                let (model, version) = (self.rest.model(parameter("model")), self.rest.version(parameter("version"))?);
                let datasets = self.rest.training_datasets(&model, &version).await?;
                if datasets.is_empty() {
                    return Err(Fault::Refused(format!(
                        "the run of version {version} of {model} names no training data: log it with `mlflow.log_input`"
                    )));
                }
                Ok(Aim::Dataset { model, datasets: datasets.join(" ") })
            }
            Action::SetShare { .. } => Err(Fault::Refused("a registry sends no traffic".to_owned())),
        }
    }

    async fn observe(&self, aim: &Aim) -> Result<Option<State>, Fault> {
        // A registry may take a while for each answer, so one call tells where the alias points and what is noted of it.
        let state = match aim {
            Aim::Alias { model, alias, .. } => {
                let model = self.rest.registered(model).await?;
                State { found: model.alias(alias), noted: model.tag(&history_tag(alias)) }
            }
            Aim::VersionTag { model, version, key, .. } => {
                State { found: self.rest.version_tag(model, version, key).await?, noted: None }
            }
            Aim::Dataset { model, .. } => {
                State { found: self.rest.registered(model).await?.tag(DATASET_TAG), noted: None }
            }
        };
        Ok(Some(state))
    }

    fn holds(&self, aim: &Aim, state: &State) -> bool {
        let (Aim::Alias { version: wanted, .. }
        | Aim::VersionTag { value: wanted, .. }
        | Aim::Dataset { datasets: wanted, .. }) = aim;
        state.found.as_ref() == Some(wanted)
    }

    async fn change(
        &self,
        aim: &Aim,
        before: Option<&State>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        match aim {
            Aim::Alias { model, alias, version, from } => {
                let now = before.and_then(|state| state.found.as_deref());
                if from.is_some() && from.as_deref() != now {
                    return Err(Fault::Refused(format!(
                        "the alias {alias} of {model} points to version {}, and no longer to {}: somebody else moved it, \
                         so it stays",
                        now.unwrap_or("none"),
                        from.as_deref().unwrap_or("none")
                    )));
                }
                let entry = AliasNote { from: now, to: version, request: &request.id, reason: &request.reason };
                self.note_move(model, alias, before.and_then(|state| state.noted.as_deref()), entry).await?;
                self.rest.set_alias(model, alias, version).await?;
            }
            Aim::VersionTag { model, version, key, value } => {
                if !request.reason.is_empty() {
                    self.rest.set_version_tag(model, version, &format!("{key}.reason"), &request.reason).await?;
                }
                self.rest.set_version_tag(model, version, key, value).await?;
            }
            Aim::Dataset { model, datasets } => self.rest.set_model_tag(model, DATASET_TAG, datasets).await?,
        }
        Ok(None)
    }

    fn describe(&self, aim: &Aim, state: &State) -> String {
        let found = state.found.as_deref().unwrap_or("none");
        match aim {
            Aim::Alias { alias, .. } => format!("{alias} is version {found}"),
            Aim::VersionTag { version, key, .. } => format!("{key} of version {version} is {found}"),
            Aim::Dataset { .. } => format!("training data is {found}"),
        }
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        let (Aim::Alias { version: wanted, .. }
        | Aim::VersionTag { value: wanted, .. }
        | Aim::Dataset { datasets: wanted, .. }) = aim;
        self.describe(aim, &State { found: Some(wanted.clone()), noted: None })
    }
}
