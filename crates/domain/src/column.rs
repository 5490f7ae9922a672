//! Names of columns, in tables, in SQL and in batches alike.

/// When the event happened, on the sender's clock.
pub const TIME: &str = "time";
/// When Wardline took the event in.
pub const RECEIVED: &str = "received";
/// Who sent it: the name of the intake token, or of the file's reader.
pub const SENDER: &str = "sender";
/// The prediction's id.
pub const ID: &str = "id";
/// Registered model name.
pub const MODEL: &str = "model";
/// Model version.
pub const VERSION: &str = "version";
/// Unknown fields that found no column of their own, as one JSON object.
pub const ATTRIBUTES: &str = "attributes";

/// Prefix of a feature's column: `feature_age`.
pub const FEATURE_PREFIX: &str = "feature_";
/// Prefix of an attribute's column: `attribute_store`.
pub const ATTRIBUTE_PREFIX: &str = "attribute_";
/// Prefix of a protected attribute's column: `group_sex`.
pub const GROUP_PREFIX: &str = "group_";

/// The feature that a column holds.
pub fn feature_of(column: &str) -> Option<&str> {
    column.strip_prefix(FEATURE_PREFIX)
}

/// The attribute that a column holds.
pub fn attribute_of(column: &str) -> Option<&str> {
    column.strip_prefix(ATTRIBUTE_PREFIX)
}

/// The protected attribute that a column holds.
pub fn group_of(column: &str) -> Option<&str> {
    column.strip_prefix(GROUP_PREFIX)
}
