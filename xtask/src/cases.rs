//! Runs `wardline hunt` over folders of test cases and writes the alerts in the form that a scorer reads.
//!
//! Only the events and what an operator knows (`config.json`) are read: never the answers.

mod alert_form;
mod hunt;
mod settings;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use hunt::Hunt;

const EVENTS: &str = "events.ndjson.gz";
const CONFIG: &str = "config.json";
/// How deep below the given folder cases are looked for.
const DEPTH: usize = 4;

/// Runs every case below `folder`. Exit status 1 where a hunt failed; the others' alerts are written all the same.
pub(crate) fn run(folder: &Path, out: &Path, binary: Option<&Path>) -> Result<ExitCode> {
    if !folder.is_dir() {
        bail!("`{}` is not a folder: name one that holds case folders with {EVENTS} and {CONFIG}", folder.display());
    }
    let binary = find_binary(binary)?;
    let mut cases = Vec::new();
    collect(folder, DEPTH, &mut cases)?;
    cases.sort();
    if cases.is_empty() {
        bail!("no folder below `{}` holds {EVENTS} and {CONFIG}", folder.display());
    }
    println!("{:<28} {:>9} {:>7} {:>9} {:>9}", "case", "events", "alerts", "seconds", "peak MiB");
    let mut found = BTreeMap::new();
    let mut failed = 0;
    for case in &cases {
        let name = name_of(folder, case);
        match run_case(case, &binary) {
            Ok((hunt, alerts)) => {
                let (seconds, mebibytes) = (hunt.seconds, hunt.peak_bytes / (1 << 20));
                println!("{name:<28} {:>9} {:>7} {seconds:>9.2} {mebibytes:>9}", hunt.lines, alerts.len());
                found.insert(name, alerts);
            }
            Err(error) => {
                failed += 1;
                println!("{name:<28} failed: {error:#}");
                found.insert(name, Vec::new());
            }
        }
    }
    fs::write(out, serde_json::to_string_pretty(&found)?)
        .with_context(|| format!("cannot write `{}`", out.display()))?;
    println!("{} cases, {failed} failed; alerts are in {}", cases.len(), out.display());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_case(case: &Path, binary: &Path) -> Result<(Hunt, Vec<Value>)> {
    let events = case.join(EVENTS);
    let text = fs::read_to_string(case.join(CONFIG)).with_context(|| format!("cannot read {CONFIG}"))?;
    let known: Value = serde_json::from_str(&text).with_context(|| format!("{CONFIG} is not JSON"))?;
    let translated = settings::translate(&known, || hunt::models_in(&events));
    for note in &translated.notes {
        eprintln!("note: {}: {note}", case.display());
    }
    let hunt = hunt::run(binary, &translated.settings.to_string(), &events)?;
    let mut alerts = alert_form::read(&hunt.output)?;
    if known["positive_class"].is_string() {
        let estimates = hunt::estimate(binary, &translated.settings.to_string(), &events)?;
        alerts.extend(alert_form::estimates(&estimates)?);
    }
    Ok((hunt, alerts))
}

/// Folders that hold a case; a case's own folders are not looked into.
fn collect(folder: &Path, depth: usize, cases: &mut Vec<PathBuf>) -> Result<()> {
    if folder.join(EVENTS).is_file() && folder.join(CONFIG).is_file() {
        cases.push(folder.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, depth - 1, cases)?;
        }
    }
    Ok(())
}

fn name_of(folder: &Path, case: &Path) -> String {
    let below = case.strip_prefix(folder).unwrap_or(case);
    let named = if below.as_os_str().is_empty() { case.file_name().map_or(case, Path::new) } else { below };
    named.to_string_lossy().into_owned()
}

fn find_binary(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(binary) = named {
        if binary.is_file() {
            return Ok(fs::canonicalize(binary)?);
        }
        bail!("`{}` is not a program: build it with `cargo build --workspace`", binary.display());
    }
    let name = format!("wardline{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let cache = env::var_os("HOME").map(|home| Path::new(&home).join(".cache/wardline/target"));
    let places = [beside, target.map(|folder| folder.join("debug")), cache.map(|folder| folder.join("debug"))];
    let found = places.into_iter().flatten().map(|folder| folder.join(&name)).find(|binary| binary.is_file());
    found.context("no `wardline` was found: build it with `cargo build --workspace`, or name it with --binary")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_found_wherever_they_are_below() {
        let folder = tempfile::tempdir().unwrap();
        for case in ["b", "nested/a", "no-config"] {
            fs::create_dir_all(folder.path().join(case)).unwrap();
            fs::write(folder.path().join(case).join(EVENTS), b"").unwrap();
        }
        for case in ["b", "nested/a"] {
            fs::write(folder.path().join(case).join(CONFIG), b"{}").unwrap();
        }
        let mut cases = Vec::new();
        collect(folder.path(), DEPTH, &mut cases).unwrap();
        let mut names: Vec<String> = cases.iter().map(|case| name_of(folder.path(), case)).collect();
        names.sort();
        assert_eq!(names, ["b", "nested/a"]);
        assert_eq!(name_of(&folder.path().join("b"), &folder.path().join("b")), "b");
    }

    #[test]
    fn a_missing_folder_is_said_and_named() {
        let error = run(Path::new("no/such/folder"), Path::new("found.json"), None).unwrap_err();
        assert!(error.to_string().starts_with("`no/such/folder` is not a folder"), "{error}");
    }
}
