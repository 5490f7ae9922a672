//! The REST interface of MLflow 2 and 3, as far as it is used here.

use std::{collections::BTreeMap, path::PathBuf};

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    ActuatorSettingsError, SecretSource,
    checked::Fault,
    secret::Secret,
    settings::{Ingredients, TimeLimit},
    web::{Answer, Web, WebAddress, below},
};

/// Settings of a registry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrySettings {
    /// The tracking server.
    url: WebAddress,
    /// Its user, where `token` is a password; without one, `token` is a bearer token.
    user: Option<String>,
    /// Where the token or password is.
    token: Option<SecretSource>,
    /// Certificates to trust besides those of the system.
    ca_file: Option<PathBuf>,
    /// The registered model of each model; where one is listed, no other is touched, and where none is, each goes by its
    /// own name.
    #[serde(default)]
    models: BTreeMap<String, String>,
    /// The number of each version in the registry, where versions are called otherwise.
    #[serde(default)]
    versions: BTreeMap<String, String>,
    #[serde(default = "TimeLimit::seconds::<10>")]
    pub(super) time_limit_ms: TimeLimit,
}

/// A registry.
pub(super) struct Rest {
    settings: RegistrySettings,
    secret: Option<Secret>,
    web: Web,
}

impl Rest {
    pub(super) fn new(
        ingredients: &Ingredients<'_>,
        settings: RegistrySettings,
    ) -> Result<Self, ActuatorSettingsError> {
        let secret = ingredients.secret(settings.token.as_ref())?;
        let web = Web::new(settings.time_limit_ms, settings.ca_file.as_ref(), secret.iter().cloned().collect())
            .map_err(|reason| ingredients.unusable(reason))?;
        Ok(Self { settings, secret, web })
    }

    /// Whether the model is one that may be touched.
    pub(super) fn knows(&self, model: &str) -> bool {
        self.settings.models.is_empty() || self.settings.models.contains_key(model)
    }

    /// The name of a model in the registry.
    pub(super) fn model(&self, model: &str) -> String {
        self.settings.models.get(model).map_or(model, String::as_str).to_owned()
    }

    /// The number of a version in the registry.
    pub(super) fn version(&self, version: &str) -> Result<String, Fault> {
        let number = self.settings.versions.get(version).map_or(version, String::as_str);
        if !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit()) {
            return Ok(number.to_owned());
        }
        Err(Fault::Refused(format!("version {version} is no number of the registry: list it in `versions`")))
    }

    fn request(&self, method: Method, call: &str, query: &[(&str, &str)]) -> Result<RequestBuilder, Fault> {
        let mut parts = vec!["api", "2.0", "mlflow"];
        parts.extend(call.split('/'));
        let mut url = below(&self.settings.url.0, &parts);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.web.client().request(method, url);
        let Some(secret) = &self.secret else { return Ok(request) };
        let secret = secret.text().map_err(Fault::Refused)?;
        Ok(match &self.settings.user {
            Some(user) => request.basic_auth(user, Some(secret)),
            None => request.bearer_auth(secret),
        })
    }

    async fn get(&self, call: &str, query: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.web.send(self.request(Method::GET, call, query)?).await
    }

    async fn post(&self, call: &str, body: &Value) -> Result<(), Fault> {
        let answer = self.web.send(self.request(Method::POST, call, &[])?.json(body)).await?;
        if answer.status == 200 { Ok(()) } else { Err(self.fault(&answer)) }
    }

    async fn get_json(&self, call: &str, query: &[(&str, &str)]) -> Result<Value, Fault> {
        let answer = self.get(call, query).await?;
        if answer.status == 200 { answer.json() } else { Err(self.fault(&answer)) }
    }

    fn fault(&self, answer: &Answer) -> Fault {
        if answer.status == 403 && answer.body.contains("Invalid Host header") {
            return Fault::Refused("it does not serve this host name: start it with `--allowed-hosts`".to_owned());
        }
        let message = serde_json::from_str::<Value>(&answer.body).ok();
        let message = message.as_ref().and_then(|body| body.get("message")).and_then(Value::as_str);
        match (answer.status, message) {
            (400..=499, Some(message)) if answer.status != 429 => {
                Fault::Refused(format!("it answered {}: {}", answer.status, self.web.quoted(message)))
            }
            _ => self.web.fault(answer),
        }
    }

    /// A registered model with its aliases and tags.
    pub(super) async fn registered(&self, model: &str) -> Result<RegisteredModel, Fault> {
        Ok(RegisteredModel(self.get_json("registered-models/get", &[("name", model)]).await?))
    }

    pub(super) async fn set_alias(&self, model: &str, alias: &str, version: &str) -> Result<(), Fault> {
        self.post("registered-models/alias", &json!({"name": model, "alias": alias, "version": version})).await
    }

    pub(super) async fn version_tag(&self, model: &str, version: &str, key: &str) -> Result<Option<String>, Fault> {
        let found = self.get_json("model-versions/get", &[("name", model), ("version", version)]).await?;
        Ok(tag_of(found.pointer("/model_version/tags"), key))
    }

    pub(super) async fn set_version_tag(
        &self,
        model: &str,
        version: &str,
        key: &str,
        value: &str,
    ) -> Result<(), Fault> {
        let body = json!({"name": model, "version": version, "key": key, "value": value});
        self.post("model-versions/set-tag", &body).await
    }

    pub(super) async fn set_model_tag(&self, model: &str, key: &str, value: &str) -> Result<(), Fault> {
        self.post("registered-models/set-tag", &json!({"name": model, "key": key, "value": value})).await
    }

    /// What a version was trained on, as `name@digest`: a version only knows its run, and the run its inputs.
    pub(super) async fn training_datasets(&self, model: &str, version: &str) -> Result<Vec<String>, Fault> {
        let found = self.get_json("model-versions/get", &[("name", model), ("version", version)]).await?;
        let Some(run) = text_at(&found, "/model_version/run_id").filter(|run| !run.is_empty()) else {
            return Ok(Vec::new());
        };
        let found = self.get_json("runs/get", &[("run_id", &run)]).await?;
        let inputs = found.pointer("/run/inputs/dataset_inputs").and_then(Value::as_array);
        let mut datasets: Vec<String> =
            inputs.into_iter().flatten().filter(|input| is_training(input)).filter_map(named).collect();
        datasets.sort();
        Ok(datasets)
    }
}

/// A registered model, as the registry tells of it.
pub(super) struct RegisteredModel(Value);

impl RegisteredModel {
    /// Every alias, and the version that it points to.
    pub(super) fn aliases(&self) -> Vec<(String, String)> {
        let aliases = self.0.pointer("/registered_model/aliases").and_then(Value::as_array);
        let pair = |entry: &Value| Some((text_at(entry, "/alias")?, text_at(entry, "/version")?));
        aliases.into_iter().flatten().filter_map(pair).collect()
    }

    /// The version that an alias points to.
    pub(super) fn alias(&self, alias: &str) -> Option<String> {
        self.aliases().into_iter().find(|(name, _)| name == alias).map(|(_, version)| version)
    }

    /// The value of a tag.
    pub(super) fn tag(&self, key: &str) -> Option<String> {
        tag_of(self.0.pointer("/registered_model/tags"), key)
    }
}

/// Whether a run's input is what it learned from: said so, or nothing said.
fn is_training(input: &Value) -> bool {
    let context = tag_of(input.get("tags"), "mlflow.data.context");
    context.is_none_or(|context| context.contains("train"))
}

fn named(input: &Value) -> Option<String> {
    Some(format!("{}@{}", text_at(input, "/dataset/name")?, text_at(input, "/dataset/digest")?))
}

fn text_at(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn tag_of(tags: Option<&Value>, key: &str) -> Option<String> {
    let tags = tags.and_then(Value::as_array)?;
    tags.iter().find(|tag| text_at(tag, "/key").as_deref() == Some(key)).and_then(|tag| text_at(tag, "/value"))
}
