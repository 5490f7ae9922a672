//! `wardline rules`: test, check, list and import detection rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use wardline_detect::rules::{
    FixtureError, Rule, RuleError, RuleFault, RuleSet, RuleSource, SHIPPED, SHIPPED_TESTS, run_fixture,
};

use super::Outcome;
use crate::{
    cli::{RulesArguments, RulesCommand},
    rule_files,
    screen::plain,
    settings::Settings,
};

pub(super) fn run(arguments: &RulesArguments, settings: &Settings) -> anyhow::Result<Outcome> {
    match &arguments.command {
        RulesCommand::Test { path } => test(path.as_deref(), settings),
        RulesCommand::Lint { path } => lint(path, settings),
        RulesCommand::List { json } => list(*json, settings),
        RulesCommand::Import { path, dry_run } => import(path, *dry_run, settings),
    }
}

/// A rule with its test, where it has one.
struct Tested {
    rule: RuleSource,
    test: Option<String>,
}

fn test(path: Option<&Path>, settings: &Settings) -> anyhow::Result<Outcome> {
    let all = match path {
        Some(path) => beside(path)?,
        None => {
            let shipped = SHIPPED.iter().zip(SHIPPED_TESTS).filter(|_| settings.rules.shipped);
            let mut all: Vec<Tested> = shipped
                .map(|((file, text), test)| Tested {
                    rule: RuleSource { file: (*file).to_owned(), text: (*text).to_owned() },
                    test: Some((*test).to_owned()),
                })
                .collect();
            if let Some(folder) = settings.rules.folder.as_deref().filter(|folder| folder.exists()) {
                all.extend(beside(folder)?);
            }
            all
        }
    };
    if all.is_empty() {
        bail!("there is no rule to test: name a file or a folder with .yml files");
    }
    let (mut n_passed, mut n_failed, mut without) = (0, 0, 0);
    for Tested { rule, test } in &all {
        let Some(test) = test else {
            without += 1;
            continue;
        };
        match run_fixture(rule, test, &settings.rules.placeholders) {
            Ok(report) => {
                n_passed += report.passed;
                n_failed += report.failures.len();
                report.failures.iter().for_each(|failure| println!("{}: {}", rule.file, plain(failure)));
            }
            Err(error @ (FixtureError::Rule(_) | FixtureError::Unreadable(_) | FixtureError::Case { .. })) => {
                n_failed += 1;
                println!("{}: {}", rule.file, plain(&error.to_string()));
            }
        }
    }
    println!("{} rules: {n_passed} cases passed, {n_failed} failed; {without} rules have no test", all.len());
    Ok(if n_failed == 0 { Outcome::Good } else { Outcome::Wrong })
}

fn beside(path: &Path) -> anyhow::Result<Vec<Tested>> {
    let read = rule_files::read(path)?;
    Ok(read.into_iter().map(|(file, rule)| Tested { rule, test: rule_files::test_of(&file) }).collect())
}

fn lint(path: &Path, settings: &Settings) -> anyhow::Result<Outcome> {
    let sources: Vec<RuleSource> = rule_files::read(path)?.into_iter().map(|(_, source)| source).collect();
    let (set, errors) = RuleSet::compile(&sources, &settings.rules.placeholders);
    errors.iter().for_each(|error| println!("{}", plain(&error.to_string())));
    for rule in set.rules() {
        rule.notes().iter().for_each(|note| println!("`{}`, rule `{}`: note: {note}", rule.file, plain(&rule.title)));
    }
    println!("{} files: {} rules can be used, {} faults", sources.len(), set.rules().len(), errors.len());
    Ok(if errors.is_empty() { Outcome::Good } else { Outcome::Wrong })
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    level: &'a str,
    severity: &'static str,
    kind: &'static str,
    atlas: &'a [String],
    reads: &'static str,
    correlation: bool,
    file: &'a str,
}

fn list(json: bool, settings: &Settings) -> anyhow::Result<Outcome> {
    let active = rule_files::active(&settings.rules)?;
    let listed: Vec<Listed<'_>> = active.set.rules().iter().filter(|rule| rule.tells).map(listed).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&listed)?);
    } else {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["rule", "level", "kind", "ATLAS", "reads", "what it finds"]);
        for rule in &listed {
            table.add_row([rule.name, rule.level, rule.kind, &rule.atlas.join(" "), rule.reads, &plain(rule.title)]);
        }
        println!("{table}");
    }
    active.errors.iter().for_each(|error| eprintln!("a rule is left out: {error}"));
    Ok(if active.errors.is_empty() { Outcome::Good } else { Outcome::Wrong })
}

fn listed(rule: &Rule) -> Listed<'_> {
    Listed {
        name: &rule.name,
        title: &rule.title,
        description: &rule.description,
        level: rule.level,
        severity: rule.severity.name(),
        kind: rule.kind.name(),
        atlas: &rule.atlas,
        reads: rule.record_kind.name(),
        correlation: rule.is_correlation(),
        file: &rule.file,
    }
}

/// Copies files all of whose rules are understood. The others are named with the reason.
fn import(path: &Path, dry_run: bool, settings: &Settings) -> anyhow::Result<Outcome> {
    let Some(folder) = &settings.rules.folder else {
        bail!("there is no folder to import to: set `rules.folder` (WARDLINE_RULES__FOLDER)");
    };
    let read = rule_files::read(path)?;
    let sources: Vec<RuleSource> = read.iter().map(|(_, source)| source.clone()).collect();
    let errors = rule_files::errors(&sources, &settings.rules.placeholders);
    let refused: BTreeSet<&str> = errors.iter().map(|error| error.file.as_str()).collect();
    for error in &errors {
        println!("not taken: {}", plain(&error.to_string()));
    }
    let mut taken = 0;
    for (file, source) in read.iter().filter(|(_, source)| !refused.contains(source.file.as_str())) {
        taken += 1;
        if !dry_run {
            copy(file, &folder.join(relative(path, file)))?;
            if let Some(test) = rule_files::test_of(file) {
                let beside = folder.join(relative(path, file)).with_extension("test.yml");
                std::fs::write(&beside, test).with_context(|| format!("cannot write `{}`", beside.display()))?;
            }
        }
        println!("{}: {}", if dry_run { "would be taken" } else { "taken" }, source.file);
    }
    println!("{taken} of {} files taken", read.len());
    reasons(&errors).iter().for_each(|(reason, count)| println!("  {count} not taken: {reason}"));
    Ok(if errors.is_empty() { Outcome::Good } else { Outcome::Wrong })
}

fn relative(root: &Path, file: &Path) -> PathBuf {
    let below = file.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
    below.map_or_else(|| file.file_name().map(PathBuf::from).unwrap_or_default(), Path::to_path_buf)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    std::fs::copy(from, to).with_context(|| format!("cannot write `{}`", to.display()))?;
    Ok(())
}

/// How often each kind of fault came.
fn reasons(errors: &[RuleError]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for error in errors {
        let reason = match &error.fault {
            RuleFault::Unreadable(_) => "no Sigma rule",
            RuleFault::LogSource(_) => "a log source that is not taken in",
            RuleFault::UnknownField { .. } | RuleFault::Opaque { .. } => "a field that records do not have",
            RuleFault::Modifiers(_) | RuleFault::Value { .. } => "modifiers or values that do not go together",
            RuleFault::Regex(_) => "a regular expression that is refused",
            RuleFault::Placeholder(_) => "a placeholder without values",
            RuleFault::Selection(_) | RuleFault::Reference(_) | RuleFault::Circle => "a name that leads nowhere",
            RuleFault::Unsupported { .. } | RuleFault::NoSql(_) => "something that is not supported",
        };
        *counts.entry(reason).or_default() += 1;
    }
    counts
}
