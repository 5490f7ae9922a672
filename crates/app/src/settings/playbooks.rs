//! `[playbooks]`: a folder of playbooks beside those that come with the product, and who carries out what.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use wardline_domain::Actuator;

use super::reader::Reader;

/// Playbooks.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlaybookSettings {
    /// A folder of CACAO 2.0 files (`.json`).
    pub(crate) folder: Option<PathBuf>,
    /// The actuator that carries out an action, by the action's name, where several could.
    pub(crate) actuators: BTreeMap<String, String>,
}

impl PlaybookSettings {
    pub(super) fn read(reader: &mut Reader<'_>, known: &[Arc<dyn Actuator>]) -> Self {
        reader.section("playbooks", |section| {
            let folder = section.text("folder").map(PathBuf::from);
            let actuators = section.texts_by_name("actuators");
            let names: Vec<&str> = known.iter().map(|actuator| actuator.name()).collect();
            for (action, name) in &actuators {
                if !names.contains(&name.as_str()) {
                    let hint = format!("name one of [[actuators]]: {}", names.join(", "));
                    section.problem(
                        &format!("actuators.{action}"),
                        format!("is `{name}`, and there is no such actuator"),
                        Some(&hint),
                    );
                }
            }
            Self { folder, actuators }
        })
    }
}
