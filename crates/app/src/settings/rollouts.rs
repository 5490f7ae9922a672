//! `[[actuators]]` and `[rollouts]`: what carries out changes to other systems, and plans that deployments begin.

use std::{path::PathBuf, sync::Arc};

use wardline_adapters::actuators;
use wardline_domain::Actuator;

use super::reader::Reader;

/// Actuators and plans.
#[derive(Clone, Default)]
pub(crate) struct RolloutSettings {
    /// Every actuator.
    pub(crate) actuators: Vec<Arc<dyn Actuator>>,
    /// A folder of rollout files; a deployment of such a version begins its rollout.
    pub(crate) folder: Option<PathBuf>,
}

impl std::fmt::Debug for RolloutSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.actuators.iter().map(|actuator| actuator.name()).collect();
        f.debug_struct("RolloutSettings").field("actuators", &names).field("folder", &self.folder).finish()
    }
}

impl RolloutSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut built: Vec<Arc<dyn Actuator>> = Vec::new();
        for (key, table) in reader.raw_items("actuators") {
            let made = serde_json::to_value(table).map_err(|error| error.to_string()).and_then(|table| {
                actuators::build(&table, &|name| std::env::var(name).ok()).map_err(|error| error.to_string())
            });
            match made {
                Ok(actuator) if built.iter().any(|known| known.name() == actuator.name()) => {
                    let what = format!("is named `{}`, as another one is", actuator.name());
                    reader.problem(&key, what, Some("give each actuator a name of its own"));
                }
                Ok(actuator) => built.push(actuator),
                Err(error) => reader.problem(&key, format!("cannot be used: {error}"), None),
            }
        }
        let folder = reader.section("rollouts", |section| section.text("folder").map(PathBuf::from));
        Self { actuators: built, folder }
    }
}
