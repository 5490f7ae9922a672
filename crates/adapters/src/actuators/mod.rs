//! What carries out actions in other systems: proxies, meshes, registries, and anything with an HTTP interface.
//!
//! **Invariants**, kept in one place (`checked`): a change counts as done only once the target shows it; what holds already
//! is not changed; everything has a time limit; nothing is retried here, since whoever asks knows whether it still matters.
//! No secret is in a message, no shell is run, and no name from telemetry can become a command, a path or an address.

mod checked;
mod envoy;
mod file_swap;
mod haproxy;
mod http;
mod kubernetes;
mod mlflow;
mod nginx;
mod settings;
mod split;
mod traefik;

use std::sync::Arc;

use wardline_domain::Actuator;

pub use self::mlflow::{AliasHistory, AliasMove, AliasReader, AliasState};
use crate::remote::{self, secret, web};
pub use crate::remote::{Environment, Part, RemoteSettingsError as ActuatorSettingsError, SecretSource};

/// How a kind of actuator is made.
type ActuatorSpec = remote::Spec<Arc<dyn Actuator>>;

/// Every kind there is.
const ACTUATORS: &[ActuatorSpec] = &[
    kubernetes::argo_rollouts::SPEC,
    envoy::SPEC,
    kubernetes::gateway_api::SPEC,
    haproxy::SPEC,
    http::SPEC,
    kubernetes::istio::SPEC,
    kubernetes::kserve::SPEC,
    mlflow::SPEC,
    nginx::SPEC,
    traefik::SPEC,
];

/// The kinds of actuators there are.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    ACTUATORS.iter().map(|spec| spec.kind)
}

/// Makes an actuator from its table in the settings: `name`, `kind`, and what its kind takes.
///
/// # Errors
/// [`ActuatorSettingsError`], with the name of the actuator, for what is missing, unknown or not usable.
pub fn build(
    table: &serde_json::Value,
    environment: Environment<'_>,
) -> Result<Arc<dyn Actuator>, ActuatorSettingsError> {
    remote::build(Part::Actuator, ACTUATORS, table, environment)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn complaint(table: serde_json::Value) -> String {
        match build(&table, &|_| None) {
            Ok(actuator) => format!("{} was built", actuator.name()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_said() {
        assert_eq!(complaint(json!({"kind": "haproxy"})), "an actuator has no `name`: give it one, such as `edge`");
        insta::assert_snapshot!(complaint(json!({"name": "edge", "kind": "f5"})), @"the actuator `edge` is of kind `f5`, which there is not: use one of `argo_rollouts`, `envoy`, `gateway_api`, `haproxy`, `http`, `istio`, `kserve`, `mlflow`, `nginx`, `traefik`");
        let edge = json!({"name": "edge", "kind": "haproxy", "model": "fraud", "adress": "unix:/x", "backend": "be"});
        insta::assert_snapshot!(complaint(edge), @"the settings of the actuator `edge` cannot be used: unknown field `adress`, expected one of `model`, `address`, `backend`, `servers`, `at_zero`, `time_limit_ms`");
        let slow = json!({"name": "e", "kind": "envoy", "model": "fraud", "admin": "http://a", "runtime_key_prefix": "p", "time_limit_ms": 0});
        insta::assert_snapshot!(complaint(slow), @"the settings of the actuator `e` cannot be used: `time_limit_ms` is 0, and must lie between 1 and 600000");
        let open = json!({"name": "e", "kind": "envoy", "model": "fraud", "admin": "http://a:secret@b", "runtime_key_prefix": "p"});
        insta::assert_snapshot!(complaint(open), @"the settings of the actuator `e` cannot be used: an address holds a password: set it as a secret");
    }

    #[test]
    fn every_kind_refuses_an_unknown_setting_and_a_missing_secret() {
        for kind in kinds() {
            let error = complaint(json!({"name": "x", "kind": kind, "no_such_setting": 1}));
            assert!(error.contains("no_such_setting") || error.contains("missing field"), "{kind}: {error}");
        }
        let hidden =
            json!({"name": "r", "kind": "mlflow", "url": "http://h", "token": {"environment": "MLFLOW_TOKEN"}});
        insta::assert_snapshot!(complaint(hidden), @"the settings of the actuator `r` cannot be used: the variable `MLFLOW_TOKEN` of the environment, which holds a secret, is not set: set it");
    }
}
