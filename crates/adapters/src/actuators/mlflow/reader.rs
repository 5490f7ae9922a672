//! Reads the aliases of registered models, so that deployments are known that nobody reported.

use wardline_domain::ActionError;

use super::{
    super::{ActuatorSettingsError, Environment, settings::Ingredients},
    rest::{RegistrySettings, Rest},
};

/// Where an alias points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasState {
    /// The alias.
    pub alias: String,
    /// The version, as the registry numbers it.
    pub version: String,
}

/// A registry that is looked at.
pub struct AliasReader {
    name: String,
    rest: Rest,
}

impl AliasReader {
    /// A reader from the settings that an actuator of this registry has.
    ///
    /// # Errors
    /// [`ActuatorSettingsError`] for settings that are missing, unknown or not usable.
    pub fn new(
        name: &str,
        settings: serde_json::Value,
        environment: Environment<'_>,
    ) -> Result<Self, ActuatorSettingsError> {
        let ingredients = Ingredients::new(crate::remote::Part::Actuator, name.to_owned(), settings, environment);
        let settings: RegistrySettings = ingredients.read()?;
        Ok(Self { name: name.to_owned(), rest: Rest::new(&ingredients, settings)? })
    }

    /// Every alias of a model, for [`super::AliasHistory::observe`].
    ///
    /// # Errors
    /// [`ActionError`] where the registry does not tell.
    pub async fn aliases(&self, model: &str) -> Result<Vec<AliasState>, ActionError> {
        let registered =
            self.rest.registered(&self.rest.model(model)).await.map_err(|fault| fault.named(&self.name))?;
        Ok(registered.aliases().into_iter().map(|(alias, version)| AliasState { alias, version }).collect())
    }

    /// What a version was trained on, as `name@digest`.
    ///
    /// # Errors
    /// [`ActionError`] where the registry does not tell.
    pub async fn training_datasets(&self, model: &str, version: &str) -> Result<Vec<String>, ActionError> {
        let read = async { self.rest.training_datasets(&self.rest.model(model), &self.rest.version(version)?).await };
        read.await.map_err(|fault| fault.named(&self.name))
    }
}
