//! Istio: weights of the destinations of a `VirtualService`; a destination is known by its subset, else by its host.

use serde_json::Value;

use super::{
    super::ActuatorSpec,
    route_weights::{Shape, build},
};

pub(in super::super) const SPEC: ActuatorSpec =
    ActuatorSpec { kind: "istio", build: |ingredients| build(&ingredients, &SHAPE) };

const SHAPE: Shape = Shape {
    group: "networking.istio.io",
    version: "v1",
    plural: "virtualservices",
    rules: "http",
    destinations: "route",
    name_of: |destination| {
        let name = |pointer| destination.pointer(pointer).and_then(Value::as_str);
        name("/destination/subset").or_else(|| name("/destination/host"))
    },
    name_at: |destination| {
        if destination.pointer("/destination/subset").is_some() { "/destination/subset" } else { "/destination/host" }
    },
    // Several destinations without weights are not allowed, and one alone takes everything.
    weight_unless_set: 100,
    only_whole_percent: true,
};
