//! Checks how the repository is built. It runs as an ordinary test as well; its limits only ever go down.

mod crate_edges;
mod detectors;
mod hunts;
mod machine_paths;
mod names;
mod rust_text;
mod shape;
mod tree;

use std::{fmt, process::ExitCode};

use anyhow::Result;

pub(crate) use detectors::pages as detector_pages;
pub(crate) use hunts::page as hunts_page;
pub(crate) use tree::Tree;

/// Every limit in one place.
pub(crate) struct Limits {
    /// Most lines of a file, its tests not counted.
    pub(crate) file_lines: usize,
    /// Most lines of a function, from `fn` to its closing brace.
    pub(crate) function_lines: usize,
    /// Names that say nothing.
    pub(crate) forbidden_names: &'static [&'static str],
    /// What each crate may import of ours.
    pub(crate) edges: &'static [(&'static str, &'static [&'static str])],
    /// Crates that only some of ours may see, and which.
    pub(crate) seen_by: &'static [(&'static str, &'static [&'static str])],
}

const LIMITS: Limits = Limits {
    file_lines: 600,
    function_lines: 70,
    forbidden_names: &["utils", "util", "common", "helpers", "helper", "misc", "manager"],
    edges: &[
        ("domain", &[]),
        ("stats", &[]),
        ("store", &["domain"]),
        ("detect", &["domain", "stats"]),
        ("assess", &["domain", "stats"]),
        ("respond", &["domain", "stats"]),
        ("adapters", &["domain"]),
        ("simulate", &["domain", "stats"]),
        ("app", &["adapters", "assess", "detect", "domain", "respond", "simulate", "stats", "store"]),
    ],
    seen_by: &[
        ("datafusion", &["store"]),
        ("deltalake", &["store"]),
        ("sqlx", &["store"]),
        ("axum", &["app"]),
        ("anyhow", &["app"]),
    ],
};

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// The file, below the repository.
    pub(crate) path: String,
    /// The line, where one is meant.
    pub(crate) line: Option<usize>,
    /// What is wrong and what to do.
    pub(crate) what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// Checks the repository that this program was built from.
pub(crate) fn run() -> Result<ExitCode> {
    let complaints = complaints(&Tree::of_the_repository()?);
    for complaint in &complaints {
        println!("{complaint}");
    }
    if complaints.is_empty() {
        println!("tidy");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} complaints", complaints.len());
    Ok(ExitCode::FAILURE)
}

/// Everything that is wrong with a tree, in order of path and line.
pub(crate) fn complaints(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    crate_edges::check(tree, &LIMITS, &mut complaints);
    shape::check(tree, &LIMITS, &mut complaints);
    names::check(tree, &LIMITS, &mut complaints);
    detectors::check(tree, &mut complaints);
    hunts::check(tree, &mut complaints);
    machine_paths::check(tree, &mut complaints);
    complaints.sort();
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let complaints = complaints(&Tree::of_the_repository().unwrap());
        let listed: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), listed.join("\n"));
    }
}
