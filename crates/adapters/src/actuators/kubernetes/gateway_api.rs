//! The Gateway API: weights of the back ends of an `HTTPRoute`.

use serde_json::Value;

use super::{
    super::ActuatorSpec,
    route_weights::{Shape, build},
};

pub(in super::super) const SPEC: ActuatorSpec =
    ActuatorSpec { kind: "gateway_api", build: |ingredients| build(&ingredients, &SHAPE) };

const SHAPE: Shape = Shape {
    group: "gateway.networking.k8s.io",
    version: "v1",
    plural: "httproutes",
    rules: "rules",
    destinations: "backendRefs",
    name_of: |destination| destination.get("name").and_then(Value::as_str),
    name_at: |_| "/name",
    weight_unless_set: 1,
    only_whole_percent: false,
};
