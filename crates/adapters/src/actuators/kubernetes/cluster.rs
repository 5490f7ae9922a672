//! A cluster, and one object in it.

use std::{path::PathBuf, time::Duration};

use kube::{
    Client, Config, Error,
    config::{KubeConfigOptions, Kubeconfig},
    core::{
        Request,
        params::{GetParams, Patch, PatchParams},
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use wardline_domain::ActionRequest;

use super::super::{
    ActuatorSettingsError, SecretSource,
    checked::Fault,
    secret::Secret,
    settings::{Ingredients, TimeLimit, Word},
    web::WebAddress,
};

/// Where our changes are said to be ours, so that people and tools that would put them back can see why.
const ANNOTATION: &str = "wardline.io/last-action";

/// How to reach a cluster; without anything, the one that Wardline runs in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterSettings {
    /// A kubeconfig file.
    kubeconfig: Option<PathBuf>,
    /// Which of its contexts.
    context: Option<String>,
    /// The address of the API server, in place of a kubeconfig.
    server: Option<WebAddress>,
    /// Where its token is.
    token: Option<SecretSource>,
    /// Certificates of the API server.
    ca_file: Option<PathBuf>,
}

/// Which object, by the path of its kind.
pub(super) struct ObjectSettings {
    pub(super) group: &'static str,
    pub(super) version: String,
    pub(super) plural: &'static str,
    pub(super) namespace: Word,
    pub(super) name: Word,
}

/// Settings of an actuator that changes one object, which may name its newest version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionedSettings {
    /// The model that it serves.
    model: String,
    namespace: Word,
    object: Word,
    #[serde(default)]
    cluster: ClusterSettings,
    /// Where the object names its newest version, such as `/spec/template/spec/containers/0/image`.
    version_at: Option<String>,
    #[serde(default = "TimeLimit::seconds::<30>")]
    time_limit_ms: TimeLimit,
}

/// An object that serves versions of a model.
pub(super) struct VersionedObject {
    pub(super) model: String,
    pub(super) version_at: Option<String>,
    pub(super) object: Object,
}

impl VersionedObject {
    /// The object that the settings name, of the kind of this path; and how long a change may take.
    pub(super) fn from_settings(
        ingredients: &Ingredients<'_>,
        (group, version, plural): (&'static str, &str, &'static str),
    ) -> Result<(Self, TimeLimit), ActuatorSettingsError> {
        let VersionedSettings { model, namespace, object: name, cluster, version_at, time_limit_ms } =
            ingredients.read()?;
        let object = ObjectSettings { group, version: version.to_owned(), plural, namespace, name };
        let object = Object::new(ingredients, cluster, object, time_limit_ms)?;
        Ok((Self { model, version_at, object }, time_limit_ms))
    }
}

/// One object of a cluster.
pub(super) struct Object {
    object: ObjectSettings,
    cluster: ClusterSettings,
    secret: Option<Secret>,
    limit: Duration,
    client: OnceCell<Client>,
}

/// A change of an object.
pub(super) enum Change {
    /// What shall hold, merged into what does.
    Merge(Value),
    /// Operations that only hold together.
    Operations(Vec<Value>),
}

impl Object {
    pub(super) fn new(
        ingredients: &Ingredients<'_>,
        cluster: ClusterSettings,
        object: ObjectSettings,
        limit: TimeLimit,
    ) -> Result<Self, ActuatorSettingsError> {
        if cluster.kubeconfig.is_some() && cluster.server.is_some() {
            return Err(ingredients.unusable("`cluster` has both `kubeconfig` and `server`: keep one"));
        }
        if cluster.context.is_some() && cluster.kubeconfig.is_none() {
            return Err(ingredients.unusable("`cluster.context` is of a `kubeconfig`, and there is none"));
        }
        let secret = ingredients.secret(cluster.token.as_ref())?;
        Ok(Self { object, cluster, secret, limit: limit.duration(), client: OnceCell::new() })
    }

    async fn config(&self) -> Result<Config, String> {
        if let Some(path) = &self.cluster.kubeconfig {
            let file = Kubeconfig::read_from(path).map_err(|error| error.to_string())?;
            let options = KubeConfigOptions { context: self.cluster.context.clone(), ..KubeConfigOptions::default() };
            return Config::from_custom_kubeconfig(file, &options).await.map_err(|error| error.to_string());
        }
        if let Some(server) = &self.cluster.server {
            let mut config = Config::new(server.0.as_str().parse().map_err(|error| format!("{error}"))?);
            match (&self.cluster.token, &self.secret) {
                // Read anew now and then, as tokens of service accounts are replaced.
                (Some(SecretSource::File(path)), _) => {
                    config.auth_info.token_file = Some(path.to_string_lossy().into_owned());
                }
                (_, Some(secret)) => config.auth_info.token = Some(secret.text()?.into()),
                _ => {}
            }
            config.root_cert_file.clone_from(&self.cluster.ca_file);
            return Ok(config);
        }
        Config::incluster_dns().map_err(|error| error.to_string())
    }

    async fn client(&self) -> Result<&Client, Fault> {
        let connect = async {
            let mut config = self.config().await?;
            config.connect_timeout = Some(self.limit);
            config.read_timeout = Some(self.limit);
            // Whoever asks decides whether to ask again.
            config.default_retry = false;
            // It panics where several providers of cryptography are built in and none is chosen; it is refused where one is.
            let _ = rustls::crypto::ring::default_provider().install_default();
            Client::try_from(config).map_err(|error| error.to_string())
        };
        let client = self.client.get_or_try_init(|| connect).await;
        client.map_err(|reason: String| Fault::Refused(format!("its cluster cannot be used ({reason}): see `cluster`")))
    }

    fn path(&self) -> String {
        let ObjectSettings { group, version, plural, namespace, .. } = &self.object;
        format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}")
    }

    /// The object as it is.
    pub(super) async fn get(&self) -> Result<Value, Fault> {
        let request = Request::new(self.path()).get(self.object.name.as_str(), &GetParams::default());
        let request = request.map_err(|error| Fault::Refused(error.to_string()))?;
        self.client().await?.request(request).await.map_err(|error| self.fault(error))
    }

    /// Changes the object, or a part of it with rights of its own, and says in it who did.
    pub(super) async fn change(
        &self,
        part: Option<&str>,
        change: Change,
        request: &ActionRequest,
        now: &Value,
    ) -> Result<(), Fault> {
        let note = format!("{}: {}", request.id, request.reason);
        let (patch, media_type) = match change {
            Change::Merge(mut patch) => {
                // A part such as the status takes no annotations.
                if let (None, Some(fields)) = (part, patch.as_object_mut()) {
                    fields.insert("metadata".to_owned(), json!({"annotations": {ANNOTATION: note}}));
                }
                (patch, "application/merge-patch+json")
            }
            Change::Operations(mut operations) => {
                if now.pointer("/metadata/annotations").is_none() {
                    operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
                }
                let path = format!("/metadata/annotations/{}", ANNOTATION.replace('/', "~1"));
                operations.push(json!({"op": "add", "path": path, "value": note}));
                (Value::from(operations), "application/json-patch+json")
            }
        };
        let (resource, name) = (Request::new(self.path()), self.object.name.as_str());
        let parameters = PatchParams { field_manager: Some("wardline".to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(patch);
        let built = match part {
            Some(part) => resource.patch_subresource(part, name, &parameters, &patch),
            None => resource.patch(name, &parameters, &patch),
        };
        let mut built = built.map_err(|error| Fault::Refused(error.to_string()))?;
        if let Ok(media_type) = media_type.parse() {
            built.headers_mut().insert("content-type", media_type);
        }
        self.client().await?.request::<Value>(built).await.map(|_| ()).map_err(|error| self.fault(error))
    }

    fn fault(&self, error: Error) -> Fault {
        let ObjectSettings { plural, namespace, name, .. } = &self.object;
        let object = format!("{plural} {namespace}/{name}");
        let Error::Api(status) = error else {
            return Fault::Unreachable(format!(
                "its API server does not answer for {object} ({}): see `cluster`",
                said(&error)
            ));
        };
        let said = format!("{object}: {} ({})", status.message.trim(), status.code);
        match status.code {
            401 | 403 => Fault::Refused(format!("{said}; its role needs `get` and `patch` on {plural}")),
            409 | 422 => Fault::Unreachable(format!("{said}; somebody else changed it in between, or it does not fit")),
            408 | 429 | 500..=599 => Fault::Unreachable(said),
            _ => Fault::Refused(said),
        }
    }
}

fn said(error: &Error) -> String {
    let mut reasons = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        reasons.push(inner.to_string());
        cause = inner.source();
    }
    reasons.dedup();
    reasons.join(": ")
}

/// A number at a pointer.
pub(super) fn number_at(object: &Value, pointer: &str) -> Option<u64> {
    object.pointer(pointer).and_then(Value::as_u64)
}

/// Whether a text names a version: as itself, or as the end of an address or an image.
pub(super) fn names_version(text: &str, version: &str) -> bool {
    let before = text.strip_suffix(version).map(|before| before.strip_suffix('v').unwrap_or(before));
    before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':', '@', '-', '_']))
}

/// Complains where the object no longer holds the version that is meant: a later one must not be stopped for it.
pub(super) fn must_hold_version(object: &Value, pointer: Option<&str>, version: &str) -> Result<(), Fault> {
    let Some(pointer) = pointer else { return Ok(()) };
    let found = object.pointer(pointer).and_then(Value::as_str).unwrap_or("nothing");
    if names_version(found, version) {
        return Ok(());
    }
    Err(Fault::Refused(format!(
        "its newest version is {found} (at `{pointer}`), and not {version}, so it stays as it is"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_not_taken_for_one_that_ends_alike() {
        for text in ["2.1", "v2.1", "s3://models/fraud/2.1", "registry/fraud:v2.1", "fraud-2.1"] {
            assert!(names_version(text, "2.1"), "{text}");
        }
        for text in ["12.1", "2.1.1", "s3://models/fraud/12.1", "nothing"] {
            assert!(!names_version(text, "2.1"), "{text}");
        }
    }
}
