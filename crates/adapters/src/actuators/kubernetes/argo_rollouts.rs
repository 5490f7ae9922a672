//! Argo Rollouts: a rollout that is under way is aborted, which sends all traffic to the stable version.
//!
//! Only a share of nothing can be had: steps forward are Argo's own. After an abort the rollout still names the new
//! version, and an operator undoes it or deploys another.

use async_trait::async_trait;
use serde_json::{Value, json};
use wardline_domain::{Action, ActionRequest};

use super::{
    super::{
        ActuatorSpec,
        checked::{Fault, Target, checked},
        split::Split,
    },
    cluster::{Change, VersionedObject, must_hold_version, number_at},
};

pub(in super::super) const SPEC: ActuatorSpec = ActuatorSpec {
    kind: "argo_rollouts",
    build: |ingredients| {
        let (object, limit) = VersionedObject::from_settings(&ingredients, ("argoproj.io", "v1alpha1", "rollouts"))?;
        Ok(checked(&ingredients.name, limit, ArgoRollouts(object)))
    },
};

struct ArgoRollouts(VersionedObject);

fn is_aborted(object: &Value) -> bool {
    object.pointer("/status/abort").and_then(Value::as_bool) == Some(true)
}

/// The share of the new version, where a traffic router sets one.
fn canary_weight(object: &Value) -> Option<u64> {
    number_at(object, "/status/canary/weights/canary/weight")
}

#[async_trait]
impl Target for ArgoRollouts {
    /// The version that is stopped.
    type Aim = String;
    type State = Value;

    fn can(&self, action: &Action) -> bool {
        Split::is_of(action, &self.0.model) && matches!(action, Action::SetShare { percent, .. } if *percent == 0.0)
    }

    async fn aim(&self, action: &Action) -> Result<String, Fault> {
        Split::of(action).map(|split| split.version)
    }

    async fn observe(&self, _version: &String) -> Result<Option<Value>, Fault> {
        self.0.object.get().await.map(Some)
    }

    fn holds(&self, _version: &String, object: &Value) -> bool {
        is_aborted(object) && canary_weight(object).is_none_or(|weight| weight == 0)
    }

    async fn change(
        &self,
        version: &String,
        before: Option<&Value>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let Some(object) = before else { return Ok(None) };
        must_hold_version(object, self.0.version_at.as_deref(), version)?;
        let (stable, newest) = (object.pointer("/status/stableRS"), object.pointer("/status/currentPodHash"));
        if stable.is_some() && stable == newest {
            return Err(Fault::Refused(
                "no rollout is under way, because its newest version is the stable one: undo it with `kubectl argo rollouts \
                 undo`"
                    .to_owned(),
            ));
        }
        let patch = json!({"status": {"abort": true}});
        self.0.object.change(Some("status"), Change::Merge(patch), request, object).await.map(|()| None)
    }

    fn describe(&self, _version: &String, object: &Value) -> String {
        let phase = object.pointer("/status/phase").and_then(Value::as_str).unwrap_or("of no phase");
        let aborted = if is_aborted(object) { ", aborted" } else { "" };
        let weight = canary_weight(object).map_or_else(String::new, |weight| format!(", canary {weight} %"));
        format!("{phase}{aborted}{weight}")
    }

    fn describe_aim(&self, _version: &String) -> String {
        "aborted, canary 0 %".to_owned()
    }

    fn takes_its_time(&self, _version: &String) -> bool {
        true
    }
}
