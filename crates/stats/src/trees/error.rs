//! Why a model could not be read.

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The bytes are not of the format.
    #[error("not {format}: {what}")]
    Format {
        /// The format that was expected.
        format: &'static str,
        /// What was met instead.
        what: String,
    },
    /// A part is not there, or of another type.
    #[error("`{place}` is missing or of another type: {wanted} is needed")]
    Missing {
        /// The part, by its names from the top.
        place: String,
        /// What should be there.
        wanted: &'static str,
    },
    /// A part contradicts another, such as a child that is no node.
    #[error("`{place}`: {what}")]
    Broken {
        /// The part.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// A model that this reader does not know.
    #[error("{what} cannot be read: {instead}")]
    Unsupported {
        /// What it is.
        what: String,
        /// What can be.
        instead: &'static str,
    },
}

impl LoadError {
    pub(super) fn missing(place: impl Into<String>, wanted: &'static str) -> Self {
        Self::Missing { place: place.into(), wanted }
    }

    pub(super) fn broken(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Broken { place: place.into(), what: what.into() }
    }
}
