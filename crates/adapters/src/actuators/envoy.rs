//! Envoy, through run-time keys of weighted clusters.
//!
//! The route needs `weighted_clusters.runtime_key_prefix`, and `layered_runtime` an `admin_layer`. Both weights go in one
//! request, so that no request of a client meets one without the other; they hold until Envoy restarts or the keys are
//! deleted, so a rollout that is over belongs into Envoy's configuration.

use async_trait::async_trait;
use serde::Deserialize;
use wardline_domain::{Action, ActionRequest};

use super::{
    ActuatorSpec,
    checked::{Fault, Target, checked},
    settings::{TimeLimit, Word},
    split::{Names, Split},
    web::{Web, WebAddress, below},
};

pub(super) const SPEC: ActuatorSpec = ActuatorSpec {
    kind: "envoy",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let web = Web::new(settings.time_limit_ms, None, Vec::new()).map_err(|reason| ingredients.unusable(reason))?;
        Ok(checked(&ingredients.name, settings.time_limit_ms, Envoy { settings, web }))
    },
};

/// Both weights together: a weight is a share in hundredths of a per cent.
const TOTAL: u32 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The model whose traffic the route splits.
    model: String,
    /// Envoy's admin interface.
    admin: WebAddress,
    /// The route's `runtime_key_prefix`.
    runtime_key_prefix: Word,
    /// The cluster of each version, where it is not called like it.
    #[serde(default)]
    clusters: Names,
    #[serde(default = "TimeLimit::seconds::<2>")]
    time_limit_ms: TimeLimit,
}

struct Envoy {
    settings: Settings,
    web: Web,
}

/// Run-time keys, and what they shall hold.
struct Aim {
    version: Key,
    standing: Key,
}

struct Key {
    name: String,
    weight: u32,
}

/// What the two keys hold; `None` where the configuration decides.
struct State {
    version: Option<u32>,
    standing: Option<u32>,
}

#[async_trait]
impl Target for Envoy {
    type Aim = Aim;
    type State = State;

    fn can(&self, action: &Action) -> bool {
        Split::is_of(action, &self.settings.model)
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        let split = Split::of(action)?;
        let weight = split.hundredths()?;
        let key = |version: &str, weight: u32| -> Result<Key, Fault> {
            let cluster = self.settings.clusters.of(version)?;
            Ok(Key { name: format!("{}.{cluster}", self.settings.runtime_key_prefix), weight })
        };
        Ok(Aim { version: key(&split.version, weight)?, standing: key(&split.standing, TOTAL - weight)? })
    }

    async fn observe(&self, aim: &Aim) -> Result<Option<State>, Fault> {
        let request = self.web.client().get(below(&self.settings.admin.0, &["runtime"]));
        let runtime = self.web.send_well(request).await?.json()?;
        // Keys hold dots and tildes, so they are looked up by name and not by a pointer.
        let weight = |key: &Key| {
            runtime.get("entries")?.get(&key.name)?.get("final_value")?.as_str()?.trim().parse::<u32>().ok()
        };
        Ok(Some(State { version: weight(&aim.version), standing: weight(&aim.standing) }))
    }

    fn holds(&self, aim: &Aim, state: &State) -> bool {
        state.version == Some(aim.version.weight) && state.standing == Some(aim.standing.weight)
    }

    async fn change(
        &self,
        aim: &Aim,
        _before: Option<&State>,
        _request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let mut url = below(&self.settings.admin.0, &["runtime_modify"]);
        for key in [&aim.version, &aim.standing] {
            url.query_pairs_mut().append_pair(&key.name, &key.weight.to_string());
        }
        let answer = self.web.send(self.web.client().post(url)).await?;
        match answer.status {
            200..=299 => Ok(None),
            // It says so with 503, which elsewhere means to come back.
            503 if answer.body.contains("No admin layer") => {
                Err(Fault::Refused("its `layered_runtime` has no `admin_layer`: add one as the last layer".to_owned()))
            }
            _ => Err(self.web.fault(&answer)),
        }
    }

    fn describe(&self, aim: &Aim, state: &State) -> String {
        let weight =
            |weight: Option<u32>| weight.map_or_else(|| "as configured".to_owned(), |weight| weight.to_string());
        format!("{}={} {}={}", aim.version.name, weight(state.version), aim.standing.name, weight(state.standing))
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        self.describe(aim, &State { version: Some(aim.version.weight), standing: Some(aim.standing.weight) })
    }
}
