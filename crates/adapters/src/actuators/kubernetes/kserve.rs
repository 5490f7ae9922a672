//! KServe: the share of the newest revision of an `InferenceService`; all else goes to the one before it.
//!
//! `version_at` is a pointer to where the object names its newest version, such as
//! `/spec/predictor/model/storageUri`; with it, a version that was replaced meanwhile is not stopped in its place.

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
    kind: "kserve",
    build: |ingredients| {
        let (object, limit) =
            VersionedObject::from_settings(&ingredients, ("serving.kserve.io", "v1beta1", "inferenceservices"))?;
        Ok(checked(&ingredients.name, limit, Kserve(object)))
    },
};

struct Kserve(VersionedObject);

/// The version that is meant, and its share.
struct Aim {
    version: String,
    percent: u64,
}

/// What is asked for and what holds, for the newest revision.
struct State {
    object: Value,
    asked: Option<u64>,
    served: Option<u64>,
}

/// The share that requests really take, where the object says so; in raw mode it does not.
fn served(object: &Value) -> Option<u64> {
    let traffic = object.pointer("/status/components/predictor/traffic")?.as_array()?;
    let newest = traffic.iter().filter(|target| target.get("latestRevision").and_then(Value::as_bool) == Some(true));
    Some(newest.filter_map(|target| number_at(target, "/percent")).sum())
}

#[async_trait]
impl Target for Kserve {
    type Aim = Aim;
    type State = State;

    fn can(&self, action: &Action) -> bool {
        Split::is_of(action, &self.0.model)
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        let split = Split::of(action)?;
        Ok(Aim { percent: split.whole_percent()?.into(), version: split.version })
    }

    async fn observe(&self, _aim: &Aim) -> Result<Option<State>, Fault> {
        let object = self.0.object.get().await?;
        let asked = number_at(&object, "/spec/predictor/canaryTrafficPercent");
        Ok(Some(State { asked, served: served(&object), object }))
    }

    fn holds(&self, aim: &Aim, state: &State) -> bool {
        state.asked == Some(aim.percent) && state.served.is_none_or(|served| served == aim.percent)
    }

    async fn change(
        &self,
        aim: &Aim,
        before: Option<&State>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let Some(before) = before else { return Ok(None) };
        must_hold_version(&before.object, self.0.version_at.as_deref(), &aim.version)?;
        let patch = json!({"spec": {"predictor": {"canaryTrafficPercent": aim.percent}}});
        self.0.object.change(None, Change::Merge(patch), request, &before.object).await.map(|()| None)
    }

    fn describe(&self, _aim: &Aim, state: &State) -> String {
        let percent =
            |percent: Option<u64>| percent.map_or_else(|| "not set".to_owned(), |percent| format!("{percent} %"));
        match state.served {
            Some(served) => format!("canary {}, served {served} %", percent(state.asked)),
            None => format!("canary {}", percent(state.asked)),
        }
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        format!("canary {} %", aim.percent)
    }

    fn takes_its_time(&self, _aim: &Aim) -> bool {
        true
    }
}
