//! Actuators against the real HAProxy, Envoy, nginx, Traefik and MLflow, and against a recording of the API of Kubernetes.

mod envoy;
mod faults;
mod haproxy;
mod http_action;
mod kubernetes;
mod mlflow;
mod nginx;
mod traefik;

pub(crate) mod programs;
pub(crate) mod proxies;
pub(crate) mod registry;
pub(crate) mod server;
pub(crate) mod traffic;

use std::sync::Arc;

use serde_json::Value;
use wardline_adapters::actuators;
use wardline_domain::{Action, ActionRequest, Actuator};

/// An actuator from a table of settings.
pub(crate) fn build(table: Value) -> Arc<dyn Actuator> {
    actuators::build(&table, &|_| None).unwrap()
}

/// Version 2.1 of `fraud` gets a share, and 2.0 the rest.
pub(crate) fn share(percent: f64) -> ActionRequest {
    request(Action::SetShare {
        model: "fraud".to_owned(),
        version: "2.1".to_owned(),
        standing: "2.0".to_owned(),
        percent,
    })
}

pub(crate) fn named(name: &str, parameters: &[(&str, &str)]) -> ActionRequest {
    let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    request(Action::Named { name: name.to_owned(), parameters })
}

pub(crate) fn request(action: Action) -> ActionRequest {
    ActionRequest {
        id: "rollout-7/step-2".to_owned(),
        action,
        reason: "errors of 2.1 are five times those of 2.0".to_owned(),
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}
