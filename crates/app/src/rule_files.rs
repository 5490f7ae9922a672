//! Files of detection rules, and the rules that run.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use wardline_detect::rules::{Placeholders, RuleError, RuleSet, RuleSource, SHIPPED, shipped};

use crate::settings::RuleSettings;

/// Rules that run, and what is wrong with those that do not.
pub(crate) struct Active {
    pub(crate) set: Arc<RuleSet>,
    pub(crate) errors: Vec<RuleError>,
}

/// How deep folders of rules may be nested.
const MOST_DEPTH: usize = 16;

/// The shipped rules and those of the settings' folder. A rule that cannot be used is left out.
///
/// # Errors
/// Where the folder cannot be read.
pub(crate) fn active(settings: &RuleSettings) -> anyhow::Result<Active> {
    let own = own(settings)?;
    if own.is_empty() && settings.shipped {
        return Ok(Active { set: shipped(), errors: Vec::new() });
    }
    let of_product = SHIPPED.iter().filter(|_| settings.shipped);
    let mut sources: Vec<RuleSource> =
        of_product.map(|(file, text)| RuleSource { file: (*file).to_owned(), text: (*text).to_owned() }).collect();
    sources.extend(own);
    let (set, errors) = RuleSet::compile(&sources, &settings.placeholders);
    Ok(Active { set: Arc::new(set), errors })
}

/// The rules of the settings' folder; none where there is no such folder yet.
pub(crate) fn own(settings: &RuleSettings) -> anyhow::Result<Vec<RuleSource>> {
    match &settings.folder {
        Some(folder) if folder.exists() => Ok(read(folder)?.into_iter().map(|(_, source)| source).collect()),
        _ => Ok(Vec::new()),
    }
}

/// The rules of a file or of a folder and the folders below it, in the order of their names.
///
/// # Errors
/// Where a folder or a file cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<(PathBuf, RuleSource)>> {
    let mut files = Vec::new();
    list(path, 0, &mut files)?;
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read the rule `{}`", file.display()))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let name = file.strip_prefix(path).ok().filter(|name| !name.as_os_str().is_empty()).unwrap_or(&file);
            Ok((file.clone(), RuleSource { file: name.display().to_string(), text }))
        })
        .collect()
}

fn list(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth > MOST_DEPTH {
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read the folder `{}`", path.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read the folder `{}`", path.display()))?.path();
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_rule = (name.ends_with(".yml") || name.ends_with(".yaml")) && !is_test(name);
        if entry.is_dir() || is_rule {
            list(&entry, depth + 1, files)?;
        }
    }
    Ok(())
}

fn is_test(name: &str) -> bool {
    name.ends_with(".test.yml") || name.ends_with(".test.yaml")
}

/// The test that stands beside a rule.
pub(crate) fn test_of(rule: &Path) -> Option<String> {
    ["test.yml", "test.yaml"].iter().find_map(|ending| std::fs::read_to_string(rule.with_extension(ending)).ok())
}

/// What is wrong with rules by themselves, each file alone but for what it refers to in the others.
pub(crate) fn errors(sources: &[RuleSource], placeholders: &Placeholders) -> Vec<RuleError> {
    RuleSet::compile(sources, placeholders).1
}
