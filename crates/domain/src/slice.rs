//! A slice: the part of a model's traffic that shares one or more attribute values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Conditions such as `channel=web` that all hold, sorted by dimension. Empty: the whole traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slice(Vec<(String, String)>);

impl Slice {
    /// The whole traffic.
    pub const fn whole() -> Self {
        Self(Vec::new())
    }

    /// One condition. `dimension` is a plain name such as `channel`, `instance` or an attribute's name.
    pub fn of(dimension: impl Into<String>, value: impl Into<String>) -> Self {
        Self(vec![(dimension.into(), value.into())])
    }

    /// This slice, narrowed by one more condition.
    #[must_use]
    pub fn and(mut self, dimension: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((dimension.into(), value.into()));
        self.0.sort();
        self.0.dedup();
        self
    }

    /// Whether it is the whole traffic.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The conditions, sorted by dimension.
    pub fn conditions(&self) -> &[(String, String)] {
        &self.0
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("all traffic");
        }
        for (index, (dimension, value)) in self.0.iter().enumerate() {
            let joint = if index == 0 { "" } else { " and " };
            write!(f, "{joint}{dimension}={value}")?;
        }
        Ok(())
    }
}
