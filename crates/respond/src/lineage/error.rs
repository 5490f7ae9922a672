//! Why lineage could not be read or kept.

/// Why lineage could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    /// The bytes are no JSON, or JSON of another shape.
    #[error("{format} could not be read: {reason}; check that the file is {expected}")]
    NotRead {
        /// What it was taken for.
        format: &'static str,
        /// Where and why.
        reason: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A field that must be there is not.
    #[error("{format}: {place} has no `{field}`: without it, nothing can be said of what flows where")]
    Missing {
        /// What was read.
        format: &'static str,
        /// Where.
        place: String,
        /// What is missing.
        field: &'static str,
    },
    /// More than is kept.
    #[error("the graph has {most} {what}, and takes no more: read lineage of fewer systems, or of a shorter time")]
    Full {
        /// What there are too many of.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// A name that cannot be one.
    #[error("`{0}` cannot be the name of a node: a name has 1 to 400 bytes and no control characters")]
    Name(String),
    /// A text that names no node.
    #[error(
        "`{0}` names no node: write its kind and its name, such as `channel=partner-7`; kinds are channel, dataset, \
         feature, job, model, version, endpoint and system"
    )]
    NodeText(String),
    /// A batch breaks the event schema.
    #[error("a batch of events could not be read")]
    Batch(#[from] wardline_domain::BatchError),
}
