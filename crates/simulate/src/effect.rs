//! What can go wrong in a scenario, and for which part of a model's traffic.

use wardline_domain::Slice;

/// The part of one model's traffic that an injection touches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The version; `None` for every version.
    pub version: Option<String>,
    /// Conditions on `channel`, `instance` or an attribute.
    pub slice: Slice,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// This share of the predictions fails.
    ErrorRate(f64),
    /// Serving takes this many times as long for a share of the predictions.
    Slower {
        /// Share of the predictions.
        share: f64,
        /// How many times as long.
        factor: f64,
    },
    /// The instance stops for garbage collection again and again.
    Pauses {
        /// From one pause to the next.
        every_ms: f64,
        /// Length of a pause.
        pause_ms: f64,
    },
    /// Inputs have this many times as many tokens.
    LongerInputs {
        /// How many times as many.
        factor: f64,
    },
    /// A feature arrives in another unit.
    WrongUnit {
        /// The feature.
        feature: &'static str,
        /// What its values are multiplied by.
        factor: f64,
    },
    /// A feature is missing in a share of the predictions.
    Missing {
        /// The feature.
        feature: &'static str,
        /// Share of the predictions.
        share: f64,
    },
    /// A category that was never seen before.
    NewCategory {
        /// The feature.
        feature: &'static str,
        /// The new category.
        value: &'static str,
        /// Share of the predictions.
        share: f64,
    },
    /// Nothing arrives any more.
    Silence,
}

impl Scope {
    /// The model's whole traffic.
    pub fn whole() -> Self {
        Self::default()
    }

    /// One version's traffic.
    pub fn version(version: &str) -> Self {
        Self { version: Some(version.to_owned()), slice: Slice::whole() }
    }

    /// A slice of the traffic.
    pub fn slice(slice: Slice) -> Self {
        Self { version: None, slice }
    }

    /// Whether a prediction lies within; `value` gives its value of a dimension.
    pub(crate) fn holds<'a>(&self, version: &str, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.version.as_deref().is_none_or(|wanted| wanted == version)
            && self.slice.conditions().iter().all(|(dimension, wanted)| value(dimension) == Some(wanted.as_str()))
    }
}
