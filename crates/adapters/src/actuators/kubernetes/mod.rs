//! Objects of Kubernetes that split traffic, changed by patches that say which change they are.

pub(super) mod argo_rollouts;
pub(super) mod gateway_api;
pub(super) mod istio;
pub(super) mod kserve;

mod cluster;
mod route_weights;
