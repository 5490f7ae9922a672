//! `[rules]`: which detection rules run.

use std::path::PathBuf;

use wardline_detect::rules::Placeholders;

use super::reader::Reader;

/// Detection rules.
#[derive(Clone, Debug)]
pub(crate) struct RuleSettings {
    /// Whether the rules that come with the product run.
    pub(crate) shipped: bool,
    /// A folder with rules of one's own.
    pub(crate) folder: Option<PathBuf>,
    /// Values of placeholders, for rules with `expand`.
    pub(crate) placeholders: Placeholders,
}

impl RuleSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let folder = reader.text("folder").map(PathBuf::from);
        if let Some(folder) = folder.as_ref().filter(|folder| folder.exists() && !folder.is_dir()) {
            let what = format!("is `{}`, and must be a folder", folder.display());
            reader.problem("folder", what, Some("name a folder; `wardline rules import` makes it"));
        }
        Self { shipped: reader.flag("shipped").unwrap_or(true), folder, placeholders: reader.lists("placeholders") }
    }
}
