//! Any system with an HTTP interface: requests from templates, one for each action that it shall know.
//!
//! An action is `set_share`, `move_alias`, `tag_version`, or a name that a playbook uses (`quarantine_channel`,
//! `revoke_key`, `open_ticket`). Templates know `model`, `version`, `standing`, `percent`, `rest`, `alias`, `from`, `key`,
//! `value`, `name`, `parameters`, `id`, `reason`, `names` and `secrets`; of `id` and `reason`, a request that only reads
//! knows nothing. What a template puts in is escaped for where it goes, so that a name from telemetry stays a name: see
//! `templates`. The header `Idempotency-Key` holds the id of the action.
//!
//! ```toml
//! [[actuators]]
//! name = "gateway"
//! kind = "http"
//! secrets = { token = { file = "/etc/wardline/gateway-token" } }
//!
//! [actuators.actions.revoke_key]
//! url = "https://gateway.internal/keys/{{ parameters.key }}/revoke"
//! headers = { Authorization = "Bearer {{ secrets.token }}" }
//! body = '{"reason": {{ reason }} }'
//!
//! [actuators.actions.revoke_key.read]
//! url = "https://gateway.internal/keys/{{ parameters.key }}"
//! headers = { Authorization = "Bearer {{ secrets.token }}" }
//! pointer = "/state"
//! equals = "revoked"
//! ```

mod templates;

use std::{collections::BTreeMap, path::PathBuf};

use async_trait::async_trait;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use wardline_domain::{Action, ActionRequest};

use self::templates::{Escaping, Templates};
use super::{
    ActuatorSpec, SecretSource,
    checked::{Fault, Target, checked},
    secret::Secret,
    settings::{Ingredients, TimeLimit},
    web::{Answer, Web},
};

pub(super) const SPEC: ActuatorSpec = ActuatorSpec {
    kind: "http",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let limit = settings.time_limit_ms;
        Ok(checked(&ingredients.name, limit, Http::new(&ingredients, settings)?))
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What it does, by name.
    actions: BTreeMap<String, ActionSettings>,
    /// The models that it is for; without any, all.
    #[serde(default)]
    models: Vec<String>,
    /// What the other system calls each version.
    #[serde(default)]
    names: BTreeMap<String, String>,
    /// Where secrets are.
    #[serde(default)]
    secrets: BTreeMap<String, SecretSource>,
    /// Certificates to trust besides those of the system.
    ca_file: Option<PathBuf>,
    #[serde(default = "TimeLimit::seconds::<10>")]
    time_limit_ms: TimeLimit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionSettings {
    #[serde(default = "post")]
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(default)]
    body_is: BodyKind,
    /// Which status means success; without any, all of 200 to 299.
    #[serde(default)]
    statuses: Vec<u16>,
    /// Where in the JSON of an answer success is said, and by which text.
    success: Option<SuccessSettings>,
    /// Where in the JSON of an answer there is something to keep, such as the number of a ticket.
    keep: Option<String>,
    /// How to read back what holds.
    read: Option<ReadSettings>,
}

fn post() -> String {
    "POST".to_owned()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BodyKind {
    #[default]
    Json,
    Form,
    Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuccessSettings {
    pointer: String,
    equals: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadSettings {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Where in the JSON of the answer the state is; without one, the whole answer is the state.
    pointer: Option<String>,
    /// The state that is wanted.
    equals: String,
    /// Whether it takes a while to get there.
    #[serde(default)]
    waits: bool,
}

struct Http {
    settings: Settings,
    secrets: BTreeMap<String, Secret>,
    templates: Templates,
    web: Web,
}

/// What a template is rendered from, and which state is wanted.
struct Aim {
    action: String,
    values: Value,
    wanted: Option<String>,
}

/// The name of an action in the settings.
fn key_of(action: &Action) -> &str {
    match action {
        Action::SetShare { .. } => "set_share",
        Action::MoveAlias { .. } => "move_alias",
        Action::TagVersion { .. } => "tag_version",
        Action::Named { name, .. } => name,
    }
}

fn model_of(action: &Action) -> Option<&str> {
    match action {
        Action::SetShare { model, .. } | Action::MoveAlias { model, .. } | Action::TagVersion { model, .. } => {
            Some(model)
        }
        Action::Named { parameters, .. } => parameters.get("model").map(String::as_str),
    }
}

impl Http {
    fn new(ingredients: &Ingredients<'_>, settings: Settings) -> Result<Self, super::ActuatorSettingsError> {
        let mut secrets = BTreeMap::new();
        for (name, source) in &settings.secrets {
            secrets.extend(ingredients.secret(Some(source))?.map(|secret| (name.clone(), secret)));
        }
        let mut templates = Templates::new();
        for (name, action) in &settings.actions {
            action
                .compile(name, &mut templates)
                .map_err(|reason| ingredients.unusable(format!("`actions.{name}`: {reason}")))?;
        }
        let web = Web::new(settings.time_limit_ms, settings.ca_file.as_ref(), secrets.values().cloned().collect())
            .map_err(|reason| ingredients.unusable(reason))?;
        Ok(Self { settings, secrets, templates, web })
    }

    fn action(&self, name: &str) -> Result<&ActionSettings, Fault> {
        self.settings
            .actions
            .get(name)
            .ok_or_else(|| Fault::Refused(format!("there is no `actions.{name}` in its settings")))
    }

    /// What templates see of an action.
    fn values(&self, action: &Action) -> Value {
        let mut values = match action {
            Action::SetShare { model, version, standing, percent } => {
                json!({"model": model, "version": version, "standing": standing, "percent": percent, "rest": 100.0 - percent})
            }
            Action::MoveAlias { model, alias, version, from } => {
                json!({"model": model, "alias": alias, "version": version, "from": from})
            }
            Action::TagVersion { model, version, key, value } => {
                json!({"model": model, "version": version, "key": key, "value": value})
            }
            Action::Named { name, parameters } => json!({"name": name, "parameters": parameters}),
        };
        if let Some(fields) = values.as_object_mut() {
            // A version that is not listed goes by its own name.
            let versions = ["version", "standing"].iter().filter_map(|key| fields.get(*key)?.as_str());
            let mut names: BTreeMap<String, String> = versions.map(|name| (name.to_owned(), name.to_owned())).collect();
            names.extend(self.settings.names.clone());
            fields.insert("names".to_owned(), json!(names));
        }
        values
    }

    fn render(&self, template: &str, values: &Value) -> Result<String, Fault> {
        let mut values = values.clone();
        let secrets: Result<BTreeMap<&str, String>, String> =
            self.secrets.iter().map(|(name, secret)| Ok((name.as_str(), secret.text()?))).collect();
        if let Some(fields) = values.as_object_mut() {
            fields.insert("secrets".to_owned(), json!(secrets.map_err(Fault::Refused)?));
        }
        self.templates.render(template, &values).map_err(|reason| Fault::Refused(self.web.quoted(&reason)))
    }

    fn request(
        &self,
        method: Method,
        name: &str,
        headers: &BTreeMap<String, String>,
        values: &Value,
    ) -> Result<RequestBuilder, Fault> {
        let url = self.render(&format!("{name}.url"), values)?;
        let mut request = self.web.client().request(method, url);
        for header in headers.keys() {
            request = request.header(header, self.render(&format!("{name}.header.{header}"), values)?);
        }
        Ok(request)
    }
}

impl ActionSettings {
    /// Compiles every template, so that a mistake is found at start-up.
    fn compile(&self, name: &str, templates: &mut Templates) -> Result<(), String> {
        Method::from_bytes(self.method.as_bytes()).map_err(|_| format!("`{}` is no HTTP method", self.method))?;
        templates.add_url(&format!("{name}.url"), &self.url)?;
        for (header, value) in &self.headers {
            templates.add(&format!("{name}.header.{header}"), value, Escaping::Header)?;
        }
        if let Some(body) = &self.body {
            templates.add(&format!("{name}.body"), body, self.body_is.escaping())?;
        }
        if let Some(read) = &self.read {
            templates.add_url(&format!("{name}.read.url"), &read.url)?;
            templates.add(&format!("{name}.read.equals"), &read.equals, Escaping::None)?;
            for (header, value) in &read.headers {
                templates.add(&format!("{name}.read.header.{header}"), value, Escaping::Header)?;
            }
        }
        let pointers = [&self.keep, &self.success.as_ref().map(|success| success.pointer.clone())];
        let pointers = pointers.into_iter().chain(self.read.as_ref().map(|read| &read.pointer)).flatten();
        match pointers.into_iter().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            Some(wrong) => Err(format!("`{wrong}` is no JSON pointer: write it as `/state/name`")),
            None if self.read.is_none() && ["set_share", "move_alias", "tag_version"].contains(&name) => {
                Err("it needs `read`, because a change counts as done only once it is read back".to_owned())
            }
            None => Ok(()),
        }
    }

    /// Whether an answer means success.
    fn check(&self, answer: &Answer, web: &Web) -> Result<(), Fault> {
        let good = if self.statuses.is_empty() {
            (200..300).contains(&answer.status)
        } else {
            self.statuses.contains(&answer.status)
        };
        if !good {
            return Err(web.fault(answer));
        }
        let Some(success) = &self.success else { return Ok(()) };
        let found = answer.json()?.pointer(&success.pointer).map_or_else(|| "nothing".to_owned(), text_of);
        if found == success.equals {
            return Ok(());
        }
        Err(Fault::Refused(format!(
            "it answered {} at `{}`, and not {}",
            web.quoted(&found),
            success.pointer,
            success.equals
        )))
    }
}

impl BodyKind {
    const fn escaping(self) -> Escaping {
        match self {
            Self::Json => Escaping::Json,
            Self::Form => Escaping::Url,
            Self::Text => Escaping::None,
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// A value of an answer as text: 0 and 0.0 are the same, however they are written.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        other => other.to_string(),
    }
}

#[async_trait]
impl Target for Http {
    type Aim = Aim;
    type State = String;

    fn can(&self, action: &Action) -> bool {
        let is_for =
            |model: &str| self.settings.models.is_empty() || self.settings.models.iter().any(|known| known == model);
        let generic = !matches!(action, Action::Named { name, .. } if ["set_share", "move_alias", "tag_version"].contains(&name.as_str()));
        generic && self.settings.actions.contains_key(key_of(action)) && model_of(action).is_none_or(is_for)
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        if matches!(action, Action::SetShare { .. }) {
            super::split::Split::of(action)?;
        }
        let (name, values) = (key_of(action).to_owned(), self.values(action));
        let wanted = match &self.action(&name)?.read {
            Some(_) => Some(self.render(&format!("{name}.read.equals"), &values)?.trim().to_owned()),
            None => None,
        };
        Ok(Aim { action: name, values, wanted })
    }

    async fn observe(&self, aim: &Aim) -> Result<Option<String>, Fault> {
        let Some(read) = &self.action(&aim.action)?.read else { return Ok(None) };
        let request = self.request(Method::GET, &format!("{}.read", aim.action), &read.headers, &aim.values)?;
        let answer = self.web.send(request).await?;
        if answer.status == 404 {
            return Ok(Some("nothing".to_owned()));
        }
        if !(200..300).contains(&answer.status) {
            return Err(self.web.fault(&answer));
        }
        let Some(pointer) = &read.pointer else { return Ok(Some(answer.body.trim().to_owned())) };
        Ok(Some(answer.json()?.pointer(pointer).map_or_else(|| "nothing".to_owned(), text_of)))
    }

    fn holds(&self, aim: &Aim, state: &String) -> bool {
        aim.wanted.as_ref() == Some(state)
    }

    async fn change(
        &self,
        aim: &Aim,
        _before: Option<&String>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let (name, settings) = (&aim.action, self.action(&aim.action)?);
        let mut values = aim.values.clone();
        if let Some(fields) = values.as_object_mut() {
            fields.insert("id".to_owned(), json!(request.id));
            fields.insert("reason".to_owned(), json!(request.reason));
        }
        let method = Method::from_bytes(settings.method.as_bytes()).unwrap_or(Method::POST);
        let mut built = self.request(method, name, &settings.headers, &values)?;
        if !settings.headers.keys().any(|header| header.eq_ignore_ascii_case("idempotency-key")) {
            built = built.header("Idempotency-Key", templates::header_text(&request.id).map_err(Fault::Refused)?);
        }
        if settings.body.is_some() {
            let body = self.render(&format!("{name}.body"), &values)?;
            if settings.body_is == BodyKind::Json && serde_json::from_str::<serde::de::IgnoredAny>(&body).is_err() {
                return Err(Fault::Refused(format!(
                    "`actions.{name}.body` does not make JSON: values bring their own quotes, so write {{\"key\": {{{{ key }}}} }}"
                )));
            }
            if !settings.headers.keys().any(|header| header.eq_ignore_ascii_case("content-type")) {
                built = built.header("Content-Type", settings.body_is.content_type());
            }
            built = built.body(body);
        }
        let answer = self.web.send(built).await?;
        settings.check(&answer, &self.web)?;
        let Some(keep) = &settings.keep else { return Ok(None) };
        Ok(answer.json()?.pointer(keep).map(|kept| self.web.quoted(&text_of(kept))))
    }

    fn describe(&self, _aim: &Aim, state: &String) -> String {
        self.web.quoted(state)
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        aim.wanted.as_deref().map_or_else(String::new, |wanted| self.web.quoted(wanted))
    }

    fn takes_its_time(&self, aim: &Aim) -> bool {
        self.action(&aim.action).is_ok_and(|action| action.read.as_ref().is_some_and(|read| read.waits))
    }
}
