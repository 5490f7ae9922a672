//! Traefik, through a file of its file provider, read back through its API.
//!
//! The file is ours: it holds one weighted service, and the router names it as `SERVICE@file`. The services between which
//! it splits are defined elsewhere. Traefik takes a second or two to load it (`providersThrottleDuration`).

use std::{collections::BTreeMap, path::PathBuf};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use wardline_domain::{Action, ActionRequest};

use super::{
    ActuatorSpec,
    checked::{Fault, Target, checked},
    file_swap,
    settings::{TimeLimit, Word},
    split::{Names, Split},
    web::{Web, WebAddress, below},
};

pub(super) const SPEC: ActuatorSpec = ActuatorSpec {
    kind: "traefik",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let web = Web::new(settings.time_limit_ms, None, Vec::new()).map_err(|reason| ingredients.unusable(reason))?;
        Ok(checked(&ingredients.name, settings.time_limit_ms, Traefik { settings, web }))
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The model whose traffic is split.
    model: String,
    /// A `.yml` file in the folder of the file provider, written by nobody else.
    file: PathBuf,
    /// The weighted service in it.
    service: Word,
    /// The service of each version, where it is not called like it; `NAME@provider` where it is defined elsewhere.
    #[serde(default)]
    services: BTreeMap<String, String>,
    /// Traefik's API.
    api: WebAddress,
    #[serde(default = "TimeLimit::seconds::<15>")]
    time_limit_ms: TimeLimit,
}

struct Traefik {
    settings: Settings,
    web: Web,
}

/// Services and their weights.
struct Aim(BTreeMap<String, u64>);

impl Traefik {
    fn service(&self, version: &str) -> Result<String, Fault> {
        match self.settings.services.get(version) {
            Some(service) => Ok(service.clone()),
            None => Names::default().of(version).map(|name| name.to_string()),
        }
    }
}

#[async_trait]
impl Target for Traefik {
    type Aim = Aim;
    type State = BTreeMap<String, u64>;

    fn can(&self, action: &Action) -> bool {
        Split::is_of(action, &self.settings.model)
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        let split = Split::of(action)?;
        let weight = u64::from(split.hundredths()?);
        Ok(Aim(BTreeMap::from([
            (self.service(&split.version)?, weight),
            (self.service(&split.standing)?, 10_000 - weight),
        ])))
    }

    async fn observe(&self, _aim: &Aim) -> Result<Option<Self::State>, Fault> {
        let service = format!("{}@file", self.settings.service);
        let request = self.web.client().get(below(&self.settings.api.0, &["api", "http", "services", &service]));
        let answer = self.web.send(request).await?;
        if answer.status == 404 {
            return Ok(Some(BTreeMap::new()));
        }
        if answer.status != 200 {
            return Err(self.web.fault(&answer));
        }
        let found = answer.json()?;
        let services = found.pointer("/weighted/services").and_then(Value::as_array);
        let weight = |service: &Value| {
            // A weight that is not written is 1.
            Some((
                service.get("name")?.as_str()?.to_owned(),
                service.get("weight").and_then(Value::as_u64).unwrap_or(1),
            ))
        };
        Ok(Some(services.into_iter().flatten().filter_map(weight).collect()))
    }

    fn holds(&self, aim: &Aim, state: &Self::State) -> bool {
        // Traefik adds `@file` to a name without a provider.
        let plain = |name: &str| name.strip_suffix("@file").unwrap_or(name).to_owned();
        let plain = |weights: &BTreeMap<String, u64>| -> BTreeMap<String, u64> {
            weights.iter().map(|(name, weight)| (plain(name), *weight)).collect()
        };
        plain(&aim.0) == plain(state)
    }

    async fn change(
        &self,
        aim: &Aim,
        _before: Option<&Self::State>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let services: Vec<Value> = aim.0.iter().map(|(name, weight)| json!({"name": name, "weight": weight})).collect();
        let service = self.settings.service.as_str();
        let file = json!({"http": {"services": {service: {"weighted": {"services": services}}}}});
        let text =
            yaml_serde::to_string(&file).map_err(|error| Fault::Refused(format!("no YAML can be written: {error}")))?;
        let id: String = request.id.chars().filter(|character| !character.is_control()).collect();
        let text = format!("# Written by Wardline ({id}); the next change overwrites what is changed here.\n{text}");
        file_swap::replace(&self.settings.file, &text).await.map(|_| None)
    }

    fn describe(&self, _aim: &Aim, state: &Self::State) -> String {
        if state.is_empty() {
            return format!("no service {}", self.settings.service);
        }
        state.iter().map(|(name, weight)| format!("{name}={weight}")).collect::<Vec<_>>().join(" ")
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        self.describe(aim, &aim.0)
    }

    fn takes_its_time(&self, _aim: &Aim) -> bool {
        true
    }
}
