//! What the readers share: documents, one or many, and names of nodes.

use serde::de::DeserializeOwned;

use crate::lineage::{LineageError, Node, NodeKind};

/// Most bytes of one document.
const MAX_BYTES: usize = 256 << 20;

/// Which format is read, and what a file of it is.
#[derive(Clone, Copy)]
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
}

impl Format {
    pub(super) fn not_read(self, reason: impl ToString) -> LineageError {
        let reason = reason.to_string().chars().take(300).collect();
        LineageError::NotRead { format: self.name, reason, expected: self.expected }
    }

    pub(super) fn missing(self, place: impl ToString, field: &'static str) -> LineageError {
        let place = place.to_string().chars().take(120).collect();
        LineageError::Missing { format: self.name, place, field }
    }

    /// One document, a list of them, or one a line.
    pub(super) fn documents<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<Vec<T>, LineageError> {
        self.check_length(bytes)?;
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return serde_json::from_slice(bytes).map_err(|error| self.not_read(error));
        }
        let documents: Result<Vec<T>, _> = serde_json::Deserializer::from_slice(bytes).into_iter().collect();
        documents.map_err(|error| self.not_read(error))
    }

    /// One document.
    pub(super) fn document<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, LineageError> {
        self.check_length(bytes)?;
        serde_json::from_slice(bytes).map_err(|error| self.not_read(error))
    }

    fn check_length(self, bytes: &[u8]) -> Result<(), LineageError> {
        if MAX_BYTES < bytes.len() {
            return Err(self.not_read(format!("it has {} bytes, and at most {MAX_BYTES} are read", bytes.len())));
        }
        Ok(())
    }
}

/// A node by its namespace and its name.
pub(super) fn spaced(kind: NodeKind, namespace: &str, name: &str) -> Result<Node, LineageError> {
    if namespace.is_empty() { Node::new(kind, name) } else { Node::new(kind, format!("{namespace}/{name}")) }
}

/// A version of a model or of a dataset, as its node is named.
pub(super) fn versioned(kind: NodeKind, name: &str, version: &str) -> Result<Node, LineageError> {
    if version.is_empty() { Node::new(kind, name) } else { Node::new(kind, format!("{name}@{version}")) }
}
