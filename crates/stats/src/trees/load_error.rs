//! Why bytes are not an ensemble.

use super::tree::UnsoundTree;

/// Why bytes are not an ensemble that can be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// The bytes are not of the format.
    #[error("the file is not {format}: {reason}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// Something that the format asks for is not there, or is no such thing.
    #[error("`{name}` is missing, or is not {expected}")]
    Field {
        /// Its name in the file.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Lists that go together are not of one length.
    #[error("`{name}` has {found} entries and should have {expected}")]
    Length {
        /// Its name in the file.
        name: String,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Something that is known, and not supported.
    #[error("{what} is not supported")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// Too few or too many columns.
    #[error("the ensemble has {0} features")]
    Features(usize),
    /// Too few or too many outputs.
    #[error("the ensemble has {0} outputs, and must have 1 to 10,000")]
    Outputs(usize),
    /// A base that is not finite.
    #[error("a base margin is not finite")]
    Base,
    /// A mean of no trees, or a link that does not scale.
    #[error("the number of trees of a mean, or the scale of the link, is not above zero")]
    Scale,
    /// Names that are not one for each feature.
    #[error("there are {names} feature names, and {features} features")]
    Names {
        /// How many names.
        names: usize,
        /// How many features.
        features: usize,
    },
    /// A tree that is none.
    #[error("tree {tree} is unsound: {reason}")]
    Tree {
        /// Its place.
        tree: usize,
        /// Why.
        reason: UnsoundTree,
    },
}
